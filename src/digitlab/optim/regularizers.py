"""What keeps weights small: L1, L2 and max-norm, applied to every `regularized` parameter (weights, not biases).

The strengths are the book's λ: the penalty is divided by the number n of training examples (Nielsen ch. 3, eq. 87),
so that λ weighs against the sum over the training set and not against one batch.
"""

from dataclasses import dataclass

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError
from digitlab.nn.describe import Described

__all__ = ["L1", "L2", "MaxNorm", "Regularizer"]


class Regularizer(Described):
    """Base: a penalty that is added to the loss, its gradient, and a projection after the update."""

    def penalty(self, value: Array, examples: int) -> Array:
        """What this parameter adds to the loss."""
        return 0.0

    def gradient(self, value: Array, examples: int) -> Array | None:
        """∂penalty/∂value, or None where there is nothing to add."""
        return None

    def project(self, value: Array) -> Array:
        """The parameter brought back to where it is allowed to be."""
        return value

    def decay(self, examples: int) -> float:
        """The share of each weight that a step of learning rate 1 removes; 0 where it is no fixed share."""
        return 0.0


@dataclass(frozen=True, repr=False)
class _Strength(Regularizer):
    """Base of L1 and L2: λ, at least 0."""

    strength: float

    def __post_init__(self) -> None:
        if not self.strength >= 0:
            raise ConfigError(f"{type(self).__name__}: got strength {self.strength}, expected λ ≥ 0")


class L2(_Strength):
    """λ/(2n) Σ w², gradient λ/n w: every step takes the same share of each weight (weight decay).

    By hand: λ = 5, n = 50, w = 3 adds .45 to the loss and .3 to the gradient.
    """

    def penalty(self, value: Array, examples: int) -> Array:
        return self.strength / (2 * examples) * array_namespace(value).sum(value * value)

    def gradient(self, value: Array, examples: int) -> Array | None:
        return self.strength / examples * value

    def decay(self, examples: int) -> float:
        return self.strength / examples


class L1(_Strength):
    """λ/n Σ |w|, gradient λ/n sign w: every step takes the same amount, and many weights end at 0.

    Nielsen ch. 3, eq. 95–97. By hand: λ = 5, n = 50, w = −3 adds .3 to the loss and −.1 to the gradient.
    """

    def penalty(self, value: Array, examples: int) -> Array:
        xp = array_namespace(value)
        return self.strength / examples * xp.sum(xp.abs(value))

    def gradient(self, value: Array, examples: int) -> Array | None:
        return self.strength / examples * array_namespace(value).sign(value)


@dataclass(frozen=True, repr=False)
class MaxNorm(Regularizer):
    """After each update, a neuron whose incoming weights are longer than `limit` is scaled back to that length.

    Srivastava et al. 2014, sec. 5.1; the last axis counts the neurons, as in Dense.W (in, out).
    By hand: limit 2.5 makes of the incoming weights (3, 4) the weights (1.5, 2).
    """

    limit: float

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise ConfigError(f"MaxNorm: got limit {self.limit}, expected a length above 0")

    def project(self, value: Array) -> Array:
        """The parameter with every neuron's incoming weights, all axes but the last, at most `limit` long."""
        xp = array_namespace(value)
        axes = tuple(range(value.ndim - 1))
        length = xp.sqrt(xp.sum(value * value, axis=axes, keepdims=True))
        return xp.where(length > self.limit, value * (self.limit / xp.where(length > 0, length, 1.0)), value)
