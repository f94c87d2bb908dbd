"""Data for the commands: loading with one visible line where MNIST had to be replaced."""

from collections.abc import Mapping
from typing import Any

import click

from digitlab.data import Splits, load_auto
from digitlab.errors import ConfigError

WHOLE = (int, "a whole number")
KINDS: dict[str, tuple[Any, str]] = {
    "source": (str, "text"), "split": (str, "text"), "train_size": WHOLE, "per_class": WHOLE,
    "digits": (list, "a list of whole numbers"), "fraction": (int | float, "a number"), "seed": WHOLE,
    "share": (list, "a list of two whole numbers"), "bootstrap": WHOLE, "group": (list, "a list of whole numbers"),
    "mix": (str, "text"),
}  # fmt: skip


def load_sets(choices: Mapping[str, Any]) -> Splits:
    """The sets that these arguments of `digitlab.load` name; says on stderr if "auto" fell back, and why.

    They may come from a file that somebody wrote, so ConfigError names one that is unknown or of another kind.
    """
    for name, value in choices.items():
        if name not in KINDS:
            raise ConfigError(f"data: there is no setting {name!r}; there are: {', '.join(KINDS)}")
        kind, expected = KINDS[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ConfigError(f"data: got {name} {value!r}, expected {expected}")
    splits, note = load_auto(**choices)
    if note:
        click.echo(note, err=True)
    return splits
