"""The networks that a command line names: saved ones, fresh ones, that of the newest run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digitlab.errors import ModelFileError
from digitlab.run_folders import finished_runs, newest_run

if TYPE_CHECKING:
    from digitlab.data import Digits
    from digitlab.nn import Network


def network_file(name: str | None) -> Path:
    """The file of a network named by itself, by its run folder, or not at all: the newest run in runs/, else shipped.

    "shipped" is the trained network that comes with digitlab.
    """
    if name == "":
        raise ModelFileError("NET: got an empty name; is a shell variable not set?")
    if name == "shipped" or (not name and not finished_runs()):
        from digitlab.shipped import PATH

        return PATH
    from digitlab.nn.io.loading import network_path

    return network_path(name or newest_run())


def split_network(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The network that the first of several files names, and the others; None if the first is data like the others.

    Content tells: safetensors are a network; pictures, tables and IDX files are data. What may be either (pickles,
    arrays, JSON), or is neither, is the network where other files follow.
    """
    first, others = words[0], list(words[1:])
    path = Path(first)
    if first == "shipped":
        return first, others
    if path.is_dir():
        from digitlab.nn.io.loading import IN_FOLDERS

        inside = (path / "config.toml").exists() or any(path.glob("*/config.toml"))
        return (first, others) if inside or any((path / name).is_file() for name in IN_FOLDERS) else (None, list(words))
    if path.is_file():
        from digitlab.kinds import sniff

        kind = sniff(path)
        array = kind.name == "npy" and not any(half in path.name for half in ("wih", "who"))
        network = kind.holds == "network" or (bool(others) and not array and kind.holds not in ("data", "picture"))
    else:
        from digitlab.data.photos.one_digit import SUFFIXES

        data = path.suffix.lower() in ("", ".csv", *SUFFIXES)  # there is no such file: its name alone tells
        network = bool(others) and not Path(others[0]).is_dir() and not data
    return (first, others) if network else (None, list(words))


def load_named(name: str | None) -> "tuple[Path, Network]":
    """The network that NET names on a command line, and the file it came from."""
    from digitlab.nn import load_network

    path = network_file(name)
    return path, load_network(path)


def saved_file(name: str | None) -> Path | None:
    """The file of the network that NET names; None where `network_for` makes a fresh one."""
    from digitlab.errors import ModelFileError, did_you_mean
    from digitlab.nn.io.files import require_file
    from digitlab.nn.zoo import ZOO, find_recipe, parse_sizes

    if name and name != "shipped" and not Path(name).exists():
        if find_recipe(name) or parse_sizes(name):
            return None
        if (hint := did_you_mean(name, [*ZOO, "shipped"])) or (Path(name).name == name and not Path(name).suffix):
            raise ModelFileError(f"{name}: no such file, run or network{hint}; `digitlab nets` lists the networks")
    path = network_file(name)
    require_file(path)  # before a command loads, or even downloads, images
    return path


def network_for(name: str | None, digits: "Digits | None" = None) -> "tuple[str, Network]":
    """The network that NET names: saved, or fresh from layer sizes or a name of the zoo, fitted to images if given."""
    from digitlab.nn import load_network
    from digitlab.nn.chains import mlp
    from digitlab.nn.zoo import find_recipe, parse_sizes

    path = saved_file(name)
    if path is not None:
        return str(path), load_network(path)
    assert name is not None
    recipe = find_recipe(name)
    if recipe is None:
        return name, mlp(parse_sizes(name) or [])
    if digits is None:
        return name, recipe.build()
    return name, recipe.build(input_shape=digits.image_shape, classes=len(digits.class_names))


def beside(network: Path, name: str) -> Path:
    """Where a command puts a file about a network: the folder of its run, or the current one for a network alone."""
    return network.with_name(name) if (network.parent / "config.toml").is_file() else Path(name)
