"""Where many trainings are computed: one seam, `concurrent.futures.Executor`, and what fits behind it.

    threads      where every training runs on the fast engine, whose kernels release the interpreter lock
    processes    otherwise; started afresh ("spawn"), so they share nothing that could get in their way
    dask         on other machines, or several processes of this one (cluster.py)

Every worker computes with one BLAS thread: sums are then added in one order, and a network comes out the same bit for
bit whatever the number of workers. The workers share the cores: on eight of them, four trainings have two threads each.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from digitlab.data import Splits
from digitlab.engine import select_engine
from digitlab.engine.threads import available_cores, sharing_cores
from digitlab.errors import ConfigError
from digitlab.parallel.job import Emit, TrainingJob, TrainingResult, base_sets, run_job
from digitlab.train.config import RunConfig


class Pool:
    """Jobs in, futures of outcomes out, over an executor that somebody else owns.

    kind, reason   what computes, and one sentence that says why it is that
    on_event       called, from any thread, after each epoch of each job where the executor has a way to tell
    """

    kind = "executor"

    def __init__(self, executor: Executor, workers: int, reason: str, data: Splits | None = None) -> None:
        self.executor, self.workers, self.reason, self.data = executor, workers, reason, data

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
                except Exception as error:  # the workers would wait for ever if nobody read what they tell
                    self.failure = error


_here: dict[str, Any] = {}  # what a worker process was started with


def start_worker(workers: int, data: Splits | None, events: Any, halt: Any) -> None:
    """What each of so many worker processes does first."""
    import signal

    # Ctrl-C reaches every process of the terminal; only the first one is to act on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _here.update(data=data, events=events, halt=halt, limits=sharing_cores(workers))
    _here["limits"].__enter__()


def run_here(job: TrainingJob) -> TrainingResult:
    """`run_job` in a worker process."""
    return run_job(job, _here["data"], _here["events"].put, _here["halt"].is_set)


def run_job_alone(job: TrainingJob, data: Splits | None = None) -> TrainingResult:
    """`run_job` on somebody else's executor."""
    with sharing_cores():
        return run_job(job, data)


def open_pool(
    configs: Sequence[RunConfig],
    *,
    data: Splits | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    cluster: str | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
) -> Pool:
    """The pool that serves these trainings best; `workers` is how many at once, by default one for each processor.

    Raises ConfigError for settings that contradict each other, EngineError if a cluster cannot be reached.
    """
    if executor is not None and cluster is not None:
        raise ConfigError("got an executor and a cluster; expected one of them")
    if workers is not None and workers < 1:
        raise ConfigError(f"workers: got {workers}, expected at least 1")
    if executor is not None:
        why = f"the executor that was given, {type(executor).__name__}"
        return Pool(executor, workers or available_cores(), why, data)
    if cluster is not None:
        from digitlab.parallel.cluster import DaskPool

        return DaskPool(cluster, workers, data, [config.data for config in configs], on_event)
    at_once = min(workers or available_cores(), max(len(configs), 1))
    refusal = why_not_threads(configs)
    if refusal is None:
        if data is None and configs:
            base_sets(configs[0].data)  # read once, before the threads want it
        why = f"{at_once} thread{'s' * (at_once > 1)}: the fast engine's kernels release the interpreter lock"
        return ThreadPool(at_once, why, data, on_event)
    if at_once == 1:
        return ThreadPool(1, f"one after another: {refusal}", data, on_event)
    return ProcessPool(at_once, f"{at_once} processes: {refusal}", data, on_event)


def why_not_threads(configs: Sequence[RunConfig]) -> str | None:
    """The sentence why threads would wait for each other here, or None if every training is on the fast engine."""
    for config in configs:
        trainer = config.trainer()
        engine, reason = select_engine(
            config.engine,
            trainer.network,
            trainer.optimizer,
            trainer.regularizers,
            gradient=config.gradient,
            device=config.device,
        )
        if engine.name != "fast":
            return reason
    return None
