"""The learning-rate range test: one short training in which the rate grows from far too small to far too large."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import to_numpy
from digitlab.doctor.measures import constant_loss
from digitlab.engine import select_engine
from digitlab.errors import ConfigError
from digitlab.nn.examples import examples
from digitlab.notebook_html import notebook_html
from digitlab.train.config import RunConfig
from digitlab.train.weighting import example_weights

Floats = np.ndarray[Any, np.dtype[np.float64]]
SMOOTHING = 0.95  # of the moving average of the losses; less where there are few
DIVERGED = 4.0  # a smoothed loss this many times the least one ends the test
LEARNED = 0.9  # of the loss of one fixed answer for all inputs: below that a network learns
CHECKED = (1, 0.3, 0.1, 0.03, 0.01, 0.003)  # times the suggested rate
WIDTH = 5  # the slope is taken over a share 1/WIDTH of a power of ten on both sides


@dataclass(frozen=True)
class RangeTest:
    """Learning rates (n,), the loss of each step, its moving average; what they suggest, and why.

    steepest     where the smoothed loss falls fastest per power of ten; mostly far too careful, since a fresh network
                 gains most by the first steps, whatever it learns from them
    lowest       where it is least; the test is over soon after
    suggested    a third of `lowest`, as the lower end of Smith's cycles; lower where that teaches nothing
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    steepest: float
    lowest: float
    suggested: float
    reason: str

    _repr_html_ = notebook_html

    def __repr__(self) -> str:
        return f"RangeTest: suggested rate {self.suggested:g}, of {len(self.rates)} steps"


@checked
def range_test(
    config: RunConfig, train: Any, *, low: float = 1e-4, high: float = 100.0, steps: int | None = None
) -> RangeTest:
    """Train with η growing from `low` to `high` by the same factor at every step, and read the loss.

    `steps` is how many, by default an epoch, but at least 200 and at most 2,000. The network is thrown away. Fresh
    networks then train as many steps at the suggested rate, and at lower ones until one learns.
    Smith 2017, "Cyclical learning rates for training neural networks", sec. 3.3; growing by factors, not along a line.
    Raises ConfigError for rates in the wrong order, if the loss never fell, or if no rate teaches the network.
    """
    if not 0 < low < high or not math.isfinite(high):
        raise ConfigError(f"range test: got rates from {low:g} to {high:g}, expected two above 0, the lower one first")
    steps = steps if steps is not None else min(max(math.ceil(len(train) / config.batch_size), 200), 2000)
    if steps < 20:
        raise ConfigError(f"range test: got {steps} steps, expected at least 20 to see a curve")
    trainer = config.trainer()
    default = trainer.default_rate
    advice = f"try rates from {default / 1000:g} to {default * 100:g}, around the default one"
    rates = low * (high / low) ** (np.arange(steps) / (steps - 1))
    losses, smoothed = _train(config, train, rates)
    finite = [i for i, loss in enumerate(smoothed) if math.isfinite(loss)]
    test = judged(rates[: len(finite)], np.array(losses)[finite], np.array(smoothed)[finite], advice)
    _, y = examples(train, trainer.network, "training set", training=True)
    constant = constant_loss(trainer.network, to_numpy(y[:1000]))
    if constant is None or config.class_weights or config.sample_weights:  # then the losses are on another scale
        return test
    reached: dict[float, float] = {}  # rate → share of the fixed answer's loss after as many steps at that rate
    for factor in CHECKED:
        rate = float(f"{test.suggested * factor:.2g}")
        reached[rate] = _train(config, train, np.full(steps, rate))[1][-1] / constant
        if reached[rate] < LEARNED:
            break
    chosen = min(reached, key=lambda rate: reached[rate] if math.isfinite(reached[rate]) else math.inf)
    if not reached[chosen] < 0.98:
        raise ConfigError(
            f"range test: no rate between {rates[0]:.3g} and {test.rates[-1]:.3g} teaches the network in {steps:,} "
            f"steps: at {chosen:g} the loss is still that of one fixed answer for all inputs; {advice}, or more steps"
        )
    if chosen == test.suggested:
        return test
    reason = (
        f"{chosen:g}; at {test.suggested:g}, a third of the rate with the smallest loss, the network learned little"
    )
    return dataclasses.replace(test, suggested=chosen, reason=reason)


def _train(config: RunConfig, train: Any, rates: Floats) -> tuple[list[float], list[float]]:
    """A fresh network's losses at these rates and their moving average, until that grows far above its least."""
    trainer, steps, batch = config.trainer(), len(rates), config.batch_size
    x, y = examples(train, trainer.network, "training set", training=True)
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
    losses: list[float] = []
    smoothed: list[float] = []
    average, least = 0.0, math.inf
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
    return losses, smoothed


def judged(rates: Floats, losses: Floats, smoothed: Floats, advice: str = "begin with a lower rate") -> RangeTest:
    """What a curve of smoothed losses over rates suggests. Raises ConfigError, with the advice, if it never falls."""
    if len(rates) < 20:
        raise ConfigError(f"range test: the loss was no longer finite after {len(rates)} steps; {advice}")
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
            f"range test: between {rates[0]:.3g} and {rates[-1]:.3g} the loss never fell by a twentieth; {advice}, or "
            "more steps"
        )
    if bottom >= len(smoothed) - max(2, len(smoothed) // 50):
        raise ConfigError(
            f"range test: the loss was still falling at the highest rate, {rates[-1]:.3g}; {advice}, or more steps"
        )
    steepest, lowest = float(rates[places[int(np.argmin(slopes))]]), float(rates[bottom])
    suggested = float(f"{lowest / 3:.2g}")
    if suggested < rates[0]:
        raise ConfigError(
            f"range test: the loss is least at {lowest:.3g}, near the lowest rate, {rates[0]:.3g}; {advice}"
        )
    reason = f"{suggested:g}, a third of the rate with the smallest loss"
    return RangeTest(rates, losses, smoothed, steepest, lowest, suggested, reason)
