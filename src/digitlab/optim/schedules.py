"""How the learning rate goes over a training: a factor for every step, times the optimizer's own rate.

A schedule is a pure function of the position in the training and of the validation scores so far.
It keeps no state, so a resumed training takes up the same rates by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from digitlab.errors import ConfigError
from digitlab.nn.describe import Described

__all__ = [
    "ConstantRate",
    "Cosine",
    "Cyclic",
    "Exponential",
    "HalveOnPlateau",
    "OneCycle",
    "Position",
    "Schedule",
    "StepDecay",
]

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Position(NamedTuple):
    """The position in a training: steps (batches) in one epoch, epochs planned, and the scores of finished epochs.

    A score is what is monitored, turned so that larger is better: accuracy as it is, a loss negated.
    """

    steps_per_epoch: int
    epochs: int
    scores: Sequence[float] = ()

    @property
    def total_steps(self) -> int:
        """Steps in all planned epochs."""
        return self.steps_per_epoch * self.epochs


class Schedule(Described):
    """Base: `factors(steps, position)` for an array of step numbers (from 0), `finished(scores)` to end early."""

    def factors(self, steps: Floats, position: Position) -> Floats:
        """What to multiply the learning rate by at each of these steps."""
        raise TypeError(f"{type(self).__name__} does not define the rate")

    def finished(self, scores: Sequence[float]) -> str | None:
        """A sentence why training should end after these scores, or None."""
        return None


@dataclass(frozen=True, repr=False)
class ConstantRate(Schedule):
    """The same rate throughout."""

    aliases = ("constant",)

    def factors(self, steps: Floats, position: Position) -> Floats:
        return np.ones(len(steps))


@dataclass(frozen=True, repr=False)
class StepDecay(Schedule):
    """Times `factor` after every `every` epochs: factor^⌊epoch/every⌋."""

    aliases = ("step",)
    every: int = 10
    factor: float = 0.5

    def __post_init__(self) -> None:
        if self.every < 1 or not 0 < self.factor <= 1:
            raise ConfigError(
                f"StepDecay: got every {self.every}, factor {self.factor}; expected every ≥ 1, 0 < factor ≤ 1"
            )

    def factors(self, steps: Floats, position: Position) -> Floats:
        epochs = np.asarray(steps) // position.steps_per_epoch
        return np.asarray(self.factor ** (epochs // self.every), dtype=np.float64)


@dataclass(frozen=True, repr=False)
class Exponential(Schedule):
    """Times `factor` per epoch, a little at every step: factor^(step / steps per epoch)."""

    factor: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 1:
            raise ConfigError(f"Exponential: got factor {self.factor}, expected 0 < factor ≤ 1")

    def factors(self, steps: Floats, position: Position) -> Floats:
        return np.asarray(self.factor ** (np.asarray(steps) / position.steps_per_epoch), dtype=np.float64)


@dataclass(frozen=True, repr=False)
class Cosine(Schedule):
    """Half a cosine from 1 down to `final`: final + (1 − final) (1 + cos πt)/2, t from 0 to 1.

    Loshchilov & Hutter 2017 ("SGDR"), eq. 5, without restarts.
    """

    final: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.final <= 1:
            raise ConfigError(f"Cosine: got final {self.final}, expected 0 ≤ final ≤ 1: a share of the first rate")

    def factors(self, steps: Floats, position: Position) -> Floats:
        t = np.minimum(np.asarray(steps) / position.total_steps, 1.0)
        return np.asarray(self.final + (1 - self.final) * (1 + np.cos(np.pi * t)) / 2)


@dataclass(frozen=True, repr=False)
class Cyclic(Schedule):
    """Several times half a cosine from 1 down to 0: (1 + cos π t)/2, t from 0 to 1 in each of `cycles` parts.

    Huang et al. 2017, "Snapshot ensembles", eq. 2, with cycles of whole epochs: ⌈epochs/cycles⌉ each.
    """

    cycles: int = 5

    def __post_init__(self) -> None:
        if self.cycles < 1:
            raise ConfigError(f"Cyclic: got {self.cycles} cycles, expected at least 1")

    def factors(self, steps: Floats, position: Position) -> Floats:
        length = self.cycle_epochs(position.epochs) * position.steps_per_epoch
        return np.asarray((1 + np.cos(np.pi * (np.asarray(steps) % length) / length)) / 2)

    def cycle_epochs(self, epochs: int) -> int:
        """How many epochs a cycle has."""
        return -(-epochs // self.cycles)


@dataclass(frozen=True, repr=False)
class OneCycle(Schedule):
    """Up and down once: from 1/`start` to 1 in the first `warmup` share of the steps, then down to 1/`end`.

    Up and down along half a cosine each. Smith & Topin 2018, "Super-convergence"; the optimizer's rate is the peak.
    """

    warmup: float = 0.3
    start: float = 25.0
    end: float = 1e4

    def __post_init__(self) -> None:
        if not 0 < self.warmup < 1 or self.start < 1 or self.end < 1:
            raise ConfigError(
                f"OneCycle: got warmup {self.warmup}, start {self.start}, end {self.end}; "
                "expected 0 < warmup < 1, start ≥ 1, end ≥ 1"
            )

    def factors(self, steps: Floats, position: Position) -> Floats:
        t = np.minimum(np.asarray(steps) / max(position.total_steps - 1, 1), 1.0)
        rise = (1 - np.cos(np.pi * t / self.warmup)) / 2
        fall = (1 + np.cos(np.pi * (t - self.warmup) / (1 - self.warmup))) / 2
        low, end = 1 / self.start, 1 / self.end
        return np.where(t < self.warmup, low + (1 - low) * rise, end + (1 - end) * fall)


@dataclass(frozen=True, repr=False)
class HalveOnPlateau(Schedule):
    """The book's rule: halve after no improvement in `patience` epochs, stop once the rate is 1/`stop_at`.

    Nielsen ch. 3, "Learning rate schedule" and its exercise: patience 10, stop at η/128.
    After each halving the patience starts again.
    """

    aliases = ("halve",)
    patience: int = 10
    stop_at: int = 128

    def __post_init__(self) -> None:
        if self.patience < 1 or self.stop_at < 2:
            raise ConfigError(
                f"HalveOnPlateau: got patience {self.patience}, stop_at {self.stop_at}; "
                "expected patience ≥ 1, stop_at ≥ 2"
            )

    def factors(self, steps: Floats, position: Position) -> Floats:
        return np.full(len(steps), 0.5 ** self.halvings(position.scores))

    def finished(self, scores: Sequence[float]) -> str | None:
        if 2 ** self.halvings(scores) < self.stop_at:
            return None
        return f"the learning rate was halved to 1/{2 ** self.halvings(scores)} without improvement"

    def halvings(self, scores: Sequence[float]) -> int:
        """How often these scores went `patience` epochs without a new best."""
        best, waited, halvings = -np.inf, 0, 0
        for score in scores:
            waited = waited + 1 if score <= best else 0
            best = max(best, score)
            if waited == self.patience:
                waited, halvings = 0, halvings + 1
        return halvings
