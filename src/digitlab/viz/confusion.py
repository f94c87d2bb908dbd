"""The confusion matrix, and the accuracy of each class."""

from collections.abc import Sequence

import numpy as np

from digitlab.statistics import wilson_interval
from digitlab.viz.figures import COLOURS, Array, Figure, axes_figure, finish_axes, write_below


def confusion_figure(counts: Array, class_names: Sequence[str], *, title: str) -> Figure:
    """Confusion matrix: counts (C, C), true classes in rows and predicted classes in columns.

    The colour of an error is its share of the row. The diagonal is grey: on its scale all errors would look white.
    """
    n = len(class_names)
    side = max(4.0, 0.55 * n + 1.4)
    figure, axes = axes_figure(side + 1.0, side)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = np.where(np.eye(n, dtype=bool), np.nan, shares)
    most = float(np.nanmax(wrong)) if n > 1 else 0.0
    image = axes.imshow(np.ma.masked_invalid(wrong), cmap="Oranges", vmin=0, vmax=most or 1.0)
    axes.set_facecolor("#DDDDDD")
    for i in range(n):
        for j in range(n):
            if counts[i, j]:
                dark = i != j and shares[i, j] > 0.6 * most
                axes.text(j, i, f"{counts[i, j]}", ha="center", va="center", fontsize=8, color="w" if dark else "k")
    axes.set_xticks(range(n), class_names)
    axes.set_yticks(range(n), class_names)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(title, fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.8, label="errors, % of the class")
    return figure


def accuracy_figure(matrix: Array, class_names: Sequence[str]) -> Figure:
    """The recall of each class with its 95 % interval, in per cent; matrix (classes, classes).

    The interval is Wilson's for a share of n tries (Wilson 1927); a class without images has no bar.
    """
    n, right = matrix.sum(axis=1), np.diag(matrix)
    low, high = wilson_interval(right, n)
    share = right / np.maximum(n, 1)
    figure, axes = axes_figure(0.6 * len(matrix) + 2.2, 4.2)
    some = np.flatnonzero(n)
    intervals = np.abs(np.stack([share - low, high - share]))[:, some] * 100
    axes.bar(some, 100 * share[some], color=COLOURS[5], yerr=intervals, capsize=3)
    for i in some:
        write_below(axes, (float(i), 100 * low[i]), f"{100 * share[i]:.1f}")
    axes.set_ylim(0, 105)  # bars show shares by their length, so they begin at 0
    axes.set_xticks(range(len(matrix)), class_names)
    total = 100 * right.sum() / max(int(n.sum()), 1)
    finish_axes(axes, "class", "recall (%), 95 % interval", f"Accuracy per class (all: {total:.2f} %)")
    return figure
