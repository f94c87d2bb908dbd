"""The arguments of `load`, by name and kind: what a program passes, or the [data] of a settings file says.

read      how a source is read, where it does not say so itself
cut       how training, validation and test sets are made of it
the rest  what a smaller experiment takes of these sets (see `restrict`)
"""

import os
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal, TypedDict

import numpy as np

from digitlab.errors import ConfigError, not_among

Source = str | os.PathLike[str]
Split = Literal["50k/10k/10k", "60k/10k"]


class Choices(TypedDict, total=False):
    """The keyword arguments of `load`, all but `part`; None is the same as leaving one out."""

    label_column: str | int | None
    class_names: Sequence[str] | None
    image_shape: Sequence[int] | None
    split: Split
    valid_size: float | None
    test_size: float | None
    mix: Source | None
    digits: Sequence[int] | None
    train_size: int | None
    per_class: int | None
    fraction: float | None
    seed: int
    share: Sequence[int] | None
    bootstrap: int | None
    group: Sequence[int] | None


READ = ("label_column", "class_names", "image_shape")
CUT = ("split", "valid_size", "test_size")

_PATH, _TEXT = ((str, os.PathLike), "text"), (str, "text")
_WHOLE, _LIST = (Integral, "a whole number"), ((list, tuple, range, np.ndarray), "a list of whole numbers")
_SIZE = (Real, "a number of images, or a share of them between 0 and 1")
KINDS: dict[str, tuple[Any, str]] = {
    "source": _PATH,
    "split": _TEXT,
    "valid_size": _SIZE,
    "test_size": _SIZE,
    "mix": _PATH,
    "seed": _WHOLE,
    "digits": _LIST,
    "train_size": _WHOLE,
    "per_class": _WHOLE,
    "fraction": (Real, "a number"),
    "share": _LIST,
    "bootstrap": _WHOLE,
    "group": _LIST,
    "label_column": ((str, Integral), "the name or the position of a column"),
    "class_names": ((list, tuple, range, np.ndarray), "a list of names"),
    "image_shape": _LIST,
}

DEFAULTS = {"split": "50k/10k/10k", "seed": 0}  # what is left out otherwise asks for nothing
NONE = "none"  # how "nothing" is written where every setting is: TOML has no None


def in_full(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with every argument of `load`, also those that it leaves out."""
    return {name: table.get(name, DEFAULTS.get(name, NONE)) for name in KINDS} | dict(table)


def as_chosen(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without what it says is "none"."""
    return {name: value for name, value in table.items() if not (isinstance(value, str) and value == NONE)}


def in_short(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table without what `load` does unless it is told otherwise: what `in_full` added."""
    return {name: value for name, value in as_chosen(table).items() if name not in DEFAULTS or value != DEFAULTS[name]}


def check_choices(table: Mapping[str, Any]) -> None:
    """Raises ConfigError for a name in the table that is no argument of `load`, or a value of another kind."""
    for name, value in table.items():
        if name not in KINDS:
            raise ConfigError(f"data: there is no setting {not_among(name, KINDS)}")
        kind, expected = KINDS[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ConfigError(f"data: got {name} {value!r}, expected {expected}")
    if "class_names" in table and not len(table["class_names"]):
        raise ConfigError("data: got no class_names, expected a name for each class")
    if (names := list(map(str, table.get("class_names", ())))) and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"data: got the class name {twice!r} twice, expected different names")
    shape: Any = table.get("image_shape", (1, 1))
    whole = all(isinstance(n, Integral) and int(n) > 0 for n in shape)
    if not whole or len(shape) not in (2, 3) or (len(shape) == 3 and 3 not in (shape[0], shape[2])):
        raise ConfigError(
            f"data: got image_shape {list(shape)}, expected height and width such as 28, 28, or with the 3 of colour"
        )
