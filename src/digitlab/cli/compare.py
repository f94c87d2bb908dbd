"""`digitlab compare RUN RUN…`: several runs side by side; `digitlab compare --optimizers sgd,adam`: settings."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.comparing import LISTS, MOST, lists_options
from digitlab.cli.shared.json_output import json_option, report, run_facts
from digitlab.cli.shared.options import option_name, picture_option, settings_options
from digitlab.cli.shared.runs import choosing_options

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.doctor.ailment import Diagnosis
    from digitlab.train.run_list import Run

NAME = 20  # characters of a run's name in the table; where one is longer, numbers stand for them
LABEL = 45  # characters of a legend's entry; longer differences are named by the run


@click.command("compare")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@lists_options
@click.option(
    "--seeds", type=click.IntRange(1), help="Number of trainings of each setting, with different seeds. [default: 3]"
)
@settings_options(without=("start",), usual={"epochs": "5"})
@choosing_options
@click.option("--statistics", is_flag=True, help="Show mean, sd and range over the epochs, and seconds.")
@picture_option("compare.png")
@json_option
def command(
    runs: tuple[Path, ...], out: Path, sort: str | None, filters: tuple[str, ...], statistics: bool, **chosen: Any
) -> None:
    """Compare several runs, or several settings, in one table and one plot.

    RUN is the folder of a run or a group; the table has the settings in which the runs differ, and each result with
    its change from the first run's. With several values of a setting (--optimizers sgd,adam --losses …), networks are
    trained with every combination and several seeds, and the mean and standard deviation over the seeds are shown.
    """
    given = {name: value for name, value in chosen.items() if value is not None}
    lists = {name: given.pop(name) for name in [*given] if name in LISTS}  # in the order of the command line
    if runs and given | lists:
        option = option_name(next(iter(given | lists)))
        raise click.UsageError(f"--{option} is for trainings to be done, and RUN is a finished one; give either")
    if not runs and (sort or filters or statistics):
        raise click.UsageError("--sort, --filter and --statistics are for finished runs: name their folders")
    if runs:
        compare_runs(runs, out, sort, filters, statistics=statistics)
    elif lists:
        compare_settings(given, lists, out)
    else:
        raise click.UsageError("name the folders of runs, or what to compare: --optimizers sgd,momentum,adam")


def compare_settings(given: dict[str, Any], lists: dict[str, Any], out: Path) -> None:
    """Train with every combination of the lists and print the results."""
    from digitlab.cli.shared.comparing import choices, monitored, summary, train_all
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.endings import say_diagnoses, say_failures
    from digitlab.cli.shared.progress import counted
    from digitlab.train.columns import heading
    from digitlab.viz.curves import bands_figure
    from digitlab.viz.figures import save_figure

    for name in lists:
        if LISTS[name] in given:
            raise click.UsageError(f"--{name} says what --{LISTS[name]} says; leave one out")
    seeds, given = given.pop("seeds", 3), {"epochs": 5, **given}
    found, splits = choices(given, lists)
    trainings = len(found) * seeds
    if trainings > MOST:
        raise click.UsageError(
            f"these are {trainings} trainings; the maximum is {MOST}: name fewer settings or --seeds"
        )
    epochs = found[0].config.epochs
    noun = "seed" if seeds == 1 else "seeds"
    say(f"{len(found)} settings, {seeds} {noun} each, {epochs} epochs on {splits.train!r}")
    with counted("training", trainings * epochs) as advance:
        trained = train_all(found, splits, seeds, say, advance)
    histories = trained.histories
    monitor = monitored(history for several in histories.values() for history in several)
    headings = ["setting", "η", f"best {heading(monitor)}", "at the end", "train_loss", "seconds", "diverged"]
    rows = summary(found, trained)
    if not trained.failed:
        headings, rows = headings[:-1], [row[:-1] for row in rows]
    say(table(headings, rows))
    if seeds > 1:
        say(f"mean ± sd over the seeds 0 to {seeds - 1}; the test images were not used")
    # Different losses have no common scale: only how many images are right can be compared.
    columns = [monitor] if "losses" in lists and monitor == "valid_accuracy" else ["train_loss", monitor]
    band = f", mean ± sd of {seeds} seeds" if seeds > 1 else ""
    compared = " × ".join(lists).replace("inits", "initializers").capitalize()
    title = f"{compared} compared on {splits.train.name.removesuffix(' train')}{band}"
    settings = [
        {"setting": choice.name, "trainings": [run_facts(f"seed {i}", choice.config, h) for i, h in enumerate(several)]}
        for choice, several in zip(found, histories.values())
    ]
    report(settings=settings, failed=dict(trained.failed), figure=out)
    save_figure(bands_figure(histories, title=title, columns=columns), out)
    say_diagnoses(trained.diagnoses)
    say_failures(trained.failed, trainings)
    say(f"plot: {out}")


def compare_runs(
    folders: tuple[Path, ...], out: Path, sort: str | None, filters: tuple[str, ...], *, statistics: bool
) -> None:
    """Finished runs: the settings in which they differ, their results, and how these changed over the epochs."""
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.endings import say_diagnoses
    from digitlab.cli.shared.runs import chosen
    from digitlab.errors import ConfigError, ModelFileError
    from digitlab.parallel.labels import as_label, varied_settings
    from digitlab.settings.schema import as_typed, option_of
    from digitlab.train.run_list import read_runs
    from digitlab.viz.curves import curves_figure
    from digitlab.viz.figures import save_figure

    runs, left = read_runs(folders)
    if not runs:
        raise ModelFileError(left[0])
    runs = chosen(runs, sort, filters)
    if not runs:
        raise ConfigError(f"--filter {', --filter '.join(filters)}: no run is left to compare")
    for line in left:
        say(f"left out: {line}")
    varied = varied_settings([run.config for run in runs], but=("start", "epochs"))
    names = [*varied[0]]
    columns = _columns(runs, statistics=statistics)
    rows = [
        [name, *(as_typed(setting[name]) for name in names), *cells]
        for name, setting, cells in zip(_short_names(runs), varied, zip(*columns.values()))
    ]
    say(table(["run", *map(option_of, names), *columns], rows))
    columns_meant = [
        f"best: the best value of {'the monitored column' if 'monitored' in columns else runs[0].monitor}",
        "at: its epoch",
        *["change: from the first run"] * ("change" in columns),
        *["mean, sd, range: over the epochs"] * statistics,
        "curve: over the epochs",
    ]
    say("; ".join(columns_meant))
    for run in runs:
        if run.config.monitor not in ("", run.monitor):
            say(f"warning: {run.name}: no epoch has {run.config.monitor!r}, which it monitors; judged by {run.monitor}")
    if len(judges := dict.fromkeys(run.monitor for run in runs)) > 1:
        say(f"warning: the runs are judged by different columns, which cannot be compared: {', '.join(judges)}")
    say_diagnoses(_diagnoses(runs))
    labels = [as_label({option_of(name): as_typed(value) for name, value in setting.items()}) for setting in varied]
    plain = len(set(labels)) < len(labels) or max(map(len, labels)) > LABEL
    called = [run.name for run in runs] if plain else labels
    losses = {name: run.loss for name, run in zip(called, runs)}
    histories = {name: run.history for name, run in zip(called, runs)}
    report(runs=[run_facts(run.name, run.config, run.history) for run in runs], left_out=left, figure=out)
    save_figure(curves_figure(histories, title="Runs compared", losses=losses), out)
    say(f"plot: {out}")


def _diagnoses(runs: "Sequence[Run]") -> "Iterator[tuple[str, Diagnosis | None]]":
    """What the doctor names first in each run; the data of several runs are loaded once."""
    from digitlab.doctor.case import Case
    from digitlab.doctor.examination import first_finding
    from digitlab.errors import DigitlabError

    loaded: dict[str, Splits | None] = {}
    for run in runs:
        data = str(run.config.data)
        with suppress(DigitlabError):  # a file is gone or damaged: `digitlab doctor` names it
            case = Case.of_run(run.folder, loaded.get(data))
            loaded[data] = case.splits
            finding = first_finding(case)
            yield run.name, finding.diagnosis if finding is not None else None


def _short_names(runs: "Sequence[Run]") -> list[str]:
    """The numbers of runs whose names are long, since the columns beside them say in what they differ."""
    numbers = [run.name.split("-")[0] for run in runs]
    fit = len(set(numbers)) == len(runs) and all(map(str.isdecimal, numbers))
    return numbers if fit and max(len(run.name) for run in runs) > NAME else [run.name for run in runs]


def _columns(runs: "Sequence[Run]", *, statistics: bool) -> dict[str, list[str]]:
    """The table's columns beside names and settings; of what is the same for all runs, none."""
    from digitlab.cli.shared.runs import sparkline
    from digitlab.train.columns import unit

    same = len({run.monitor for run in runs}) == 1
    found = {"epochs": [run.epochs for run in runs]}
    if len(set(found["epochs"])) == 1:
        del found["epochs"]
    if not same:
        found["monitored"] = [run.monitor for run in runs]
    summaries = [run.history.statistics(run.monitor) for run in runs]
    texts = [unit(run.monitor).text for run in runs]
    mark = unit(runs[0].monitor).mark if same else ""
    found[f"best ({mark.strip()})" if mark else "best"] = [text(s.best) for text, s in zip(texts, summaries)]
    found["at"] = [str(s.best_epoch) for s in summaries]
    if same and len(runs) > 1:
        digits = unit(runs[0].monitor).digits
        changes = [run.result - runs[0].result for run in runs[1:]]
        found["change"] = ["–", *(f"{change:+.{digits}f}" for change in changes)]
    if statistics:
        for name in ("mean", "sd", "range"):
            found[name] = [text(getattr(s, name)) for text, s in zip(texts, summaries)]
        found["seconds"] = [f"{run.seconds:.1f}" for run in runs]
    curves = [[row[run.monitor] for row in run.history if row.get(run.monitor) is not None] for run in runs]
    found["curve"] = [sparkline(values) for values in curves]
    return found
