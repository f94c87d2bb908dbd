"""One partial derivative after another: move a single parameter a little and see what becomes of the loss."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from digitlab.arrays import Array
from digitlab.errors import ConfigError
from digitlab.gradients.base import Gradient, learned_numbers
from digitlab.gradients.batch import Batch
from digitlab.gradients.loss_at import LossAt, Vector
from digitlab.nn.network import Network

__all__ = ["CentralDifferences", "ComplexStep", "ForwardDifferences"]


class _FromLosses(Gradient):
    """Base of the methods that need forward passes only: an estimate of the gradient from losses near θ."""

    dtype = "float64"  # what the losses are computed in

    def estimate(self, loss: LossAt, here: Any, rng: np.random.Generator | None) -> Vector:
        """∂L/∂θ at `loss.start`, (P,), where the loss is `here`; `rng` is for methods that draw at random."""
        raise TypeError(f"{type(self).__name__} has no estimate")

    def compute(self, network: Network, batch: Batch) -> Array:
        self.require(network)
        x, targets, training, rng, weights = batch
        with LossAt(network, x, targets, weights, training=training, dtype=self.dtype) as loss:
            here = loss(loss.start)
            loss.assign(self.estimate(loss, here, rng))
        return here.real


class _OneAtATime(_FromLosses):
    """Base of the three below: the gradient as P separate derivatives.

    With P = 23,860, the book's 784–30–10 network, that is 23,860 forward passes or more where backpropagation
    needs three: right for checking a derivative, hopeless for training.
    """

    tolerance: ClassVar[float]  # the relative error of a right gradient in `check_gradients`: truncation and round-off

    def slope(self, loss: LossAt, theta: Vector, i: int, loss_here: Any) -> float:
        """∂L/∂θᵢ at θ, where the loss is `loss_here`."""
        raise TypeError(f"{type(self).__name__} has no slope")

    def estimate(self, loss: LossAt, here: Any, rng: np.random.Generator | None) -> Vector:
        return np.array([self.slope(loss, loss.start, i, here) for i in range(loss.start.size)])


@dataclass(frozen=True, repr=False)
class ForwardDifferences(_OneAtATime):
    """The difference quotient of the definition, with a step that is small but not 0.

    Formula    ∂L/∂θᵢ ≈ (L(θ + h eᵢ) − L(θ)) / h
    Cost       P + 1 forward passes
    Error      O(h) by cutting Taylor's series, ½ h L''; and round-off ε |L| / h, ε = 2·10⁻¹⁶. Their sum is least
               near h = √ε ≈ 10⁻⁸, where about eight of sixteen digits are right
    Source     Nielsen ch. 2, eq. 46; Press et al., "Numerical Recipes", sec. 5.7
    """

    tolerance = 2e-3

    step: float = 1e-8

    def __post_init__(self) -> None:
        require_positive(self, "step", self.step)

    def slope(self, loss: LossAt, theta: Vector, i: int, loss_here: Any) -> float:
        return float((loss(moved(theta, i, self.step)) - loss_here) / self.step)

    def evaluations(self, network: Network) -> int:
        """P + 1 forward passes: one for each learned number, and the loss itself."""
        return learned_numbers(network) + 1


@dataclass(frozen=True, repr=False)
class CentralDifferences(_OneAtATime):
    """One step ahead, one step back: the errors of first order cancel.

    Formula    ∂L/∂θᵢ ≈ (L(θ + h eᵢ) − L(θ − h eᵢ)) / 2h
    Cost       2 P forward passes, and one for the loss itself
    Error      O(h²): h²/6 L'''; and round-off ε |L| / h. Least near h = ε^⅓ ≈ 10⁻⁵: ten or eleven digits
    Source     Press et al., "Numerical Recipes", sec. 5.7

    Where a ReLU's kink is within h of its input the quotient mixes both sides, and is wrong there.
    """

    tolerance = 1e-5

    step: float = 1e-5

    def __post_init__(self) -> None:
        require_positive(self, "step", self.step)

    def slope(self, loss: LossAt, theta: Vector, i: int, loss_here: Any) -> float:
        ahead, back = loss(moved(theta, i, self.step)), loss(moved(theta, i, -self.step))
        return float((ahead - back) / (2 * self.step))

    def evaluations(self, network: Network) -> int:
        """2P + 1 forward passes: two for each learned number, and the loss itself."""
        return 2 * learned_numbers(network) + 1


@dataclass(frozen=True, repr=False)
class ComplexStep(_OneAtATime):
    """A step along the imaginary axis: nothing is subtracted, so nothing cancels and h may be as good as 0.

    Formula    L(θ + ih eᵢ) = L(θ) + ih ∂L/∂θᵢ − ½ h² L'' ...,  hence ∂L/∂θᵢ ≈ Im L(θ + ih eᵢ) / h
    Cost       P forward passes and one for the loss, in complex numbers: each two to four times a real one
    Error      O(h²), and h² = 10⁻⁴⁰ is far below round-off: none that can be measured
    Source     Squire & Trapp 1998, "Using complex variables to estimate derivatives of real functions";
               Martins, Sturdza & Alonso 2003, "The complex-step derivative approximation"

    It needs layers that compute with complex numbers as with real ones; comparisons go by the real part
    (arrays.real). Layers that say `analytic = False` are refused.
    """

    dtype = "complex128"
    tolerance = 1e-9

    step: float = 1e-20

    def __post_init__(self) -> None:
        require_positive(self, "step", self.step)

    def slope(self, loss: LossAt, theta: Vector, i: int, loss_here: Any) -> float:
        return float(loss(moved(theta, i, 1j * self.step)).imag / self.step)

    def evaluations(self, network: Network) -> int:
        """P + 1 forward passes, P of them in complex numbers."""
        return learned_numbers(network) + 1

    def unsupported_reason(self, network: Network) -> str | None:
        """Names the first layer that complex numbers cannot pass."""
        return not_analytic(network)


def moved(theta: Vector, i: int, step: complex) -> Vector:
    """θ + step · eᵢ."""
    result = theta + 0j if isinstance(step, complex) else theta.copy()
    result[i] += step
    return result


def not_analytic(network: Network) -> str | None:
    """None if every layer computes with complex numbers too, else which does not."""
    for name, layer in network.named_layers():
        if not layer.analytic:
            return (
                f"layer {name}, {layer!r}: no complex step passes through it, for it is not analytic; "
                "use Backpropagation or CentralDifferences"
            )
    return None


def require_positive(method: Gradient, name: str, value: float) -> None:
    """Raise ConfigError unless a setting is above 0."""
    if not value > 0:
        raise ConfigError(f"{type(method).__name__}: got {name} {value}, expected a number above 0")
