"""Finished runs, as `digitlab compare` and `digitlab runs` show them: read, filtered and sorted, with their notes."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.errors import ConfigError
from digitlab.run_folders import NO_RUN, RUNS, is_group, is_run, runs_in

if TYPE_CHECKING:
    from digitlab.train.run_list import Run

BARS = "▁▂▃▄▅▆▇█"
LONGEST = 16  # characters of a sparkline
COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}

SORT_HELP = "Order: result (best first), run, epochs, seconds, or a setting such as learning-rate."
FILTER_HELP = "Runs to keep, such as optimizer=Adam, result>95, learning-rate<=0.1, tag=book or note=augment."


def choosing_options(function: Any) -> Any:
    """Add --sort and --filter."""
    option = click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help=FILTER_HELP)
    return click.option("--sort", metavar="NAME", help=SORT_HELP)(option(function))


def place_of(name: str, *, group: bool = True) -> Path:
    """The folder of the run that NAME is: a path, a folder in runs/, or its number. Raises ConfigError."""
    path = Path(name)
    found = [path] if path.is_dir() else [RUNS / name] if (RUNS / name).is_dir() else []
    if not found and name.isdecimal():
        found = [place for place in RUNS.glob("*-*") if place.name.split("-")[0].lstrip("0") == name.lstrip("0")]
    if len(found) != 1:
        several = f"; there are {', '.join(map(str, sorted(found)))}" if found else ""
        raise ConfigError(
            f"got {name!r}, expected the folder, name or number of a run{several}; list them with: digitlab runs list"
        )
    if not (is_run(found[0]) or (group and is_group(found[0]))):
        raise ConfigError(f"{found[0]}: {NO_RUN}")
    return found[0]


def require_removable(folder: Path) -> None:
    """Raise ConfigError unless the folder holds a run, or a group of runs, and no other folder.

    A config.toml alone proves nothing, since other programs write files of that name: its settings must be a run's.
    """
    from digitlab.train import RunConfig

    members = runs_in(folder)
    for member in members:
        RunConfig.load(member / "config.toml", run=True)
    inside = [
        path
        for place in {folder, *members}
        for path in place.iterdir()
        if path.is_dir() and path not in members and path.name != "look"  # `digitlab look` draws into it
    ]
    if inside or folder.is_symlink():
        what = f"holds the folder {inside[0].name}" if inside else "is a link"
        raise ConfigError(f"{folder}: {what}, which no training made; it is not removed")


def chosen(runs: "Sequence[Run]", sort: str | None, filters: Sequence[str]) -> "list[Run]":
    """The runs that pass every filter, in the order of --sort. Raises ConfigError for a name that none has."""
    from digitlab.parallel.labels import all_settings

    facts = {run.folder: _facts(run, all_settings(run.config)) for run in runs}
    kept = list(runs)
    for text in filters:
        name, test = _filter(text)
        known = _known(name, facts.values(), f"--filter {text}")
        kept = [run for run in kept if test(facts[run.folder].get(known, ""))]
    if sort is None:
        return kept
    name = _known(sort, facts.values(), f"--sort {sort}")
    if name == "result":
        from digitlab.train.columns import score

        return sorted(kept, key=lambda run: score(run.monitor, run.result), reverse=True)
    return sorted(kept, key=lambda run: _order(facts[run.folder].get(name, "")))


def _facts(run: "Run", settings: dict[str, Any]) -> dict[str, Any]:
    own = {"run": run.name, "result": run.result, "epochs": len(run.history), "seconds": run.seconds}
    return settings | own | {"tag": run.note.tags, "note": run.note.text}


def _known(name: str, tables: Iterable[dict[str, Any]], option: str) -> str:
    """The fact that is called so; ConfigError if no run has it."""
    from digitlab.errors import did_you_mean
    from digitlab.settings.schema import option_of, spelled

    known = {key: None for table in tables for key in table}
    if (key := spelled(name)) in known:
        return key
    hint = did_you_mean(name, map(option_of, known))
    raise ConfigError(f"{option}: no run has {name!r}{hint}; there are result, run, epochs, seconds, and settings")


def _filter(text: str) -> tuple[str, Callable[[Any], bool]]:
    """The name that a filter is about, and its test."""
    match = re.fullmatch(r"\s*([^<>=]+?)\s*(>=|<=|>|<|=)\s*(.+?)\s*", text)
    if match is None:
        raise ConfigError(f"--filter: got {text!r}, expected a name and a value, such as optimizer=Adam or result>95")
    name, sign, wanted = match.groups()
    if sign != "=":
        try:
            limit = float(wanted)
        except ValueError:
            raise ConfigError(f"--filter: got {text!r}, expected a number after {sign}") from None
        return name, lambda value: isinstance(value, int | float) and COMPARE[sign](value, limit)
    return name, lambda value: _equals(name, value, wanted)


def _equals(name: str, value: Any, wanted: str) -> bool:
    from digitlab.settings.schema import as_typed
    from digitlab.synonyms import folded

    if name == "note":
        return wanted.lower() in value.lower()
    if name == "tag":
        return wanted in value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return as_typed(float(value)) == wanted or str(value) == wanted
    return folded(str(value)) == folded(wanted)


def _order(value: Any) -> tuple[bool, float, str]:
    """A key that sorts numbers by size and before texts."""
    number = isinstance(value, int | float)
    return (not number, float(value) if number else 0.0, "" if number else str(value))


def sparkline(values: Sequence[float], longest: int = LONGEST) -> str:
    """The curve of a column in one line, "▁▃▅▆▇█"; a long one is shown by evenly spaced values."""
    if len(values) > longest:
        values = [values[round(i * (len(values) - 1) / (longest - 1))] for i in range(longest)]
    low, high = min(values), max(values)
    steps = len(BARS) - 1
    return "".join(BARS[round(steps * (v - low) / (high - low)) if high > low else steps // 2] for v in values)
