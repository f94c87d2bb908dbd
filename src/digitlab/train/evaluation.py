"""How good a network is on a set of examples."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import Array, array_namespace, placed_with, to_numpy
from digitlab.engine.select import make_predictor
from digitlab.errors import ConfigError, ShapeError, in_brief
from digitlab.nn.examples import examples
from digitlab.nn.network import Network


class Evaluation(NamedTuple):
    """Mean loss per example; share of examples whose largest output is the right one, None without classes."""

    loss: float
    accuracy: float | None


@checked
def evaluate(
    network: Any, data: Any, y: Any = None, *, batch_size: int = 1000, logits_of: Callable[[Array], Array] | None = None
) -> Evaluation:
    """Loss and accuracy of a Network or Net on a set of examples: `evaluate(network, test)`, `evaluate(network, x, y)`.

    The set may be in any container (nn/examples.py). `logits_of` is the way to the network's logits; by default the
    fastest one, for which kernels are compiled where that takes less time than the readable code.
    Raises DataError or ShapeError for examples that do not fit.
    """
    network = as_network(network)
    x, y = examples(data if y is None else (data, y), network, "evaluation")
    first = next(iter(network.state().values()), None)
    x, y = placed_with(first, x), placed_with(first, y)
    return measure(network, x, y, batch_size=batch_size, logits_of=logits_of)


def as_network(network: Any) -> Network:
    """The Network itself, or that of a Net. Raises ConfigError for anything else."""
    found = getattr(network, "network", network)
    if not isinstance(found, Network):
        raise ConfigError(f"network: got {type(network).__name__}, expected a Network or a Net")
    return found


def measure(
    network: Network, x: Array, y: Array, *, batch_size: int = 1000, logits_of: Callable[[Array], Array] | None = None
) -> Evaluation:
    """`evaluate` for x and y that have passed `examples` before, in the library of the network's weights."""
    if batch_size < 1:
        raise ConfigError(f"evaluate: batch_size: got {batch_size}, expected at least 1")
    classes = classifies(network, y)
    logits_of = logits_of or make_predictor(network, logits=True, examples=x.shape[0])
    xp, total, right = array_namespace(x), 0.0, 0
    n = x.shape[0]
    for start in range(0, n, batch_size):
        targets = y[start : start + batch_size, ...]
        batch = x[start : start + batch_size, ...]
        logits = logits_of(batch)
        total += float(network.loss.forward(logits, targets)[0]) * logits.shape[0]
        if classes:
            right += int(xp.sum(xp.argmax(logits, axis=1) == as_labels(targets)))
    return Evaluation(total / n, right / n if classes else None)


def classifies(network: Network, y: Array | None = None) -> bool:
    """Whether outputs stand for classes: a network with a single output gives a number, not a class.

    Nor does one that is trained on rows of numbers (N, out) by the mean squared error.
    """
    shape = network.shapes[-1]
    if y is not None and y.ndim > 1 and network.loss.output_range is None:
        return False
    return len(shape) == 1 and shape[0] > 1


def as_labels(targets: Array) -> Array:
    """Labels (N,) of labels (N,) or of rows (N, classes), whose class is their largest number."""
    return targets if targets.ndim == 1 else array_namespace(targets).argmax(targets, axis=1)


@checked
def class_shares(outputs: Any) -> np.ndarray[Any, Any]:
    """Outputs (N, classes) as probabilities, each row divided by its sum, which is 1 for softmax.

    Sigmoid outputs are ten answers to ten questions and need not add up to 1. A negative output counts as 0; where all
    are 0, every class has the same share.
    """
    outputs = to_numpy(outputs)
    if outputs.ndim != 2 or outputs.dtype.kind not in "biuf":
        raise ShapeError(f"class_shares: got outputs {in_brief(repr(outputs))}, expected numbers (N, classes)")
    positive = np.clip(outputs.astype(np.float64), 0, None)
    total = positive.sum(axis=1, keepdims=True)  # (N, 1)
    shares: np.ndarray[Any, Any] = np.where(total > 0, positive / np.where(total > 0, total, 1), 1 / positive.shape[1])
    return shares
