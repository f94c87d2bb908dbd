"""The learning-rate range test: one short training in which the rate grows from far too small to far too large."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.engine import select_engine
from digitlab.errors import ConfigError
from digitlab.nn.examples import examples
from digitlab.train.config import RunConfig
from digitlab.train.weighting import example_weights

Floats = np.ndarray[Any, np.dtype[np.float64]]
SMOOTHING = 0.95  # of the moving average of the losses; less where there are few
DIVERGED = 4.0  # a smoothed loss this many times the least one ends the test
WIDTH = 5  # the slope is taken over a share 1/WIDTH of a power of ten on both sides


@dataclass(frozen=True)
class RangeTest:
    """Learning rates (n,), the loss of each step, its moving average; what they suggest, and why.

    steepest     where the smoothed loss falls fastest per power of ten; mostly far too careful, since a fresh network
                 gains most by the first steps, whatever it learns from them
    lowest       where it is least; the test is over soon after
    suggested    a third of `lowest`, as Smith sets the lower end of his cycles
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    steepest: float
    lowest: float
    suggested: float
    reason: str


def range_test(
    config: RunConfig, train: Any, *, low: float = 1e-4, high: float = 100.0, steps: int | None = None
) -> RangeTest:
    """Train with η growing from `low` to `high` by the same factor at every step, and read the loss.

    `steps` is how many, by default an epoch, but at least 200 and at most 2,000. The network is thrown away.
    Smith 2017, "Cyclical learning rates for training neural networks", sec. 3.3; growing by factors, not along a line.
    Raises ConfigError for rates in the wrong order, or if the loss never fell.
    """
    if not 0 < low < high or not math.isfinite(high):
        raise ConfigError(f"range test: got rates from {low:g} to {high:g}, expected two above 0, the lower one first")
    trainer = config.trainer()
    x, y = examples(train, trainer.network, "training set", training=True)
    batch = config.batch_size
    per_epoch = math.ceil(len(x) / batch)
    steps = steps if steps is not None else min(max(per_epoch, 200), 2000)
    if steps < 20:
        raise ConfigError(f"range test: got {steps} steps, expected at least 20 to see a curve")
    engine, _ = select_engine(
        config.engine,
        trainer.network,
        trainer.optimizer,
        trainer.regularizers,
        examples=len(x),
        gradient=config.gradient,
        rng=trainer.rng,
        device=config.device,
    )
    names = getattr(train, "class_names", ())
    weights = example_weights(trainer.class_weights, config.example_weights(), y, trainer.network, names)
    x, y, weights = engine.place(x), engine.place(y), engine.place(weights) if weights is not None else None
    rates = low * (high / low) ** (np.arange(steps) / (steps - 1))
    losses: list[float] = []
    average, least = 0.0, math.inf
    smoothed: list[float] = []
    order = np.empty(0, np.int64)
    chunk = max(steps // 50, 1)
    smoothing = min(SMOOTHING, 1 - 10 / steps)
    with np.errstate(over="ignore", invalid="ignore"):
        while len(losses) < steps:
            count = min(chunk, steps - len(losses))
            while len(order) < count * batch:
                order = np.concatenate([order, trainer.rng.permutation(len(x))])
            part, order = order[: count * batch], order[count * batch :]
            new = engine.train_batches(x, y, part, batch, rates[len(losses) : len(losses) + count], weights)
            for loss in new:
                losses.append(float(loss))
                average = smoothing * average + (1 - smoothing) * losses[-1]
                smoothed.append(average / (1 - smoothing ** len(losses)))  # else the first ones would be too small
            least = min(least, *(s for s in smoothed[-len(new) :] if math.isfinite(s)), math.inf)
            if not math.isfinite(smoothed[-1]) or smoothed[-1] > DIVERGED * least:
                break
    finite = [i for i, s in enumerate(smoothed) if math.isfinite(s)]
    return judged(rates[: len(finite)], np.array(losses)[finite], np.array(smoothed)[finite])


def judged(rates: Floats, losses: Floats, smoothed: Floats) -> RangeTest:
    """What a curve of smoothed losses over rates suggests. Raises ConfigError if it never falls."""
    if len(rates) < 20:
        raise ConfigError(
            f"range test: the loss was no longer finite after {len(rates)} steps; begin with a lower rate"
        )
    settled = len(rates) // 20  # the average of the first few is still rough
    bottom = settled + int(np.argmin(smoothed[settled:]))
    scale = np.log10(rates)
    per_power = (len(rates) - 1) / (scale[-1] - scale[0])
    width = max(round(per_power / WIDTH), 1)
    places = np.arange(settled, bottom + 1)
    before, after = np.maximum(places - width, 0), np.minimum(places + width, len(rates) - 1)
    slopes = (smoothed[after] - smoothed[before]) / (scale[after] - scale[before])
    if not len(slopes) or slopes.min() >= 0 or smoothed[bottom] > 0.95 * smoothed[settled]:
        raise ConfigError(
            f"range test: between {rates[0]:g} and {rates[-1]:g} the loss never fell by a twentieth; "
            "try higher rates, more steps, or another network"
        )
    if bottom >= len(smoothed) - max(2, len(smoothed) // 50):
        raise ConfigError(
            f"range test: the loss was still falling at the highest rate, {rates[-1]:g}; let the rates go further, or "
            "take more steps"
        )
    steepest, lowest = float(rates[places[int(np.argmin(slopes))]]), float(rates[bottom])
    suggested = float(f"{lowest / 3:.2g}")
    reason = f"{suggested:g}, a third of the rate with the smallest loss"
    return RangeTest(rates, losses, smoothed, steepest, lowest, suggested, reason)
