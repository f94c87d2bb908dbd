"""Reading a study: its plan, its trials, the best of them, a table."""

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digitlab.arguments import checked
from digitlab.errors import ConfigError, ModelFileError, in_brief
from digitlab.nn.io.stored import check_description, stored
from digitlab.notebook_html import notebook_html
from digitlab.search.plan import SearchPlan
from digitlab.search.space import Choice, Point, Space, as_text
from digitlab.search.storage import DAMAGE, NAME, PLAN, claim, journal_of, open_storage
from digitlab.statistics import Summary, summarize
from digitlab.train import columns

EDGE = 0.05  # of a value, or of its range on a linear scale: that near, a value is at the end of the range
STATES = {"COMPLETE": "done", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting"}


@dataclass(frozen=True)
class Trial:
    """One point of a search.

    number   its place in the study
    state    done, pruned (ended early, being behind), failed (interrupted: tried again as another), running, waiting
    value    the mean over the seeds of the monitored figure, of the epochs kept; None while it is not known
    values   one for each seed
    notes    what was written down: seconds, epochs, seeds, error, generation ...
    """

    number: int
    point: Point
    state: str
    value: float | None
    values: list[float]
    monitor: str
    notes: dict[str, Any] = field(default_factory=dict)

    _repr_html_ = notebook_html

    def fits(self, space: Space) -> bool:
        """Whether its figures are numbers, and its point is in this space."""
        figures = [self.value, *self.values] if isinstance(self.values, list) else [""]
        varied = [value for name, value in self.point.items() if not isinstance(space.get(name), Choice | None)]
        numbers = all(isinstance(number, int | float) for number in (*figures[1:], *varied))
        return numbers and isinstance(figures[0], int | float | None) and set(self.point) <= set(space)

    @property
    def score(self) -> float | None:
        """The value, turned so that larger is better."""
        return None if self.value is None else columns.score(self.monitor, self.value)

    @property
    def statistics(self) -> Summary | None:
        """Mean and standard deviation over the seeds."""
        return summarize(self.values) if self.values else None

    def shown(self) -> str:
        """The value as one reads it: "95.20 %", "95.20 ± 0.13 %" over several seeds."""
        if self.value is None:
            return "–"
        unit, s = columns.unit(self.monitor), self.statistics
        sd = f" ± {unit.text(s.sd)}" if s is not None and s.n > 1 else ""
        return f"{unit.text(self.value)}{sd}{unit.mark}"


def stored_plan(table: Any) -> SearchPlan:
    """The plan in a study's file, which may be another person's: it names no file as a layer."""
    with stored(math.inf):
        plan = SearchPlan.from_table(table)
        check_description(plan.base.network)
    return plan


class Study:
    """A search's file, read: `Study("searches/001").best()`. It only reads, also while others write."""

    _repr_html_ = notebook_html

    @checked
    def __init__(self, path: str | os.PathLike[str]) -> None:
        import optuna

        self.path = journal_of(path)
        self.storage = open_storage(self.path)
        try:
            self.study = optuna.load_study(
                study_name=NAME, storage=self.storage, sampler=optuna.samplers.RandomSampler()
            )
        except KeyError:
            raise ModelFileError(f"{self.path}: holds no search yet; it was stopped before its start") from None
        table = self.study.user_attrs.get(PLAN)
        if table is None:
            raise ModelFileError(f"{self.path}: holds no search of digitlab")
        self.plan = stored_plan(table)
        self.monitor = self.plan.monitor

    def __repr__(self) -> str:
        """ "Study: searches/001, 12 of 30 trials, best valid_accuracy 95.20 %"."""
        trials = self.trials()
        done = [t for t in trials if t.state == "done" and t.score is not None]
        best = f", best {self.monitor} {best_of(trials).shown()}" if done else ""
        return f"Study: {self.path.parent}, {len(done)} of {self.plan.trials} trials{best}"

    def trials(self) -> list[Trial]:
        """All trials in order, as the file holds them now. Raises ModelFileError for one that is damaged."""
        try:
            found = [read_trial(t, self.monitor) for t in self.study.get_trials(deepcopy=False)]
        except DAMAGE as error:
            raise ModelFileError(f"{self.path}: a trial is damaged ({in_brief(error)})") from None
        for trial in found:
            if not trial.fits(self.plan.space):
                raise ModelFileError(f"{self.path}: trial {trial.number} is damaged: its values are not of this search")
        return found

    def best(self) -> Trial:
        """The finished trial with the best value, the first among equals. Raises ConfigError if none is finished."""
        return best_of(self.trials())

    def tested(self) -> dict[str, Any] | None:
        """What the test set said of the best trial when it was looked at, if it was: {"trial", "trials", "values"}."""
        tested: dict[str, Any] | None = self.study.user_attrs.get("digitlab:tested")
        return tested

    def csv(self) -> str:
        """One line per trial: number, state, value and sd over the seeds, cost, and the point."""
        names = list(self.plan.space)
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "state", self.monitor, "sd", "n", "epochs", "seconds", *names, "note"])
        for t in self.trials():  # what is not known, None, becomes an empty cell
            s, note = t.statistics, t.notes.get("error") or t.notes.get("why")
            cost = [s.sd if s else None, s.n if s else None, t.notes.get("epochs"), t.notes.get("seconds")]
            writer.writerow([t.number, t.state, t.value, *cost, *map(t.point.get, names), note])
        return file.getvalue()


def open_study(plan: SearchPlan | None, path: Path) -> tuple[Any, SearchPlan]:
    """Optuna's study in the file and its plan; made if the file is not there. Raises ConfigError if plans differ."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if plan is None and not path.is_file():
        raise ConfigError(f"{path}: there is no study to continue")
    path.parent.mkdir(parents=True, exist_ok=True)
    with claim(path):
        storage = open_storage(path)
        study = optuna.create_study(
            storage=storage,
            study_name=NAME,
            load_if_exists=True,
            direction="minimize" if plan is not None and columns.smaller_is_better(plan.monitor) else "maximize",
        )
        table = study.user_attrs.get(PLAN)
        if table is None:
            if plan is None:
                raise ConfigError(f"{path}: the search was stopped before it began; start it with its settings again")
            study.set_user_attr(PLAN, plan.table())
            return study, plan
        saved = stored_plan(table)
        if plan is None:
            return study, saved
        mine, theirs = plan.table(), saved.table()
        if different := [key for key in mine if key != "trials" and mine[key] != theirs[key]]:
            raise ConfigError(
                f"{path}: holds a search with another {different[0]}; continue it by --resume, "
                "or choose another place for this one"
            )
        if plan.trials != saved.trials:
            study.set_user_attr(PLAN, mine)
        return study, plan


def read_trial(frozen: Any, monitor: str) -> Trial:
    """Optuna's trial as ours."""
    notes = {key: value for key, value in frozen.user_attrs.items() if key not in ("begun", "result")}
    notes |= frozen.user_attrs.get("begun", {}) | frozen.user_attrs.get("result", {})
    generation = next((v for k, v in frozen.system_attrs.items() if k.endswith(":generation")), None)
    if generation is not None:
        notes.setdefault("generation", generation)
    point = notes.pop("point", None) or dict(frozen.params) or dict(frozen.system_attrs.get("fixed_params", {}))
    state = STATES[frozen.state.name]
    if state == "done" and "rung" in notes:  # see Strategy.learns_from_pruned
        state = "pruned"
    value = frozen.value if state in ("done", "pruned") else None
    return Trial(frozen.number, point, state, value, notes.pop("values", []), monitor, notes)


def best_of(trials: Sequence[Trial]) -> Trial:
    """The finished trial with the best value, the first among equals. Raises ConfigError if none is finished."""
    done = [t for t in trials if t.state == "done" and t.score is not None]
    if not done:
        raise ConfigError("no trial is finished yet; there is no best one")
    return max(done, key=lambda t: (t.score, -t.number))


def at_edge(space: Space, point: Point) -> list[tuple[str, str, str]]:
    """The parameters whose value lies at an end of the range searched: (name, "highest" or "lowest", a wider range)."""
    found = []
    for name, value in point.items():
        parameter: Any = space[name]
        if isinstance(parameter, Choice):
            continue
        low, high = parameter.low, parameter.high
        reach = math.sqrt(high / low) if parameter.log and low > 0 else (high - low) / 2
        for end, which in ((low, "lowest"), (high, "highest")):
            if abs(value - end) > EDGE * abs(end if parameter.log else high - low):
                continue
            if which == "lowest":
                new = low / max(reach, 10) if parameter.log else low - reach
                wider = (max(new, 1) if isinstance(low, int) else new), high
            else:
                wider = low, (high * max(reach, 10) if parameter.log else high + reach)
            if wider != (low, high):
                kind = next(iter(parameter.table()))
                text = ",".join(f"{round(v) if isinstance(low, int) else v:g}" for v in wider)
                found.append((name, which, f"{kind}:{text}"))
    return found


def epochs_trained(trials: Sequence[Trial]) -> int:
    """What a search cost: epochs over all trials and seeds."""
    return sum(int(t.notes.get("epochs", 0)) for t in trials)


def trial_line(trial: Trial, best: bool = False) -> str:
    """A trial as one line."""
    text = f"trial {trial.number}: {as_text(trial.point)} → {trial.shown()}"
    if trial.state == "pruned":
        rung = trial.notes.get("rung", 0)
        text += f"  (ended after {rung} epoch{'s' * (rung != 1)}: behind the others)"
    if "same" in trial.notes:
        text += f"  (as trial {trial.notes['same']}; not trained again)"
    if trial.notes.get("error"):
        text += f"  ({trial.notes['error'][:90]})"
    return text + ("  best so far" if best else "")
