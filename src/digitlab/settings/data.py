"""The settings that say which images a network learns from: arguments of `digitlab.load`, and [data] in a file."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

from digitlab.settings.schema import Setting, check_settings, settings_of

Source = str | os.PathLike[str]
Split = Literal["50k/10k/10k", "60k/10k"]
NONE = "none"  # how "nothing" is written where every setting is: TOML has no None


def image_count(text: str) -> float:
    """A number of images, `500`, or a share of them, `0.2` or `20%`."""
    if re.fullmatch(r"\d+", text):
        return int(text)
    number, percent, rest = text.partition("%")
    share = float(number) / (100 if percent else 1)
    if rest or not 0 < share < 1:
        raise ValueError(text)
    return share


def image_shape(text: str) -> list[int]:
    """Height and width of an image, `20x30`; `20x30x3` in colour."""
    return [int(number) for number in re.split(r"[x×,]", text.lower())]


def is_shape(shape: Any) -> bool:
    """Whether these are height and width, with or without the 3 of colour."""
    whole = all(isinstance(n, int) or hasattr(n, "__index__") for n in shape) and all(int(n) > 0 for n in shape)
    return whole and (len(shape) == 2 or (len(shape) == 3 and 3 in (shape[0], shape[2])))


def are_names(given: Any) -> bool:
    """Whether these are names, each there once."""
    texts = [str(name) for name in given]
    return bool(texts) and all(texts) and len(set(texts)) == len(texts)


SIZE = "a number of images, or a share of them between 0 and 1"


class DataSettings(TypedDict, total=False):
    """The keyword arguments of `load`, all but `part`; None is the same as leaving one out."""

    split: Annotated[
        Split,
        Setting(
            "Division of a source that has no validation set: 50k/10k/10k (the last sixth of the training images "
            "validates) or 60k/10k (no validation).",
            default="50k/10k/10k",
            part="cut",
        ),
    ]
    valid_size: Annotated[
        float | None,
        Setting(
            "Number or share of images to set aside for validation; 0: none.",
            usual="a sixth of the training images",
            expected=SIZE,
            parse=image_count,
            metavar="NUMBER|SHARE",
            part="cut",
        ),
    ]
    test_size: Annotated[
        float | None,
        Setting(
            "Number or share of images to test on.",
            usual="the test set of the source, else a seventh",
            expected=SIZE,
            parse=image_count,
            metavar="NUMBER|SHARE",
            part="cut",
        ),
    ]
    mix: Annotated[
        Source | None,
        Setting(
            "Second source, such as mnist: ten of its images for each image of --data join training and validation.",
            expected="text",
            metavar="SOURCE",
            part="mix",
        ),
    ]
    seed: Annotated[int, Setting("Seed of the images that per_class and mix draw.", default=0, flags=None, part="take")]
    digits: Annotated[
        Sequence[int] | None,
        Setting(
            "Classes to keep, in all sets, such as 0,1,7.",
            expected="a list of whole numbers such as 0, 1, 7",
            metavar="N,N,…",
            part="take",
        ),
    ]
    train_size: Annotated[
        int | None, Setting("Number of training images to use, from the first on.", ge=1, metavar="N", part="take")
    ]
    per_class: Annotated[
        int | None, Setting("Number of training images of each class, drawn at random.", ge=1, metavar="N", part="take")
    ]
    fraction: Annotated[
        float | None,
        Setting("Share of the training images to use, from the first on.", gt=0, le=1, metavar="SHARE", part="take"),
    ]
    share: Annotated[
        Sequence[int] | None,
        Setting("For a member of an ensemble: [i, n], the i-th of n parts of the images.", flags=None, part="take"),
    ]
    bootstrap: Annotated[
        int | None,
        Setting("For a member of an ensemble: seed of images drawn with replacement.", flags=None, part="take"),
    ]
    group: Annotated[
        Sequence[int] | None,
        Setting("For a specialist: classes to tell apart; all others become one.", flags=None, part="take"),
    ]
    label_column: Annotated[
        str | int | None,
        Setting(
            "Name or position (from 0, -1 for the last) of the table column that holds the labels.",
            expected="the name or the position of a column",
            metavar="NAME|N",
            part="read",
        ),
    ]
    class_names: Annotated[
        Sequence[str] | None,
        Setting(
            "Names of the classes, in their order, separated by commas.",
            expected="a list of different names",
            fits=are_names,
            metavar="A,B,…",
            part="read",
        ),
    ]
    image_shape: Annotated[
        Sequence[int] | None,
        Setting(
            "Height and width of images that are rows of pixels and not square, such as 20x30; 20x30x3 in colour.",
            expected="height and width such as 28, 28, or with the 3 of colour",
            fits=is_shape,
            parse=image_shape,
            metavar="HxW[x3]",
            part="read",
        ),
    ]


class DataTable(DataSettings, total=False):
    """The [data] of a settings file: the arguments of `load` with the source."""

    source: Annotated[
        Source,
        Setting(
            "Images to use: mnist, digits (8×8, always available), or the path of a file or folder.",
            usual="mnist, else digits",
            expected="text",
            flags=("--data",),
            metavar="SOURCE",
        ),
    ]


def of_part(*parts: str) -> tuple[str, ...]:
    """The names of the data settings of these parts ("read", "cut" …)."""
    return tuple(name for name, s in settings_of(DataSettings).items() if s.part in parts)


def names_images(source: Source) -> bool:
    """Whether a source is one of images.

    The run of a fit has "function: sin(x) on [-8, 8]" instead, and that of points in the plane "points: points.csv".
    """
    return not str(source).startswith(("function: ", "points: "))


def check_data(table: Mapping[str, Any]) -> None:
    """Raise ConfigError for a name in the [data] of settings that is no argument of `load`, or an unfit value."""
    check_settings(DataTable, table, "data")


def in_full(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with every argument of `load`, also those that it leaves out."""
    settings = settings_of(DataTable).items()
    return {name: table.get(name, NONE if s.default is None else s.default) for name, s in settings} | dict(table)


def as_chosen(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without what it says is "none"."""
    return {name: value for name, value in table.items() if not (isinstance(value, str) and value == NONE)}


def in_short(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without what is at its default: what `in_full` added."""
    known = settings_of(DataTable)
    usual = {name: s.default for name, s in known.items() if s.default is not None}
    return {name: value for name, value in as_chosen(table).items() if name not in usual or value != usual[name]}
