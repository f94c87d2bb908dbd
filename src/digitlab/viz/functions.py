"""A fitted curve beside the function it was to become."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from digitlab.viz.figures import COLOURS, Figure, new_figure

Array = np.ndarray[Any, Any]


def fit_figure(grid: Array, target: Array, curves: Mapping[str, Array], *, title: str) -> Figure:
    """The function (G,) in grey and curves of the network by what to call them, the last one strongest."""
    figure = new_figure(8.0, 4.8)
    axes = figure.add_subplot()
    axes.plot(grid, target, color="black", linewidth=3, alpha=0.35, label="function")
    for i, (label, curve) in enumerate(curves.items()):
        last = i == len(curves) - 1
        axes.plot(
            grid,
            curve,
            color=COLOURS[i % len(COLOURS)],
            linewidth=1.8 if last else 1.0,
            linestyle="-" if last else "--",
            label=label,
        )
    margin = 0.25 * (float(target.max() - target.min()) or 1.0)
    axes.set_ylim(float(target.min()) - margin, float(target.max()) + margin)
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure
