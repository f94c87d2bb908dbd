"""How well each class is read, and the counts of what is read as what (confusion.py draws those)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.errors import ShapeError
from digitlab.statistics import wilson_interval
from digitlab.viz.figures import COLOURS, Figure, new_figure

Array = np.ndarray[Any, Any]


def confusion_matrix(labels: Array, guesses: Array, classes: int) -> Array:
    """int64 (classes, classes): how many images of class i (row) were read as j (column). Raises ShapeError."""
    labels, guesses = np.asarray(labels), np.asarray(guesses)
    if labels.shape != guesses.shape or labels.ndim != 1:
        raise ShapeError(f"got labels {labels.shape} and guesses {guesses.shape}; expected both (N,)")
    counts: Array = np.bincount(labels.astype(np.int64) * classes + guesses, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64, copy=False)


def accuracy_figure(matrix: Array, class_names: Sequence[str]) -> Figure:
    """Per class the share that is read right (recall), with its 95 % interval, in per cent; matrix (classes, classes).

    The interval is Wilson's for a share of n tries (Wilson 1927); a class without images has no bar.
    """
    n, right = matrix.sum(axis=1), np.diag(matrix)
    low, high = wilson_interval(right, n)
    share = right / np.maximum(n, 1)
    figure = new_figure(0.6 * len(matrix) + 2.2, 4.2)
    axes = figure.add_subplot()
    some = np.flatnonzero(n)
    intervals = np.abs(np.stack([share - low, high - share]))[:, some] * 100
    axes.bar(some, 100 * share[some], color=COLOURS[5], yerr=intervals, capsize=3)
    for i in some:
        axes.annotate(
            f"{100 * share[i]:.1f}",
            (i, 100 * low[i]),
            textcoords="offset points",
            xytext=(0, -12),
            ha="center",
            fontsize=8,
        )
    axes.set_ylim(max(0.0, 100 * float(low[some].min()) - 4), 100.5)
    axes.set_xticks(range(len(matrix)), class_names)
    axes.set_title(f"Accuracy per class (all: {100 * right.sum() / max(int(n.sum()), 1):.2f} %)")
    axes.set_xlabel("class")
    axes.set_ylabel("read right (%), 95 % interval")
    axes.grid(alpha=0.3, axis="y")
    return figure
