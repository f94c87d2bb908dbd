"""The settings of a training, from the command line's options, a settings file, a preset, a run or the zoo.

They come in layers, and what a layer does not say stays as the one below it has it:

    a recipe: of the zoo (--net lenet5), a preset, the run of --from, or a beginner's defaults
    the settings file
    the options
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.console import tell
from digitlab.cli.shared.train_network import check_fallback, network_table
from digitlab.settings import DataTable, NetworkSettings, ShortSettings, TrainingSettings, settings_of
from digitlab.settings.schema import as_typed, option_of

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.train import RunConfig

NETWORK = tuple(name for name, s in settings_of(NetworkSettings).items() if s.flags is not None)
OPTIONAL = {name: s for name, s in settings_of(TrainingSettings).items() if s.flags is not None and name != "start"}
CHOICES = tuple(name for name, s in OPTIONAL.items() if s.family)  # with settings of their own
OVER = (*OPTIONAL, *settings_of(ShortSettings))  # options that override the other layers, in this order
DATA = tuple(name for name, s in settings_of(DataTable).items() if s.flags is not None)
SIZES = ("train_size", "per_class", "fraction")  # each says how much to train on, so one replaces another
OF_ANY_SOURCE = ("source", "split", "seed", "mix", "digits", "group")  # what holds when --data names another source

# Your own set is small: accuracy on its few validation images takes steps, and their loss does not.
# Changed copies in every epoch make more of it, and small steps forget less of what the network knows.
FINE_TUNING = {
    "epochs": 30,
    "monitor": "valid_loss",
    "batch_size": 16,
    "augment": "shift,rotate:10,scale",
    "optimizer": {"type": "adam", "learning_rate": 0.0005},
}
FEW = 30  # validation images: their loss, too, is chance, and the first epochs may have the smallest


def settings(
    given: dict[str, Any], from_file: Path | None, table: Mapping[str, Any] | None = None
) -> "tuple[RunConfig, Splits]":
    """The settings that all layers make together, and the data they name; `table` is a layer above the file.

    Notes in `given` as "fell_back" whether MNIST was unavailable and the bundled digits took its place.
    """
    from digitlab.cli.shared.sets import load_sets
    from digitlab.data import DIGIT_NAMES
    from digitlab.errors import ConfigError
    from digitlab.nn.zoo import parse_sizes
    from digitlab.train import RunConfig
    from digitlab.train.config import with_setting

    table, recipe = file_table(from_file) | dict(table or {}), recipe_table(given)
    data = data_table(given, _table(recipe, "data"), _table(table, "data"))
    splits = load_sets(data)
    fell_back = given.setdefault("fell_back", False)
    if data["source"] == "auto":  # written down as what it turned out to be, so that a resume reads the same
        data["source"] = "mnist" if splits.train.images.shape[1] == 28 else "digits"
        fell_back = given["fell_back"] = data["source"] == "digits"
        if fell_back and (parse_sizes(given.get("net", "")) or [0])[0] == 784:
            tell("the network gets 64 inputs instead of 784, one for each pixel")
    if splits.train.class_names != DIGIT_NAMES and not {"class_names", "group"} & set(data):
        data["class_names"] = list(splits.train.class_names)  # so that files with fewer of them mean the same
    if data["source"] != _table(recipe, "data").get("source"):
        recipe.pop("sample_weights", None)  # of the images that the run was trained on
    if "start" in given and "keep" not in recipe and (splits.valid is None or len(splits.valid) < FEW):
        recipe["keep"] = "last"
    if splits.valid is None and recipe.get("monitor", "").startswith("valid"):
        del recipe["monitor"]  # the user did not ask for it, and there is no validation set
    if "network" in recipe and "network" in table:
        same_network(given, recipe["network"], table.pop("network"))
    if "preset" in given and "network" in table:
        raise click.UsageError(f"--preset sets the network, and so does {from_file}; leave one out")
    if clash := [name for name in NETWORK if name in given] if "network" in table else []:
        raise click.UsageError(f"--{clash[0]} and the network in {from_file} contradict each other; leave one out")
    for name, value in table.items():
        recipe = with_setting(recipe, name, value) if name in CHOICES else {**recipe, name: value}
    table = recipe | {"data": data}
    if "network" not in table:
        table["network"] = network_table(given, splits, fell_back=fell_back)
    elif fell_back:
        check_fallback(table["network"], splits, given.get("start") or from_file)
    if "sample_weights" in given:
        given["sample_weights"] = str(Path(given["sample_weights"]).resolve())
    table = with_options(table, given)
    try:
        return RunConfig.from_table(table), splits
    except ConfigError as error:
        raise ConfigError(f"{from_file}: {error}") if from_file is not None else error from None


def with_options(table: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The table of a RunConfig with the options of training over it."""
    from digitlab.train.config import with_setting

    for name in OVER:
        if name in given:
            table = with_setting(table, name, given[name])
    return table


def file_table(from_file: Path | None) -> dict[str, Any]:
    """The settings file's table; a network alone becomes the [network] of one.

    Its data and network are tried here, where an error is the file's and names it; `RunConfig` tries the others.
    """
    from digitlab.errors import ConfigError, ShapeError
    from digitlab.nn.io.building import build_network
    from digitlab.settings.data import as_chosen, check_data
    from digitlab.train.config import read_table

    if from_file is None:
        return {}
    table = read_table(from_file)
    table = {"network": table} if "layers" in table else table
    try:
        check_data(as_chosen(_table(table, "data")))
        if isinstance(table.get("network"), dict):
            build_network(table["network"], seed=None)
    except (ConfigError, ShapeError) as error:
        raise type(error)(f"{from_file}: {error}") from None
    return table


def recipe_table(given: dict[str, Any]) -> dict[str, Any]:
    """What holds where neither the file nor an option says anything: a preset's, a run's or the zoo's settings."""
    from digitlab.train.presets import preset

    if "preset" in given:
        recipe = preset(given["preset"])
        if "net" in given or "start" in given:
            raise click.UsageError("--preset sets the network; leave the other option out")
        given["net"] = recipe.net
        return recipe.settings | {"data": recipe.data}
    if "start" in given:
        return starting_settings(given)
    return recipe_settings(given)


def starting_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Where `--from` begins: the network that is there, with the settings of its run, or with small steps."""
    from digitlab.cli.shared.networks import load_named
    from digitlab.nn import describe_network

    if clash := [name for name in NETWORK if name in given]:
        raise click.UsageError(f"--{clash[0]} makes a new network, and --from uses an existing one; leave one out")
    path, network = load_named(given["start"])
    run = run_settings(given["start"])
    base = run.full_table() if run is not None else FINE_TUNING
    return base | {"network": describe_network(network), "start": str(path.resolve())}


def run_settings(net: str) -> "RunConfig | None":
    """The settings of the run that a network belongs to; None for a file of another kind."""
    from digitlab.cli.shared.networks import network_file
    from digitlab.train import RunConfig

    path = network_file(net)
    beside = path.parent / "config.toml"
    of_run = path.name == "network.safetensors" or path.name.startswith("snapshot-")
    return RunConfig.load(beside, run=True) if of_run and beside.is_file() else None


def changes(given: Mapping[str, Any], configs: "Sequence[RunConfig]") -> str | None:
    """One line on what all of these changed of the run that `--from` names; None where there is no --from."""
    from digitlab.parallel.labels import varied_settings

    if "start" not in given:
        return None
    run, first = run_settings(given["start"]), configs[0]
    if run is None:
        return (
            f"{given['start']} comes without the settings of a run; fine-tuning with {type(first.optimizer).__name__} "
            f"at {first.optimizer.learning_rate:g}, batches of {first.batch_size}"
        )
    before, *after = varied_settings([run, *configs], but=("start",))
    common = [name for name in before if len({repr(setting[name]) for setting in after}) == 1]
    changed = ", ".join(f"{option_of(name)} {as_typed(before[name])} → {as_typed(after[0][name])}" for name in common)
    return f"changed from {given['start']}: {changed}" if changed else f"all settings as in {given['start']}"


def same_network(given: dict[str, Any], network: Mapping[str, Any], other: Any) -> None:
    """UsageError unless the network of a settings file is the one of --from."""
    from digitlab.nn.io.building import build_network, in_full

    build_network(other, seed=None)  # raises for what is none
    if in_full(other) != in_full(network):
        raise click.UsageError(f"--from {given['start']} is another network than the file's; leave one out")


def data_table(given: dict[str, Any], *layers: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `load`: each layer's over those below, options on top.

    Where a layer names another source than those below, what counts images or columns of theirs is left behind.
    """
    from digitlab.settings.data import as_chosen

    options = {name: given[name] for name in DATA if name in given}
    data: dict[str, Any] = {}
    for layer in (*map(as_chosen, layers), options):
        layer |= {name: from_anywhere(layer[name]) for name in ("source", "mix") if name in layer}
        if "source" in layer and layer["source"] != data.get("source", layer["source"]):
            data = {name: value for name, value in data.items() if name in OF_ANY_SOURCE}
        if any(name in layer for name in SIZES):
            data = {name: value for name, value in data.items() if name not in SIZES}
        data |= layer
    return {"source": "auto"} | data


def from_anywhere(source: Any) -> Any:
    """A path in full, so that the run finds its data from another folder, too; anything else stays as it is."""
    from digitlab.data.names import NAMES, canonical_source

    if not isinstance(source, str):
        return source  # which loading refuses
    source = str(canonical_source(source))
    if source in NAMES:
        return source
    if (place := Path(source).expanduser()).exists():
        return str(place.resolve())
    family, colon, folder = source.partition(":")  # "kmnist:FOLDER"
    place = Path(folder).expanduser()
    return f"{family}:{place.resolve()}" if colon and place.exists() else source


def recipe_settings(given: dict[str, Any]) -> dict[str, Any]:
    """How a network of the zoo is trained if nothing else is said; {} for layer sizes.

    Its learning rate goes with its loss and batch size; where others are given, the default rate does.
    """
    from digitlab.nn.zoo import find_recipe

    recipe = find_recipe(given["net"]) if "net" in given else None
    if recipe is None:
        return {}
    table = recipe.training.table()
    if {"loss", "batch_size", "gradient"} & given.keys():
        del table["optimizer"]["learning_rate"]
    return table


def _table(layer: dict[str, Any], name: str) -> dict[str, Any]:
    from digitlab.errors import ConfigError

    inner = layer.get(name, {})
    if not isinstance(inner, dict):
        raise ConfigError(f'{name}: got {inner!r}, expected a table such as [data] with source = "mnist"')
    return inner
