"""The end of a run: figures and pictures of an experiment whose tasks are done."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from digitlab.books.animation import save_drawing
from digitlab.books.compare import headline
from digitlab.books.experiment import Experiment, Result, TaskResults, Variant
from digitlab.books.fingerprint import Fingerprint, combined
from digitlab.books.results import ExperimentResult, write_result
from digitlab.books.schedule import ScheduledRun
from digitlab.books.store import circumstances
from digitlab.books.task import Log
from digitlab.errors import ModelFileError


def draw_pictures(experiment: Experiment, results: Sequence[Result], variant: Variant, path: Path) -> list[str]:
    """Draw an experiment's pictures in the folder of its result file; returns their names."""
    pictures = []
    for name, drawing in experiment.draw(results, variant).items():
        pictures += save_drawing(drawing, path.parent / f"{path.stem}.{name}")
    return pictures


def measured(run: ScheduledRun, task_results: Mapping[int, TaskResults]) -> ExperimentResult:
    """The figures of these seeds. The seconds of a task that seeds share count for the first of them."""
    keys, answers, seconds, code = {}, {}, {}, {}
    counted: set[str] = set()
    for seed, found in task_results.items():
        tasks = run.tasks[seed]
        keys[str(seed)] = {label: task.key for label, task in tasks.items()}
        answers[str(seed)] = run.experiment.query(found, run.variants[seed])
        new = {label: key for label, key in keys[str(seed)].items() if key not in counted}
        counted |= set(new.values())
        seconds[str(seed)] = sum(found[label].seconds for label in new)
        done = [result.code for result in found.values()]
        processors = " + ".join(sorted({one.processor for one in done}))
        code[str(seed)] = Fingerprint(combined([one.numerics for one in done]), run.code().experiment, processors)
    variant = run.variant
    return ExperimentResult(
        run.experiment.name,
        variant.mode,
        variant.scale,
        run.experiment.revision,
        keys,
        answers,
        seconds,
        source=variant.source,
        code=code,
        **circumstances(),
    )


def finish(
    run: ScheduledRun, task_results: Mapping[int, TaskResults], results: Path, stages: Sequence[str], log: Log
) -> None:
    """Compute figures and draw pictures of a run whose tasks are done; stored figures of these tasks are used again."""
    path = run.path(results)
    known = run.stored(results)
    complete = known is not None and all(str(seed) in known.results for seed in run.variants)
    if "result" in stages and "query" not in stages and not complete:
        raise ModelFileError("there are no figures of these tasks; run it with --part query first")
    found = known if complete and stages != ["query"] else None
    if found is None:
        if "query" not in stages:
            return
        found = measured(run, task_results)
        found = known.joined(found) if known is not None else found
        write_result(path, found)
    drawn = complete and found.pictures and all((path.parent / picture).is_file() for picture in found.pictures)
    if "result" in stages and not drawn:
        pictures = draw_pictures(run.experiment, list(found.results.values()), run.variant, path)
        found = replace(found, pictures=pictures)
        write_result(path, found)
    where = f"; pictures: {path.parent}/{path.stem}.*" if found.pictures and "result" in stages else ""
    log(f"{run.name}: {headline(run.experiment, found)}{where}")
