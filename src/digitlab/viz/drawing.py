"""A drawing of the network itself: neurons and the weights between them, maps as stacks of sheets."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.nn.io.summary import count, shape_text
from digitlab.nn.network import Dense, Layer, Network, Shape
from digitlab.viz.figures import COLOURS, Figure, new_figure

Array = np.ndarray[Any, Any]
SHEETS = 5  # maps of a stack, at most


@dataclass
class Stage:
    """What stands in one column: numbers of some shape, what made them, and what acts on each of them by itself."""

    shape: Shape
    maker: Layer | None
    after: list[str] = field(default_factory=list)
    neurons: list[int] = field(default_factory=list)  # which of them are drawn; [] for maps


def stages(network: Network, *, most: int = 16) -> list[Stage]:
    """The columns of the drawing: the input and every layer that changes the shape or learns.

    Other layers (activations, dropout) are written under the column that they act on. Of more than `most` neurons so
    many are drawn, evenly spread from the first to the last.
    """
    found = [Stage(network.input_shape, None)]
    for layer, before, after in zip(network.layers, network.shapes, network.shapes[1:]):
        if before == after and not count(layer):
            found[-1].after.append(repr(layer))
        else:
            found.append(Stage(after, layer))
    found[-1].after.append(f"loss: {type(network.loss).__name__}")
    for stage in found:
        if len(stage.shape) == 1:
            n = stage.shape[0]
            stage.neurons = list(range(n)) if n <= most else np.linspace(0, n - 1, most).round().astype(int).tolist()
    return found


def network_figure(network: Network, *, most: int = 16, title: str = "") -> Figure:
    """Columns of neurons with their weights between them: orange if positive, blue if negative, thick if large.

    A layer of more than `most` neurons shows so many of them, evenly spread; maps (H, W, C) are a stack of sheets.
    Widths and shades are by layer: its largest weight is the thickest line.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Rectangle

    columns = stages(network, most=most)
    figure = new_figure(2.3 * len(columns) + 0.6, 6.2)
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_title(title or f"{sum(count(layer) for layer in network.layers):,} parameters", fontsize=11)
    heights: list[Array] = []
    for place, stage in enumerate(columns):
        ys = neuron_heights(len(stage.neurons))
        heights.append(ys)
        if stage.neurons:
            axes.plot(
                np.full(len(ys), float(place)), ys, "o", color="white", markeredgecolor="black", markersize=9, zorder=3
            )
        else:
            sheets = min(stage.shape[2] if len(stage.shape) == 3 else 1, SHEETS)
            size = 0.16 + 0.3 * stage.shape[0] / max(s.shape[0] for s in columns if not s.neurons)
            for k in range(sheets):
                shift = 0.05 * (k - (sheets - 1) / 2)
                height = size / 2  # one column is about twice as wide on paper as half the height of the drawing
                corner = place - size / 2 + shift, 0.5 - height / 2 - shift / 2
                axes.add_patch(Rectangle(corner, size, height, facecolor="white", edgecolor="black", zorder=3))
        before = columns[place - 1]
        if place and isinstance(stage.maker, Dense) and before.neurons:
            W = to_numpy(stage.maker.connected(stage.maker.params["W"].value))[np.ix_(before.neurons, stage.neurons)]
            lines = [((place - 1, a), (place, b)) for a in heights[-2] for b in ys]
            strength = np.abs(W).ravel() / (float(np.abs(W).max()) or 1.0)
            colours = [COLOURS[1] if w > 0 else COLOURS[0] for w in W.ravel()]
            axes.add_collection(
                LineCollection(
                    lines, colors=colours, linewidths=0.1 + 1.9 * strength, alpha=0.1 + 0.8 * strength, zorder=1
                )
            )
        elif place:
            axes.annotate("", (place - 0.34, 0.5), (place - 0.66, 0.5), arrowprops={"arrowstyle": "->"})
        axes.text(place, -0.06, label(stage), ha="center", va="top", fontsize=8)
    axes.set_xlim(-0.6, len(columns) - 0.4)
    axes.set_ylim(-0.32, 1.05)
    return figure


def neuron_heights(n: int) -> Array:
    """Where n neurons stand from 1 down to 0."""
    return np.full(n, 0.5) if n < 2 else np.linspace(1, 0, n)


def label(stage: Stage) -> str:
    """What is written under a column."""
    name = "input" if stage.maker is None else type(stage.maker).__name__
    learned = f"{count(stage.maker):,} parameters" if stage.maker is not None and count(stage.maker) else ""
    some = 0 < len(stage.neurons) < stage.shape[0]
    drawn = f"{len(stage.neurons)} of them drawn" if some else ""
    return "\n".join(filter(None, [name, shape_text(stage.shape), drawn, learned, *stage.after]))
