"""The network that a training begins with: from layer sizes or a name, fitted to the images; and what to call it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.cli.shared import options
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
    from digitlab.nn import describe_network, mlp
    from digitlab.nn.describe import build
    from digitlab.nn.zoo import parse_sizes, recipe

    shape, classes = splits.train.images.shape[1:], len(splits.train.class_names)
    net = given.get("net", f"{math.prod(shape)}-30-{classes}")
    sizes = parse_sizes(net)
    if sizes is None:
        if own := [name for name in ("activation", "init", "dropout", "scaling") if name in given]:
            raise ConfigError(f"--{own[0]}: {net} has its own; leave the option out, or give --net layer sizes")
        try:
            network = recipe(net).build(input_shape=shape, classes=classes, seed=None)
        except ShapeError as error:
            size = "×".join(map(str, shape))
            if fell_back:
                raise ConfigError(f"{net} needs images of 28×28, and MNIST is unavailable; {INSTEAD}") from None
            side = recipe(net).least_side(max(shape[:2]))
            raise ShapeError(f"{net} does not fit images of {size}; it needs {side}×{side} ({error})") from None
        if "loss" in given:
            network.loss = replaced_loss(network.loss, given["loss"])
        return describe_network(network)
    if fell_back and sizes[0] == 784:
        sizes[0] = math.prod(shape)
    init = given.get("init")
    network = mlp(
        sizes,
        activation=build(options.activations(), given.get("activation", "sigmoid")),
        loss=build(options.losses(), given.get("loss", "quadratic")),
        init=build(options.initializers(), init) if init is not None else None,
        dropout=given.get("dropout", 0.0),
        scaling=given.get("scaling", "/255"),
        seed=None,
    )
    return describe_network(network)


def replaced_loss(old: Any, chosen: Mapping[str, Any]) -> Any:
    """Another loss for a network that has one: what all losses have and --loss does not name stays, as its targets."""
    from digitlab.nn.describe import build, describe

    return build(options.losses(), {**describe(old), **chosen})


def check_fallback(network: Any, splits: "Splits", whose: Any) -> None:
    """ConfigError where MNIST is unavailable and the network is not for the small images in its place."""
    from digitlab.errors import ConfigError
    from digitlab.nn import build_network

    wanted = build_network(network, seed=None).input_shape
    if math.prod(wanted) != math.prod(splits.train.image_shape):
        size = "×".join(map(str, wanted))
        raise ConfigError(f"the network of {whose} needs inputs of {size}, and MNIST is unavailable; {INSTEAD}")


def title(given: Mapping[str, Any], config: "RunConfig") -> str:
    """A short name for the run's folder: what was trained, as it is in the settings."""
    from digitlab.nn import build_network
    from digitlab.nn.zoo import parse_sizes

    if "net" in given and parse_sizes(given["net"]) is None:
        return str(given["net"]).lower()
    if "start" in given:
        return f"from-{Path(given['start']).stem}"
    network = build_network(config.network, seed=None)
    outputs = [layer.out_features for layer in network.layers if hasattr(layer, "out_features")]
    return "-".join(map(str, [*network.input_shape, *outputs]))
