"""Normalization: numbers brought to mean 0 and variance 1, over the batch or within each example.

Both layers compute the same two functions, `standardize` and its gradient, over different axes:

    x̂ = (x − μ) / s,   s = √(σ² + ε),   μ and σ² the mean and the variance over the axes
    ∂L/∂x = (g − mean g − x̂ mean(g x̂)) / s,   g = ∂L/∂x̂: what is left of g when its parts along 1 and along x̂ are
    taken away, for adding a constant to x, or stretching it, does not change x̂
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from digitlab.arguments import checked_class
from digitlab.arrays import Array, array_namespace, real
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.formulas import Formulas
from digitlab.nn.initializers import Constant, Zeros
from digitlab.nn.network import Cache, Layer, Parameter, Shape

__all__ = ["BatchNorm", "LayerNorm"]

Axes = tuple[int, ...]


@dataclass(eq=False, repr=False)
class BatchNorm(Layer):
    """Each feature (the last axis) brought to mean 0 and variance 1 over the batch, then γ times it plus β.

    Shapes     x, y (N, F) or (N, H, W, F)   γ, β, running_mean, running_var (F,)
    Cache      x̂, 1/s, and whether it was training
    By hand    one feature, x = [1 1 3 3]ᵀ, ε = 0: μ = 2, σ² = 1, x̂ = [−1 −1 1 1]ᵀ; momentum .1 gives running_mean .2
               and running_var .9 · 1 + .1 · 4/3 = 1.0333; with g = [4 0 0 0]ᵀ: ∂L/∂γ = −4, ∂L/∂β = 4,
               ∂L/∂x = [2 −2 0 0]ᵀ.

    γ starts at 1 and β at 0, running_mean at 0 and running_var at 1. A layer before this one needs no biases.
    The running values are this layer's buffers: a training forward pass replaces them, as in PyTorch, whose meaning of
    `momentum` and of the two variances (n in the formula, n − 1 in the running one) this follows.
    Raises ShapeError in training on a single number per feature, whose variance would be 0.
    See Ioffe & Szegedy 2015, "Batch normalization", algorithm 1 and the gradients below it.
    """

    formulas = Formulas(
        "training: y = γ x̂ + β with μ, σ² of the batch (and, for pictures, of all their pixels); then\n"
        "running ← (1 − momentum) running + momentum · batch, its variance divided by n − 1\n"
        "otherwise: y = γ x̂ + β with the running μ, σ²",
        "∂L/∂γ = Σ g x̂    ∂L/∂β = Σ g    ∂L/∂x = (h − mean h − x̂ mean(h x̂)) / s,  h = γ g;\n"
        "outside of training h / s, for the running μ, σ² do not depend on x",
    )
    sees_batch: ClassVar[bool] = True
    momentum: float = 0.1
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if not 0 <= self.momentum <= 1:
            raise ConfigError(f"BatchNorm: got momentum {self.momentum}, expected 0 ≤ momentum ≤ 1")
        check_epsilon("BatchNorm", self.epsilon)

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        features = input_shape[-1:]
        self.params["gamma"] = Parameter(Constant(1.0)(features, 1, 1, rng, dtype), regularized=False)
        self.params["beta"] = Parameter(Zeros()(features, 1, 1, rng, dtype), regularized=False)
        self.buffers["running_mean"] = np.zeros(features, dtype)
        self.buffers["running_var"] = np.ones(features, dtype)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        if training:
            mean, variance = moments(x, all_but_last(x))  # (1, ..., F)
            self.update_running(mean, variance, math.prod(x.shape[:-1]))
        else:
            mean, variance = self.buffers["running_mean"], self.buffers["running_var"]  # (F,)
        x_hat, inverse = standardize(x, mean, variance, self.epsilon)
        y = self.params["gamma"].value * x_hat + self.params["beta"].value
        return y, (x_hat, inverse, training)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        x_hat, inverse, training = cache
        xp, gamma, axes = array_namespace(grad_y), self.params["gamma"], all_but_last(grad_y)
        gamma.grad = xp.sum(grad_y * x_hat, axis=axes)  # (F,)
        self.params["beta"].grad = xp.sum(grad_y, axis=axes)  # (F,)
        h = grad_y * gamma.value
        return standardize_backward(h, x_hat, inverse, axes) if training else h * inverse

    def update_running(self, mean: Array, variance: Array, n: int) -> None:
        """Move the running mean and variance towards those of a batch with n numbers per feature."""
        self.check_count(n)
        xp, new = array_namespace(mean), self.momentum
        for name, batch in (("running_mean", mean), ("running_var", variance * (n / (n - 1)))):
            self.buffers[name] = (1 - new) * self.buffers[name] + new * xp.reshape(real(batch), (-1,))  # (F,)

    @staticmethod
    def check_count(n: int) -> None:
        """Raises ShapeError unless a batch has at least two numbers per feature."""
        if n < 2:
            raise ShapeError(
                "BatchNorm: got one number per feature to learn from, expected at least two; "
                "choose a batch_size that leaves no batch of a single example"
            )


@checked_class
@dataclass(eq=False, repr=False)
class LayerNorm(Layer):
    """Each example brought to mean 0 and variance 1 within itself, then γ times it plus β, number by number.

    Shapes     x, y (N, ..., F)   γ, β (F,), or the last `axes` axes of x
    Cache      x̂, 1/s
    By hand    x = [1 1 3 3], ε = 0: μ = 2, σ² = 1, x̂ = [−1 −1 1 1]; with g = [4 0 0 0]:
               ∂L/∂γ = [−4 0 0 0], ∂L/∂β = [4 0 0 0], ∂L/∂x = [2 −2 0 0].

    `axes` is how many axes at the end are taken together: 1, the features alone (for pictures, the channels of one
    pixel), or None, all of the example. γ starts at 1 and β at 0. Training or not makes no difference, nor does the
    rest of the batch.
    Raises ShapeError if the example has fewer axes.     See Ba et al. 2016, "Layer normalization", eq. 3 and 4.
    """

    formulas = Formulas(
        "y = γ x̂ + β with μ, σ² over the last `axes` axes of each example",
        ("∂L/∂γ = Σ g x̂ and ∂L/∂β = Σ g over the other axes\n∂L/∂x = (h − mean h − x̂ mean(h x̂)) / s,  h = γ g"),
    )
    epsilon: float = 1e-5
    axes: int | None = 1

    def __post_init__(self) -> None:
        check_epsilon("LayerNorm", self.epsilon)
        if self.axes is not None and self.axes < 1:
            raise ConfigError(f"LayerNorm: got axes {self.axes}, expected 1 or more axes at the end, or None for all")

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.axes is not None and self.axes > len(input_shape):
            raise ShapeError(
                f"LayerNorm: got input of shape {input_shape}, expected at least {self.axes} axes (axes={self.axes})"
            )
        return input_shape

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        features = input_shape if self.axes is None else input_shape[-self.axes :]
        self.params["gamma"] = Parameter(Constant(1.0)(features, 1, 1, rng, dtype), regularized=False)
        self.params["beta"] = Parameter(Zeros()(features, 1, 1, rng, dtype), regularized=False)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        x_hat, inverse = standardize(x, *moments(x, self.normalized(x)), self.epsilon)
        return self.params["gamma"].value * x_hat + self.params["beta"].value, (x_hat, inverse)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        x_hat, inverse = cache
        xp, gamma, axes = array_namespace(grad_y), self.params["gamma"], self.normalized(grad_y)
        others = tuple(range(grad_y.ndim - len(axes)))
        gamma.grad = xp.sum(grad_y * x_hat, axis=others)  # (F,)
        self.params["beta"].grad = xp.sum(grad_y, axis=others)  # (F,)
        return standardize_backward(grad_y * gamma.value, x_hat, inverse, axes)

    def normalized(self, x: Array) -> Axes:
        """The axes that are taken together."""
        return tuple(range(1 if self.axes is None else x.ndim - self.axes, x.ndim))


def moments(x: Array, axes: Axes) -> tuple[Array, Array]:
    """Mean and variance over some axes, which stay with length 1."""
    mean = average(x, axes)
    centred = x - mean
    return mean, average(centred * centred, axes)


def standardize(x: Array, mean: Array, variance: Array, epsilon: float) -> tuple[Array, Array]:
    """x̂ = (x − μ) / s, and 1/s."""
    inverse = 1 / array_namespace(x).sqrt(variance + epsilon)
    return (x - mean) * inverse, inverse


def standardize_backward(grad_x_hat: Array, x_hat: Array, inverse: Array, axes: Axes) -> Array:
    """∂L/∂x from ∂L/∂x̂, where μ and s came from x itself."""
    along_ones, along_x_hat = average(grad_x_hat, axes), average(grad_x_hat * x_hat, axes)
    return (grad_x_hat - along_ones - x_hat * along_x_hat) * inverse


def average(x: Array, axes: Axes) -> Array:
    """The mean over some axes, which stay with length 1; for complex numbers too, unlike the standard's `mean`."""
    count = math.prod(x.shape[axis] for axis in axes)
    return array_namespace(x).sum(x, axis=axes, keepdims=True) / count


def all_but_last(x: Array) -> Axes:
    """The axes over which a feature's numbers lie."""
    return tuple(range(x.ndim - 1))


def check_epsilon(layer: str, epsilon: float) -> None:
    """Raises ConfigError if ε, which keeps the division from one by 0, is negative."""
    if epsilon < 0:
        raise ConfigError(f"{layer}: got epsilon {epsilon}, expected a small number such as 1e-5")
