"""The last part of a walk through one example: the step of gradient descent, before and after."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.nn.examples import inputs
from digitlab.nn.network import Network
from digitlab.viz.explain import number_text
from digitlab.viz.figures import Array


@dataclass(frozen=True)
class Change:
    """The number of one array that a step changes most, and how many of its numbers change."""

    name: str
    place: tuple[int, ...]
    before: float
    gradient: float
    after: float
    changed: int
    size: int


@dataclass(frozen=True)
class Step:
    """One step w ← w − η ∂L/∂w on one example, with the example's loss before and after it."""

    learning_rate: float
    changes: list[Change]
    loss_before: float
    loss_after: float


def take_step(network: Network, image: Array, target: Any, learning_rate: float) -> Step:
    """The step of plain gradient descent for one example: arguments as `walk` takes them.

    The network stays as it is. Frozen numbers do not change. Raises ShapeError if the image does not fit.
    """
    twin = network.copy().to("numpy")
    x, targets = twin.prepare(inputs(image, twin, "image")), np.asarray([target])
    before = float(twin.gradient(x, targets))
    changes = []
    for name, p in twin.parameters().items():
        moved = np.where(p.trainable, learning_rate * to_numpy(p.grad), 0).astype(p.value.dtype)
        place = np.unravel_index(int(np.abs(moved).argmax()), moved.shape)
        old, p.value = p.value, p.value - moved
        first, gradient, last = (float(array[place]) for array in (old, p.grad, p.value))
        count = int(np.count_nonzero(moved))
        changes.append(Change(name, tuple(map(int, place)), first, gradient, last, count, moved.size))
    after, _ = twin.loss.forward(twin.forward(x)[0], targets)
    return Step(learning_rate, changes, before, float(after))


def step_text(step: Step) -> str:
    """The step as lines for a terminal."""
    return "\n".join(
        [
            "STEP",
            "",
            f"w ← w − η ∂L/∂w with η = {number_text(step.learning_rate)}, for this image alone",
            "  the number of each array that changes most:",
            *(f"  {change_text(change, step.learning_rate)}" for change in step.changes),
            "",
            f"The loss of this image is {number_text(step.loss_before)} before the step and "
            f"{number_text(step.loss_after)} after it.",
        ]
    )


def change_text(change: Change, learning_rate: float) -> str:
    """ "0.W[407, 12]  0.0521 − 3 · 0.00213 = 0.0457", and how many numbers change."""
    place = ", ".join(map(str, change.place))
    gradient = number_text(change.gradient)
    factor = f"({gradient})" if change.gradient < 0 else gradient
    sum_ = f"{number_text(change.before)} − {number_text(learning_rate)} · {factor} = {number_text(change.after)}"
    return f"{change.name}[{place}]  {sum_}; {change.changed:,} of {change.size:,} change"
