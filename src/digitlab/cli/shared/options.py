"""What the commands' options have in common: their types, and how a saved network or a run is named."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.errors import ConfigError, ModelFileError

if TYPE_CHECKING:
    from digitlab.data import Digits
    from digitlab.nn import Network

RUNS = Path("runs")  # where `digitlab train` puts runs that were given no folder


class Spec(click.ParamType[Any]):
    """A named choice, with settings where it has any: `adam`, `halve:patience=5`, `momentum:momentum=0.8`.

    The family is given as a function, so that `--help` need not import it. The value is checked against the
    family and handed on as its table: {"type": "halve", "patience": 5}.
    """

    name = "name"

    def __init__(self, family: Callable[[], Any]) -> None:
        self.family = family

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        from digitlab.nn.describe import build, typed

        kind, _, settings = value.partition(":")
        table: dict[str, Any] = {"type": kind}
        for setting in filter(None, settings.split(",")):
            key, equals, number = setting.partition("=")
            if not equals:
                self.fail(f"{setting!r}: expected NAME or NAME:setting=value,…", param, ctx)
            table[key.replace("-", "_")] = typed(number)
        try:
            build(self.family(), table)
        except (ConfigError, TypeError) as error:
            self.fail(str(error), param, ctx)
        return table


def optimizers() -> Any:
    """The family of optimizers."""
    from digitlab.optim import Optimizer

    return Optimizer


def schedules() -> Any:
    """The family of schedules."""
    from digitlab.optim import Schedule

    return Schedule


def losses() -> Any:
    """The family of losses."""
    import digitlab.nn

    return digitlab.nn.Loss


def activations() -> Any:
    """The activations among the layers."""
    from digitlab.nn.network import Activation

    return Activation


def initializers() -> Any:
    """The family of initializers."""
    import digitlab.nn

    return digitlab.nn.Initializer


def averagings() -> Any:
    """The family of averages of weights."""
    from digitlab.train.averaging import Averaging

    return Averaging


def gradients() -> Any:
    """The family of ways to take the gradient."""
    from digitlab.gradients import Gradient

    return Gradient


class Whole(click.ParamType[Any]):
    """Whole numbers separated by commas: `0,1,7`."""

    name = "n,n,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if not re.fullmatch(r"\d+(,\d+)*", value):
            self.fail(f"{value!r}: expected whole numbers separated by commas, as 0,1,7", param, ctx)
        return [int(n) for n in value.split(",")]


class Augment(click.ParamType[Any]):
    """Augmentations in order: `shift,rotate:10,elastic`. Handed on as text, checked and written out."""

    name = "augment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from digitlab.data.augment import parse_augmentation

        try:
            augmentation = parse_augmentation(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)
        return augmentation.spec if augmentation.steps else ""


class ClassWeights(click.ParamType[Any]):
    """How much classes count: `balanced`, or `0:2,7:1.5`. Handed on as settings hold it, checked."""

    name = "weights"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from digitlab.train.weighting import checked_class_weights

        try:
            return checked_class_weights(value)
        except ConfigError as error:
            self.fail(str(error).removeprefix("class_weights: "), param, ctx)


class OutputFile(click.ParamType[Any]):
    """A file to write, whose suffix must say what it is: refused before anything is computed (`require_suffix`)."""

    name = "path"

    def __init__(self, what: str, *suffixes: str, bare: bool = False) -> None:
        self.what, self.suffixes, self.bare = what, suffixes, bare

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from digitlab.files import require_suffix

        try:
            require_suffix(value, self.what, *self.suffixes, bare=self.bare)
        except ConfigError as error:
            self.fail(str(error), param, ctx)
        return Path(value)


class PictureFile(OutputFile):
    """The file of a picture, whose suffix says which kind."""

    def __init__(self) -> None:
        super().__init__("a picture", ".png", ".svg", ".pdf")


class PageFile(OutputFile):
    """The file of a page in HTML."""

    def __init__(self) -> None:
        super().__init__("a page", ".html", ".htm")


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
        network = bool(others) and not Path(others[0]).is_dir() and path.suffix != ""
    return (first, others) if network else (None, list(words))


def load_named(name: str | None) -> "tuple[Path, Network]":
    """The network that NET names on a command line, and the file it came from."""
    from digitlab.nn import load_network

    path = network_file(name)
    return path, load_network(path)


def saved_file(name: str | None) -> Path | None:
    """The file of the network that NET names; None where `network_for` makes a fresh one."""
    from digitlab.nn.zoo import find_recipe, parse_sizes

    fresh = name is not None and not Path(name).exists() and (find_recipe(name) or parse_sizes(name))
    return None if fresh else network_file(name)


def network_for(name: str | None, digits: "Digits | None" = None) -> "tuple[str, Network]":
    """The network that NET names: saved, or fresh from layer sizes or a name of the zoo, fitted to images if given."""
    from digitlab.nn import load_network
    from digitlab.nn.zoo import find_recipe, mlp, parse_sizes

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


def finished_runs() -> list[Path]:
    """The run folders in runs/ that hold a network."""
    return [path for path in RUNS.glob("*") if (path / "network.safetensors").is_file()]


def newest_run() -> Path:
    """The run folder that was written to last. Raises ModelFileError if there is none."""
    runs = finished_runs()
    if not runs:
        raise ModelFileError("no NET was named and there is no run in runs/; train one with `digitlab train`")
    return max(runs, key=lambda path: (path / "network.safetensors").stat().st_mtime)


@contextmanager
def run_folder(named: Path | None, title: str) -> Iterator[Path]:
    """The folder that --run names, or one for a new run, numbered after those that are there: runs/003-784-30-10.

    A new one is made at once, so that of two trainings that begin together each has its own, and is gone again if
    nothing came into it.
    """
    if named is not None:
        yield named
        return
    while True:
        folder = numbered(RUNS, title)
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError:
            continue
    try:
        yield folder
    finally:
        for empty in (folder, RUNS):
            with suppress(OSError):
                empty.rmdir()


def numbered(folder: Path, title: str) -> Path:
    """A name in the folder with the next number before it."""
    numbers = [int(match[1]) for path in folder.glob("*") if (match := re.match(r"(\d+)", path.name))]
    return folder / f"{max(numbers, default=0) + 1:03}-{title}"
