"""Data for the commands: loading with one visible line where MNIST had to be replaced, or a file left out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from digitlab.errors import ShapeError

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.data.loading import Loaded

FELL_BACK = "digitlab.fell_back"  # noted in the command's context: MNIST was unavailable
FETCH = "fetch MNIST with `digitlab data fetch`, or name the folder that holds it in DIGITLAB_DATA"


def load_sets(choices: Mapping[str, Any]) -> "Splits":
    """The sets that these arguments of `digitlab.load` name; says on stderr if "auto" fell back, and why.

    They may come from a file: raises ConfigError for an argument that `load` does not have.
    """
    from digitlab.data import load_auto
    from digitlab.settings.data import check_data

    check_data(choices)
    splits, note = load_auto(**choices)
    _tell(note, choices)
    return splits


def load_set(choices: Mapping[str, Any], part: Any, usual: Any = "test") -> "Loaded":
    """One set that these arguments of `digitlab.load` name, and whether its source is divided; see `load_sets`.

    With part None it is the `usual` one, or all of a source that is not divided.
    """
    from digitlab.data.loading import load_part
    from digitlab.settings.data import check_data

    check_data(choices)
    loaded = load_part(part=part, usual=usual, **choices)
    _tell(loaded.note, choices)
    return loaded


def _tell(note: str | None, choices: Mapping[str, Any]) -> None:
    if not note:
        return
    from digitlab.cli.shared.console import tell

    tell(note)
    context = click.get_current_context(silent=True)
    if context is not None and choices.get("source", "auto") == "auto":
        context.meta[FELL_BACK] = True


def explained(error: ShapeError, context: click.Context) -> ShapeError:
    """The error, with what to do where images do not fit because the bundled digits took MNIST's place."""
    if not context.meta.get(FELL_BACK):
        return error
    return ShapeError(f"{error}. MNIST is unavailable, and 8×8 digits took its place: {FETCH}")
