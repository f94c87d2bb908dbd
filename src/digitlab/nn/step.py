"""The perceptron's activation, which no gradient passes through."""

from digitlab.arrays import Array, array_namespace, real
from digitlab.errors import GradientError
from digitlab.nn.formulas import Formulas
from digitlab.nn.network import Activation, Cache

__all__ = ["Step"]


class Step(Activation):
    """The perceptron of Nielsen ch. 1. Forward only.

    By hand    f(−.1) = 0, f(0) = 1.
    Raises GradientError on the way back: its derivative is 0 wherever it exists, so nothing could be learned.
    """

    formulas = Formulas("y = 1 for x ≥ 0, else 0")
    analytic = False
    bounds = (0.0, 1.0)
    is_monotone = True
    differentiable = False

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        return array_namespace(x).astype(real(x) >= 0, x.dtype), None

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        """Raises GradientError: the derivative is 0."""
        raise GradientError(
            "Step: the derivative of a step is 0, so backpropagation cannot train through it; "
            "use Sigmoid, or a gradient method that needs forward passes only"
        )
