"""A fitted curve and the function that it approximates."""

from collections.abc import Mapping

from digitlab.viz.figures import COLOURS, Array, Figure, finish_axes, new_figure

MARKS = 50  # training points drawn, at most twice as many


def fit_figure(
    grid: Array, target: Array, curves: Mapping[str, Array], *, title: str, points: tuple[Array, Array] | None = None
) -> Figure:
    """The function (G,) in grey, the training points, and the network's curves, from light (first) to dark (last).

    Below, what is left: the last curve minus the function.
    """
    from matplotlib import colormaps

    figure: Figure = new_figure(8.0, 5.6)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    axes.plot(grid, target, color="black", linewidth=4, alpha=0.25, label="function")
    if points is not None:
        step = max(len(points[0]) // MARKS, 1)
        label = f"training points ({f'every {step}th of ' if step > 1 else ''}{len(points[0])})"
        axes.plot(*(values[::step] for values in points), "o", color="black", markersize=4, mfc="none", label=label)
    *earlier, last = curves.items()
    for i, (label, curve) in enumerate(earlier):
        colour = colormaps["YlOrRd"](0.25 + 0.5 * i / max(len(earlier) - 1, 1))
        axes.plot(grid, curve, color=colour, linewidth=1.2, label=label)
    axes.plot(grid, last[1], color=COLOURS[0], linewidth=1.1, label=last[0])
    margin = 0.25 * (float(target.max() - target.min()) or 1.0)
    axes.set_ylim(float(target.min()) - margin, float(target.max()) + margin)
    finish_axes(axes, "", "y", title)
    below.axhline(0, color="black", linewidth=0.8, alpha=0.5)
    below.plot(grid, last[1] - target, color=COLOURS[0], linewidth=1.1)
    finish_axes(below, "x", "residual", legend=False)
    return figure
