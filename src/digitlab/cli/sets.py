"""Data for the commands: loading with one visible line where MNIST had to be replaced, or a file left out."""

from collections.abc import Mapping
from typing import Any

import click

from digitlab.data import Splits, load_auto
from digitlab.data.choices import check_choices
from digitlab.data.sources import Loaded, load_part


def load_sets(choices: Mapping[str, Any]) -> Splits:
    """The sets that these arguments of `digitlab.load` name; says on stderr if "auto" fell back, and why.

    They may come from a file that somebody wrote: raises ConfigError for what is no argument of `load`.
    """
    check_choices(choices)
    splits, note = load_auto(**choices)
    if note:
        click.echo(note, err=True)
    return splits


def load_set(choices: Mapping[str, Any], part: Any, usual: Any = "test") -> Loaded:
    """One set that these arguments of `digitlab.load` name, and whether its source is divided; see `load_sets`.

    With part None it is the `usual` one, or all of a source that is not divided.
    """
    check_choices(choices)
    loaded = load_part(part=part, usual=usual, **choices)
    if loaded.note:
        click.echo(loaded.note, err=True)
    return loaded
