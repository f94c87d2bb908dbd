"""The base of all baselines, and how they are fitted and measured: on the same images and splits as a network."""

import time
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitlab.convert import as_array, require_no_bytes
from digitlab.data import Digits
from digitlab.errors import ConfigError, DataError, not_among

__all__ = ["BASELINES", "Baseline", "Result", "fit", "judge", "make_baseline"]

Labels = NDArray[np.int64]  # (N,)
Features = NDArray[np.float32]  # (N, D)
BASELINES: dict[str, type["Baseline"]] = {}  # by name, the least accurate first


class Baseline:
    """Base: a classifier without a network; `fit(images, labels)`, then `predict(images)`.

    Pixel bytes (uint8) are divided by 256, as in the book's mnist.pkl.gz; other numbers are taken as they are. An SVM
    with fixed γ, or a penalty on weights, depends on that divisor.
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

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.described()}"

    def described(self) -> str:
        """The baseline and its settings in one line."""
        return self.about

    def learned(self) -> str:
        """A remark after fitting, or ""."""
        return ""


class Result(NamedTuple):
    """The accuracy of a baseline, its confusion matrix (rows are the true classes), and the seconds it took."""

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
    """Measure a fitted baseline on a set, `block` images at a time; `advance` is called with the size of each block."""
    from sklearn.metrics import confusion_matrix

    began = time.perf_counter()
    guesses = np.empty(len(digits), np.int64)
    for start in range(0, len(digits), block):
        images = digits.images[start : start + block]
        guesses[start : start + block] = baseline.predict(images)
        advance(len(images))
    counts = confusion_matrix(digits.labels, guesses, labels=range(len(digits.class_names)))
    return Result(float(np.mean(guesses == digits.labels)), counts, time.perf_counter() - began)


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
