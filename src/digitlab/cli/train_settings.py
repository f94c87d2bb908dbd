"""The settings of a training, from the command line's options, a settings file, a preset or a recipe of the zoo."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli import options

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.train import RunConfig

NETWORK = ("net", "loss", "activation", "init", "dropout", "scaling")
TRAINER = (
    "epochs", "batch_size", "shuffle", "monitor", "keep", "evaluate_train", "engine", "device", "seed", "early_stop",
    "schedule", "gradient", "augment", "averaging", "class_weights",
)  # fmt: skip
DATA = (
    "split", "valid_size", "test_size", "train_size", "per_class", "digits", "fraction", "mix", "label_column",
    "class_names", "image_shape",
)  # fmt: skip

# A set of one's own is small: accuracy on its few validation images takes steps, and their loss does not.
FINE_TUNING = {
    "epochs": 30,
    "monitor": "valid_loss",
    "batch_size": 16,
    "optimizer": {"type": "adam", "learning_rate": 0.001},
}


def settings(given: dict[str, Any], from_file: Path | None) -> "tuple[RunConfig, Splits]":
    """The settings that the file and the options make together, and the data they name."""
    from digitlab.cli.sets import load_sets
    from digitlab.data import DIGIT_NAMES
    from digitlab.errors import ConfigError
    from digitlab.train import RunConfig
    from digitlab.train.config import read_table
    from digitlab.train.presets import preset

    table = read_table(from_file) if from_file else {}
    if "layers" in table:  # a network alone
        table = {"network": table}
    if "preset" in given:
        recipe = preset(given["preset"])
        if "network" in table or "net" in given or "start" in given:
            raise click.UsageError("--preset brings a network of its own; leave the other one out")
        given["net"] = recipe.net
        table = recipe.settings | {"data": recipe.data} | table
    data = table.get("data", {})
    if not isinstance(data, dict):
        raise ConfigError(f'data: got {data!r}, expected a table such as [data] with source = "mnist"')
    data = dict(data)
    data["source"] = given.get("source", data.get("source", "auto"))
    data |= {name: given[name] for name in DATA if name in given}
    data |= {name: from_anywhere(data[name]) for name in ("source", "mix") if name in data}
    splits = load_sets(data)
    if data["source"] == "auto":  # written down as what it turned out to be, so that a resume reads the same
        data["source"] = "mnist" if splits.train.images.shape[1] == 28 else "digits"
    if splits.train.class_names != DIGIT_NAMES and not {"class_names", "group"} & set(data):
        data["class_names"] = list(splits.train.class_names)  # so that files with fewer of them mean the same
    table["data"] = data
    if "start" in given:
        table = starting_settings(given, table)
    elif "network" not in table:
        table = recipe_settings(given.get("net")) | table
        table["network"] = network_table(given, splits)
    elif clash := [name for name in NETWORK if name in given]:
        raise click.UsageError(f"--{clash[0]} and the network in {from_file} contradict each other; leave one out")
    table |= {name: given[name] for name in TRAINER if name in given}
    if "sample_weights" in given:
        table["sample_weights"] = str(Path(given["sample_weights"]).resolve())
    if penalties := _regularizers(given):
        table["regularizers"] = penalties
    if "optimizer" in given or "learning_rate" in given or "optimizer" not in table:
        table["optimizer"] = optimizer_table(given, table)
    try:
        return RunConfig.from_table(table), splits
    except ConfigError as error:
        raise ConfigError(f"{from_file}: {error}") if from_file is not None else error from None


def from_anywhere(source: Any) -> Any:
    """A path in full, so that the run finds its data from another folder, too; what is no path stays as it is."""
    from digitlab.data.names import NAMES, canonical_source

    source = canonical_source(source)
    if not isinstance(source, str) or source in NAMES:
        return source
    if (place := Path(source).expanduser()).exists():
        return str(place.resolve())
    family, colon, folder = source.partition(":")  # "kmnist:FOLDER"
    place = Path(folder).expanduser()
    return f"{family}:{place.resolve()}" if colon and place.exists() else source


def starting_settings(given: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """The settings of a fine-tuning: the network that is there, and small steps unless others are asked for."""
    from digitlab.cli.options import load_named
    from digitlab.nn import describe_network

    if clash := [name for name in NETWORK if name in given]:
        raise click.UsageError(f"--{clash[0]} makes a new network, and --from takes one that is there; leave one out")
    path, network = load_named(given["start"])
    if table.get("network", network_ := describe_network(network)) != network_:
        raise click.UsageError(f"--from {given['start']} is another network than the file's; leave one out")
    return FINE_TUNING | table | {"network": network_, "start": str(path.resolve())}


def recipe_settings(net: str | None) -> dict[str, Any]:
    """How a network of the zoo is trained if nothing else is said; {} for layer sizes."""
    from digitlab.nn.zoo import find_recipe

    recipe = find_recipe(net) if net is not None else None
    if recipe is None:
        return {}
    training = recipe.training
    return {
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "optimizer": {"type": training.optimizer, "learning_rate": training.learning_rate},
        "schedule": {"type": training.schedule},
        "regularizers": [{"type": "L2", "strength": training.l2}] if training.l2 else [],
    }


def network_table(given: dict[str, Any], splits: "Splits") -> dict[str, Any]:
    """The table of the network that --net and its companions describe, fitted to the data."""
    from digitlab.errors import ConfigError
    from digitlab.nn import describe_network, mlp
    from digitlab.nn.describe import build
    from digitlab.nn.zoo import parse_sizes, recipe

    shape, classes = splits.train.images.shape[1:], len(splits.train.class_names)
    net = given.get("net", f"{math.prod(shape)}-30-{classes}")
    sizes = parse_sizes(net)
    if sizes is None:
        if own := [name for name in ("activation", "init", "dropout", "scaling") if name in given]:
            raise ConfigError(f"--{own[0]}: {net} has its own; leave the option out, or give --net layer sizes")
        network = recipe(net).build(input_shape=shape, classes=classes, seed=None)
        if "loss" in given:
            network.loss = build(options.losses(), given["loss"])
        return describe_network(network)
    if sizes[0] == 784 and shape == (8, 8) and given.get("source") is None:
        sizes[0] = 64  # MNIST was replaced by smaller images, which the user has been told
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


def title(given: dict[str, Any], config: "RunConfig") -> str:
    """A short name for the run's folder."""
    if "net" in given:
        return str(given["net"]).lower()
    if "start" in given:
        return f"from-{Path(given['start']).stem}"
    from digitlab.nn import build_network

    network = build_network(config.network, seed=None)
    outputs = [layer.out_features for layer in network.layers if hasattr(layer, "out_features")]
    return "-".join(map(str, [*network.input_shape, *outputs]))


def optimizer_table(given: dict[str, Any], table: dict[str, Any]) -> Any:
    """The optimizer's table; a learning rate that nobody chose follows the loss, as in the book."""
    from digitlab.train.config import usual_rate

    chosen = given.get("optimizer", table.get("optimizer", "SGD"))
    if isinstance(chosen, str):
        chosen = {"type": chosen}
    if not isinstance(chosen, dict) or "type" not in chosen:
        return chosen  # which is none; building it says so
    if "learning_rate" in given:
        return {**chosen, "learning_rate": given["learning_rate"]}
    network = table["network"]
    loss = network.get("loss", "quadratic") if isinstance(network, dict) else "quadratic"
    rate = usual_rate(chosen["type"], loss)
    return dict(chosen) if "learning_rate" in chosen or rate is None else {**chosen, "learning_rate": rate}


def _regularizers(given: dict[str, Any]) -> list[dict[str, Any]]:
    from digitlab.train.config import REGULARIZERS

    return [{"type": kind, field: given[name]} for name, (kind, field) in REGULARIZERS.items() if name in given]
