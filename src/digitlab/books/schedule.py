"""What is to be run: each experiment in each mode, with its tasks for every seed, and what is stored of it already."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from digitlab.books.experiment import Experiment, TaskResults, Tasks, Variant
from digitlab.books.fingerprint import Fingerprint
from digitlab.books.probe import of_experiment
from digitlab.books.results import ExperimentResult, read_result, result_path
from digitlab.books.store import finished
from digitlab.books.task import Log
from digitlab.data import load_auto
from digitlab.errors import ConfigError

SCALES = ("quick", "default", "full")


@dataclass
class ScheduledRun:
    """An experiment in one mode: its tasks for each seed; `keep_old`: use results of other code, too."""

    experiment: Experiment
    variants: dict[int, Variant]  # by seed
    tasks: dict[int, Tasks]
    keep_old: bool = False

    @property
    def variant(self) -> Variant:
        """The variant of the first seed."""
        return self.variants[0]

    @property
    def name(self) -> str:
        """ "rashid-mnist", or "rashid-mnist (corrected)" if there are two modes."""
        name = self.experiment.name
        return name if len(self.experiment.modes) == 1 else f"{name} ({self.variant.mode})"

    def path(self, results: Path) -> Path:
        """The result file."""
        return result_path(results, self.experiment.name, self.variant.mode, self.variant.scale)

    def code(self) -> Fingerprint:
        """The fingerprint of today's code for the figures."""
        return of_experiment(self.experiment, self.variant)

    def same_settings(self, results: Path) -> ExperimentResult | None:
        """The stored result, reduced to the seeds whose figures were computed with exactly these settings."""
        path = self.path(results)
        found = read_result(path) if path.is_file() else None
        if found is None or found.revision != self.experiment.revision:
            return None
        # Seeds that were not requested now are kept, if their settings are these, too.
        variants = {seed: replace(self.variant, seed=int(seed)) for seed in found.keys}
        tasks = {s: self.tasks.get(int(s)) or self.experiment.scaled_tasks(v) for s, v in variants.items()}
        same = [s for s, some in tasks.items() if found.keys[s] == {label: task.key for label, task in some.items()}]
        return found.only(same) if same else None

    def stored(self, results: Path) -> ExperimentResult | None:
        """Of these figures those that today's code computes, or all with `keep_old`."""
        found = self.same_settings(results)
        if found is None or self.keep_old:
            return found
        current = [seed for seed, state in found.states(self.code).items() if state == "current"]
        return found.only(current) if current else None

    def task_results(self, results: Path, known: Container[int] = ()) -> dict[int, TaskResults] | None:
        """The results of all tasks by seed and label, except for the known seeds; None if a task is not done."""
        done: dict[int, TaskResults] = {}
        for seed, tasks in self.tasks.items():
            if seed in known:
                continue
            found = {label: finished(task, results, keep_old=self.keep_old) for label, task in tasks.items()}
            done[seed] = {label: result for label, result in found.items() if result is not None}
            if len(done[seed]) < len(tasks):
                return None
        return done


def schedule(
    experiments: Sequence[Experiment],
    *,
    scale: str = "default",
    seeds: int = 3,
    mode: str = "both",
    source: str = "mnist",
    keep_old: bool = False,
) -> list[ScheduledRun]:
    """The runs of these experiments. Raises ConfigError for an unknown scale or mode, or fewer than one seed."""
    if scale not in SCALES:
        raise ConfigError(f"scale: got {scale!r}, expected one of {', '.join(SCALES)}")
    if seeds < 1:
        raise ConfigError(f"seeds: got {seeds}, expected at least 1")
    runs = []
    for experiment in experiments:
        modes = experiment.modes if mode == "both" or len(experiment.modes) == 1 else (mode,)
        if unknown := [m for m in modes if m not in experiment.modes]:
            expected = ", ".join(experiment.modes)
            raise ConfigError(f"mode: {experiment.name} has no mode {unknown[0]!r}; it has {expected}")
        for chosen in modes:
            variants = {s: Variant(scale, chosen, s, source) for s in range(seeds if experiment.seeded else 1)}
            tasks = {s: experiment.scaled_tasks(variant) for s, variant in variants.items()}
            runs.append(ScheduledRun(experiment, variants, tasks, keep_old))
    return runs


def source_for(scale: str, log: Log) -> str:
    """ "mnist"; in quick runs without it "digits", with a line that says so. Raises MissingDataError otherwise."""
    splits, note = load_auto("auto" if scale == "quick" else "mnist")
    if note:
        log("MNIST is unavailable: a quick run on scikit-learn's digits, enlarged to 28×28")
    return "mnist" if splits.train.images.shape[1] == 28 else "digits"
