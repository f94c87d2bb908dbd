"""A recurrent layer that reads its sequence from both ends."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError
from digitlab.nn.formulas import Formulas
from digitlab.nn.initializers import streams
from digitlab.nn.network import Cache, Layer, Shape
from digitlab.nn.recurrent import Recurrent

__all__ = ["Bidirectional"]


@dataclass(eq=False, repr=False)
class Bidirectional(Layer):
    """A recurrent layer twice, once from each end, the two states side by side: `Bidirectional(LSTM(64))`.

    Shapes     x (N, T, F)   y (N, 2H), or (N, T, 2H) if the layer returns "all"
    Cache      both layers' caches
    By hand    the reader from the right is the same layer with reverse=True: with equal weights, and x the same
               from both ends, both halves of the last state are equal.

    Schuster & Paliwal 1997, "Bidirectional recurrent neural networks".
    """

    formulas = Formulas(
        "y = [forward(x), backward(x)], joined along the last axis; each has its own weights",
        "each takes its half of g; ∂L/∂x is the sum of what they return",
    )
    bounds = Recurrent.bounds

    layer: Layer = field(metadata={"family": Layer})
    backward_layer: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.layer, Recurrent):
            raise ConfigError(f"Bidirectional: got {self.layer!r}, expected a recurrent layer such as LSTM(64)")
        self.backward_layer = replace(self.layer, reverse=not self.layer.reverse)

    def children(self) -> dict[str, Layer]:
        return {"forward": self.layer, "backward": self.backward_layer}

    def output_shape(self, input_shape: Shape) -> Shape:
        *steps, units = self.layer.output_shape(input_shape)
        return (*steps, 2 * units)

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        for child, stream in zip(self.children().values(), streams(rng, 2)):
            child.init(input_shape, stream, dtype=dtype)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        parts, caches = zip(*(child.forward(x, training=training) for child in self.children().values()))
        return array_namespace(x).concat(parts, axis=-1), caches

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        units = self.layer.units  # type: ignore[attr-defined]
        on_the_way, back = cache
        grad_x = self.layer.backward(grad_y[..., :units], on_the_way)
        return grad_x + self.backward_layer.backward(grad_y[..., units:], back)
