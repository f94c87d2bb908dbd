"""An ONNX graph under construction, and the table of functions that write layers into it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from digitlab.errors import ConfigError
from digitlab.nn import Layer
from digitlab.nn.shapes import Shape

Writer = Callable[[Any, "Graph", str, Shape], str]
WRITERS: dict[type, Writer] = {}  # the function that writes a layer of each class


class Graph:
    """Nodes and constants so far. A value is known by its name; examples are laid out as in digitlab, channels last."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Add a node and return the name of its first output; of several, the last is `name` + "_1" ..."""
        name = f"{operator}_{len(self.nodes)}"
        names = [name, *(f"{name}_{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name, **attributes))
        return name

    def constant(self, values: Any) -> str:
        """Add an array, floating-point numbers as float32, and return its name."""
        array = np.asarray(values)
        array = np.ascontiguousarray(array, np.float32 if array.dtype.kind == "f" else np.int64)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def reshape(self, x: str, shape: Shape) -> str:
        """x with another shape per example; the batch axis stays open."""
        return self.add("Reshape", x, self.constant(np.array([-1, *shape])))


def writes(*layers: type) -> Callable[[Writer], Writer]:
    """Decorate the function that writes layers of these classes: (layer, graph, input, shape) -> output."""

    def register(writer: Writer) -> Writer:
        WRITERS.update(dict.fromkeys(layers, writer))
        return writer

    return register


def write_layer(layer: Layer, graph: Graph, x: str, shape: Shape) -> str:
    """Write a layer whose input `x` has this shape per example, and return its output's name. Raises ConfigError."""
    writer = WRITERS.get(type(layer))  # not a subclass, which may compute something else
    if writer is None:
        raise ConfigError(f"onnx: cannot export the layer {layer!r}; it has no ONNX operators here")
    return writer(layer, graph, x, shape)


def write_chain(layers: list[Layer], graph: Graph, x: str, shape: Shape) -> tuple[str, Shape]:
    """Write layers one after another; the last output's name and shape."""
    for layer in layers:
        x, shape = write_layer(layer, graph, x, shape), layer.output_shape(shape)
    return x, shape
