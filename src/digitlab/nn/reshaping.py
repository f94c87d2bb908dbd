"""Layers that change an example's shape and leave its numbers alone."""

import math
from dataclasses import dataclass

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.formulas import Formulas
from digitlab.nn.network import Cache, Layer, Shape

__all__ = ["Flatten", "Reshape"]


class Flatten(Layer):
    """An example as one row: (N, H, W, C) → (N, H·W·C), row by row, channels last.

    Shapes     x (N, ...)   y (N, product of the axes)
    Cache      the input's shape
    By hand    [1 2; 3 4] becomes [1 2 3 4].
    """

    formulas = Formulas("y = x, its axes joined into one", "∂L/∂x = g in the input's shape")
    passes_on = True

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        return array_namespace(x).reshape(x, (x.shape[0], -1)), tuple(x.shape)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        return array_namespace(grad_y).reshape(grad_y, cache)


@dataclass(eq=False, repr=False)
class Reshape(Layer):
    """An example in another shape of as many numbers: `Reshape((28, 28))` reads 784 pixels as 28 rows.

    Shapes     x (N, ...)   y (N, *shape)
    Cache      the input's shape
    By hand    Reshape((2, 2)) makes [1 2; 3 4] of [1 2 3 4].

    Raises ShapeError if the counts differ, ConfigError unless the sizes are positive whole numbers.
    """

    formulas = Formulas("y = x, its numbers in the same order in another shape", "∂L/∂x = g in the input's shape")
    passes_on = True
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        shape = (self.shape,) if isinstance(self.shape, int) else self.shape
        if not isinstance(shape, list | tuple) or not all(isinstance(n, int) and n > 0 for n in shape):
            raise ConfigError(f"Reshape: got shape {self.shape!r}, expected positive whole numbers such as [28, 28]")
        self.shape = tuple(shape)  # a file gives a list

    def output_shape(self, input_shape: Shape) -> Shape:
        if math.prod(input_shape) != math.prod(self.shape):
            raise ShapeError(
                f"Reshape({tuple(self.shape)}): got input of shape {input_shape}, "
                f"which is {math.prod(input_shape)} numbers; expected {math.prod(self.shape)}"
            )
        return tuple(self.shape)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        return array_namespace(x).reshape(x, (x.shape[0], *self.shape)), tuple(x.shape)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        return array_namespace(grad_y).reshape(grad_y, cache)
