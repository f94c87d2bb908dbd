"""What a baseline is, and how it is judged: the same images, the same splits as a network."""

import time
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitlab.convert import as_array, require_no_bytes
from digitlab.data import Digits
from digitlab.errors import ConfigError, DataError, not_among

Labels = NDArray[np.int64]  # (N,)
Features = NDArray[np.float32]  # (N, D)
BASELINES: dict[str, type["Baseline"]] = {}  # by name, in the order of what they know


class Baseline:
    """Base: a classifier that is no network; `fit(images, labels)`, then `predict(images)`.

    It divides pixel bytes (uint8) by 256, as the book's mnist.pkl.gz does, and takes other numbers as they are. Where
    an unscaled γ or a penalty is added to the pixels, another divisor would give another classifier.
    """

    name: ClassVar[str]
    about: ClassVar[str]

    def __init_subclass__(cls) -> None:
        BASELINES[cls.name] = cls

    def fit(self, images: NDArray[np.uint8], labels: Labels) -> None:
        """Learn from uint8 images (N, H, W) or (N, H, W, 3) and their labels (N,)."""
        self._fit(features(images), labels)

    def predict(self, images: NDArray[np.uint8]) -> Labels:
        """The class of each image, (N,)."""
        return np.asarray(self._predict(features(images)), dtype=np.int64)

    def _fit(self, x: Features, y: Labels) -> None:
        raise TypeError(f"{type(self).__name__} does not define fit")

    def _predict(self, x: Features) -> Any:
        raise TypeError(f"{type(self).__name__} does not define predict")

    def described(self) -> str:
        """What it is, with its settings, in one line."""
        return self.about

    def learned(self) -> str:
        """What there is to say after fitting; "" if nothing."""
        return ""


class Result(NamedTuple):
    """How a baseline did: share right; confusion (classes, classes), rows are the truth; seconds that judging took."""

    accuracy: float
    confusion: NDArray[np.int64]
    seconds: float


def make_baseline(name: str, **settings: Any) -> Baseline:
    """A baseline by name: "darkness", "nearest-mean", "logistic", "svm". Raises ConfigError for another."""
    if name not in BASELINES:
        raise ConfigError(f"unknown baseline {not_among(name, BASELINES)}")
    return BASELINES[name](**settings)


def fit(baseline: Baseline, train: Digits) -> float:
    """Fit a baseline on a set and return the seconds it took. Raises DataError if there is a single class in it."""
    if np.count_nonzero(train.counts()) < 2:
        raise DataError(f"{train}: got a single class to train on, expected at least two")
    began = time.perf_counter()
    baseline.fit(train.images, train.labels)
    return time.perf_counter() - began


def judge(
    baseline: Baseline, digits: Digits, *, block: int = 250, advance: Callable[[int], None] = lambda images: None
) -> Result:
    """How a fitted baseline reads a set, `block` images at a time; `advance` is told of every block."""
    began = time.perf_counter()
    guesses = np.empty(len(digits), np.int64)
    for start in range(0, len(digits), block):
        images = digits.images[start : start + block]
        guesses[start : start + block] = baseline.predict(images)
        advance(len(images))
    counts = confusion(digits.labels, guesses, len(digits.class_names))
    return Result(float(np.mean(guesses == digits.labels)), counts, time.perf_counter() - began)


def confusion(truth: Labels, guesses: Labels, classes: int) -> NDArray[np.int64]:
    """How often each class (row) was taken for each (column): int64 (classes, classes)."""
    return np.bincount(truth * classes + guesses, minlength=classes**2).reshape(classes, classes)


def features(images: Any) -> Features:
    """Images in any container as rows of numbers, float32 (N, D): pixel bytes (uint8) / 256, others as they are.

    Raises DataError for whole numbers up to 255 that are not uint8.
    """
    x = as_array(images, "images")
    rows: Features = x.reshape(len(x), -1).astype(np.float32)
    if x.dtype == np.uint8:
        return rows / np.float32(256)
    require_no_bytes(x, "images")
    return rows
