"""`train_many`: many networks trained side by side."""

import os
import time
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import nullcontext
from pathlib import Path

from digitlab.data import Splits
from digitlab.errors import ConfigError
from digitlab.files import Claim, write_text
from digitlab.notices import TrainingWarning
from digitlab.parallel import run_folders as folders
from digitlab.parallel.job import TrainingJob, TrainingResult
from digitlab.parallel.labels import Setting, varied_settings, with_seeds
from digitlab.parallel.pool import Pool, result_of
from digitlab.parallel.progress import Watcher, group_display
from digitlab.parallel.results import GroupResult
from digitlab.parallel.select import open_pool
from digitlab.train.config import RunConfig


def train_many(
    configs: Sequence[RunConfig],
    *,
    names: Sequence[str] | None = None,
    settings: Sequence[Setting] | None = None,
    data: Splits | None = None,
    folder: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    cluster: str | None = None,
    test: bool = False,
    watcher: Watcher | None = None,
    verbose: int = 1,
) -> GroupResult:
    """Train a network for each of these settings, several at once, and return the results in the same order.

    names      what to call their folders, and them unless `settings` do; by default numbers and labels
    settings   what to call the settings of each, the seed apart: {"learning-rate": "0.1"}; by default what they differ
               in. A label adds the seed where seeds differ: "learning_rate=0.1 seed=3"
    data       the sets, instead of what `source` and `split` in each one's data table name (`mix` is read all the same)
    folder     a group folder with a run folder for each; finished runs are kept, the others are continued
    workers    how many at once; by default one for each processor. The results do not depend on it.
    executor   any `concurrent.futures.Executor`, instead of threads or processes as it fits (pool.py)
    cluster    a Dask scheduler, "tcp://HOST:8786", or "local"
    test       look at the test set, once, with the network that was kept
    verbose    print a line for each network that has ended, or in a notebook show a table that is updated after each
               epoch, unless a `watcher` shows the progress; 0: nothing

    A training that fails (its loss diverges, say) does not stop the others: its outcome has an `error`. Ctrl-C ends all
    after the batches they are in; the result says so, and with a folder the same call goes on from there.
    In a script, processes need the call to stand under `if __name__ == "__main__":`.
    Without a `watcher`, warns (TrainingWarning) of trainings that diverged or went badly.
    Raises ConfigError for settings that cannot be, before anything is trained, and if another process has the folder.
    """
    configs, quiet = list(configs) if isinstance(configs, Iterable) else [configs], watcher is None
    if others := [each for each in configs if not isinstance(each, RunConfig)]:
        raise ConfigError(f"train_many: got {others[0]!r}, expected a list of RunConfig")
    if watcher is None and verbose:
        watcher = group_display()
    if not configs:
        raise ConfigError("train_many: got no settings, expected at least one RunConfig")
    for what, given in (("names", names), ("labels", settings)):
        if given is not None and len(given) != len(configs):
            raise ConfigError(f"train_many: got {len(given)} {what} for {len(configs)} settings, expected one for each")
    varied = list(settings) if settings is not None else varied_settings(configs, but=("seed",))
    labels = list(names) if names is not None and settings is None else with_seeds(varied, configs)
    with Claim(Path(folder)) if folder is not None else nullcontext():
        places: list[Path | None] = [None] * len(configs)
        if folder is not None:
            places = [Path(folder) / name for name in names or folders.folder_names(labels)]
            if settings is not None:
                folders.keep_settings(Path(folder), {place.name: s for place, s in zip(places, varied) if place})
        for config, label, place in zip(configs, labels, places):
            config.check()  # raises for settings that cannot be
            if place is not None:
                folders.prepare(place, label, config)
        known = [
            folders.finished(place, label, config) if place is not None else None
            for config, label, place in zip(configs, labels, places)
        ]
        # Names need not differ, but who listens has to tell the trainings apart.
        jobs = {i: TrainingJob(labels[i], configs[i], test=test) for i, outcome in enumerate(known) if outcome is None}
        began = time.perf_counter()
        pool = open_pool(
            [job.config for job in jobs.values()] or configs[:1],
            data=data,
            workers=workers,
            executor=executor,
            cluster=cluster,
            on_event=watcher.epoch if watcher is not None else None,
        )
        if watcher is not None:
            watcher.began(labels, [config.epochs for config in configs], pool.reason)
            for outcome in filter(None, known):
                watcher.done(outcome)
        try:
            interrupted = _train(jobs, pool, places, known, watcher)
        finally:
            pool.close()
            if watcher is not None:
                watcher.ended()
        outcomes = [
            o or TrainingResult(label, config, [], finished=False) for o, label, config in zip(known, labels, configs)
        ]
        result = GroupResult(outcomes, pool.reason, time.perf_counter() - began, interrupted, varied)
        if folder is not None:
            write_text(Path(folder) / "results.csv", result.csv())
    wrong = [f"{o.name or 'network'}: {o.error or o.diagnosis}" for o in outcomes if o.error or o.diagnosis]
    if wrong and quiet:  # a watcher shows it
        warnings.warn(
            f"{len(wrong)} of {len(outcomes)} trainings went badly, first {wrong[0]}", TrainingWarning, stacklevel=2
        )
    return result


def _train(
    jobs: dict[int, TrainingJob],
    pool: Pool,
    places: Sequence[Path | None],
    known: list[TrainingResult | None],
    watcher: Watcher | None,
) -> bool:
    """Train, and put the outcomes into `known`; whether it was interrupted."""
    by_worker = pool.kind in ("threads", "processes")  # which write where we do
    futures: dict[Future[TrainingResult], int] = {}
    for i, job in jobs.items():
        place = places[i]
        if place is not None and by_worker:
            job = TrainingJob(job.name, job.config, folder=str(place), test=job.test)
        futures[pool.submit(job)] = i
    interrupted = False
    while futures:
        try:
            for future in as_completed(list(futures)):
                i = futures.pop(future)
                outcome = None if interrupted and future.cancelled() else result_of(future)
                known[i] = outcome
                if outcome is None:
                    continue
                interrupted = interrupted or outcome.interrupted
                place = places[i]
                if place is not None and not outcome.interrupted:
                    folders.keep(place, outcome, written=by_worker)
                if watcher is not None:
                    watcher.done(outcome)
        except KeyboardInterrupt:
            if interrupted:  # twice: at once
                raise
            interrupted = True
            pool.stop()
            for future in futures:
                future.cancel()
            if not by_worker:  # there is no way to reach those under way
                break
    return interrupted
