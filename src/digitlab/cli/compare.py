"""`digitlab compare RUN RUN…`: several runs side by side; `digitlab compare --optimizers sgd,adam`: settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitlab.cli.shared.comparing import LISTS, MOST, lists_options
from digitlab.cli.shared.json_output import json_option, report, run_facts
from digitlab.cli.shared.options import option_name, picture_option, settings_options

if TYPE_CHECKING:
    from digitlab.train import RunConfig


@click.command("compare")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@lists_options
@click.option(
    "--seeds", type=click.IntRange(1), help="Number of trainings of each setting, with different seeds. [default: 3]"
)
@settings_options(without=("start",), usual={"epochs": "5"})
@picture_option("compare.png")
@json_option
def command(runs: tuple[Path, ...], out: Path, **chosen: Any) -> None:
    """Compare several runs, or several settings, in one table and one plot.

    RUN is the folder of a run. With several values of a setting (--optimizers sgd,adam --losses …), networks are
    trained with every combination and several seeds, and the mean and standard deviation over the seeds are shown.
    """
    given = {name: value for name, value in chosen.items() if value is not None}
    lists = {name: given.pop(name) for name in [*given] if name in LISTS}  # in the order of the command line
    if runs and given | lists:
        option = option_name(next(iter(given | lists)))
        raise click.UsageError(f"--{option} is for trainings to be done, and RUN is a finished one; give either")
    if runs:
        compare_runs(runs, out)
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


def runs_in(folder: Path) -> list[Path]:
    """The run itself, or the runs of a group (`digitlab train --seeds 5`)."""
    inside = sorted(path.parent for path in folder.glob("*/config.toml"))
    return inside if inside and not (folder / "config.toml").is_file() else [folder]


def say_differences(names: list[str], configs: "list[RunConfig]") -> None:
    """The settings in which the runs differ, if there are more than the optimizer's, which the first table shows."""
    from digitlab.cli.shared.console import say, table
    from digitlab.parallel.labels import varied_settings
    from digitlab.settings.schema import as_typed, option_of

    varied = varied_settings(configs, but=("start",))
    if set(varied[0]) <= {"optimizer", "learning_rate"}:
        return
    cells = [[as_typed(setting[name]) for name in varied[0]] for setting in varied]
    say("")
    say(table(["differ in", *map(option_of, varied[0])], [[name, *row] for name, row in zip(names, cells)]))


def compare_runs(runs: tuple[Path, ...], out: Path) -> None:
    """Finished runs, as they are."""
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.endings import say_diagnoses
    from digitlab.errors import ModelFileError, quoted
    from digitlab.train import History, RunConfig
    from digitlab.train.columns import unit
    from digitlab.train.diagnosis import diagnose
    from digitlab.train.probe import facts_of_run
    from digitlab.viz.curves import curves_figure
    from digitlab.viz.figures import save_figure

    rows, histories, configs, left, found, doubts = [], {}, [], [], [], []
    runs = tuple(single for run in runs for single in runs_in(run))
    short = len({run.name for run in runs}) == len(runs)
    for run in runs:
        if run.exists() and not (run / "config.toml").is_file():
            left.append(f"{run}: is no run's folder")
            continue
        config, file = RunConfig.load(run / "config.toml"), run / "history.jsonl"
        history = History.load(file) if file.is_file() else History()
        if not len(history):
            way_on = f"digitlab train --run {quoted(run)} --resume"
            left.append(f"{run}: has no finished epoch; continue with: {way_on}")
            continue
        name = run.name if short else str(run)
        monitor = history.monitored(config.monitor)
        s = history.statistics(monitor)
        histories[name], text = history, unit(monitor).text
        configs.append(config)
        found.append((name, diagnose(history.rows, facts_of_run(config, history))))
        if config.monitor not in ("", monitor):
            doubts.append(f"{name}: no epoch has {config.monitor!r}, which it monitors; judged by {monitor}")
        rows.append(
            [
                name,
                f"{config.optimizer!r}",
                f"{s.epochs}" if s.epochs >= config.epochs else f"{s.epochs} of {config.epochs}",
                monitor,
                text(s.best),
                str(s.best_epoch),
                text(s.mean),
                text(s.sd),
                text(s.range),
                f"{sum(history.column('seconds')):.1f}",
            ]
        )
    if not rows:
        raise ModelFileError(left[0])
    for line in left:
        say(f"left out: {line}")
    say(table(["run", "optimizer", "epochs", "monitored", "best", "at", "mean", "sd", "range", "seconds"], rows))
    say("mean, sd and range are over the epochs; accuracies in per cent")
    if len(judges := dict.fromkeys(row[3] for row in rows)) > 1:
        doubts.append(f"the runs are judged by different columns, which cannot be compared: {', '.join(judges)}")
    for line in doubts:
        say(f"warning: {line}")
    say_diagnoses(found)
    say_differences([row[0] for row in rows], configs)
    report(runs=[run_facts(n, c, h) for c, (n, h) in zip(configs, histories.items())], left_out=left, figure=out)
    save_figure(curves_figure(histories, title="Runs compared"), out)
    say(f"plot: {out}")
