"""Many networks from one command: `digitlab train --seeds 5 --grid learning-rate=0.1,0.3,3`. Not a command itself."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from digitlab.cli.shared.options import SETTINGS, read_setting, setting_called
from digitlab.settings.schema import option_of

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.parallel import GroupResult
    from digitlab.parallel.labels import Setting
    from digitlab.statistics import Summary
    from digitlab.train import RunConfig
    from digitlab.train.columns import Unit


class Grid(click.ParamType[Any]):
    """One side of a grid: `learning-rate=0.1,0.3,3`; values that have commas of their own are separated by `;`."""

    name = "option=v,v,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        name, equals, text = value.partition("=")
        values = [v.strip() for v in text.split(";" if ";" in text else ",")]
        if not equals or not all(values):
            self.fail(f"{value!r}: expected OPTION=value,value,… as learning-rate=0.1,0.3,3", param, ctx)
        if len(set(values)) < len(values):
            self.fail(f"{value!r}: contains a value twice", param, ctx)
        return option_of(name.removeprefix("--")), values


class Point(NamedTuple):
    """A point of the grid: its options as they were typed, {"learning-rate": "0.1"}, and as the command reads them."""

    typed: dict[str, str]
    given: dict[str, Any]


def grid_points(sides: Sequence[tuple[str, list[str]]]) -> list[Point]:
    """All combinations of the sides' values."""
    from digitlab.errors import did_you_mean

    read = []
    for name, values in sides:
        setting = "preset" if name == "preset" else setting_called(name)
        if setting is None:
            hint = did_you_mean(name, map(option_of, SETTINGS))
            raise click.UsageError(f"--grid: there is no option --{name} to vary{hint}; see `digitlab train --help`")
        converted = values if setting == "preset" else [read_setting(setting, value) for value in values]
        if twice := [text for i, text in enumerate(values) if converted[i] in converted[:i]]:
            raise click.UsageError(f"--grid: {name} has the value {twice[0]} twice, and it would count twice")
        read.append([(name, text, setting, value) for text, value in zip(values, converted)])
    names = [name for name, _ in sides]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise click.UsageError(f"--grid: {repeated[0]} is given twice; put all of its values into one --grid")
    return [
        Point({name: text for name, text, _, _ in point}, {name: value for _, _, name, value in point})
        for point in itertools.product(*read)
    ]


def group_settings(
    given: dict[str, Any], from_file: Path | None, seeds: int | None, points: list[Point]
) -> "tuple[list[RunConfig], list[dict[str, str]], Splits]":
    """The settings of every network of the group, what they are called, and the sets that the first one learns from."""
    import dataclasses

    from digitlab.cli.shared.train_settings import settings
    from digitlab.train.presets import preset

    for name in (point.given["preset"] for point in points if "preset" in point.given):
        if preset(name).members:
            raise click.UsageError(f"--grid: preset {name} trains an ensemble; train it without --grid")
    configs: list[RunConfig] = []
    called: list[dict[str, str]] = []
    source: dict[str, Any] = {}
    first = None
    for point in points:
        options = given | source | point.given
        config, splits = settings(options, from_file)
        # What "auto" turned out to be is said once, and holds for all.
        source = {"source": config.data["source"], "fell_back": options["fell_back"]} if "source" not in given else {}
        first = first or splits
        configs += [config, *(dataclasses.replace(config, seed=config.seed + i) for i in range(1, seeds or 1))]
        called += [{name: text for name, text in point.typed.items() if name != "seed"}] * (seeds or 1)
    if first is None:
        raise click.UsageError("--grid: got no values")
    return configs, called, first


def train_group(
    given: dict[str, Any],
    folder: Path | None,
    resume: bool,
    from_file: Path | None,
    seeds: int | None,
    grid: Sequence[tuple[str, list[str]]],
    cluster: str | None,
    workers: int | None,
) -> None:
    """Train the group, print the results, and save it in a folder."""
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.train_network import title
    from digitlab.cli.shared.train_settings import changes
    from digitlab.errors import ConfigError, quoted
    from digitlab.parallel.run_folders import kept_settings, settings_in
    from digitlab.run_folders import run_folder

    if resume:
        if given or grid or seeds or from_file:
            raise click.UsageError(
                "--resume of a group keeps its settings; give --run, and --workers or --cluster. To train with others, "
                "leave --resume out; --from RUN begins with the weights and settings of one of its runs"
            )
        if folder is None:
            raise click.UsageError("--resume of a group needs its folder: --run FOLDER")
        named = settings_in(folder)
        names, configs = [name for name, _ in named], [config for _, config in named]
        train_members(configs, names, kept_settings(folder, names), folder, cluster, workers)
        return
    if seeds and any(name == "seed" for name, _ in grid):
        raise click.UsageError("--grid seed=… and --seeds both set the seeds; leave one out")
    configs, called, splits = group_settings(given, from_file, seeds, grid_points(grid))
    if line := changes(given, configs):
        say(line)
    with run_folder(folder, f"{group_title(title(given, configs[0]), grid)}-x{len(configs)}") as place:
        if any(place.glob("*/config.toml")):
            way_on = f"digitlab train --run {quoted(place)} --resume"
            raise ConfigError(f"{place}: already holds a group of runs; continue with: {way_on} (or choose another)")
        say(f"{splits.train!r}; {len(splits.valid or ()):,} to validate, {len(splits.test):,} to test")
        train_members(configs, None, called if grid else None, place, cluster, workers)


def group_title(title: str, grid: Sequence[tuple[str, list[str]]]) -> str:
    """A short name for a group's folder: "784-30-10-learning-rate", or "net" where the networks differ."""
    sides = [name for name, _ in grid]
    return "-".join(sides if {"net", "preset"} & {*sides} else [title, *sides])


def train_members(
    configs: "Sequence[RunConfig]",
    names: Sequence[str] | None,
    settings: "Sequence[Setting] | None",
    folder: Path,
    cluster: str | None,
    workers: int | None,
) -> None:
    """Train the networks of a group, and print the results."""
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.progress import GroupProgress
    from digitlab.errors import quoted
    from digitlab.parallel import train_many
    from digitlab.parallel.labels import as_label, varied_settings

    varied = len(set(map(as_label, settings or varied_settings(configs, but=("seed",)))))
    together = train_many(
        configs,
        names=names,
        settings=settings,
        folder=folder,
        workers=workers,
        cluster=cluster,
        watcher=GroupProgress(),
        # With several settings the test set waits until one of them is chosen.
        test=varied == 1,
    )
    say_group(together, folder)
    if together.interrupted:
        say(f"continue with: digitlab train --run {quoted(folder)} --resume")
        raise KeyboardInterrupt


def say_group(together: "GroupResult", folder: Path) -> None:
    """The tables of a group: every network, then mean, variance and range by setting."""
    from digitlab.cli.shared.console import say, table
    from digitlab.cli.shared.endings import say_diagnoses, say_failures
    from digitlab.errors import DigitlabError
    from digitlab.parallel.results import figure
    from digitlab.train.columns import heading, unit

    good = together.good
    failed = [(o.name or f"network {i}", o.error) for i, o in enumerate(together.outcomes) if o.error]
    if failed and len(failed) == len(together.outcomes):
        raise DigitlabError(
            f"all {len(failed)} trainings failed, first {failed[0][0]}: {failed[0][1]}; table: {folder / 'results.csv'}"
        )
    if not good:
        for outcome in together.outcomes[:3]:
            say(f"{outcome.name or 'network'}: {outcome.error or 'not finished'}")
        say(f"no network finished; table: {folder / 'results.csv'}")
        return
    monitor = good[0].monitor
    shown = unit(monitor)
    tested = [o for o in good if o.test is not None]
    # The accuracy on test images, where there is one, whatever is watched: without a validation set that is the loss.
    measured = "accuracy" if all("accuracy" in (o.test or {}) for o in tested) else "loss"
    test_shown = unit(measured)
    rows = []
    for i, o in enumerate(together.outcomes):
        value, test = figure(o, monitor), figure(o, f"test_{measured}")
        note = o.error or ("" if o.finished else "not finished")
        rows.append(
            [
                o.name or f"network {i}",
                "" if value is None else shown.text(value),
                "average" if o.averaged else str(o.best_epoch or ""),
                *(["" if test is None else test_shown.text(test)] if tested else []),
                f"{o.seconds:.1f}",
                *([note] if any(x.error or not x.finished for x in together.outcomes) else []),
            ]
        )
    test_heading = ["test (%)" if test_shown.mark else "test"] if tested else []
    headings = ["network", heading(monitor), "at epoch", *test_heading, "seconds"]
    say(table(headings + (["note"] if len(rows[0]) > len(headings) else []), rows))
    parts = together.settings()
    rows = [
        [label or "all", *_summary_cells(part.statistics(monitor), shown)] for label, part in parts.items() if part.good
    ]
    say("")
    say(table([heading(monitor), "n", "mean", "variance", "sd", "min", "max", "range"], rows))
    if tested and len(parts) == 1:
        s, text = together.statistics(f"test_{measured}"), test_shown.text
        spread = f", sd {text(s.sd)}, range {text(s.range)}" if s.n > 1 else ""
        say(f"test set: mean {test_shown.shown(s.mean)}{spread}, n = {s.n}")
    elif len(parts) > 1 and not together.interrupted:
        say_best(together, monitor)
    say_diagnoses([(o.name or f"network {i}", o.diagnosis) for i, o in enumerate(together.outcomes)])
    say_failures(failed, len(together.outcomes))
    say(f"{together.seconds:.1f} s in all; {together.reason}")
    say(f"saved: {folder} (a run each; results.csv)")


def say_best(together: "GroupResult", monitor: str) -> None:
    """The setting that validation chooses, and what its networks reach on the test set, which is looked at only now."""
    from digitlab.cli.shared.console import say
    from digitlab.parallel.job import sets_for
    from digitlab.statistics import summarize
    from digitlab.train.evaluation import evaluate

    label, part = together.best_setting()
    say(f"best by {monitor}: {label}")
    accuracies = []
    for outcome in part.good:
        network = outcome.network()
        test = sets_for(outcome.config.data).test
        accuracies.append(evaluate(network, test).accuracy)
    known = [100 * a for a in accuracies if a is not None]
    if known:
        s = summarize(known)
        say(f"its networks on the test set: {s.text(unit=' %', show_n=True)}")


def _summary_cells(s: "Summary", unit: "Unit") -> list[str]:
    mean, sd, low, high, width = map(unit.text, (s.mean, s.sd, s.minimum, s.maximum, s.range))
    if s.n == 1:  # one network has no spread
        return [str(s.n), mean, "–", "–", low, high, "–"]
    return [str(s.n), mean, f"{unit.scale**2 * s.variance:.{unit.digits + 2}f}", sd, low, high, width]
