"""The pool that suits these trainings: threads, processes, a cluster, or an executor that the caller gives."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from digitlab.data import Splits
from digitlab.engine import select_engine
from digitlab.engine.threads import available_cores
from digitlab.errors import ConfigError
from digitlab.parallel.cluster import DaskPool
from digitlab.parallel.job import base_sets
from digitlab.parallel.pool import Pool, ProcessPool, ThreadPool
from digitlab.train.config import RunConfig


def open_pool(
    configs: Sequence[RunConfig],
    *,
    data: Splits | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    cluster: str | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
) -> Pool:
    """The fastest pool for these trainings; `workers` is how many train at once, by default one per processor.

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
        trainer = config.check()
        engine, reason = select_engine(
            config.engine,
            trainer.network,
            trainer.optimizer,
            trainer.regularizers,
            gradient=config.gradient,
            device=config.device,
            mixed_precision=config.mixed_precision,
        )
        if engine.name != "fast":
            return reason
    return None
