"""`digitlab doctor`: what went wrong in a training, with evidence, and the fix."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitlab.cli.shared.json_output import json_option, report
from digitlab.cli.shared.options import PictureFile

if TYPE_CHECKING:
    from digitlab.doctor import Case, Finding


@click.command("doctor")
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option("--fix", is_flag=True, help="Train again with the settings that the first finding advises.")
@click.option("--out", type=PictureFile(), help="File for the picture. [default: doctor.png in the run]")
@click.option("--list", "listed", is_flag=True, help="List the ailments that the doctor knows.")
@json_option
def command(run: Path | None, fix: bool, out: Path | None, listed: bool) -> None:
    """Examine a training that went badly: what is wrong, and what to try.

    RUN is a run's folder, by default the latest. The likeliest cause comes first, with its evidence: a number and a
    picture. The data are loaded as the run's settings name them. With --fix, a new run beside the old one, RUN-fixed,
    has the advised settings, and its result is compared.
    """
    from digitlab.cli.shared.console import say
    from digitlab.doctor import AILMENTS, Case, examine
    from digitlab.errors import ConfigError, quoted
    from digitlab.run_folders import finished_runs, newest_run
    from digitlab.viz.doctor import findings_figure
    from digitlab.viz.figures import save_figure

    if listed:
        for ailment in AILMENTS:
            say(f"{ailment.title}\n  {ailment.words}\n  try: {ailment.advice}\n")
        report(ailments=[{"name": a.name, "title": a.title, "words": a.words, "advice": a.advice} for a in AILMENTS])
        return
    if run is None:
        if not finished_runs():
            raise ConfigError("no RUN was named and there is none in runs/; train one with `digitlab train`")
        run = newest_run()
    case = Case.of_run(run)
    found = examine(case)
    report(run=str(run), findings=[facts(finding) for finding in found])
    if not case.sets:
        say(f"{run}: its data are gone or have changed, so only its settings and history are examined")
    if not found:
        say(f"{run}: nothing wrong was found ({result(case)})")
        return
    say(f"{run}: {result(case)}")
    for number, finding in enumerate(found, 1):
        say(f"\n{number}. {finding.title}: {finding.seen}")
        say(f"   likely cause: {finding.cause}")
        say(f"   try: {finding.advice}")
    words = next(ailment.words for ailment in AILMENTS if ailment.name == found[0].ailment)
    say(f"\n{found[0].title}. {words}")
    place = out or run / "doctor.png"
    save_figure(findings_figure(found, title=str(run)), place)
    report(figure=str(place))
    say(f"saved: {place}")
    if fix:
        train_fixed(run, case, found[0])
    elif found[0].can_be_fixed:
        say(f"next: digitlab doctor {quoted(run)} --fix")


def facts(finding: "Finding") -> dict[str, object]:
    """A finding for --json."""
    names = ("ailment", "title", "seen", "measure", "value", "cause", "advice", "changes")
    return {name: getattr(finding, name) for name in names}


def result(case: "Case") -> str:
    """The last epoch in words: "3 epochs, valid_accuracy 10.67 %"."""
    from digitlab.doctor.symptoms import count
    from digitlab.train import History
    from digitlab.train.columns import unit

    if not case.rows:
        return "no epoch was finished"
    monitor = History(case.rows).monitored(case.config.monitor)
    return f"{count(len(case.rows), 'epoch')}, {monitor} {unit(monitor).shown(case.rows[-1][monitor])} in the last"


def train_fixed(run: Path, case: "Case", finding: "Finding") -> None:
    """Train with the advised settings, in a new folder, and compare. Raises ConfigError where no setting helps."""
    from digitlab.cli.shared.console import say
    from digitlab.cli.shared.progress import training_progress
    from digitlab.data import load
    from digitlab.doctor import Case, examine, fixed_settings
    from digitlab.errors import ConfigError
    from digitlab.train import start_run
    from digitlab.viz.curves import CurvesPicture

    folder = run.with_name(f"{run.name}-fixed")
    if (folder / "config.toml").exists():
        raise ConfigError(f"{folder}: already holds a run; rename or remove it")
    if not finding.can_be_fixed or case.splits is None or not case.sets:
        raise ConfigError(f"{run}: cannot be corrected here; try {finding.advice}")
    config = fixed_settings(case.config, finding, case.splits, folder)
    assert config is not None
    sets = load(**config.data) if finding.fix_data else case.splits
    changed = [
        f"another {name}" if isinstance(v, dict | list) else f"{name} {v}" for name, v in finding.changes.items()
    ]
    say(f"training again with {', '.join(changed) or f'corrected data: {folder}/data.npz'}")
    trainer = start_run(config, folder, [training_progress(curves=False), CurvesPicture(folder)])
    trainer.fit(sets.train, sets.valid, epochs=config.epochs, sample_weights=config.example_weights())
    fixed = Case.of_run(folder, sets)
    left = examine(fixed)
    say(f"before: {result(case)}")
    say(f"after:  {result(fixed)}; {left[0] if left else 'nothing wrong was found'}")
    say(f"saved: {folder}")
    report(fixed={"run": str(folder), "findings": [facts(finding) for finding in left]})
