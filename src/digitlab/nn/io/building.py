"""Networks from their descriptions: `build_network` takes the table that `describe_network` wrote (description.py)."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.errors import ConfigError, did_you_mean
from digitlab.nn.describe import build, describe
from digitlab.nn.io.description import FLAGS
from digitlab.nn.io.freezing import apply_frozen
from digitlab.nn.io.stored import check_description
from digitlab.nn.network import Layer, Loss, Network
from digitlab.nn.outputs import closing_activation
from digitlab.nn.scaling import as_scaling, describe_scaling
from digitlab.nn.shapes import checked_shape

__all__ = ["build_network"]

logger = logging.getLogger("digitlab")

KEYS = ("input_shape", "layers", "loss", "scaling", "dtype", "frozen", *FLAGS)


@checked
def build_network(description: Mapping[str, Any], *, seed: int | np.random.Generator | None = 0) -> Network:
    """The network that a table describes, with fresh weights; with seed None they are zeros, to be loaded.

    Raises ConfigError for what the table lacks or has too much, ShapeError where layers do not fit.
    """
    unknown = [key for key in description if key not in KEYS]
    if unknown:
        raise ConfigError(f"a network has no {unknown[0]!r}{did_you_mean(unknown[0], KEYS)}; it has {', '.join(KEYS)}")
    for key in ("input_shape", "layers"):
        if key not in description:
            raise ConfigError(f"a network's description needs {key!r}; it has {', '.join(description) or 'nothing'}")
    flags = {name: description.get(name, False) for name in FLAGS}
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise ConfigError(f"{name}: got {value!r}, expected true or false")
    network = Network(
        description["layers"],
        description["input_shape"],
        build(Loss, description.get("loss", "quadratic")),
        scaling=description.get("scaling"),
        dtype=description.get("dtype", "float32"),
        seed=seed,
        **flags,
    )
    network.scaling_is_explicit = False  # a description names every scaling, chosen or not
    apply_frozen(network, description.get("frozen", {}))
    return network


def in_full(description: Mapping[str, Any]) -> dict[str, Any]:
    """The same description with every setting written out, also those that it leaves at their defaults."""
    layers = [describe(build(Layer, layer), full=True) for layer in description["layers"]]
    full = {
        "input_shape": list(checked_shape(description["input_shape"])),
        "loss": describe(build(Loss, description.get("loss", "quadratic")), full=True),
        "scaling": describe_scaling(as_scaling(description.get("scaling", "/255"))),
        "dtype": description.get("dtype", "float32"),
        **{name: description.get(name, False) for name in FLAGS},
        "layers": [_inner_in_full(layer) for layer in layers],
    }
    return full | {key: value for key, value in description.items() if key not in full}


def in_short(description: Mapping[str, Any]) -> dict[str, Any]:
    """The same description as `describe_network` writes it: without what layers and loss have at their defaults.

    An invalid one is left as it is; `build_network` reports it.
    """
    short = dict(description)
    with suppress(ConfigError):
        if isinstance(layers := short.get("layers"), list):
            short["layers"] = [describe(build(Layer, layer)) for layer in layers]
        if "loss" in short:
            short["loss"] = describe(build(Loss, short["loss"]))
    return {key: value for key, value in short.items() if key not in FLAGS or value is not False}


def _inner_in_full(table: Any) -> Any:
    """A layer's table, with the networks inside it in full as well."""
    if isinstance(table, list):
        return [_inner_in_full(item) for item in table]
    if not isinstance(table, Mapping):
        return table
    if {"layers", "input_shape"} <= table.keys():
        return in_full(table)
    return {key: _inner_in_full(value) for key, value in table.items()}


def allowing(description: Any, path: Any = None) -> Any:
    """A saved network's description, with `allow_output_activation` set where it is needed and was not yet written.

    Files from before the rule in outputs.py may hold such networks, also inside others. With the `path` of the file,
    one line in the log says so. Raises ConfigError for one that asks for too much (stored.py).
    """
    check_description(description)
    allowed = _allowing(description)
    if path is not None and allowed != description:
        logger.warning("%s: its network ends with an activation although its loss has one of its own; it is kept", path)
    return allowed


def _allowing(description: Any) -> Any:
    if isinstance(description, list):
        return [_allowing(item) for item in description]
    if not isinstance(description, Mapping):
        return description
    found = {key: _allowing(value) for key, value in description.items()}
    if not {"layers", "input_shape"} <= found.keys() or "allow_output_activation" in found:
        return found
    loss = build(Loss, found.get("loss", "quadratic"))
    layers = [build(Layer, layer) for layer in found["layers"]] if isinstance(found["layers"], list) else []
    return found | ({"allow_output_activation": True} if loss.owns and closing_activation(layers) is not None else {})
