"""The search itself: one process chooses points and writes the study, workers train (parallel/pool.py)."""

import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from digitlab.data import Splits
from digitlab.engine.threads import available_cores
from digitlab.errors import DigitlabError
from digitlab.parallel.job import TrainingJob, TrainingResult
from digitlab.parallel.pool import Pool, result_of
from digitlab.parallel.select import open_pool
from digitlab.search.best_networks import drop_networks, keep_networks
from digitlab.search.log_scale import key
from digitlab.search.plan import SearchPlan
from digitlab.search.space import suggest
from digitlab.search.storage import Owner, claim
from digitlab.search.strategies import STRATEGIES, pruner
from digitlab.search.study import Study, Trial, best_of, open_study, read_trial
from digitlab.search.watcher import SearchWatcher
from digitlab.train import columns
from digitlab.train.config import RunConfig


@dataclass
class RunningTrial:
    """A trial whose seeds are being trained: the result of each up to the current rung."""

    trial: Any
    configs: list[RunConfig]
    rungs: list[int]
    rung: int = 0
    results: dict[int, TrainingResult] = field(default_factory=dict)


def search(
    plan: SearchPlan | None,
    path: str | os.PathLike[str],
    *,
    data: Splits | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    cluster: str | None = None,
    watcher: SearchWatcher | None = None,
) -> Study:
    """Search as the plan says, keep every step in the study's file, and return it; continues if the file is there.

    The validation set alone decides. `plan` may be None for a study that exists; a plan that differs from the study's
    in more than `trials` is a ConfigError. `workers`, `executor` and `cluster` as in `train_many`. Several processes
    may work on one study. Ctrl-C ends the running trials, which are then tried again, and raises KeyboardInterrupt.
    With one worker the same plan always tries the same points; with more, what is known when a point is chosen depends
    on who was faster (grid, log-scale and random do not care).
    """
    return _Search(plan, Path(path), watcher).run(data, workers, executor, cluster)


class _Search:
    def __init__(self, plan: SearchPlan | None, path: Path, watcher: SearchWatcher | None) -> None:
        self.path, self.watcher = path, watcher
        self.study, self.plan = open_study(plan, path)
        self.strategy = STRATEGIES[self.plan.strategy]
        self.monitor = self.plan.monitor
        self.running: dict[int, RunningTrial] = {}
        self.futures: dict[Future[TrainingResult], tuple[int, int]] = {}  # trial and seed
        self.decisions = 0

    def run(self, data: Splits | None, workers: int | None, executor: Executor | None, cluster: str | None) -> Study:
        """Until the strategy has nothing left to try."""
        self.owner = Owner(self.path)
        pool: Pool | None = None
        try:
            with claim(self.path):
                self.reclaim()
            # What is to be trained is only known one by one; the middle of the space stands for all.
            probe = self.plan.configs(self.plan.middle())[:1]
            try:
                probe[0].check()
            except DigitlabError:
                probe = [self.plan.base]
            pool = open_pool(
                probe * (workers or available_cores()),
                data=data,
                workers=workers,
                executor=executor,
                cluster=cluster,
                on_event=self.watcher.epoch if self.watcher is not None else None,
            )
            if self.watcher is not None:
                self.watcher.began(self.plan, self.trials(), pool.reason)
            self.report_decisions()
            self.loop(pool)
        finally:
            if pool is not None:
                pool.stop()
                for future in self.futures:
                    future.cancel()
                pool.close()
            while self.running:
                with claim(self.path):
                    self.again(self.running.popitem()[0])
            self.owner.leave()
            if self.watcher is not None:
                self.watcher.ended()
        return Study(self.path)

    def loop(self, pool: Pool) -> None:
        while True:
            while len(self.futures) < pool.workers and self.start(pool):
                pass
            if not self.futures:
                return
            done, _ = wait(self.futures, return_when=FIRST_COMPLETED)
            for future in done:
                number, seed = self.futures.pop(future)
                self.collect(number, seed, result_of(future), pool)

    # Beginning a trial

    def trials(self) -> list[Trial]:
        return [read_trial(t, self.monitor) for t in self.study.get_trials(deepcopy=False)]

    def start(self, pool: Pool) -> bool:
        """Begin with the next point; False if there is none to begin with now."""
        with claim(self.path):
            trials = alive(self.trials())
            again = any(t.state == "waiting" for t in trials)  # a trial of a process that died
            if not again and not self.enqueue(trials):
                return False
            self.study.sampler = self.strategy.sampler(self.plan, len(trials))
            trial = self.study.ask()
            point = suggest(self.plan.space, trial)
            trial.set_user_attr("begun", {"point": point, "owner": self.owner.name})
        same = next((t for t in trials if t.state == "done" and t.values and key(t.point) == key(point)), None)
        if same is not None:  # genetic algorithms meet a point again, with the same result
            with claim(self.path):
                trial.set_user_attr("result", {"values": same.values, "epochs": 0, "seconds": 0.0, "same": same.number})
                self.study.tell(trial.number, same.value)
            self.report(trial.number, self.trials())
            return True
        try:
            configs = self.plan.configs(point)
            configs[0].check()
        except DigitlabError as error:  # a point whose network cannot be: the worst there is
            self.running[trial.number] = RunningTrial(trial, [], [0])
            self.finish(trial.number, error=str(error))
        else:
            self.running[trial.number] = RunningTrial(trial, configs, self.plan.rungs(configs[0].epochs))
            self.submit(trial.number, pool)
        return True

    def enqueue(self, trials: list[Trial]) -> bool:
        """See that the next `ask` gives what the strategy wants; False if it wants nothing now."""
        points = self.strategy.points(self.plan, trials)
        if points is None:
            if len(trials) >= self.plan.trials:
                return False
            if label := self.strategy.label(self.plan, trials):
                self.study.enqueue_trial(label.pop("fixed", {}), user_attrs=label)
            return True
        known = {key(t.point) for t in trials}
        todo = [p for p in points if key(p) not in known]
        if todo:
            self.study.enqueue_trial(todo[0])
        return bool(todo)

    def submit(self, number: int, pool: Pool) -> None:
        """Train all seeds of a trial up to its current rung."""
        state = self.running[number]
        last = state.rung == len(state.rungs) - 1
        for seed, config in enumerate(state.configs):
            before = state.results.get(seed)
            if before is not None and before.finished:
                continue  # it stopped early by itself
            job = TrainingJob(
                f"trial {number}" + (f" seed {config.seed}" if len(state.configs) > 1 else ""),
                config,
                checkpoint=before.checkpoint if before is not None else None,
                stop_after=None if last else state.rungs[state.rung],
            )
            self.futures[pool.submit(job)] = (number, seed)

    # Ending one

    def collect(self, number: int, seed: int, result: TrainingResult, pool: Pool) -> None:
        """Keep the result of one seed; when all are there, the next rung, or the end."""
        if number not in self.running:
            return
        state = self.running[number]
        state.results[seed] = result
        if result.interrupted or any(n == number for n, _ in self.futures.values()):
            return
        results = state.results.values()
        error = next((r.error for r in results if r.error), None)
        if error is not None or all(r.finished for r in results):
            self.finish(number, error=error)
            return
        state.trial.report(fmean(map(self.best_value, results)), step=state.rungs[state.rung])
        self.study.pruner = pruner(self.plan)
        if state.trial.should_prune():
            self.finish(number, pruned=True)
        else:
            state.rung += 1
            self.submit(number, pool)

    def finish(self, number: int, *, error: str | None = None, pruned: bool = False) -> None:
        """Write the trial's end: first what goes with it, then, in one line of the journal, that it is done."""
        from optuna.trial import TrialState

        state = self.running[number]
        results = [state.results[i] for i in sorted(state.results)]
        worst = float("inf") if columns.smaller_is_better(self.monitor) else 0.0
        values = [worst if r.error else self.best_value(r) for r in results] or [worst]
        notes: dict[str, Any] = {
            "values": values,
            "seeds": [c.seed for c in state.configs],
            "epochs": sum(len(r.rows) for r in results),
            "seconds": round(sum(r.seconds for r in results), 3),
            "best_epochs": [r.best_epoch for r in results],
        }
        if found := next((r.diagnosis for r in results if r.diagnosis), None):
            notes["diagnosis"] = list(found)
        if error is not None:
            notes["error"] = error
        if pruned:
            notes["rung"] = state.rungs[state.rung]
        with claim(self.path):
            state.trial.set_user_attr("result", notes)
            if error is None and not pruned:
                keep_networks(self.path, number, results)
            if pruned and self.strategy.learns_from_pruned:
                self.study.tell(number, state=TrialState.PRUNED)
            else:
                # A population that counted only those that were trained to the end would never be full.
                self.study.tell(number, worst if error is not None else fmean(values))
            del self.running[number]
            trials = self.trials()
            drop_networks(self.path, trials)
        self.report(number, trials)

    def report(self, number: int, trials: list[Trial]) -> None:
        """Tell the watcher that a trial has ended."""
        if self.watcher is not None:
            done = sum(t.state in ("done", "pruned") for t in trials)
            best = best_of(trials) if any(t.state == "done" for t in trials) else None
            self.watcher.done(trials[number], best, done, self.strategy.goal(self.plan, alive(trials)))
            self.report_decisions()

    def report_decisions(self) -> None:
        """Tell the watcher what the strategy decided since the last time."""
        lines = self.strategy.decisions(self.plan, alive(self.trials()))
        if self.watcher is not None:
            for line in lines[self.decisions :]:
                self.watcher.decided(line)
        self.decisions = len(lines)

    def reclaim(self) -> None:
        """Trials of processes that no longer run are tried again."""
        for frozen in self.study.get_trials(deepcopy=False):
            if frozen.state.name == "RUNNING" and not self.owner.lives(frozen.user_attrs.get("begun", {}).get("owner")):
                self.again(frozen.number)

    def again(self, number: int) -> None:
        """Enqueue an interrupted trial's point, once, and then call the trial itself failed."""
        from optuna.trial import TrialState

        trials = self.study.get_trials(deepcopy=False)
        frozen = trials[number]
        point = frozen.user_attrs.get("begun", {}).get("point")
        if point is not None and not any(t.user_attrs.get("again") == number for t in trials):
            generation = {k: v for k, v in frozen.user_attrs.items() if k == "generation"}
            self.study.enqueue_trial(point, user_attrs={"again": number, **generation})
        self.study.tell(number, state=TrialState.FAIL)

    def best_value(self, result: TrainingResult) -> float:
        """The monitored figure of the network that would be kept: the best epoch's so far, or the average's."""
        if result.averaged and (average := result.rows[-1].get(f"average_{self.monitor}")) is not None:
            return float(average)
        return columns.best(self.monitor, [float(row[self.monitor]) for row in result.rows])


def alive(trials: Sequence[Trial]) -> list[Trial]:
    """All trials but those that were interrupted, which are tried again as others."""
    return [t for t in trials if t.state != "failed"]
