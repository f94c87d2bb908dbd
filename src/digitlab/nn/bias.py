"""A learned number added to each channel, for where it does not belong to a weighted sum."""

from dataclasses import dataclass, field

import numpy as np

from digitlab.arrays import Array, array_namespace
from digitlab.nn.formulas import Formulas
from digitlab.nn.initializers import Initializer, Zeros
from digitlab.nn.network import Cache, Layer, Parameter, Shape

__all__ = ["Bias"]


@dataclass(eq=False, repr=False)
class Bias(Layer):
    """Adds one learned number to each channel, the last axis; `Bias()`.

    Shapes     x, y (N, ..., C)   b (C,)
    Cache      nothing
    By hand    x=[1 2], b=[10 20] gives y=[11 22]; with g=[3 4]: ∂L/∂b=[3 4], ∂L/∂x=[3 4].

    Nielsen's network3 adds its biases after the pooling, not in the convolution (ch. 6, `ConvPoolLayer`):
    Conv2D(20, 5, biases=None, weights=FanOutNormal(pool=2)), MaxPool2D(2), Bias(Normal()), Sigmoid(). It computes the
    same either way, for max(u + b, v + b) = max(u, v) + b, but in this order there is less to add.
    """

    formulas = Formulas("y = x + b", "∂L/∂b = Σ g over all axes but the last    ∂L/∂x = g")
    biases: Initializer = field(default=Zeros(), metadata={"family": Initializer})

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        channels = input_shape[-1]
        self.params["b"] = Parameter(self.biases((channels,), 1, 1, rng, dtype), regularized=False)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        return x + self.params["b"].value, None

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        rows = array_namespace(grad_y).reshape(grad_y, (-1, grad_y.shape[-1]))  # (N·..., C)
        self.params["b"].grad = array_namespace(grad_y).sum(rows, axis=0)  # (C,)
        return grad_y
