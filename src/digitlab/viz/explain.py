"""One example, forward and backward through a network, with every array on the way.

The formulas are the attribute `formulas` of each layer's class, so a new layer explains itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import to_numpy
from digitlab.errors import ShapeError
from digitlab.nn.describe import Described
from digitlab.nn.examples import inputs
from digitlab.nn.network import Layer, Network
from digitlab.notebook_html import notebook_html
from digitlab.viz.figures import Array


@dataclass
class LayerStep:
    """One layer, or the loss: what it is, its formulas, and its arrays by name, forward and then backward.

    Arrays keep their batch axis of 1, as the formulas have it.
    """

    name: str
    about: str  # first line of the docstring
    forward_formula: str
    backward_formula: str
    forward: dict[str, Array] = field(default_factory=dict)
    backward: dict[str, Array] = field(default_factory=dict)


@dataclass
class Walk:
    """The steps in order, the loss last, and the network's outputs."""

    steps: list[LayerStep]
    outputs: Array  # (out,)
    loss: float

    _repr_html_ = notebook_html

    def __repr__(self) -> str:
        largest = int(self.outputs.argmax())
        return f"Walk: {len(self.steps)} steps, loss {number_text(self.loss)}, largest output no. {largest}"


@checked
def walk(network: Network, image: Array, target: Any) -> Walk:
    """Forward and backward through one example: image in the network's shape (or bytes (H, W)), target a label.

    The gradients are those that `network.gradient` assigns for this one example; the network's parameters stay as they
    are. Raises ShapeError if the image does not fit.
    """
    twin = network.copy().to("numpy")
    x = twin.prepare(inputs(image, twin, "image"))  # (1, ...)
    targets = np.asarray([target])
    steps, caches = [], []
    for i, layer in enumerate(twin.layers):
        y, cache = layer.forward(x)
        step = LayerStep(f"layer {i}: {layer!r}", about(layer), *layer.formulas, forward={"x": x})
        step.forward |= {f"{key}": to_numpy(p.value) for key, p in _parameters(layer).items()}
        step.forward["y"] = y
        steps.append(step)
        caches.append(cache)
        x = y
    loss, cache = twin.loss.forward(x, targets)
    last = LayerStep(f"loss: {twin.loss!r}", about(twin.loss), *twin.loss.formulas, forward={"z": x})
    outputs = to_numpy(twin.loss.activation(x))
    last.forward |= {"a": outputs, "t": to_numpy(twin.loss.targets(targets, x)), "L": np.asarray(loss)}
    gradient = twin.loss.backward(cache)
    last.backward = {"δ = ∂L/∂z": gradient}
    for step, layer, cache in zip(reversed(steps), reversed(twin.layers), reversed(caches)):
        step.backward = {"g = ∂L/∂y": gradient}
        gradient = layer.backward(gradient, cache)
        step.backward |= {f"∂L/∂{key}": to_numpy(p.grad) for key, p in _parameters(layer).items()}
        step.backward["∂L/∂x"] = gradient
    return Walk([*steps, last], outputs[0], float(loss))


def about(thing: Described) -> str:
    """What a layer or loss is: the first line of its class's docstring, without the example of a call."""
    line = (type(thing).__doc__ or type(thing).__name__).strip().partition("\n")[0]
    return re.sub(r"[;:]? `[^`]*`\.?$", "", line).rstrip(".")


def shorten(array: Array, *, most: int = 8) -> str:
    """An array's numbers in few words: all of few, else the first ones that are not 0, and how they spread."""
    flat = np.asarray(array, np.float64).ravel()
    if flat.size == 1:
        return number_text(flat[0])
    if flat.size <= most + 4:
        return "[" + " ".join(map(number_text, flat)) + "]"
    places = np.flatnonzero(flat)
    if not places.size:
        return f"all {flat.size:,} are 0"
    first = int(places[0])
    some = flat[first : first + most]
    where = "…, " if first else ""
    zeros = 1 - places.size / flat.size
    parts = [f"[{where}{' '.join(map(number_text, some))}{', …' if first + most < flat.size else ''}]"]
    parts.append(f"min {number_text(flat.min())}, mean {number_text(flat.mean())}, max {number_text(flat.max())}")
    if zeros > 0.005:
        parts.append(f"{100 * zeros:.0f} % are 0")
    return "; ".join(parts)


def shape_text(array: Array) -> str:
    """(1, 28, 28, 1) as "1×28×28×1"; a number has none."""
    return "×".join(map(str, np.shape(array))) or "number"


@checked
def walk_text(found: Walk, class_names: Sequence[str], *, label: int) -> str:
    """The walk as lines for a terminal: all forward steps, then all backward ones in their order."""
    lines = ["FORWARD"]
    for step in found.steps:
        lines += ["", step.name, f"  {step.about}"]
        lines += _indented("formula", step.forward_formula) + _rows(step.forward)
    guess = int(found.outputs.argmax())
    verdict = "correct" if guess == label else f"but the label is {class_names[label]}"
    lines += [
        "",
        f"The largest output is that of {class_names[guess]}, {number_text(found.outputs[guess])}: {verdict}.",
    ]
    lines += ["", "BACKWARD"]
    for step in reversed(found.steps):
        lines += ["", step.name, *_indented("formula", step.backward_formula), *_rows(step.backward)]
    return "\n".join(lines)


def _rows(arrays: dict[str, Array]) -> list[str]:
    wide = max(map(len, arrays))
    shapes = max(len(shape_text(array)) for array in arrays.values())
    return [f"  {name:<{wide}}  {shape_text(array):<{shapes}}  {shorten(array)}" for name, array in arrays.items()]


def _indented(word: str, text: str) -> list[str]:
    if not text:
        return []
    first, *more = text.split("\n")
    return [f"  {word}  {first}", *(f"  {'':{len(word)}}  {line}" for line in more)]


def _parameters(layer: Layer, prefix: str = "") -> dict[str, Any]:
    """A layer's parameters, those of the layers inside it too: "W", "left.0.W"."""
    found = {f"{prefix}{key}": p for key, p in layer.params.items()}
    for name, child in layer.children().items():
        found |= _parameters(child, f"{prefix}{name}.")
    return found


def number_text(value: float) -> str:
    """A number with three digits: "0.0123", "1.2e−5"."""
    text = f"{value + 0.0:.3g}"  # + 0.0: no "−0"
    return text.replace("-", "−").replace("e−0", "e−").replace("e+0", "e")


def check_label(network: Network, label: int) -> None:
    """Raises ShapeError unless the network has an output for this label."""
    outputs = network.shapes[-1]
    if len(outputs) != 1 or not 0 <= label < outputs[0]:
        raise ShapeError(f"got label {label} for a network with outputs {outputs}; expected one output per class")
