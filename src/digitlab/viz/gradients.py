"""Gradient methods compared, and the gradient norm of each layer over a training."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from digitlab.gradients import Comparison
from digitlab.viz.figures import COLOURS, Figure, axes_figure, finish_axes, name_lines

KINDS = (  # up to which relative error, what it then is, how it is drawn
    (1e-12, "exact but for rounding", "o", COLOURS[0]),
    (1e-2, "approximation", "D", COLOURS[2]),
    (math.inf, "another direction or a random estimate", "s", COLOURS[1]),
)


def gradients_figure(rows: Sequence[Comparison], *, title: str) -> Figure:
    """A point per method: seconds for one gradient (x) and ‖g − g_bp‖ / ‖g_bp‖ (y), both logarithmic.

    A method without error is drawn at 10⁻¹⁷, below what float64 can show. Blue points are exact but for rounding, green
    ones are approximations, orange squares are other directions than the gradient.
    """
    figure, axes = axes_figure(8.0, 4.8)
    labels = {}
    for row in (row for row in rows if row.refusal is None):
        error = max(row.relative_error, 1e-17) if math.isfinite(row.relative_error) else 1.0
        name, mark, colour = next(kind for most, *kind in KINDS if error <= most)
        axes.plot(row.seconds, error, mark, markersize=9, color=colour, label=name)
        labels[row.seconds, error] = f"{type(row.way).__name__}\n{row.evaluations:,} evaluations"
    axes.set(xscale="log", yscale="log")
    axes.margins(x=0.25, y=0.15)
    write_apart(axes, labels)
    finish_axes(axes, "time for one gradient (s)", "relative error against backpropagation", title, legend=False)
    kinds = dict(zip(*axes.get_legend_handles_labels()[::-1]))
    figure.legend(kinds.values(), kinds.keys(), loc="outside lower center", ncols=len(KINDS), fontsize=8)
    return figure


def write_apart(axes: Any, labels: Mapping[tuple[float, float], str], size: float = 8.0) -> None:
    """Write a label beside each point (x, y): to its right, left, above or below, where it covers no other."""
    axes.autoscale_view()  # else matplotlib knows of the points only when it draws
    points = {place: axes.transData.transform(place) * 72 / axes.figure.dpi for place in labels}
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points.values()]  # in points: left, low, right, high
    for place, text in labels.items():
        x, y = points[place]
        lines = text.splitlines()
        width, height = 0.55 * size * max(map(len, lines)), 1.3 * size * len(lines)
        corners = [(8, -3), (-8 - width, -3), (-width / 2, 8), (-width / 2, -8 - height), (8, 12), (8, -12 - height)]
        boxes = [(x + dx, y + dy, x + dx + width, y + dy + height) for dx, dy in corners]
        covered = [sum(_overlap(box, other) for other in taken) for box in boxes]
        best = covered.index(min(covered))
        axes.annotate(text, place, fontsize=size, textcoords="offset points", xytext=corners[best])
        taken.append(boxes[best])


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """The area that two boxes (left, low, right, high) have in common."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def norms_figure(rows: Sequence[Mapping[str, Any]], *, title: str = "Gradient norms per layer") -> Figure:
    """‖∂L/∂W‖ of every weight over the epochs, logarithmic; rows {"epoch": 0, "0.W": ..., "0.b": ...}.

    A single row, of one moment, is drawn as points. A layer has one colour; its biases are dotted, what leads from a
    state to the next (U) is dashed. A norm of 0 is left out.
    """
    names = [name for name in rows[0] if name != "epoch"]
    figure, axes = axes_figure(8.0, 4.6)
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    kinds = [name.rpartition(".")[2] for name in names]
    for i, name in enumerate(names):
        values = [row[name] if row[name] > 0 else math.nan for row in rows]
        colour = COLOURS[layers.index(name.rpartition(".")[0]) % len(COLOURS)]
        dash = ":" if kinds[i] == "b" else "--" if kinds[i] == "U" else "-"
        if len(rows) == 1:
            axes.plot(i, values[0], "s" if kinds[i] == "b" else "o", color=colour, markersize=8)
        else:
            axes.plot([row["epoch"] for row in rows], values, dash, color=colour, marker=".", label=name)
    axes.set_yscale("log")
    if len(rows) == 1:
        axes.set_xticks(range(len(names)), names, rotation=45 if len(names) > 8 else 0)
    label = "parameter: layer and name" if len(rows) == 1 else "epoch (0: before training)"
    finish_axes(axes, label, "‖∂L/∂parameter‖", title, legend=False)
    if len(rows) > 1:
        name_lines(axes)
    return figure
