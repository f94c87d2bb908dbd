"""A network as a table of text."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.nn.shapes import Shape

if TYPE_CHECKING:
    from digitlab.nn.network import Layer, Network, Parameter

WIDEST = 60  # a layer of layers that takes more characters gets a row for each layer inside


def summary(network: "Network") -> str:
    """One line a layer: what it is, the shape that comes out of it, and how many numbers it has to learn."""
    rows = [("", "layer", "output", "parameters"), ("", "input", shape_text(network.input_shape), "")]
    for i, layer in enumerate(network.layers):
        first, *inner = described_rows(str(i), layer)
        rows += [(str(i), first[1], shape_text(network.shapes[i + 1]), count_text(layer))]
        rows += [(name, "  " * name.count(".") + text, "", count_text(child)) for name, text, child in inner]
    rows.append(("", f"loss: {network.loss!r}", "", ""))
    total = sum(count(layer) for layer in network.layers)
    rows.append(("", "total", "", f"{total:,}"))
    if still := sum(map(frozen, network.layers)):
        rows.append(("", "of which frozen", "", f"{still:,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows]
    rule = "─" * (sum(widths) + 6)
    sums = 2 if still else 1
    return "\n".join([lines[0], rule, *lines[1:-sums], rule, *lines[-sums:]])


def described_rows(name: str, layer: "Layer") -> "Iterator[tuple[str, str, Layer]]":
    """A layer's name and text; if it is of many layers, its type alone, and then theirs."""
    text, children = repr(layer), layer.children()
    if not children or len(text) <= WIDEST:
        yield name, text, layer
        return
    yield name, type(layer).__name__, layer
    for key, child in children.items():
        yield from described_rows(f"{name}.{key}", child)


def shape_text(shape: Shape) -> str:
    """(28, 28, 1) as "28×28×1"."""
    return "×".join(map(str, shape))


def parameter_text(parameter: "Parameter") -> str:
    """A parameter in one line: "Parameter: 784×30 float32, mean 0.0002, sd 0.036, −0.15 to 0.16"."""
    value = to_numpy(parameter.value)
    numbers = np.asarray(value, np.float64)
    spread = f"mean {numbers.mean():.3g}, sd {numbers.std():.3g}, {numbers.min():.3g} to {numbers.max():.3g}"
    return f"Parameter: {shape_text(value.shape) or 'number'} {value.dtype}, {spread.replace('-', '−')}"


def count_text(layer: "Layer") -> str:
    """How many numbers a layer learns, inner layers included; "" for none."""
    return f"{count(layer):,}" if count(layer) else ""


def count(layer: "Layer") -> int:
    """How many numbers a layer has to learn, inner layers included; weights without a connection are none."""
    total: int = sum(math.prod(p.value.shape) for p in layer.params.values())
    if "connections" in layer.buffers:
        mask = to_numpy(layer.buffers["connections"])
        total -= int((mask == 0).sum()) * (math.prod(layer.params["W"].value.shape) // mask.size)
    return total + sum(map(count, layer.children().values()))


def frozen(layer: "Layer") -> int:
    """How many of those stay as they are."""
    total = 0
    for key, p in layer.params.items():
        stay = np.broadcast_to(to_numpy(p.trainable) == 0, p.value.shape)
        if key == "W" and "connections" in layer.buffers:
            stay = stay & (to_numpy(layer.buffers["connections"]) != 0)
        total += int(stay.sum())
    return total + sum(map(frozen, layer.children().values()))
