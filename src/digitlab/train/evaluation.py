"""How good a network is on a set of examples, and the checks an example set must pass first."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from digitlab.arrays import Array, array_namespace, to_numpy
from digitlab.engine.select import make_predictor
from digitlab.errors import DataError, ShapeError
from digitlab.nn.losses import MeanSquaredError
from digitlab.nn.network import Network


class Evaluation(NamedTuple):
    """Mean loss per example; share of examples whose largest output is the right one, None without classes."""

    loss: float
    accuracy: float | None


def evaluate(
    network: Network, x: Array, y: Array, *, batch_size: int = 1000, logits_of: Callable[[Array], Array] | None = None
) -> Evaluation:
    """Loss and accuracy of the network on x and labels (N,) or target arrays (N, out), a batch at a time.

    `logits_of` is the way to the network's logits; by default the fastest there is without compiling anything.
    """
    if x.shape[0] == 0:
        raise DataError("evaluation: got an empty set; expected at least one example")
    y = _targets(_array(y), network, "evaluation")
    classes = classifies(network, y)
    logits_of = logits_of or make_predictor(network, logits=True, compiling=False)
    xp, total, right = array_namespace(x), 0.0, 0
    n = x.shape[0]
    for start in range(0, n, batch_size):
        targets = y[start : start + batch_size, ...]
        batch = x[start : start + batch_size, ...]
        logits = logits_of(batch)
        total += float(network.loss.forward(logits, targets)[0]) * logits.shape[0]
        if classes:
            labels = targets if targets.ndim == 1 else xp.argmax(targets, axis=1)
            right += int(xp.sum(xp.argmax(logits, axis=1) == labels))
    if math.isnan(total) and xp.isdtype(x.dtype, "real floating") and not bool(xp.all(xp.isfinite(x))):
        raise DataError("evaluation: got inputs that are NaN or infinite; expected finite numbers")
    return Evaluation(total / n, right / n if classes else None)


def classifies(network: Network, y: Array | None = None) -> bool:
    """Whether outputs stand for classes: a network with a single output gives a number, not a class.

    Nor does one that is held against rows of numbers (N, out) by the mean squared error.
    """
    shape = network.shapes[-1]
    if y is not None and y.ndim > 1 and isinstance(network.loss, MeanSquaredError):
        return False
    return len(shape) == 1 and shape[0] > 1


def examples(data: Any, network: Network, what: str) -> tuple[Array, Array]:
    """(x, y) of a Digits or of a pair of arrays, checked against the network; raises DataError or ShapeError.

    `what` names the set in messages: "training set". Inputs stay as they are, pixel bytes in particular.
    """
    if hasattr(data, "images") and hasattr(data, "labels"):
        x, y = data.images, data.labels
    elif isinstance(data, tuple) and len(data) == 2:
        x, y = data
    else:
        raise DataError(f"{what}: got {type(data).__name__}; expected Digits or a pair (x, y) of arrays")
    x, y = _array(x), _array(y)
    if x.ndim < 2 or x.shape[0] != y.shape[0]:
        raise ShapeError(
            f"{what}: got inputs of shape {tuple(x.shape)} with targets of shape {tuple(y.shape)}; "
            "expected one row of inputs per target"
        )
    try:
        network.prepare(x[:1, ...])
    except (ShapeError, DataError) as error:
        raise type(error)(f"{what}: {error}") from None
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and not np.isfinite(x).all():
        row = int(np.argwhere(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))[0, 0])
        raise DataError(f"{what}: input {row} holds NaN or infinity; expected finite numbers, leave it out or mend it")
    return x, _targets(y, network, what)


def _array(values: Any) -> Array:
    return values if hasattr(values, "shape") and hasattr(values, "dtype") else np.asarray(values)


def _targets(y: Array, network: Network, what: str) -> Array:
    outputs = network.shapes[-1]
    kind = to_numpy(y[:1, ...]).dtype.kind
    if y.ndim == 1 and len(outputs) == 1 and kind in "iu":
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= outputs[0]:
            raise DataError(
                f"{what}: got labels from {low} to {high}; this network has {outputs[0]} outputs, "
                f"expected labels from 0 to {outputs[0] - 1}"
            )
        return y
    if kind != "f" or tuple(y.shape[1:]) != outputs:
        raise DataError(
            f"{what}: got targets of shape {tuple(y.shape)} and type {y.dtype}; expected whole-number labels (N,) "
            f"or floating-point targets (N, {', '.join(map(str, outputs))})"
        )
    if isinstance(y, np.ndarray):
        if not np.isfinite(y).all():
            raise DataError(f"{what}: a target is NaN or infinite; expected finite numbers")
        return y.astype(network.dtype, copy=False)
    return y
