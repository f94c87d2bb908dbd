"""Dropout: in training every number is left out with some probability, so that no neuron can lean on another."""

from dataclasses import dataclass

import numpy as np

from digitlab.arrays import Array, like
from digitlab.errors import ConfigError
from digitlab.nn.formulas import Formulas
from digitlab.nn.network import Cache, Layer, Shape

__all__ = ["Dropout"]


@dataclass(eq=False, repr=False)
class Dropout(Layer):
    """Sets each element of its input to 0 with probability `rate` in training; passes all on otherwise.

    Shapes     x, m and y (N, ...), alike
    Cache      m / (1 − rate), or None outside of training
    By hand    rate ½, x = [3 4], m = [1 0], g = [1 1]: y = [6 0] and ∂L/∂x = [2 0] in training, y = [3 4] outside.

    Dividing by 1 − rate in training keeps every sum's expected size, so nothing need be scaled afterwards: "inverted"
    dropout. Not `inverted`, as in Srivastava et al. 2014 and Nielsen ch. 6 (network3 shrinks the weights to 1 − p of
    themselves at test time): y = x m in training, y = x (1 − rate) outside. Both are one family of functions, with
    weights 1 / (1 − rate) times as large there; a step of gradient descent is then 1 / (1 − rate)² times shorter.
    The mask is drawn from the layer's own generator, which `init` receives.
    """

    formulas = Formulas(
        "y = x m / (1 − rate),  m = 1 with probability 1 − rate, else 0;  outside of training y = x", "g m / (1 − rate)"
    )
    passes_on = True
    rate: float = 0.5
    inverted: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ConfigError(f"Dropout: got rate {self.rate}, expected 0 ≤ rate < 1: the share of numbers left out")

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        self.rng = rng if rng is not None else np.random.default_rng(0)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        if not training or self.rate == 0:
            return (x if self.inverted else x * (1 - self.rate)), None
        if self.rng is None:
            raise ConfigError("Dropout has no random generator yet: use it inside a Network, which calls its init")
        kept = self.rng.random(tuple(x.shape), dtype=np.float32) >= self.rate
        mask = like(kept / (1 - self.rate) if self.inverted else kept, x)
        return x * mask, mask

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        if cache is None:
            return grad_y if self.inverted else grad_y * (1 - self.rate)
        return grad_y * cache
