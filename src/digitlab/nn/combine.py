"""The outputs of several networks made into one answer; with `Branches` and `Subnetwork` before it, an ensemble."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from digitlab.arrays import Array, array_namespace, like
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.formulas import Formulas
from digitlab.nn.io.stored import charge
from digitlab.nn.network import Cache, Layer, Shape

__all__ = ["Combine", "Rescale"]


@dataclass(eq=False, repr=False)
class Combine(Layer):
    """The outputs of K networks, side by side, as logits of what they say together: `Combine([10, 10, 10], 10)`.

    Shapes     x (N, Σ sizes)   y (N, classes)
    Cache      each network's p, Σ xₖ and which x were above the least; s, Σ s
    By hand    two networks that say [.8 .2] and [.4 .6]: the mean is [.6 .4]; the votes are equal, and so the mean
               decides for the first class.

    sizes     how many outputs each network has
    weights   one for each network; None: all 1
    covers    for specialists: the classes that each network's first outputs stand for ([] for all, in order). What it
              has beyond them says "none of these" and counts for no class. Each class's sum is then divided by the
              weights of the networks that know it, and the result brought to the sum 1.
    Raises ConfigError for weights or covers that do not fit, ShapeError if the input is not Σ sizes long.
    """

    formulas = Formulas(
        "pₖ = xₖ / Σ xₖ, each network's outputs as probabilities;\n"
        '"mean"  s = Σₖ wₖ pₖ / Σ wₖ;   "vote"  s = Σₖ wₖ [argmax pₖ] / Σ wₖ, ties decided by the mean\n'
        "y = ln s: a softmax after it gives s back",
        "mean: with u = (g/s − Σ g) / Σ s, ∂L/∂pₖ = wₖ u / Σ w, ∂L/∂xₖ = (h − Σ h pₖ) / Σ xₖ for h = ∂L/∂pₖ\n"
        "vote: the votes are constants, since a small change of x changes none; what decides ties has a gradient",
    )
    least: ClassVar[float] = 1e-6  # what an output of 0 counts as, so that no logarithm is infinite
    tie: ClassVar[float] = 1e-3  # weight of the mean of probabilities against votes: it breaks ties

    sizes: list[int]
    classes: int
    rule: str = "mean"
    weights: Any = None
    covers: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.classes, int) or self.classes < 1:
            raise ConfigError(f"Combine: got {self.classes!r} classes, expected at least 1")
        self.sizes, k = [int(n) for n in _numbers("sizes", self.sizes)], len(self.sizes)
        if self.rule not in ("mean", "vote"):
            raise ConfigError(f"Combine: got rule {self.rule!r}, expected 'mean' or 'vote'")
        if self.weights is not None:
            self.weights = [float(w) for w in _numbers("weights", self.weights)]
            if len(self.weights) != k or min(self.weights) < 0 or not 0 < sum(self.weights) < math.inf:
                raise ConfigError(f"Combine: got weights {self.weights}, expected {k} that are not negative, not all 0")
        if self.covers is not None:
            if not isinstance(self.covers, list | tuple):
                raise ConfigError(f"Combine: got covers {self.covers!r}, expected a list for each network")
            self.covers = [[int(c) for c in _numbers("covers", cover)] for cover in self.covers]
            if len(self.covers) != k:
                raise ConfigError(f"Combine: got covers of {len(self.covers)} networks, expected {k}")
        charge(self.classes * len(self.sizes))
        known = set()
        for size, cover in zip(self.sizes, self.known()):
            known |= set(cover)
            if len(cover) > size or len(set(cover)) != len(cover) or not all(0 <= c < self.classes for c in cover):
                raise ConfigError(f"Combine: a network with {size} outputs cannot stand for the classes {cover}")
        if missing := set(range(self.classes)) - known:
            raise ConfigError(f"Combine: no network knows class {min(missing)}; give a member that does")

    def known(self) -> list[list[int]]:
        """The classes that each network's first outputs stand for."""
        covers = self.covers or [[]] * len(self.sizes)
        return [cover or list(range(self.classes)) for cover in covers]

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape != (sum(self.sizes),):
            raise ShapeError(f"{self!r}: got input of shape {input_shape}, expected ({sum(self.sizes)},)")
        return (self.classes,)

    def matrices(self, x: Array) -> list[Array]:
        """For each network (size, classes): what an output of it adds to each class."""
        weights, totals = self.weights or [1.0] * len(self.sizes), np.zeros(self.classes)
        for w, cover in zip(weights, self.known()):
            totals[cover] += w
        matrices = []
        for w, cover, size in zip(weights, self.known(), self.sizes):
            matrix = np.zeros((size, self.classes))
            matrix[np.arange(len(cover)), cover] = w / np.where(totals[cover] > 0, totals[cover], 1.0)
            matrices.append(like(matrix, x))
        return matrices

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        xp, ends = array_namespace(x), np.cumsum(self.sizes).tolist()
        parts, mean, votes = [], xp.zeros_like(x[:, : self.classes]), 0.0
        for matrix, size, end in zip(self.matrices(x), self.sizes, ends):
            part = x[:, end - size : end]  # (N, size)
            above = part > self.least
            part = xp.where(above, part, self.least)
            total = xp.sum(part, axis=1, keepdims=True)  # (N, 1)
            p = part / total
            mean = mean + p @ matrix  # (N, classes)
            if self.rule == "vote":
                most = xp.astype(xp.argmax(p, axis=1)[:, None] == xp.arange(size, device=x.device), x.dtype)
                votes = votes + most @ matrix
            parts.append((p, total, above, matrix))
        whole = xp.sum(mean, axis=1, keepdims=True) + self.least  # (N, 1); the least keeps a mean of 0 from dividing
        s = (mean + self.least / self.classes) / whole
        said = s if self.rule == "mean" else votes + self.tie * s
        return xp.log(said), (parts, s, whole, said)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        parts, s, whole, said = cache
        xp = array_namespace(grad_y)
        grad_s = grad_y / said * (1.0 if self.rule == "mean" else self.tie)  # (N, classes)
        grad_mean = (grad_s - xp.sum(grad_s * s, axis=1, keepdims=True)) / whole
        grads = []
        for p, total, above, matrix in parts:
            grad_p = grad_mean @ matrix.T  # (N, size)
            grad_part = (grad_p - xp.sum(grad_p * p, axis=1, keepdims=True)) / total
            grads.append(xp.where(above, grad_part, xp.zeros_like(grad_part)))
        return xp.concat(grads, axis=1)  # (N, Σ sizes)


@dataclass(eq=False, repr=False)
class Rescale(Layer):
    """The same straight line for every number: `Rescale(0.99, 0.01)`. Nothing is learned.

    By hand    Rescale(2, 1) of 3 is 7; g = 1 gives 2.
    It brings inputs scaled in one way to another, for a `Subnetwork` that was trained with that.
    """

    formulas = Formulas("y = factor · x + offset", "∂L/∂x = factor · g")
    factor: float
    offset: float = 0.0

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        return x * self.factor + self.offset, None

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        return grad_y * self.factor


def _numbers(name: str, given: Any) -> Sequence[float]:
    if not isinstance(given, list | tuple) or not all(isinstance(n, int | float) for n in given):
        raise ConfigError(f"Combine: got {name} {given!r}, expected a list of numbers")
    return given
