"""What the commands that look into a network share: its data, and the images they ask for."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.cli.shared.console import tell
from digitlab.cli.shared.sets import load_set

if TYPE_CHECKING:
    import numpy as np

    from digitlab.data import Digits
    from digitlab.nn import Network

SOURCE_HELP = (
    "Images to use: mnist, digits, or the path of a file or folder. [default: those that the network was trained for, "
    "else mnist]"
)
PART_HELP = "Set of images to use. [default: test; all of a source that is not divided into sets]"


def digits_for(
    network_file: Path | None, data: Mapping[str, Any], part: str | None, usual: str = "test", also: Sequence[Path] = ()
) -> "tuple[Digits, str]":
    """The images that a command is to use with a network, and what to call the set ("test").

    They are those of the run that the network belongs to, unless --data names others. With part None they are the
    `usual` set, or all of a source that is not divided. Where the network, or one of those that are `also` judged by
    them, was trained on a part of such a source, the run's own division holds: no image of its training tests it.
    """
    from digitlab.errors import ConfigError

    runs = [run for file in (network_file, *also) for run in training_data(file)]
    if "source" in data:
        trained = next((run for run in runs if same_source(run, data["source"])), None)
        choices = {**_reading_of(trained or {}), **data}
    else:
        trained = runs[0] if runs else None
        choices = {"source": "auto", **(trained or {}), **data}
    loaded = load_set(choices, part or (usual if trained is not None else None), usual)
    if trained is not None and not loaded.divided:
        if own := [name for name in ("test_size", "valid_size") if name in data and part != "all"]:
            raise ConfigError(
                f"--{own[0].replace('_', '-')}: the network was trained on a part of {choices['source']}; it keeps the "
                "division of its run. Name other images by --data, or take all of them: --part all"
            )
        if part is None and "source" in data:
            tell(
                f"{data['source']}: the network was trained on a part of it, so only the {len(loaded.digits):,} "
                f"{usual} images of its run are used; --part all takes all of them"
            )
    digits = loaded.digits
    if trained is None and runs and runs[0].get("class_names"):
        digits = _classes_as(digits, tuple(runs[0]["class_names"]))
    return digits, part or (usual if loaded.divided or trained is not None else "all")


def part_for(network: Any, network_file: Path, data: Mapping[str, Any], part: str | None) -> "tuple[Digits, str]":
    """The images that a command is to use and what to call the set, checked against the network."""
    from digitlab.nn.examples import examples

    digits, name = digits_for(network_file, data, part)
    if network.class_names:
        digits = _classes_as(digits, network.class_names)
    examples(digits, network, f"{name} set")
    check_classes(network, digits)
    return digits, name


def how_many(digits: Sized, part: str) -> str:
    """How many images of which set: "10,000 test images"."""
    return f"{len(digits):,} {'' if part == 'all' else part + ' '}image{'' if len(digits) == 1 else 's'}"


def training_data(network_file: Path | None) -> Iterator[dict[str, Any]]:
    """The [data] of the run that a network belongs to, then of those that it was fine-tuned from."""
    from digitlab.train import RunConfig

    seen: set[Path] = set()
    while network_file is not None and (config := network_file.parent / "config.toml").is_file() and config not in seen:
        seen.add(config)
        run = RunConfig.load(config, run=True)
        yield run.data
        if run.data.get("mix") is not None:
            yield {"source": run.data["mix"], **({"split": run.data["split"]} if "split" in run.data else {})}
        network_file = Path(run.start) if run.start else None


def same_source(data: Mapping[str, Any], source: str) -> bool:
    """Whether a run's [data] were read from this source."""
    own = str(data.get("source", ""))
    if own == source:
        return True
    path, other = Path(own), Path(source).expanduser()
    return bool(own) and path.exists() and other.exists() and path.samefile(other)


def _reading_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run's data, how its source is read and divided."""
    from digitlab.settings.data import of_part

    return {name: data[name] for name in of_part("read", "cut") if name in data}


def _classes_as(digits: "Digits", names: tuple[str, ...]) -> "Digits":
    """The same images with a network's classes, matched by name. Raises DataError for a class it does not know."""
    from dataclasses import replace

    import numpy as np

    from digitlab.data import DIGIT_NAMES
    from digitlab.errors import DataError

    if digits.class_names == DIGIT_NAMES and len(names) == len(DIGIT_NAMES):  # numbered classes are positions
        return replace(digits, class_names=names)
    if digits.class_names in (names, DIGIT_NAMES):
        return digits
    if unknown := [name for name in digits.class_names if name not in names]:
        raise DataError(
            f"{digits.name}: has the class {unknown[0]}, and this network was trained on {', '.join(names[:8])}"
            f"{', …' if len(names) > 8 else ''}. Name other images by --data"
        )
    place = np.array([names.index(name) for name in digits.class_names])
    return replace(digits, labels=place[digits.labels], class_names=names)


def check_classes(network: Any, digits: "Digits") -> None:
    """DataError if the network tells other classes apart than these images have."""
    from digitlab.errors import DataError
    from digitlab.train.evaluation import classifies

    outputs, names = network.shapes[-1][0], digits.class_names
    if classifies(network) and outputs != len(names):
        some = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
        raise DataError(
            f"{digits.name}: has {len(names)} classes ({some}), and this network tells {outputs} apart; "
            "expected as many. Name other images by --data, or train a network on these"
        )


def examples_for(
    network: "Network", digits: "Digits", n: int, rng: "np.random.Generator", *, insist: bool
) -> tuple[Any, Any]:
    """n images and labels; where these do not fit, and the user did not name them, random inputs and targets."""
    from digitlab.errors import DigitlabError
    from digitlab.nn.examples import examples

    try:
        return examples(digits.first(min(n, len(digits))), network, "training set")
    except DigitlabError:
        if insist:
            raise
        tell("the images do not fit this network: random inputs and targets instead")
        return rng.normal(size=(n, *network.input_shape)), rng.random((n, *network.shapes[-1]))
