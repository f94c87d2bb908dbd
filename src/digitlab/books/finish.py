"""Figures and pictures of a row whose tasks are done: the end of a job."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from digitlab.books.animation import save_drawing
from digitlab.books.compare import headline
from digitlab.books.experiment import Experiment, Result, TaskResults, Variant
from digitlab.books.fingerprint import Fingerprint, combined
from digitlab.books.results import ExperimentResult, row_path, write_row
from digitlab.books.task import circumstances
from digitlab.errors import ModelFileError

if TYPE_CHECKING:
    from digitlab.books.runner import ScheduledRun

T = TypeVar("T")


def draw_row(row: Experiment, results: Sequence[Result], plan: Variant, path: Path) -> list[str]:
    """Draw a row's pictures beside its file; returns their names."""
    pictures = []
    for name, drawing in row.draw(results, plan).items():
        pictures += save_drawing(drawing, path.parent / f"{path.stem}.{name}")
    return pictures


def by_seed(table: Mapping[str, T]) -> dict[str, T]:
    """A table in the order of its seeds."""
    return {seed: table[seed] for seed in sorted(table, key=int)}


def seconds_of(job: "ScheduledRun", outcomes: Mapping[int, TaskResults]) -> dict[str, float]:
    """What each seed took; a task that several share counts for the first of them."""
    counted: set[str] = set()
    seconds = {}
    for seed, found in outcomes.items():
        new = {label: task.key for label, task in job.tasks[seed].items() if task.key not in counted}
        seconds[str(seed)] = sum(found[label].seconds for label in new)
        counted |= set(new.values())
    return seconds


def code_of_outcomes(job: "ScheduledRun", outcomes: TaskResults) -> Fingerprint:
    """The code that a seed's figures come from: its tasks' when they were done, and the figures' of now."""
    done = [outcome.code for outcome in outcomes.values()]
    kinds = sorted({code.processor for code in done})
    return Fingerprint(combined([code.numerics for code in done]), job.code().experiment, " + ".join(kinds))


def finish(
    job: "ScheduledRun",
    outcomes: Mapping[int, TaskResults],
    results: Path,
    stages: Sequence[str],
    say: Callable[[str], None],
) -> None:
    """Figures and pictures of a job whose tasks are done; figures of the same tasks are used again."""
    path = row_path(results, job.row.name, job.mode, job.plans[0].scale)
    known = job.stored(results)
    fresh = [seed for seed in job.plans if seed in outcomes]
    same = known is not None and all(str(seed) in known.results for seed in job.plans)
    if "result" in stages and "query" not in stages and not same:
        raise ModelFileError("there are no figures of these tasks; run it with --part query first")
    found = known if same and stages != ["query"] else None
    if found is None:
        if "query" not in stages:
            return
        answers = {str(s): job.row.query(outcomes[s], job.plans[s]) for s in fresh}
        seconds = {seed: own for seed, own in seconds_of(job, outcomes).items() if int(seed) in fresh}
        keys = {seed: labels for seed, labels in job.keys().items() if int(seed) in outcomes}
        code = {str(s): code_of_outcomes(job, outcomes[s]) for s in fresh}
        if known is not None:
            keys, answers = {**known.keys, **keys}, {**known.results, **answers}
            seconds, code = {**known.seconds, **seconds}, {**known.code, **code}
        found = ExperimentResult(
            job.row.name,
            job.mode,
            job.plans[0].scale,
            job.row.revision,
            by_seed(keys),
            by_seed(answers),
            by_seed(seconds),
            source=job.plans[0].source,
            code=by_seed(code),
            **circumstances(),
        )
        write_row(path, found)
    if "result" in stages and not (
        same and found.pictures and all((path.parent / p).is_file() for p in found.pictures)
    ):
        found = replace(found, pictures=draw_row(job.row, list(found.results.values()), job.plans[0], path))
        write_row(path, found)
    where = f"; pictures: {path.parent}/{path.stem}.*" if found.pictures and "result" in stages else ""
    say(f"{job.name}: {headline(job.row, found)}{where}")
