"""Results of a group of trainings: statistics over the networks, by setting, as text and as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from digitlab.errors import ConfigError, did_you_mean
from digitlab.nn.network import Network
from digitlab.notebook_html import notebook_html
from digitlab.parallel.job import TrainingResult
from digitlab.parallel.labels import Setting, as_label, varied_settings
from digitlab.statistics import Summary, summarize
from digitlab.train.columns import score, unit


@dataclass(frozen=True)
class GroupResult:
    """The outcomes of many trainings, in the order they were given in; `reason` says what computed them.

    `varied` says what each one's settings are called (labels.py), the seed apart; None: by what they differ in.
    """

    outcomes: list[TrainingResult]
    reason: str = ""
    seconds: float = 0.0  # from the first to the last, on the clock
    interrupted: bool = False
    varied: Sequence[Setting] | None = None

    _repr_html_ = notebook_html

    def __len__(self) -> int:
        return len(self.outcomes)

    def __repr__(self) -> str:
        """ "GroupResult: 5 networks, valid_accuracy 95.12 % ± 0.21"."""
        count = f"{len(self)} network{'s' if len(self) != 1 else ''}"
        if not self.good:
            return f"GroupResult: {count}, none finished"
        monitor = self.good[0].monitor
        found, shown = self.statistics(monitor), unit(monitor)
        few = "" if len(self.good) == len(self) else f" ({len(self.good)} finished)"
        spread = f" ± {shown.text(found.sd)}" if len(self.good) > 1 else ""
        return f"GroupResult: {count}{few}, {monitor} {shown.shown(found.mean)}{spread}"

    @property
    def good(self) -> list[TrainingResult]:
        """Those that came to their end."""
        return [o for o in self.outcomes if o.finished and o.error is None]

    def values(self, name: str = "valid_accuracy") -> list[float]:
        """One figure per finished network, of the epoch that was kept; "test_accuracy" and "test_loss" too."""
        return [value for outcome in self.good if (value := figure(outcome, name)) is not None]

    def statistics(self, name: str = "valid_accuracy") -> Summary:
        """Mean, variance, sd and range of a figure over the networks. Raises ConfigError if none has it."""
        values = self.values(name)
        if not values:
            known = [key for outcome in self.good for key in outcome.best_row or {}]
            raise ConfigError(f"no finished network has a {name!r}{did_you_mean(name, dict.fromkeys(known))}")
        return summarize(values)

    spread = statistics  # its former name

    def settings(self) -> "dict[str, GroupResult]":
        """The same outcomes by setting: those that differ in nothing but the seed together."""
        groups: dict[str, list[TrainingResult]] = {}
        for setting, outcome in zip(self._varied(), self.outcomes):
            groups.setdefault(as_label(setting), []).append(outcome)
        return {label: GroupResult(outcomes, self.reason) for label, outcomes in groups.items()}

    def _varied(self) -> Sequence[Setting]:
        if self.varied is not None:
            return self.varied
        return varied_settings([outcome.config for outcome in self.outcomes], but=("seed",))

    def best_setting(self) -> "tuple[str, GroupResult]":
        """The setting with the best mean of what was monitored. Raises ConfigError if nothing was finished."""
        finished = {label: part for label, part in self.settings().items() if part.good}
        if not finished:
            raise ConfigError("no training finished, so there is no best setting")
        monitor = self.good[0].monitor
        return max(finished.items(), key=lambda item: score(monitor, item[1].statistics(monitor).mean))

    def networks(self) -> list[Network]:
        """The networks that were kept."""
        return [outcome.network() for outcome in self.good]

    def csv(self) -> str:
        """One line per network: name, what its settings differ in, the figures of the epoch kept, what it cost."""
        seeds = [o.config.seed for o in self.outcomes]
        varied: list[Setting] = [
            {**setting, **({"seed": seed} if len(set(seeds)) > 1 else {})}
            for setting, seed in zip(self._varied(), seeds)
        ]
        columns = list(varied[0]) if varied else []
        names = list(dict.fromkeys(key for o in self.good for key in (o.best_row or {}) if key.startswith("valid")))
        names += [f"test_{key}" for key in ("loss", "accuracy") if any(key in (o.test or {}) for o in self.good)]
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", *columns, "epoch", *names, "seconds", "note"])
        for i, o in enumerate(self.outcomes):
            note = o.error or str(o.diagnosis or "") or o.stop_reason or ("" if o.finished else "not finished")
            writer.writerow(
                [
                    o.name,
                    *(varied[i].get(name, "") for name in columns),
                    o.best_epoch or "",
                    *("" if (value := figure(o, name)) is None else value for name in names),
                    f"{o.seconds:.3f}",
                    note,
                ]
            )
        return file.getvalue()


def figure(outcome: TrainingResult, name: str) -> float | None:
    """A figure of the network that was kept (an epoch's, or the average), or of the test set; None if there is none."""
    if name.startswith("test_") and outcome.test is not None:
        return outcome.test.get(name.removeprefix("test_"))
    if outcome.averaged and (average := outcome.rows[-1].get(f"average_{name}")) is not None:
        return float(average)
    return (outcome.best_row or {}).get(name)


def result_line(outcome: TrainingResult) -> str:
    """The result of one training, as one line."""
    name = outcome.name or "network"
    if outcome.error:
        return f"{name}: {outcome.error}"
    if outcome.interrupted:
        return f"{name}: interrupted after {len(outcome.rows)} epochs"
    value = figure(outcome, outcome.monitor)
    best = unit(outcome.monitor).shown(value) if value is not None else ""
    where = "of the average" if outcome.averaged else f"at epoch {outcome.best_epoch}"
    shown = f"{outcome.monitor} {best} {where}" if best else "done"
    test = (outcome.test or {}).get("accuracy")
    return f"{name}: {shown}" + (f", test {100 * test:.2f} %" if test is not None else "")
