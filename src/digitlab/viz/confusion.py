"""How well each class is recognized, and which classes are taken for which."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.statistics import wilson_interval
from digitlab.viz.figures import COLOURS, Figure, new_figure

Array = np.ndarray[Any, Any]


def confusion_figure(counts: Array, class_names: Sequence[str], *, title: str) -> Figure:
    """Counts (C, C), rows the truth and columns what was said, as a map with the numbers in it.

    Shades are shares of a row: what became of the images of one class. Errors have a scale of their own, up to
    the largest, since beside the diagonal they would all look white; the diagonal is grey.
    """
    n = len(class_names)
    side = max(4.0, 0.55 * n + 1.4)
    figure = new_figure(side + 1.0, side)
    axes = figure.add_subplot()
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
    axes.set_xlabel("what was said")
    axes.set_ylabel("what it is")
    axes.set_title(title, fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.8, label="errors, % of the class")
    return figure


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
