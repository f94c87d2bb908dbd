"""Runs rows: every task once, on one or several processes, then figures and pictures; all of it can be interrupted.

    results/tasks/KEY/result.json, network.safetensors ...     one task each, filed under the hash of its settings
    results/rows/SCALE/ROW.MODE.json, ROW.MODE.NAME.png        a row's figures over its seeds, and its pictures

A task that is on disk with these settings is not done again, and a training goes on from its checkpoint. Nor are the
tasks of a seed whose figures are in the row's file: such files can be kept without the networks, and seeds be added.
"""

import multiprocessing
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from digitlab.data import load_auto
from digitlab.engine.threads import sharing_cores
from digitlab.errors import ConfigError, DigitlabError, ModelFileError
from digitlab.reproduce.animation import save_drawing
from digitlab.reproduce.compare import headline
from digitlab.reproduce.results import RowResult, read_row, row_path, write_row
from digitlab.reproduce.row import Outcomes, Plan, Result, Row, Tasks
from digitlab.reproduce.task import Say, Task, carry_out, circumstances, finished

T = TypeVar("T")
SCALES = ("quick", "default", "full")
STAGES = ("train", "query", "result")


@dataclass
class Job:
    """A row in one mode: what is to be done for each seed."""

    row: Row
    mode: str
    plans: dict[int, Plan]
    tasks: dict[int, Tasks]

    @property
    def name(self) -> str:
        """As people call it: "rashid-mnist", or with its mode where the row has two."""
        return self.row.name if len(self.row.modes) == 1 else f"{self.row.name} ({self.mode})"

    def keys(self) -> dict[str, dict[str, str]]:
        """The hashes of all settings, by seed and label."""
        return {str(s): {label: task.key for label, task in tasks.items()} for s, tasks in self.tasks.items()}

    def stored(self, results: Path) -> RowResult | None:
        """The row's file, with the figures of those seeds alone that were found with these very settings."""
        path = row_path(results, self.row.name, self.mode, self.plans[0].scale)
        found = read_row(path) if path.is_file() else None
        if found is None or found.revision != self.row.revision:
            return None
        # Seeds that were not asked for now stay, if their settings are these, too.
        plans = {seed: replace(self.plans[0], seed=int(seed)) for seed in found.keys}
        tasks = {seed: self.tasks.get(int(seed)) or tasks_of(self.row, plan) for seed, plan in plans.items()}
        same = [s for s, some in tasks.items() if found.keys[s] == {label: task.key for label, task in some.items()}]
        return replace(
            found, keys={s: found.keys[s] for s in same}, results={s: found.results[s] for s in same},
            seconds={s: found.seconds[s] for s in same},
        ) if same else None  # fmt: skip


def make_jobs(
    rows: Sequence[Row], *, scale: str = "default", seeds: int = 3, mode: str = "both", source: str = "mnist"
) -> list[Job]:
    """What is to be done for these rows. Raises ConfigError for a scale, mode or number of seeds that cannot be."""
    if scale not in SCALES:
        raise ConfigError(f"scale: got {scale!r}, expected one of {', '.join(SCALES)}")
    if seeds < 1:
        raise ConfigError(f"seeds: got {seeds}, expected at least 1")
    jobs = []
    for row in rows:
        modes = row.modes if mode == "both" or len(row.modes) == 1 else (mode,)
        if unknown := [m for m in modes if m not in row.modes]:
            raise ConfigError(f"mode: {row.name} has no mode {unknown[0]!r}; it has {', '.join(row.modes)}")
        for chosen in modes:
            plans = {s: Plan(scale, chosen, s, source) for s in range(seeds if row.chance else 1)}
            tasks = {s: tasks_of(row, plan) for s, plan in plans.items()}
            jobs.append(Job(row, chosen, plans, tasks))
    return jobs


def tasks_of(row: Row, plan: Plan) -> Tasks:
    """A row's tasks for a seed, in small for a quick run."""
    tasks = row.tasks(plan)
    return {label: task.shrunk() for label, task in tasks.items()} if plan.quick else tasks


def source_for(scale: str, say: Say) -> str:
    """ "mnist"; in quick runs without it, "digits", with a line that says so. Raises MissingDataError otherwise."""
    splits, note = load_auto("auto" if scale == "quick" else "mnist")
    if note:
        say("MNIST could not be had: a quick run on scikit-learn's digits, enlarged to 28×28")
    return "mnist" if splits.train.images.shape[1] == 28 else "digits"


def run_jobs(
    jobs: Sequence[Job], results: Path, *, processes: int = 1, stages: Sequence[str] = STAGES, say: Say = print
) -> list[str]:
    """Run jobs into the results folder and return one line for each that failed; others are not held up by it.

    stages   "train": the tasks; "query": figures from what they gave; "result": pictures from the figures.
             A stage alone needs what the stages before it left on disk.
    """
    failures: dict[str, str] = {}
    open_jobs = list(jobs)
    # Seeds whose figures are there; figures that are asked for by themselves are taken from the outcomes again.
    known = {job.name: set() if stages == ["query"] else seeds_known(job, results) for job in jobs}

    def settle() -> None:
        """Finish the jobs whose tasks are all done."""
        for job in list(open_jobs):
            failed = [failures[t.key] for some in job.tasks.values() for t in some.values() if t.key in failures]
            outcomes = None if failed else outcomes_of(job, results, known[job.name])
            if failed or outcomes is not None:
                open_jobs.remove(job)
            if outcomes is not None:
                try:
                    finish(job, outcomes, results, stages, say)
                except DigitlabError as error:
                    failures[job.name] = f"{job.name}: {error}"

    if "train" in stages:
        asked = [some for job in jobs for seed, some in job.tasks.items() if seed not in known[job.name]]
        tasks = {task.key: task for some in asked for task in some.values()}
        todo = [task for task in tasks.values() if finished(task, results) is None]
        if len(tasks) > len(todo):
            say(f"{len(tasks) - len(todo)} of {len(tasks)} tasks were done before")
        if seeds := sum(len(some) for some in known.values()):
            say(f"figures of {seeds} seed{'s' if seeds > 1 else ''} were found before")
        settle()
        for number, (task, error) in enumerate(_done(todo, results, processes, say), 1):
            if error:
                failures[task.key] = f"{task.title}: {error}"
            outcome = None if error else finished(task, results)
            took = f"done in {outcome.seconds:.1f} s" if outcome else f"failed: {error}"
            say(f"[{number}/{len(todo)}] {task.title}: {took}")
            settle()
    else:
        settle()
        for job in open_jobs:
            failures[job.name] = f"{job.name}: not all of its tasks are done; run it with --part train first"
    return list(failures.values())


def _done(
    tasks: Sequence[Task], results: Path, processes: int, say: Say
) -> Iterable[tuple[Task, str]]:  # fmt: skip
    """Each task as it is finished, with the message of its error or ""."""
    if processes <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield task, _attempt(task, results, say)
        return
    waiting = list(tasks)
    running: dict[Future[str], Task] = {}
    at_once = min(processes, len(tasks))
    with ProcessPoolExecutor(at_once, multiprocessing.get_context("spawn")) as pool:
        try:
            while waiting or running:
                # No more than can run at once: what is handed over cannot be called back at an interruption.
                while waiting and len(running) < at_once:
                    task = waiting.pop(0)
                    running[pool.submit(_attempt_beside, at_once, task, results)] = task
                ready, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield running.pop(future), _answer(future)
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _answer(future: "Future[str]") -> str:
    return future.result()


def _attempt(task: Task, results: Path, say: Say) -> str:
    try:
        carry_out(task, results, say)
    except DigitlabError as error:
        return str(error) or type(error).__name__
    return ""


def _attempt_beside(processes: int, task: Task, results: Path) -> str:
    with sharing_cores(processes):
        return _attempt(task, results, _print)


def _print(text: str) -> None:
    print(text, flush=True)


def seeds_known(job: Job, results: Path) -> set[int]:
    """The seeds whose figures are in the row's file."""
    stored = job.stored(results)
    return {int(seed) for seed in stored.results} if stored is not None else set()


def outcomes_of(job: Job, results: Path, known: Container[int] = ()) -> dict[int, Outcomes] | None:
    """What all tasks of a job gave, by seed and label, but for the known seeds; None if one is not done."""
    outcomes: dict[int, Outcomes] = {}
    for seed, tasks in job.tasks.items():
        if seed in known:
            continue
        found = {label: finished(task, results) for label, task in tasks.items()}
        if any(outcome is None for outcome in found.values()):
            return None
        outcomes[seed] = {label: outcome for label, outcome in found.items() if outcome is not None}
    return outcomes


def draw_row(row: Row, results: Sequence[Result], plan: Plan, path: Path) -> list[str]:
    """Draw a row's pictures beside its file; returns their names."""
    pictures = []
    for name, drawing in row.draw(results, plan).items():
        pictures += save_drawing(drawing, path.parent / f"{path.stem}.{name}")
    return pictures


def by_seed(table: Mapping[str, T]) -> dict[str, T]:
    """A table in the order of its seeds."""
    return {seed: table[seed] for seed in sorted(table, key=int)}


def seconds_of(job: Job, outcomes: Mapping[int, Outcomes]) -> dict[str, float]:
    """What each seed took; a task that several share counts for the first of them."""
    counted: set[str] = set()
    seconds = {}
    for seed, found in outcomes.items():
        new = {label: task.key for label, task in job.tasks[seed].items() if task.key not in counted}
        seconds[str(seed)] = sum(found[label].seconds for label in new)
        counted |= set(new.values())
    return seconds


def finish(
    job: Job, outcomes: Mapping[int, Outcomes], results: Path, stages: Sequence[str], say: Callable[[str], None]
) -> None:
    """Figures and pictures of a job whose tasks are done; figures of the same tasks are used again."""
    path = row_path(results, job.row.name, job.mode, job.plans[0].scale)
    stored = job.stored(results)
    fresh = [seed for seed in job.plans if seed in outcomes]
    same = stored is not None and all(str(seed) in stored.results for seed in job.plans)
    if "result" in stages and "query" not in stages and not same:
        raise ModelFileError("there are no figures of these tasks; run it with --part query first")
    found = stored if same and stages != ["query"] else None
    if found is None:
        if "query" not in stages:
            return
        answers = {str(s): job.row.query(outcomes[s], job.plans[s]) for s in fresh}
        seconds = {seed: own for seed, own in seconds_of(job, outcomes).items() if int(seed) in fresh}
        keys = {seed: labels for seed, labels in job.keys().items() if int(seed) in outcomes}
        if stored is not None:
            keys, answers = {**stored.keys, **keys}, {**stored.results, **answers}
            seconds = {**stored.seconds, **seconds}
        found = RowResult(
            job.row.name, job.mode, job.plans[0].scale, job.row.revision, by_seed(keys), by_seed(answers),
            by_seed(seconds), source=job.plans[0].source, **circumstances(),
        )  # fmt: skip
        write_row(path, found)
    if "result" in stages and not (
        same and found.pictures and all((path.parent / p).is_file() for p in found.pictures)
    ):
        found = replace(found, pictures=draw_row(job.row, list(found.results.values()), job.plans[0], path))
        write_row(path, found)
    where = f"; pictures: {path.parent}/{path.stem}.*" if found.pictures and "result" in stages else ""
    say(f"{job.name}: {headline(job.row, found)}{where}")
