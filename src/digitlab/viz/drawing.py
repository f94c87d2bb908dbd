"""A drawing of the network: neurons and the weights between them, feature maps as stacks."""

from dataclasses import dataclass, field

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.nn.io.summary import count, shape_text
from digitlab.nn.network import Dense, Layer, Network, Shape
from digitlab.viz.figures import COLOURS, Array, Figure, axes_figure

SHEETS = 5  # maps of a stack, at most
COLUMN = 1.9  # inches


@dataclass
class Stage:
    """A column of the drawing: the shape of a layer's output, the layer, and the layers that act elementwise on it."""

    shape: Shape
    maker: Layer | None
    after: list[str] = field(default_factory=list)
    neurons: list[int] = field(default_factory=list)  # which of them are drawn; [] for maps


def stages(network: Network, *, most: int = 16) -> list[Stage]:
    """The columns of the drawing: the input and every layer that changes the shape or has parameters.

    Other layers (activations, dropout) are named below the column that they act on. At most `most` neurons are drawn,
    evenly spread from the first to the last.
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
    """Columns of neurons and the weights between them: positive ones orange, negative ones blue, large ones thick.

    At most `most` neurons of a layer are drawn, evenly spread; maps (H, W, C) are a stack. In each layer the largest
    weight is the thickest line.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Rectangle

    columns = stages(network, most=most)
    labels = [label(stage) for stage in columns]
    longest = max(len(line) for text in labels for line in text.splitlines())
    size = min(12.0, 120 * COLUMN / longest)  # points; a letter is about 0.6 of that wide
    figure, axes = axes_figure(COLUMN * len(columns) + 0.6, 6.2)
    axes.set_axis_off()
    axes.set_title(title or f"{sum(count(layer) for layer in network.layers):,} parameters", fontsize=13)
    heights: list[Array] = []
    for place, stage in enumerate(columns):
        ys = neuron_heights(len(stage.neurons))
        heights.append(ys)
        if stage.neurons:
            axes.plot([place] * len(ys), ys, "o", color="white", markeredgecolor="black", markersize=9, zorder=3)
        else:
            sheets = min(stage.shape[2] if len(stage.shape) == 3 else 1, SHEETS)
            side = 0.16 + 0.3 * stage.shape[0] / max(s.shape[0] for s in columns if not s.neurons)
            for k in range(sheets):
                shift = 0.05 * (k - (sheets - 1) / 2)
                height = side / 2  # an inch has about half as many units upwards as sideways
                corner = place - side / 2 + shift, 0.5 - height / 2 - shift / 2
                axes.add_patch(Rectangle(corner, side, height, facecolor="white", edgecolor="black", zorder=3))
        before = columns[place - 1]
        if place and isinstance(stage.maker, Dense) and before.neurons:
            W = to_numpy(stage.maker.connected(stage.maker.params["W"].value))[np.ix_(before.neurons, stage.neurons)]
            lines = [((place - 1, a), (place, b)) for a in heights[-2] for b in ys]
            strength = np.abs(W).ravel() / (float(np.abs(W).max()) or 1.0)
            colours = [COLOURS[1] if w > 0 else COLOURS[0] for w in W.ravel()]
            widths, alpha = 0.1 + 1.9 * strength, 0.1 + 0.8 * strength
            axes.add_collection(LineCollection(lines, colors=colours, linewidths=widths, alpha=alpha, zorder=1))
        elif place:
            axes.annotate("", (place - 0.34, 0.5), (place - 0.66, 0.5), arrowprops={"arrowstyle": "->"})
        axes.text(place, -0.06, labels[place], ha="center", va="top", fontsize=size)
    axes.set(xlim=(-0.6, len(columns) - 0.4), ylim=(-0.38, 1.05))
    return figure


def neuron_heights(n: int) -> Array:
    """The heights of n neurons, from 1 down to 0."""
    return np.full(n, 0.5) if n < 2 else np.linspace(1, 0, n)


def label(stage: Stage) -> str:
    """The text below a column."""
    name = "input" if stage.maker is None else type(stage.maker).__name__
    learned = f"{count(stage.maker):,} parameters" if stage.maker is not None and count(stage.maker) else ""
    some = 0 < len(stage.neurons) < stage.shape[0]
    drawn = f"{len(stage.neurons)} of them drawn" if some else ""
    return "\n".join(filter(None, [name, shape_text(stage.shape), drawn, learned, *stage.after]))
