"""What `digitlab search` says at its end, or with --report: the best trials, the test set, and files in the folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.cli.shared.console import say, table
from digitlab.cli.shared.json_output import report
from digitlab.errors import ConfigError, quoted
from digitlab.settings.schema import as_typed, option_of

if TYPE_CHECKING:
    from digitlab.search import Study, Trial

SHOWN = 5  # best trials in the table
STATES = {"failed": "interrupted (tried again)"}  # what a state is called, where it is not by its name


def say_study(study: "Study", folder: Path, *, test: bool) -> None:
    """What a search found: the best trials, what they cost, the test set, where table and pictures lie."""
    from digitlab.files import write_text
    from digitlab.search.best_networks import best_networks, judge_best
    from digitlab.search.space import as_text
    from digitlab.search.study import epochs_trained

    trials = study.trials()
    count = {
        state: sum(t.state == state for t in trials) for state in ("done", "pruned", "failed", "running", "waiting")
    }
    say(
        ", ".join(f"{n} {STATES.get(state, state)}" for state, n in count.items() if n)
        + f"; {epochs_trained(trials):,} epochs trained"
    )
    done = sorted((t for t in trials if t.state == "done"), key=lambda t: (-(t.score or 0.0), t.number))
    if not done:
        raise ConfigError(f"{study.path}: no trial is finished yet; there is nothing to show")
    failed = [(f"trial {t.number}", str(t.notes["error"])) for t in done if t.notes.get("error")]
    if len(failed) == len(done):
        raise ConfigError(f"{study.path}: every trial failed, {failed[0][0]} by: {failed[0][1]}")
    names = list(study.plan.space)
    rows = [
        [str(t.number), *(as_typed(t.point.get(name, "")) for name in names), t.shown(), str(t.notes.get("epochs", ""))]
        for t in done[:SHOWN]
    ]
    say(table(["trial", *map(option_of, names), study.monitor, "epochs"], rows))
    found = [{"trial": t.number, "state": t.state, "point": t.point, "value": t.value, **t.notes} for t in trials]
    report(folder=folder, monitor=study.monitor, trials=found, best=done[0].number)
    write_text(folder / "trials.csv", study.csv())
    pictures = save_pictures(study, trials, folder)
    best = done[0]
    config = study.plan.configs(best.point)[0]
    config.save(folder / "best" / "config.toml")
    if test:
        tested = judge_best(study)
        report(test={"trial": tested["trial"], "accuracies": tested["values"]})
        say_tested(tested)
    networks = best_networks(study)
    networks[0].save(folder / "best" / "network.safetensors")
    say_doubts(study, done, failed, folder / "best" / "config.toml")
    say(f"best by validation: {as_text(best.point)}")
    say(f"saved: {folder / 'trials.csv'}, {', '.join(pictures)}, best/network.safetensors")
    say(f"train it again with: digitlab train --from-file {quoted(folder / 'best' / 'config.toml')}")


def say_doubts(study: "Study", done: "list[Trial]", failed: list[tuple[str, str]], best: Path) -> None:
    """What went wrong in a search: trials that failed or went badly, and a best value where the range ends."""
    from digitlab.cli.shared.endings import say_diagnosis, say_failures
    from digitlab.doctor.ailment import Diagnosis
    from digitlab.search.study import at_edge

    say_failures(failed, len(done))
    if found := done[0].notes.get("diagnosis"):
        say_diagnosis(Diagnosis(*found), best, name=f"trial {done[0].number}, the best")
    elif badly := sum(t.notes.get("diagnosis") is not None for t in done):
        say(f"warning: {badly} of {len(done)} trials went badly")
    for name, which, wider in at_edge(study.plan.space, done[0].point):
        option = option_of(name)
        say(f"warning: the best {option}, {as_typed(done[0].point[name])}, is the {which} of the range searched")
        say(f"next: digitlab search --from-file {quoted(best)} --space {option}={wider}")


def say_tested(tested: dict[str, Any]) -> None:
    """What the test set said, and how often it was asked."""
    from digitlab.statistics import summarize

    s = summarize([100 * value for value in tested["values"]])
    once = (
        "once, after the search; " if not tested["again"] else "again, since the search went on after the first time; "
    )
    say(
        f"test set, used {once}network{'s' * (s.n > 1)} of trial {tested['trial']}, chosen by validation alone: "
        f"{s.text(unit=' %', show_n=True)}"
    )


def save_pictures(study: "Study", trials: "list[Trial]", folder: Path) -> list[str]:
    """Draw what can be drawn of these trials, and say what was."""
    from digitlab.search import figures
    from digitlab.viz.figures import save_figure

    drawn = {
        "history.png": figures.history_figure(trials),
        "slices.png": figures.slices_figure(trials, study.plan.space),
        "parallel.png": figures.parallel_figure(trials, study.plan.space),
    }
    if shares := figures.importances(study.study):
        drawn["importance.png"] = figures.importance_figure(shares)
    if any(t.notes.get("generation") is not None for t in trials):
        drawn["generations.png"] = figures.generations_figure(trials)
    for name, figure in drawn.items():
        save_figure(figure, folder / name)
    return list(drawn)
