"""Where many trainings are computed: pools of workers over `concurrent.futures.Executor`.

    threads      where every training runs on the fast engine, whose kernels release the interpreter lock
    processes    otherwise; started afresh ("spawn"), so they share nothing that could get in their way
    dask         on other machines, or several processes of this one (cluster.py)

Every worker computes with one BLAS thread: sums are then added in one order, and a network comes out the same bit for
bit whatever the number of workers. The workers share the cores: on eight of them, four trainings have two threads each.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from digitlab.data import Splits
from digitlab.engine.threads import sharing_cores
from digitlab.errors import EngineError, in_brief
from digitlab.parallel.job import Emit, TrainingJob, TrainingResult, run_job


class Pool:
    """Jobs in, futures of outcomes out, over an executor that somebody else owns.

    kind, reason   what computes, and one sentence that says why it is that
    on_event       called, from any thread, after each epoch of each job where the executor has a way to tell
    """

    kind = "executor"

    def __init__(self, executor: Executor, workers: int, reason: str, data: Splits | None = None) -> None:
        self.executor, self.workers, self.reason, self.data = executor, workers, reason, data

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.reason}"

    def submit(self, job: TrainingJob) -> "Future[TrainingResult]":
        """Begin with the job as soon as a worker is free."""
        return self.executor.submit(run_job_alone, job, self.data)

    def stop(self) -> None:
        """Ask the jobs under way to end after the batches they are in."""

    def close(self) -> None:
        """Let go of the workers."""


class ThreadPool(Pool):
    """Threads of this process: nothing is copied, and the data exists once."""

    kind = "threads"

    def __init__(self, workers: int, reason: str, data: Splits | None, on_event: Emit | None) -> None:
        super().__init__(ThreadPoolExecutor(workers, "digitlab"), workers, reason, data)
        self.halt, self.on_event = threading.Event(), on_event
        self.limits = contextlib.ExitStack()
        self.limits.enter_context(sharing_cores(workers))

    def submit(self, job: TrainingJob) -> "Future[TrainingResult]":
        return self.executor.submit(run_job, job, self.data, self.on_event, self.halt.is_set)

    def stop(self) -> None:
        self.halt.set()

    def close(self) -> None:
        """Wait for running jobs, cancel waiting ones, and lift the limit on BLAS threads."""
        self.executor.shutdown(cancel_futures=True)
        self.limits.close()


class ProcessPool(Pool):
    """Processes of this machine; data that was given reaches each of them once, other data each reads for itself."""

    kind = "processes"

    def __init__(self, workers: int, reason: str, data: Splits | None, on_event: Emit | None) -> None:
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        self.halt, self.events = context.Event(), context.SimpleQueue()
        executor = ProcessPoolExecutor(
            workers, context, initializer=start_worker, initargs=(workers, data, self.events, self.halt)
        )
        super().__init__(executor, workers, reason)
        self.failure: Exception | None = None  # of `on_event`
        self.reader = threading.Thread(target=self._read, args=(on_event,), daemon=True)
        self.reader.start()

    def submit(self, job: TrainingJob) -> "Future[TrainingResult]":
        return self.executor.submit(run_here, job)

    def stop(self) -> None:
        self.halt.set()

    def close(self) -> None:
        """Wait for running jobs and cancel waiting ones. Raises what `on_event` raised, if it did."""
        self.executor.shutdown(cancel_futures=True)
        self.events.put(None)
        self.reader.join()
        self.events.close()
        if self.failure is not None:
            raise self.failure

    def _read(self, on_event: Emit | None) -> None:
        while (event := self.events.get()) is not None:
            if on_event is not None and self.failure is None:
                try:
                    on_event(event)
                except Exception as error:  # the workers would wait forever if their messages were not read
                    self.failure = error


@contextlib.contextmanager
def giving_up() -> Iterator[None]:
    """A block that raises EngineError if the pool gives trainings up, as when the scheduler of a cluster has ended."""
    try:
        yield
    except (asyncio.CancelledError, Exception) as error:
        cancelled = isinstance(error, CancelledError | asyncio.CancelledError)
        if not cancelled and type(error).__module__.partition(".")[0] != "distributed":
            raise
        raise EngineError(
            f"the cluster gave a training up ({in_brief(error)}): its scheduler has ended, or the workers have. "
            "Finished trainings are saved; the same command with --resume continues"
        ) from error


def result_of(future: "Future[TrainingResult]") -> TrainingResult:
    """The result of a job. Raises EngineError if the pool gave it up."""
    with giving_up():
        return future.result()


_here: dict[str, Any] = {}  # what a worker process was started with


def start_worker(workers: int, data: Splits | None, events: Any, halt: Any) -> None:
    """What each of so many worker processes does first."""
    import signal

    # These reach every process of a terminal or service; only the first one is to act on them.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _here.update(data=data, events=events, halt=halt, limits=sharing_cores(workers))
    _here["limits"].__enter__()


def _end_with_parent() -> None:
    """End this worker when its parent has ended, however that was."""
    from multiprocessing import connection, parent_process

    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def run_here(job: TrainingJob) -> TrainingResult:
    """`run_job` in a worker process."""
    return run_job(job, _here["data"], _here["events"].put, _here["halt"].is_set)


def run_job_alone(job: TrainingJob, data: Splits | None = None) -> TrainingResult:
    """`run_job` on somebody else's executor."""
    with sharing_cores():
        return run_job(job, data)
