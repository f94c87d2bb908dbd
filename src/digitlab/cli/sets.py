"""Data for the commands: loading with one visible line where MNIST had to be replaced."""

from collections.abc import Mapping
from typing import Any

import click

from digitlab.data import Splits, load_auto
from digitlab.data.choices import check_choices


def load_sets(choices: Mapping[str, Any]) -> Splits:
    """The sets that these arguments of `digitlab.load` name; says on stderr if "auto" fell back, and why.

    They may come from a file that somebody wrote: raises ConfigError for what is no argument of `load`.
    """
    check_choices(choices)
    splits, note = load_auto(**choices)
    if note:
        click.echo(note, err=True)
    return splits
