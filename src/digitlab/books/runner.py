"""Runs experiments: every task once, on one or several processes, then figures and pictures. It can be interrupted.

    results/tasks/KEY/result.json, network.safetensors ...     one task each, filed under the hash of its settings
    results/rows/SCALE/NAME.MODE.json, NAME.MODE.PICTURE.png   an experiment's figures over its seeds, and its pictures

A task whose result is on disk is not done again, and a training continues from its checkpoint. Nor are the tasks of a
seed whose figures are in the result file: such files can be kept without the networks, and seeds be added later.
What other code computed (fingerprint.py) is computed again, unless the runs keep old results.
"""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from pathlib import Path

from digitlab.books.finish import finish
from digitlab.books.schedule import ScheduledRun
from digitlab.books.store import carry_out, finished, stored
from digitlab.books.task import Log, Task
from digitlab.engine.threads import sharing_cores
from digitlab.errors import DigitlabError

STAGES = ("train", "query", "result")


def execute(
    runs: Sequence[ScheduledRun], results: Path, *, processes: int = 1, stages: Sequence[str] = STAGES, log: Log = print
) -> list[str]:
    """Run into the results folder and return one line for each failure; a failure stops no other run.

    stages   "train": the tasks; "query": figures from their results; "result": pictures from the figures.
             A stage alone needs what the stages before it left on disk.
    """
    failures: dict[str, str] = {}
    open_runs = list(runs)
    # Seeds with stored figures. With --part query alone, figures are computed again.
    known = {run.name: set() if stages == ["query"] else known_seeds(run, results) for run in runs}

    def finish_ready() -> None:
        """Finish the runs whose tasks are all done."""
        for run in list(open_runs):
            failed = any(task.key in failures for tasks in run.tasks.values() for task in tasks.values())
            done = None if failed else run.task_results(results, known[run.name])
            if failed or done is not None:
                open_runs.remove(run)
            if done is not None:
                try:
                    finish(run, done, results, stages, log)
                except DigitlabError as error:
                    failures[run.name] = f"{run.name}: {error}"

    if "train" in stages:
        needed = [tasks for run in runs for seed, tasks in run.tasks.items() if seed not in known[run.name]]
        tasks = {task.key: task for some in needed for task in some.values()}
        keep_old = any(run.keep_old for run in runs)
        waiting = [task for task in tasks.values() if finished(task, results, keep_old=keep_old) is None]
        if len(tasks) > len(waiting):
            log(f"{len(tasks) - len(waiting)} of {len(tasks)} tasks are already done")
        for line in old_results(runs, waiting, results):
            log(line)
        if seeds := sum(map(len, known.values())):
            log(f"figures of {seeds} seed{'s' if seeds > 1 else ''} are already stored")
        finish_ready()
        for number, (task, error) in enumerate(_carry_out_all(waiting, results, processes, log), 1):
            if error:
                failures[task.key] = f"{task.title}: {error}"
            result = None if error else stored(task, results)
            outcome = f"done in {result.seconds:.1f} s" if result else f"failed: {error}"
            log(f"[{number}/{len(waiting)}] {task.title}: {outcome}")
            finish_ready()
    else:
        finish_ready()
        for run in open_runs:
            old = any(stored(task, results) for tasks in run.tasks.values() for task in tasks.values())
            by = " by this code, some by other code (--keep-old uses those)" if old else ""
            missing = f"not all of its tasks are done{by}; run it with --part train first"
            failures[run.name] = f"{run.name}: {(list(stages) == ['result'] and not_drawable(run, results)) or missing}"
    return list(failures.values())


def not_drawable(run: ScheduledRun, results: Path) -> str:
    """Why the figures in the result file cannot be drawn, and what to run; "" if there is no such file."""
    if not run.path(results).is_file():
        return ""
    again = "run it without --part to compute them again"
    found = run.same_settings(results)
    if found is None:
        return f"its stored figures are of other settings than those of this version; {again}"
    if missing := len(run.variants) - sum(str(seed) in found.results for seed in run.variants):
        return f"figures of {missing} of {len(run.variants)} seeds are missing; run it without --part to compute them"
    return f"its stored figures were computed by other code; --keep-old draws those, or {again}"


def known_seeds(run: ScheduledRun, results: Path) -> set[int]:
    """The seeds whose figures are in the result file."""
    found = run.stored(results)
    return {int(seed) for seed in found.results} if found is not None else set()


def old_results(runs: Sequence[ScheduledRun], waiting: Sequence[Task], results: Path) -> list[str]:
    """A line for figures and one for tasks that are stored, were computed by other code and will not be used."""
    lines = []
    old = []
    for run in runs:
        found = None if run.keep_old else run.same_settings(results)
        if found is not None and set(found.states(run.code).values()) - {"current"}:
            old.append(run.name)
    if old:
        lines.append(f"computed by other code, so computed again (--keep-old uses the old figures): {', '.join(old)}")
    if tasks := sum(stored(task, results) is not None for task in waiting):
        lines.append(f"{tasks} of them by other code, so done again (--keep-old uses the old results)")
    return lines


def _carry_out_all(tasks: Sequence[Task], results: Path, processes: int, log: Log) -> Iterable[tuple[Task, str]]:
    """Each task as it is finished, with the message of its error or ""."""
    if processes <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield task, _attempt(task, results, log)
        return
    waiting = list(tasks)
    running: dict[Future[str], Task] = {}
    at_once = min(processes, len(tasks))
    with ProcessPoolExecutor(at_once, multiprocessing.get_context("spawn")) as pool:
        try:
            while waiting or running:
                # Submit no more than can run at once: what was submitted cannot be cancelled at an interruption.
                while waiting and len(running) < at_once:
                    task = waiting.pop(0)
                    running[pool.submit(_attempt_in_process, at_once, task, results)] = task
                ready, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield running.pop(future), future.result()
        except KeyboardInterrupt:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _attempt(task: Task, results: Path, log: Log) -> str:
    try:
        carry_out(task, results, log)
    except DigitlabError as error:
        return str(error) or type(error).__name__
    return ""


def _attempt_in_process(processes: int, task: Task, results: Path) -> str:
    with sharing_cores(processes):
        return _attempt(task, results, partial(print, flush=True))
