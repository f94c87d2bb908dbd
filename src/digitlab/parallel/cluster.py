"""Workers on other machines, by Dask (https://distributed.dask.org), behind the same seam."""

import functools
import hashlib
import json
import logging
import uuid
import warnings
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import digitlab
from digitlab.data import Splits
from digitlab.engine.threads import sharing_cores
from digitlab.errors import ConfigError, EngineError, in_brief
from digitlab.parallel.job import BASE, Base, Emit, TrainingJob, TrainingResult, base_sets, run_job
from digitlab.parallel.pool import Pool, giving_up

LOCAL = "local"
PATIENCE = 30  # seconds without a worker until that is said
logger = logging.getLogger("digitlab")


class DaskPool(Pool):
    """A Dask cluster: "tcp://scheduler:8786", or "local" for worker processes of this machine.

    The sets are read here and sent to every worker once; the workers need no files. A job whose worker is lost starts
    again on another, and lost sets are sent again. Results of the workers are written here.
    """

    kind = "dask"

    def __init__(
        self,
        address: str,
        workers: int | None,
        data: Splits | None,
        tables: Sequence[dict[str, Any]],
        on_event: Emit | None,
        timeout: float = 10.0,
    ) -> None:
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise EngineError("a cluster needs Dask; pip install 'digitlab[cluster]'") from None
        self.cluster: Any = None
        if address == LOCAL:
            self.cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")
        elif "://" not in address:
            raise ConfigError(f"cluster: got {address!r}, expected tcp://HOST:PORT of a Dask scheduler, or {LOCAL!r}")
        try:
            self.client = Client(self.cluster or address, timeout=timeout, set_as_default=False)
        except Exception as error:  # each kind of wrong address has an error of its own
            raise EngineError(
                f"no Dask scheduler answers at {address} ({in_brief(error)}); start one with `dask scheduler`"
            ) from None
        self._wait_for_workers(address)
        self._compare_sources()
        threads = sum(worker["nthreads"] for worker in self.client.scheduler_info(n_workers=-1)["workers"].values())
        super().__init__(
            self.client.get_executor(pure=False),
            threads,
            f"{threads} worker thread{'s' * (threads != 1)} of the Dask cluster at {self.client.scheduler.address}",
        )
        self.topic = f"digitlab-{uuid.uuid4().hex[:12]}"
        if on_event is not None:
            self.client.subscribe_topic(self.topic, functools.partial(_forward, on_event))
        self.sets: dict[str, Any] = {}
        with giving_up():
            for table in tables:
                self.place(table, data)

    def _wait_for_workers(self, address: str) -> None:
        """Wait for the first worker, and say so every PATIENCE seconds."""
        waited = 0
        while True:
            try:
                self.client.wait_for_workers(1, timeout=PATIENCE)
                return
            except TimeoutError:
                waited += PATIENCE
                logger.warning(
                    "no worker of %s yet, after %d s; start one with: dask worker %s", *(address, waited, address)
                )

    def _compare_sources(self) -> None:
        """EngineError if a worker runs another digitlab than this process: its networks would be others."""
        try:
            there = self.client.run(source_of_digitlab)
        except Exception as error:  # digitlab is not installed there, or has no such function yet
            raise EngineError(f"a worker cannot run this digitlab ({in_brief(error)})") from error
        here = source_of_digitlab()
        for worker, source in there.items():
            if source != here:
                raise EngineError(
                    f"the worker {worker} runs digitlab {source[0]} with source {source[1]}, this process {here[0]} "
                    f"with {here[1]}; install the same on both"
                )

    def place(self, table: dict[str, Any], data: Splits | None = None) -> Any:
        """The sets of a data table as something that is there on every worker; sent when they are first needed."""
        key = json.dumps({name: table.get(name) for name in BASE}, default=str)
        if key not in self.sets:
            # A task whose value is the sets, not a scattered value: the scheduler can make it again after a loss.
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Sending large graph")  # once for each worker, as it must be
                self.sets[key] = self.client.submit(_itself, base_sets(table, data), pure=False)
            self.client.replicate([self.sets[key]])
        return self.sets[key]

    def submit(self, job: TrainingJob) -> "Future[TrainingResult]":
        with giving_up():
            return self.executor.submit(run_on_worker, job, self.place(job.config.data), self.topic)

    def close(self) -> None:
        """Disconnect without waiting for running jobs; a cluster that was started here ends."""
        self.executor.shutdown(wait=False)
        self.client.close()
        if self.cluster is not None:
            self.cluster.close()


def source_of_digitlab() -> tuple[str, str]:
    """The version of digitlab, and a hash of its source."""
    package, content = Path(digitlab.__file__).parent, hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        content.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digitlab.__version__, content.hexdigest()[:12]


def run_on_worker(job: TrainingJob, data: Base, topic: str) -> TrainingResult:
    """`run_job` on a Dask worker, telling its progress through the scheduler."""
    from distributed import get_worker

    worker = get_worker()
    with sharing_cores():
        return run_job(job, data, lambda event: worker.log_event(topic, event))


def _itself(sets: Base) -> Base:
    return sets


def _forward(on_event: Emit, event: tuple[float, dict[str, Any]]) -> None:
    on_event(event[1])
