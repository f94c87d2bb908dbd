"""A still input as a sequence: what a recurrent layer after it sees again at every step."""

from dataclasses import dataclass

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError
from digitlab.nn.formulas import Formulas
from digitlab.nn.network import Cache, Layer, Shape
from digitlab.nn.shapes import require_flat

__all__ = ["Repeat"]


@dataclass(eq=False, repr=False)
class Repeat(Layer):
    """The same input at each of several steps; `Repeat(5)` before SimpleRNN makes a hidden layer with feedback.

    Such a layer sees a still image at every step, with its own last state: hₜ = tanh(x W + hₜ₋₁ U + b).

    Shapes     x (N, F)   y (N, steps, F)
    Cache      nothing
    By hand    Repeat(2) makes [1 2; 1 2] of [1 2]; with g = [1 2; 3 4]: ∂L/∂x = [4 6].

    Raises ShapeError unless the input is flat, ConfigError unless there is at least one step.
    """

    formulas = Formulas("yₜ = x for every step t", "∂L/∂x = Σₜ gₜ")
    steps: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.steps, int) or self.steps < 1:
            raise ConfigError(f"Repeat: got {self.steps!r} steps, expected a whole number of at least 1")

    def output_shape(self, input_shape: Shape) -> Shape:
        require_flat(input_shape, f"Repeat({self.steps})")
        return (self.steps, *input_shape)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        return array_namespace(x).stack([x] * self.steps, axis=1), None  # (N, steps, F)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        return array_namespace(grad_y).sum(grad_y, axis=1)  # (N, F)
