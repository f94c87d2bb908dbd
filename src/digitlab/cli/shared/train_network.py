"""The network that a training begins with: from layer sizes or a name, fitted to the images; and what to call it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.cli.shared.sets import FETCH

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.train import RunConfig

INSTEAD = f"{FETCH}; or train a network for the small images: --net 64-30-10"


def network_table(given: Mapping[str, Any], splits: "Splits", *, fell_back: bool = False) -> dict[str, Any]:
    """The table of the network that --net and its companions describe, fitted to the data.

    `fell_back` says that MNIST is unavailable and small images took its place. Raises ConfigError or ShapeError.
    """
    from digitlab.errors import ConfigError, ShapeError
    from digitlab.nn import Initializer, Loss
    from digitlab.nn.chains import chain
    from digitlab.nn.describe import build, describe
    from digitlab.nn.recipe import fitted
    from digitlab.nn.scaling import as_scaling, describe_scaling
    from digitlab.nn.zoo import parse_sizes, recipe

    shape, classes = splits.train.images.shape[1:], len(splits.train.class_names)
    net = given.get("net", f"{math.prod(shape)}-30-{classes}")
    sizes = parse_sizes(net)
    if sizes is None:
        if own := [name for name in ("activation", "init", "dropout", "scaling") if name in given]:
            raise ConfigError(f"--{own[0]}: {net} has its own; leave the option out, or give --net layer sizes")
        named = recipe(net)
        layers, scaling = named.layers(classes), named.scaling
        # Of another loss, what all losses have and --loss does not name stays, as its targets.
        loss = build(Loss, {**describe(build(Loss, named.loss)), **given.get("loss", {})})
        inputs = out = fitted(tuple(shape), len(named.input_shape))
        try:
            for i, layer in enumerate(layers):
                problem, out = f"layer {i}", layer.output_shape(out)
        except ShapeError as error:
            size = "×".join(map(str, shape))
            if fell_back:
                raise ConfigError(f"{net} needs images of 28×28, and MNIST is unavailable; {INSTEAD}") from None
            side = named.least_side(max(shape[:2]))
            needs = f"it needs {side}×{side} ({problem}, {error})"
            raise ShapeError(f"{net} does not fit images of {size}; {needs}") from None
    else:
        if fell_back and sizes[0] == 784:
            sizes[0] = math.prod(shape)
        init = given.get("init")
        layers = chain(
            sizes,
            activation=given.get("activation", "sigmoid"),
            init=build(Initializer, init) if init is not None else None,
            dropout=given.get("dropout", 0.0),
        )
        inputs, loss, scaling = (sizes[0],), build(Loss, given.get("loss", "quadratic")), given.get("scaling", "/255")
    return {
        "input_shape": list(inputs),
        "loss": describe(loss),
        "scaling": describe_scaling(as_scaling(scaling)),
        "dtype": "float32",
        "layers": [describe(layer) for layer in layers],
    }


def check_fallback(network: Any, splits: "Splits", whose: Any) -> None:
    """ConfigError where MNIST is unavailable and the network is not for the small images in its place."""
    from digitlab.errors import ConfigError
    from digitlab.nn.shapes import checked_shape

    wanted = checked_shape(network["input_shape"])
    if math.prod(wanted) != math.prod(splits.train.image_shape):
        size = "×".join(map(str, wanted))
        raise ConfigError(f"the network of {whose} needs inputs of {size}, and MNIST is unavailable; {INSTEAD}")


def title(given: Mapping[str, Any], config: "RunConfig") -> str:
    """A short name for the run's folder: what was trained, as it is in the settings."""
    from digitlab.nn.zoo import parse_sizes

    if "net" in given and parse_sizes(given["net"]) is None:
        return str(given["net"]).lower()
    if "preset" in given:
        return str(given["preset"])
    if "start" in given:
        return f"from-{Path(given['start']).stem}"
    shape, layers = config.network.get("input_shape", ()), config.network.get("layers", ())
    sizes = [*shape] if isinstance(shape, list | tuple) else [shape]
    outputs = [layer["out_features"] for layer in layers if isinstance(layer, dict) and "out_features" in layer]
    return "-".join(map(str, [*sizes, *outputs]))
