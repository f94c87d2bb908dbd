"""The steps of one epoch, and what is raised where the loss is no longer finite."""

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.engine.base import Engine, Losses
from digitlab.errors import ConfigError, DivergenceError
from digitlab.gradients import Backpropagation, Gradient
from digitlab.gradients.batch import Batch
from digitlab.nn.network import Network
from digitlab.train.callbacks import Callback, having
from digitlab.train.default_rate import rate_of, smaller_rate
from digitlab.train.state import copied, is_finite

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer

CHUNKS = 25  # pauses of an epoch: for progress, Ctrl-C, and a copy of the last finite parameters
LEAST_WORK = 2e8  # weights times examples in a chunk, some hundredths of a second: less is not worth a pause


def take_steps(trainer: "Trainer", engine: Engine, x: Any, y: Any, order: Any, rates: Any) -> tuple[Losses, float]:
    """All steps of an epoch, in chunks; the losses, and the seconds that training alone took."""
    steps, seconds, losses = len(rates), 0.0, []
    # Not by the clock: where an epoch is cut decides how a compiled step rounds, and that must not change.
    weights = sum(math.prod(p.value.shape) for p in trainer.network.parameters().values())
    work = trainer.batch_size * max(weights, 1)
    chunk = max(math.ceil(steps / CHUNKS), math.ceil(LEAST_WORK / work))
    if (pause := getattr(engine, "pause_after", None)) is not None:  # of an engine that is slower by far
        chunk = math.ceil(pause / work)
    after_each = having(trainer.callbacks, "on_batch")
    usual = 1 if after_each else chunk
    choosing = having(trainer.callbacks, "steps_at_once")
    done = 0
    while done < steps:
        first, chunk = done, min((callback.steps_at_once(trainer, usual) for callback in choosing), default=usual)
        here = copied(trainer.network)
        began = time.perf_counter()
        part = order[first * trainer.batch_size : (first + chunk) * trainer.batch_size]
        here_rates = rates[first : first + chunk]
        losses.append(engine.train_batches(x, y, part, trainer.batch_size, here_rates, trainer._weights))
        seconds += time.perf_counter() - began
        done += len(losses[-1])
        if not np.isfinite(losses[-1][-1]) or not is_finite(trainer.network):
            # Parameters may be finite and their loss is not: go back to the last ones that gave a finite loss.
            back = 0
            if not np.isfinite(losses[-1][0]) and trainer._finite is not None:
                here, back = trainer._finite, chunk
            trainer.network.load_state(here)
            held = f"the weights of before step {first - back + 1:,} of epoch {trainer.epoch}"
            if first < back:
                held = f"weights of epoch {trainer.epoch - 1}"
            raise divergence_of(trainer, done, np.concatenate(losses), rates[done - 1], held)
        trainer._finite = here
        for callback in after_each:
            callback.on_batch(trainer, done, float(losses[-1][-1]))
        for callback in trainer.callbacks:
            callback.on_batches(trainer, done, steps)
    return np.concatenate(losses), seconds


class _Observed(Gradient):
    """A gradient method that shows every gradient to callbacks before the optimizer uses it."""

    def __init__(self, inner: Gradient, trainer: "Trainer", callbacks: Sequence[Callback]) -> None:
        self.inner, self.trainer, self.callbacks = inner, trainer, callbacks

    def compute(self, network: Network, batch: Batch) -> Any:
        loss = self.inner.compute(network, batch)
        for callback in self.callbacks:
            callback.on_gradient(self.trainer)
        return loss

    def unsupported_reason(self, network: Network) -> str | None:
        return self.inner.unsupported_reason(network)


def observed_gradient(trainer: "Trainer") -> Gradient | None:
    """The trainer's gradient method, which shows its gradients to the callbacks that want to see them."""
    callbacks = having(trainer.callbacks, "on_gradient")
    if not callbacks:
        return trainer.gradient
    if trainer.engine_name == "fast":
        name = type(callbacks[0]).__name__
        raise ConfigError(f"engine: got 'fast', but {name}.on_gradient needs the reference engine; leave engine out")
    return _Observed(trainer.gradient or Backpropagation(), trainer, callbacks)


def divergence_of(trainer: "Trainer", step: int, losses: Losses, rate: float, kept: str) -> DivergenceError:
    """The error to raise: the place, the likely cause, and which weights (`kept`) the network holds now."""
    smaller = smaller_rate(rate_of(trainer.optimizer), trainer.default_rate)
    if trainer.keep == "best" and trainer.best is not None:
        kept = f"the weights of epoch {trainer.best.epoch}, the best"  # `_finish` puts them back
    place = f"epoch {trainer.epoch}, step {step:,}"
    cause = cause_of_divergence(losses, rate, smaller, trainer.network.dtype, first=trainer.epoch == 1)
    return DivergenceError(f"the loss is no longer finite in {place}; likely cause: {cause}", kept)


def check_smallest_batch(trainer: "Trainer", x: Any) -> None:
    """Raise the layer's own error if it cannot learn from one example, and an epoch has a batch of one."""
    if min(trainer.batch_size, x.shape[0] % trainer.batch_size or trainer.batch_size) == 1:
        trainer.network.copy().forward(x[:1, ...], training=True)


def cause_of_divergence(losses: Any, rate: float, smaller: float, dtype: str, *, first: bool) -> str:
    """Why a loss is no longer finite after these steps of an epoch, the `first` of the training or a later one."""
    before = losses[np.isfinite(losses)]
    inputs = f"inputs or weights are too large for {dtype}"
    cause = f"the learning rate {rate:g} is too large; try {smaller:.3g}"
    if first and not len(before):
        return inputs
    if len(before) and before[-1] <= 2 * before[0]:  # from calm to infinite in one step
        return f"{inputs}, or {cause}"
    return cause
