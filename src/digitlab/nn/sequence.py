"""A network as the sequence of its layers: grown layer by layer, indexed, sliced and counted."""

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Self, overload

import numpy as np

from digitlab.errors import ConfigError
from digitlab.nn.describe import FAMILIES, build
from digitlab.nn.initializers import streams
from digitlab.nn.outputs import refuse_output_activation
from digitlab.nn.shapes import Shape, inner_shape

if TYPE_CHECKING:
    from digitlab.nn.network import Layer


class Added(NamedTuple):
    """A layer that was added, with the shapes of its input and output."""

    layer: "Layer"
    input_shape: Shape
    output_shape: Shape

    def __repr__(self) -> str:
        before, after = ("×".join(map(str, shape)) for shape in (self.input_shape, self.output_shape))
        return f"{self.layer!r}: {before} → {after}"


class LayerSequence:
    """What a Network is besides its mathematics: a list of layers that fit together."""

    layers: "list[Layer]"
    shapes: list[Shape]  # shapes[i] goes into layer i, shapes[i + 1] comes out
    input_shape: Shape
    dtype: str
    allow_output_activation: bool
    open_set: bool
    weights_rng: np.random.Generator | None  # draws the initial weights, layer by layer

    def add(self, layer: Any) -> Added:
        """Append a layer, an object, name or table, with initial weights; the prompt shows the shape it leads to.

        `network = Network(input_shape=784); network.add(Dense(30)); network.add(Sigmoid()); network.add(Dense(10))`
        makes the network of `Network([Dense(30), Sigmoid(), Dense(10)], 784)`.
        Raises ShapeError if it does not fit, ConfigError if the network has it already; nothing changes then.
        """
        layer = build(FAMILIES["layer"], layer)
        place, shape = len(self.layers), self.shapes[-1]
        output_shape = inner_shape(layer, shape, f"layer {place},")
        self.layers.append(layer)
        try:
            self.check_each_layer_once()
            layer.init(shape, streams(self.weights_rng, 1)[0], dtype=self.dtype)
        except Exception:
            self.layers.pop()
            raise
        self.shapes.append(output_shape)
        return Added(layer, shape, output_shape)

    def check_complete(self: Any) -> None:
        """ConfigError if there is no layer, or if an activation comes last and the loss has its own (outputs.py)."""
        if not self.layers:
            raise ConfigError("the network has no layer yet; add one, as in network.add(Dense(10))")
        if not self.allow_output_activation:
            refuse_output_activation(self)

    def __len__(self) -> int:
        """The number of layers."""
        return len(self.layers)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> "Iterator[Layer]":
        return iter(self.layers)

    @overload
    def __getitem__(self, key: int) -> "Layer": ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: int | slice) -> "Layer | Self":
        """A layer by position, or consecutive layers as a network that shares their weights.

        `network[:2].forward(x)[0]` is what the first two layers give. Raises ConfigError for no layers or a step.
        """
        if not isinstance(key, slice):
            return self.layers[key]
        start, stop, step = key.indices(len(self.layers))
        if step != 1 or start >= stop:
            raise ConfigError(f"network[{key.start}:{key.stop}:{key.step}]: expected one or more consecutive layers")
        part: Any = copy.copy(self)
        part.layers, part.shapes = self.layers[start:stop], self.shapes[start : stop + 1]
        part.input_shape, part.allow_output_activation = part.shapes[0], True
        part.open_set = self.open_set and stop == len(self.layers)
        if start:
            part.input_range = None
        return part  # type: ignore[no-any-return]

    def check_each_layer_once(self) -> None:
        """A layer holds one set of weights, so it has one place: ConfigError names one that is met again."""
        places: dict[int, str] = {}

        def visit(name: str, layer: "Layer") -> None:
            first, kind = places.setdefault(id(layer), name), type(layer).__name__
            if first != name:
                inside = name.startswith(f"{first}.")
                fault = "contains itself" if inside else f"is the same object as layer {first}"
                raise ConfigError(f"layer {name}, {kind}: {fault}; make a new {kind}(...) for this place")
            for key, child in layer.children().items():
                visit(f"{name}.{key}", child)

        for i, layer in enumerate(self.layers):
            visit(str(i), layer)
