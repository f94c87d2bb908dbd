"""Runs rows: every task once, on one or several processes, then figures and pictures; all of it can be interrupted.

    results/tasks/KEY/result.json, network.safetensors ...     one task each, filed under the hash of its settings
    results/rows/SCALE/ROW.MODE.json, ROW.MODE.NAME.png        a row's figures over its seeds, and its pictures

A task that is on disk with these settings is not done again, and a training goes on from its checkpoint. Nor are the
tasks of a seed whose figures are in the row's file: such files can be kept without the networks, and seeds be added.
What other code computed (fingerprint.py) is computed again, unless the jobs keep what is old.
"""

import multiprocessing
from collections.abc import Container, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from digitlab.books.experiment import Experiment, TaskResults, Tasks, Variant
from digitlab.books.fingerprint import Fingerprint, of_row
from digitlab.books.finish import finish
from digitlab.books.results import ExperimentResult, read_row, row_path
from digitlab.books.task import Say, Task, carry_out, finished, stored
from digitlab.data import load_auto
from digitlab.engine.threads import sharing_cores
from digitlab.errors import ConfigError, DigitlabError

SCALES = ("quick", "default", "full")
STAGES = ("train", "query", "result")


@dataclass
class ScheduledRun:
    """A row in one mode: what is to be done for each seed; `keep_old`: use what other code computed, too."""

    row: Experiment
    mode: str
    plans: dict[int, Variant]
    tasks: dict[int, Tasks]
    keep_old: bool = False

    @property
    def name(self) -> str:
        """As people call it: "rashid-mnist", or with its mode where the row has two."""
        return self.row.name if len(self.row.modes) == 1 else f"{self.row.name} ({self.mode})"

    def keys(self) -> dict[str, dict[str, str]]:
        """The hashes of all settings, by seed and label."""
        return {str(s): {label: task.key for label, task in tasks.items()} for s, tasks in self.tasks.items()}

    def code(self) -> Fingerprint:
        """The code that would give the row's figures now."""
        return of_row(self.row, self.plans[0])

    def same_settings(self, results: Path) -> ExperimentResult | None:
        """The row's file, with the figures of those seeds alone that were found with these very settings."""
        path = row_path(results, self.row.name, self.mode, self.plans[0].scale)
        found = read_row(path) if path.is_file() else None
        if found is None or found.revision != self.row.revision:
            return None
        # Seeds that were not asked for now stay, if their settings are these, too.
        plans = {seed: replace(self.plans[0], seed=int(seed)) for seed in found.keys}
        tasks = {seed: self.tasks.get(int(seed)) or self.row.planned(plan) for seed, plan in plans.items()}
        same = [s for s, some in tasks.items() if found.keys[s] == {label: task.key for label, task in some.items()}]
        return found.only(same) if same else None

    def stored(self, results: Path) -> ExperimentResult | None:
        """Of these figures those that the code of now gives, or all with `keep_old`."""
        found = self.same_settings(results)
        if found is None or self.keep_old:
            return found
        current = [seed for seed, state in found.states(self.code).items() if state == "current"]
        return found.only(current) if current else None


def make_jobs(
    rows: Sequence[Experiment],
    *,
    scale: str = "default",
    seeds: int = 3,
    mode: str = "both",
    source: str = "mnist",
    keep_old: bool = False,
) -> list[ScheduledRun]:
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
            plans = {s: Variant(scale, chosen, s, source) for s in range(seeds if row.chance else 1)}
            tasks = {s: row.planned(plan) for s, plan in plans.items()}
            jobs.append(ScheduledRun(row, chosen, plans, tasks, keep_old))
    return jobs


def source_for(scale: str, say: Say) -> str:
    """ "mnist"; in quick runs without it, "digits", with a line that says so. Raises MissingDataError otherwise."""
    splits, note = load_auto("auto" if scale == "quick" else "mnist")
    if note:
        say("MNIST is unavailable: a quick run on scikit-learn's digits, enlarged to 28×28")
    return "mnist" if splits.train.images.shape[1] == 28 else "digits"


def run_jobs(
    jobs: Sequence[ScheduledRun], results: Path, *, processes: int = 1, stages: Sequence[str] = STAGES, say: Say = print
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
        keeping = any(job.keep_old for job in jobs)
        todo = [task for task in tasks.values() if finished(task, results, keep_old=keeping) is None]
        if len(tasks) > len(todo):
            say(f"{len(tasks) - len(todo)} of {len(tasks)} tasks were done before")
        for line in told_old(jobs, todo, results):
            say(line)
        if seeds := sum(len(some) for some in known.values()):
            say(f"figures of {seeds} seed{'s' if seeds > 1 else ''} were found before")
        settle()
        for number, (task, error) in enumerate(_done(todo, results, processes, say), 1):
            if error:
                failures[task.key] = f"{task.title}: {error}"
            outcome = None if error else stored(task, results)
            took = f"done in {outcome.seconds:.1f} s" if outcome else f"failed: {error}"
            say(f"[{number}/{len(todo)}] {task.title}: {took}")
            settle()
    else:
        settle()
        for job in open_jobs:
            old = [t for some in job.tasks.values() for t in some.values() if stored(t, results) is not None]
            by = " by this code, some by other code (--keep-old uses those)" if old else ""
            failures[job.name] = f"{job.name}: not all of its tasks are done{by}; run it with --part train first"
    return list(failures.values())


def told_old(jobs: Sequence[ScheduledRun], todo: Sequence[Task], results: Path) -> list[str]:
    """What is there, was computed by other code and will not be used, in a line for figures and one for tasks."""
    lines = []
    rows = [
        job
        for job in jobs
        if not job.keep_old
        and (found := job.same_settings(results))
        and set(found.states(job.code).values()) - {"current"}
    ]
    if rows:
        names = ", ".join(job.name for job in rows)
        lines.append(f"computed by other code, so computed again (--keep-old uses the old figures): {names}")
    if old := [task for task in todo if stored(task, results) is not None]:
        lines.append(f"{len(old)} of them by other code, so done again (--keep-old uses the old results)")
    return lines


def _done(tasks: Sequence[Task], results: Path, processes: int, say: Say) -> Iterable[tuple[Task, str]]:
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


def seeds_known(job: ScheduledRun, results: Path) -> set[int]:
    """The seeds whose figures are in the row's file."""
    stored = job.stored(results)
    return {int(seed) for seed in stored.results} if stored is not None else set()


def outcomes_of(job: ScheduledRun, results: Path, known: Container[int] = ()) -> dict[int, TaskResults] | None:
    """What all tasks of a job gave, by seed and label, but for the known seeds; None if one is not done."""
    outcomes: dict[int, TaskResults] = {}
    for seed, tasks in job.tasks.items():
        if seed in known:
            continue
        found = {label: finished(task, results, keep_old=job.keep_old) for label, task in tasks.items()}
        if any(outcome is None for outcome in found.values()):
            return None
        outcomes[seed] = {label: outcome for label, outcome in found.items() if outcome is not None}
    return outcomes
