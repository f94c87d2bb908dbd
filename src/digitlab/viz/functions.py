"""A fitted curve and the function that it approximates."""

from collections.abc import Mapping

from digitlab.viz.figures import COLOURS, Array, Figure, axes_figure, finish_axes


def fit_figure(grid: Array, target: Array, curves: Mapping[str, Array], *, title: str) -> Figure:
    """The function (G,) in grey, and the network's curves by their labels, the last one strongest."""
    figure, axes = axes_figure(8.0, 4.8)
    axes.plot(grid, target, color="black", linewidth=3, alpha=0.35, label="function")
    for i, (label, curve) in enumerate(curves.items()):
        last = i == len(curves) - 1
        width, dash = (1.8, "-") if last else (1.0, "--")
        axes.plot(grid, curve, dash, color=COLOURS[i % len(COLOURS)], linewidth=width, label=label)
    margin = 0.25 * (float(target.max() - target.min()) or 1.0)
    axes.set_ylim(float(target.min()) - margin, float(target.max()) + margin)
    finish_axes(axes, "x", "y", title)
    return figure
