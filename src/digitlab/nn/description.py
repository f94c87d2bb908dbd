"""A whole network as a small table, for TOML and JSON files, and back.

input_shape = [784]
loss = "quadratic"
[[layers]]
type = "Dense"
out_features = 30
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from digitlab.errors import ConfigError
from digitlab.nn.describe import build, describe
from digitlab.nn.freezing import apply_frozen, describe_frozen
from digitlab.nn.network import Loss, Network
from digitlab.nn.scaling import describe_scaling

KEYS = ("input_shape", "layers", "loss", "scaling", "dtype", "frozen")


def describe_network(network: Network) -> dict[str, Any]:
    """The choices that make this network, without its weights: what `build_network` takes."""
    description = {
        "input_shape": list(network.input_shape),
        "loss": describe(network.loss),
        "scaling": describe_scaling(network.scaling),
        "dtype": network.dtype,
        "layers": [describe(layer) for layer in network.layers],
    }
    frozen = describe_frozen(network)
    return {**description, "frozen": frozen} if frozen else description


def build_network(description: Mapping[str, Any], *, seed: int | np.random.Generator | None = 0) -> Network:
    """The network that a table describes, with fresh weights; with seed None they are zeros, to be loaded.

    Raises ConfigError for what the table lacks or has too much, ShapeError where layers do not fit.
    """
    unknown = [key for key in description if key not in KEYS]
    if unknown:
        raise ConfigError(f"a network has no {unknown[0]!r}; it has {', '.join(KEYS)}")
    for key in ("input_shape", "layers"):
        if key not in description:
            raise ConfigError(f"a network's description needs {key!r}; it has {', '.join(description) or 'nothing'}")
    network = Network(
        description["layers"],
        description["input_shape"],
        build(Loss, description.get("loss", "quadratic")),
        scaling=description.get("scaling"),
        dtype=description.get("dtype", "float32"),
        seed=seed,
    )
    network.scaling_is_explicit = False  # a description names every scaling, chosen or not
    apply_frozen(network, description.get("frozen", {}))
    return network
