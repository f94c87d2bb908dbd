"""The arguments of `load`, by name and kind: what a program passes, or the [data] of a settings file says."""

import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from digitlab.errors import ConfigError

_PATH, _TEXT = ((str, os.PathLike), "text"), (str, "text")
_WHOLE, _LIST = (Integral, "a whole number"), ((list, tuple, range, np.ndarray), "a list of whole numbers")
KINDS: dict[str, tuple[Any, str]] = {
    "source": _PATH, "split": _TEXT, "mix": _PATH, "seed": _WHOLE, "digits": _LIST, "train_size": _WHOLE,
    "per_class": _WHOLE, "fraction": (Real, "a number"), "share": _LIST, "bootstrap": _WHOLE, "group": _LIST,
}  # fmt: skip


def check_choices(table: Mapping[str, Any]) -> None:
    """Raises ConfigError for a name in the table that is no argument of `load`, or a value of another kind."""
    for name, value in table.items():
        if name not in KINDS:
            raise ConfigError(f"data: there is no setting {name!r}; there are: {', '.join(KINDS)}")
        kind, expected = KINDS[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ConfigError(f"data: got {name} {value!r}, expected {expected}")
