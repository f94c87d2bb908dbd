"""Which digits are taken for which."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.viz.figures import Figure, new_figure

Counts = np.ndarray[Any, Any]


def confusion_figure(counts: Counts, class_names: Sequence[str], *, title: str) -> Figure:
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
