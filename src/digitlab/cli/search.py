"""`digitlab search`: find the settings that train best."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared import train_settings
from digitlab.cli.shared.json_output import json_option
from digitlab.cli.shared.options import (
    SETTINGS,
    from_file_option,
    option_for,
    option_name,
    read_setting,
    setting_called,
    settings_options,
)
from digitlab.errors import quoted
from digitlab.settings import settings_of
from digitlab.settings.search import SearchSettings

if TYPE_CHECKING:
    from digitlab.search import SearchPlan

SEARCHES = Path("searches")


class Varied(click.ParamType[Any]):
    """A parameter to vary: `learning-rate=log:0.01,100`, `width=integer:10,100`, `activation=sigmoid,relu`."""

    name = "name=range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        name, equals, text = value.partition("=")
        if not equals or not text:
            self.fail(f"{value!r}: expected NAME=log:LOW,HIGH, uniform:, integer:, or NAME=value,value,…", param, ctx)
        return name.removeprefix("--"), text


# The name of each setting of a search among the command's parameters: `seed` is the training's.
PLAN = {name: "search_seed" if name == "seed" else name for name in settings_of(SearchSettings)}


def search_options(function: Any) -> Any:
    """Add the options of settings/search.py."""
    for name, setting in reversed(settings_of(SearchSettings).items()):
        function = option_for(setting, param=PLAN[name])(function)
    return function


@click.command("search")
@click.option(
    "--space",
    type=Varied(),
    multiple=True,
    help="Setting to vary: NAME=log:LOW,HIGH, uniform:, integer:, integer-log:, or values.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path),
    help="File (TOML or JSON) with a space, a strategy and other settings.",
)
@search_options
@click.option(
    "--study", "folder", type=click.Path(path_type=Path), help="Folder of the search. [default: searches/NUMBER-…]"
)
@click.option(
    "--resume", is_flag=True, help="Continue a search (--study, or the latest one); --trials may set a higher number."
)
@click.option(
    "--watch",
    type=click.Path(path_type=Path),
    metavar="STUDY",
    help="Folder of a search that runs elsewhere: only show its progress.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="STUDY",
    help="Folder of a search: only show its table and pictures.",
)
@click.option(
    "--test/--no-test", default=True, help="Test the best networks on the test set at the end. [default: yes]"
)
@settings_options(without=("start",))
@from_file_option
@click.option(
    "--workers", type=click.IntRange(1), help="Number of trainings at the same time. [default: one per processor]"
)
@click.option(
    "--cluster", metavar="ADDRESS", help="Address of a Dask scheduler that trains them: tcp://HOST:8786, or local."
)
@json_option
def command(
    space: tuple[tuple[str, str], ...],
    plan_file: Path | None,
    folder: Path | None,
    resume: bool,
    watch: Path | None,
    report: Path | None,
    test: bool,
    workers: int | None,
    cluster: str | None,
    **chosen: Any,
) -> None:
    """Search for the settings of a training with the highest validation accuracy.

    Without --space, the learning rate is searched (log:0.01,100). NAME is a setting of `digitlab train`: learning-rate,
    l2, l1, max-norm, batch-size, epochs, layers, width, dropout, activation, init, loss, optimizer. The options of
    training set the starting point of the search. The folder's study.journal records every step, so that a search
    continues wherever it was stopped (--resume). Other processes can follow it (--watch) or join it (--resume).
    """
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.progress import SearchProgress, watch_search
    from digitlab.cli.shared.search_results import say_study
    from digitlab.search import search

    given = {name: value for name, value in chosen.items() if value is not None}
    if watch is not None:
        watch_search(watch)
        return
    if report is not None:
        from digitlab.search import Study

        say_study(Study(report), report if report.is_dir() else report.parent, test=False)
        return
    plan = None
    if resume:
        folder = folder or newest_search()
        if other := [name for name in given if name != "trials"] or (["space"] if space else []):
            raise click.UsageError(
                f"--resume keeps the search's settings; --{option_name(other[0])} cannot change them (--trials can); "
                "leave out --resume to start another search"
            )
        if "trials" in given:
            plan = raised(folder, given["trials"])
    else:
        plan = make_plan(given, space, plan_file)
        folder = folder or fresh_search(plan, given)
        if begun(folder / "study.journal"):
            way_on = f"digitlab search --resume --study {quoted(folder)}"
            raise click.UsageError(f"{folder} already holds a search; continue with: {way_on}")
    try:
        study = search(plan, folder / "study.journal", workers=workers, cluster=cluster, watcher=SearchProgress())
    except KeyboardInterrupt:
        say(f"continue with: digitlab search --resume --study {quoted(folder)}" + ("" if test else " --no-test"))
        raise
    say_study(study, folder, test=test)


def begun(journal: Path) -> bool:
    """Whether a study's file holds a search: one that was killed before its plan was written starts again."""
    from digitlab.search.storage import PLAN

    return journal.is_file() and PLAN in journal.read_text(encoding="utf-8", errors="replace")


def make_plan(given: dict[str, Any], space: Sequence[tuple[str, str]], plan_file: Path | None) -> "SearchPlan":
    """The plan that the file and the options make together; options win."""
    from digitlab.cli.shared.console import say
    from digitlab.errors import ConfigError
    from digitlab.search import SearchPlan
    from digitlab.train.config import read_table

    table = read_table(plan_file) if plan_file is not None else {}
    settings = table.pop("settings", {})
    if not isinstance(settings, dict):
        raise ConfigError(f"{plan_file}: got settings {settings!r}, expected a table [settings]")
    how = {name: given.pop(param) for name, param in PLAN.items() if param in given}
    if not isinstance(table.get("space", {}), dict):
        raise ConfigError(f"{plan_file}: got space {table['space']!r}, expected a table [space]")
    varied = {**table.pop("space", {}), **dict(space)} or {"learning_rate": "log:0.01,100"}
    if "learning_rate" in given and {"optimizer", "loss"} & varied.keys():  # it holds for all of them
        varied = {"learning_rate": {"choice": [given["learning_rate"]]}, **varied}
    if "network" in settings and (clash := [name for name in given if name in train_settings.NETWORK]):
        raise click.UsageError(f"--{clash[0]} and the network in {plan_file} contradict each other; leave one out")
    options, layer = ({}, settings) if "network" in settings else (options_in(settings), {})
    base, splits = train_settings.settings({**options, **given}, given.pop("from_file", None), layer)
    if splits.valid is None:
        raise ConfigError("a search chooses on the validation set, and this split has none; use --split 50k/10k/10k")
    plan = SearchPlan.from_table({"base": base.table(), "space": varied, **table, **how})
    say(f"{splits.train!r}; {len(splits.valid):,} to validate; the test set is used after the search")
    return plan


def options_in(settings: dict[str, Any]) -> dict[str, Any]:
    """The [settings] of a plan's file that are written as options of train: net, epochs, learning-rate ..."""
    from digitlab.errors import did_you_mean

    given = {}
    for key, value in settings.items():
        name = "preset" if key == "preset" else setting_called(key)
        if name is None:
            hint = did_you_mean(key, [*SETTINGS, "data"])
            raise click.UsageError(f"[settings]: {key} is no option of `digitlab train`{hint}")
        given[name] = value if name == "preset" else read_setting(name, value)
    return given


def raised(folder: Path, trials: int) -> "SearchPlan":
    """The plan of a search with another goal."""
    import dataclasses

    from digitlab.search import Study

    return dataclasses.replace(Study(folder).plan, trials=trials)


def fresh_search(plan: "SearchPlan", given: dict[str, Any]) -> Path:
    """A folder for a new search, numbered after those that are there."""
    from digitlab.cli.shared.train_network import title
    from digitlab.run_folders import numbered

    return numbered(SEARCHES, f"{title(given, plan.base)}-{plan.strategy}")


def newest_search() -> Path:
    """The search that was written to last. Raises ConfigError if there is none."""
    from digitlab.errors import ConfigError

    found = list(SEARCHES.glob("*/study.journal"))
    if not found:
        raise ConfigError("there is no search in searches/ to resume; start one, or name it by --study")
    return max(found, key=lambda path: path.stat().st_mtime).parent
