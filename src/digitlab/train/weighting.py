"""How much each training example counts: by its class, by a number of its own, or by both.

The loss of a batch of N examples is L = 1/N Σₙ wₙ Lₙ, so weights with a mean of 1 leave the learning rate as it is.
Evaluations do not weigh: their losses and accuracies count every example once.
"""

import math
import numbers
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.convert import as_array
from digitlab.data.formats.shared.csv_table import read_table
from digitlab.errors import ConfigError, DataError, in_brief
from digitlab.kinds import sniff
from digitlab.nn.network import Network
from digitlab.notices import DataWarning
from digitlab.train.evaluation import as_labels, classifies

BALANCED = "balanced"
FAR = 3.0  # times more or less than 1: a mean weight that changes how large the steps are
ClassWeights = str | dict[str, float] | list[float]  # "balanced", by class, or one for each class in order
Weights = np.ndarray[Any, Any]


def checked_class_weights(given: Any) -> ClassWeights | None:
    """`class_weights` in the form that settings hold: None, "balanced", {"7": 1.5} or a list. Raises ConfigError.

    Classes are their numbers, or their names where the data set has names. As text: "0:2,7:1.5".
    """
    if given is None or (isinstance(given, str) and given in ("", BALANCED)):
        return given or None
    if isinstance(given, str):
        pairs = [part.rpartition(":") for part in given.split(",")]
        if not all(colon for _, colon, _ in pairs):
            raise ConfigError(
                f'class_weights: got {given!r}, expected "balanced" or CLASS:WEIGHT pairs such as 0:2,7:1.5'
            )
        return {name.strip(): _number(weight, name) for name, _, weight in pairs}
    if isinstance(given, Mapping):
        return {str(name): _number(weight, name) for name, weight in given.items()}
    if isinstance(given, Sequence | np.ndarray):
        return [_number(weight, i) for i, weight in enumerate(given)]
    raise ConfigError(
        f'class_weights: got {type(given).__name__}, expected "balanced", a table {{class: weight}}, '
        "or a list with one weight for each class"
    )


def example_weights(
    class_weights: ClassWeights | None, sample_weights: Any, y: Any, network: Network, names: Sequence[str] = ()
) -> Weights | None:
    """The weight of each training example (N,), the product of its class's and its own; None if all count alike.

    y are labels (N,) or target rows (N, out), whose class is their largest number; `names` are the classes' names.
    Raises ConfigError and DataError.
    """
    n = len(y)
    weights: Weights | None = None
    if class_weights is not None:
        if not classifies(network, y):
            raise ConfigError("class_weights: this network gives numbers and not classes; use sample_weights")
        labels = as_labels(to_numpy(y))
        weights = _by_class(class_weights, labels, network.shapes[-1][0], names)[labels]
    if sample_weights is not None:
        own = _checked_sample_weights(sample_weights, n)
        weights = own if weights is None else weights * own
    if weights is None:
        return None
    if not weights.any():
        raise DataError(f"all {n:,} training examples have weight 0; expected a weight above 0 for some of them")
    if not 1 / FAR <= (mean := float(weights.mean())) <= FAR:
        warnings.warn(
            f"the weights of the training examples have mean {mean:.3g}, which multiplies the learning rate; "
            "divide them by their mean to keep it as it is",
            DataWarning,
            stacklevel=2,
        )
    return weights.astype(network.dtype)


def _by_class(class_weights: ClassWeights, labels: Weights, classes: int, names: Sequence[str]) -> Weights:
    """One weight for each class (classes,)."""
    if class_weights == BALANCED:
        counts = np.bincount(labels, minlength=classes)
        balanced: Weights = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return balanced
    if isinstance(class_weights, list):
        if len(class_weights) != classes:
            raise ConfigError(
                f"class_weights: got {len(class_weights)} weights, expected {classes}: one for each class"
            )
        return np.array(class_weights)
    assert isinstance(class_weights, dict)
    weights = np.ones(classes)
    for name, weight in class_weights.items():
        known = list(names).index(name) if name in names else int(name) if name.isdecimal() else -1
        if not 0 <= known < classes:
            has = (
                ", ".join(names) if names and list(names) != [str(i) for i in range(classes)] else f"0 to {classes - 1}"
            )
            raise ConfigError(f"class_weights: got class {name}; the classes are {has}")
        weights[known] = weight
    return weights


def _checked_sample_weights(given: Any, n: int) -> Weights:
    given = as_array(given, "sample_weights")
    if given.dtype.kind not in "buif":
        raise DataError(f"sample_weights: got values of type {given.dtype}; expected one number for each example")
    weights: Weights = given.astype(np.float64)
    if weights.shape != (n,):
        raise DataError(f"sample_weights: got shape {weights.shape}, expected ({n},): one number for each example")
    if (wrong := ~(np.isfinite(weights) & (weights >= 0))).any():
        i = int(wrong.argmax())
        raise DataError(f"sample_weights: example {i} has {weights[i]:g}; expected finite numbers of at least 0")
    return weights


def _number(weight: Any, name: Any) -> float:
    try:
        if isinstance(weight, str | numbers.Real) and 0 <= float(weight) < math.inf:
            return float(weight)
    except ValueError:
        pass
    raise ConfigError(f"class_weights: got {weight!r} for class {name}; expected a finite number of at least 0")


def read_sample_weights(path: str | os.PathLike[str]) -> Weights:
    """The numbers in a text, CSV or .npy file, one for each training image. Raises DataError."""
    kind = sniff(path)
    if kind.name not in ("npy", "csv", "text", "empty"):
        raise DataError(f"{path}: is {kind}; expected text, CSV or .npy with one number for each training image")
    if kind.name == "npy":
        try:
            values = np.load(path, allow_pickle=False)
        except ValueError as error:
            raise DataError(f"{path}: not a NumPy array of numbers ({in_brief(error)})") from None
    else:
        values = read_table(path).values
        values = values[:, 0] if values.shape[1] == 1 else values[0] if len(values) == 1 else values
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: holds {values.dtype} numbers of shape {values.shape}; expected one number for each training image"
        )
    numbers_: Weights = values.astype(np.float64)
    return numbers_
