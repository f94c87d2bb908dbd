"""The activation functions, elementwise: y = f(x), and backward g f'(x). They have no parameters.

Sigmoid is in network.py, the perceptron's step in step.py. The losses own the softmax: `Softmax` only says so.
"""

import math
from dataclasses import dataclass
from typing import Any, NoReturn

from digitlab.arrays import Array, array_namespace, real
from digitlab.errors import ConfigError
from digitlab.nn.formulas import Formulas
from digitlab.nn.network import Activation, Cache, sigmoid
from digitlab.synonyms import instead

__all__ = ["ELU", "GELU", "HardSigmoid", "LeakyReLU", "Linear", "ReLU", "SiLU", "Softmax", "Softplus", "Tanh"]


class Linear(Activation):
    """The identity, to state that there is no activation: PyTorch's `Identity`. Its `Linear` is `Dense` here.

    Cache      nothing
    By hand    f(3) = 3, f'(3) = 1.
    """

    formulas = Formulas("y = x", "g")
    aliases = ("identity",)
    instead = "a fully connected layer is Dense"
    activates = False
    passes_on = True
    is_monotone = True

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        return x, None

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        return grad_y

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        return x

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        return g


class Tanh(Activation):
    """Hyperbolic tangent, between −1 and 1.

    Cache      y
    By hand    f(0) = 0, f'(0) = 1.
    """

    formulas = Formulas("y = tanh x", "g (1 − y²)")
    bounds = (-1.0, 1.0)
    is_monotone = True

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        y = array_namespace(x).tanh(x)
        return y, y

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        y = cache
        return grad_y * (1 - y * y)

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        return m.tanh(x)

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        return g * (1.0 - y * y)


class ReLU(Activation):
    """Rectified linear unit.

    Cache      where x ≤ 0
    By hand    f(3) = 3, f'(3) = 1, f(−3) = f'(−3) = 0.
    """

    formulas = Formulas("y = max(x, 0)", "g where x > 0, else 0; at the kink, x = 0, we take 0")
    short_name = "relu"
    bounds = (0.0, math.inf)
    is_monotone = True
    flat_at = 0.0
    usual_weights = "he"

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        off = real(x) <= 0  # not `> 0` the other way round: a NaN would turn into a harmless 0
        return array_namespace(x).where(off, 0.0, x), off

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        off = cache
        return array_namespace(grad_y).where(off, 0.0, grad_y)

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        return m.maximum(x, 0.0)

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        return m.where(y > 0.0, g, 0.0)


@dataclass(eq=False, repr=False)
class LeakyReLU(Activation):
    """ReLU with a slope below 0 as well, so that a neuron that is off still learns.

    Cache      where x > 0
    By hand    slope .01: f(−3) = −.03, f'(−3) = .01.
    """

    formulas = Formulas("y = x for x > 0, else slope · x", "g for x > 0, else slope · g")
    short_name = "leaky-relu"
    is_monotone = True
    usual_weights = "he"
    slope: float = 0.01

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        positive = real(x) > 0
        return array_namespace(x).where(positive, x, self.slope * x), positive

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        positive = cache
        return array_namespace(grad_y).where(positive, grad_y, self.slope * grad_y)

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        return m.where(x > 0.0, x, a * x)

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        return m.where(x > 0.0, g, a * g)


@dataclass(eq=False, repr=False)
class ELU(Activation):
    """Exponential linear unit. Clevert et al. 2016, eq. 7.

    Cache      where x > 0, y
    By hand    α = 1: f(−1) = e⁻¹ − 1 = −.6321, f'(−1) = e⁻¹ = .3679.
    """

    formulas = Formulas("y = x for x > 0, else α (eˣ − 1)", "g for x > 0, else g (y + α)")
    is_monotone = True
    usual_weights = "he"
    alpha: float = 1.0

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        xp, positive = array_namespace(x), real(x) > 0
        # The exponential is computed everywhere; fed a 0 where it is not used, it cannot overflow there.
        y = xp.where(positive, x, self.alpha * xp.expm1(xp.where(positive, 0.0, x)))
        return y, (positive, y)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        positive, y = cache
        return array_namespace(grad_y).where(positive, grad_y, grad_y * (y + self.alpha))

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        # tanh(x/2) (eˣ + 1) = eˣ − 1 keeps the digits that the difference loses near 0.
        return m.where(x > 0.0, x, a * m.tanh(0.5 * x) * (m.exp(m.minimum(x, 0.0)) + 1.0))

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        return m.where(x > 0.0, g, g * (y + a))


class GELU(Activation):
    """f(x) = x Φ(x), Φ the normal distribution, in its tanh form. Hendrycks & Gimpel 2016, sec. 2.

    Cache      x, t
    By hand    f(0) = 0, f'(0) = ½.
    """

    formulas = Formulas(
        "y = ½ x (1 + t),   t = tanh(√(2/π) (x + 0.044715 x³)); within .0005 of x Φ(x)",
        "g (½ (1 + t) + ½ x (1 − t²) √(2/π) (1 + 3 · 0.044715 x²))",
    )
    usual_weights = "he"

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        t = array_namespace(x).tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))
        return 0.5 * x * (1 + t), (x, t)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        x, t = cache
        slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
        return grad_y * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        t = m.tanh(math.sqrt(2 / math.pi) * m.fma(0.044715 * x * x, x, x))
        return 0.5 * x * (1.0 + t)

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        t = m.tanh(math.sqrt(2 / math.pi) * m.fma(0.044715 * x * x, x, x))
        slope = math.sqrt(2 / math.pi) * m.fma(3 * 0.044715, x * x, 1.0)
        return g * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope)


class Softplus(Activation):
    """A smooth ReLU whose derivative is the sigmoid.

    Cache      x
    By hand    f(0) = ln 2 = .6931, f'(0) = ½.
    """

    formulas = Formulas("y = ln(1 + eˣ)", "g σ(x)")
    bounds = (0.0, math.inf)
    is_monotone = True
    usual_weights = "he"

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        return softplus(x), x

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        x = cache
        return grad_y * sigmoid(x)

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        return m.softplus(x)

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        return g * m.sigmoid(x)


class SiLU(Activation):
    """Sigmoid linear unit, also called swish. Elfwing et al. 2018; Ramachandran et al. 2017.

    Cache      x, σ(x)
    By hand    f(0) = 0, f'(0) = ½.
    """

    formulas = Formulas("y = x σ(x)", "g σ (1 + x (1 − σ))")
    aliases = ("swish",)
    short_name = "silu"
    usual_weights = "he"

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        s = sigmoid(x)
        return x * s, (x, s)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        x, s = cache
        return grad_y * s * (1 + x * (1 - s))

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        return x * m.sigmoid(x)

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        s = m.sigmoid(x)
        return g * s * m.fma(x, 1.0 - s, 1.0)


class HardSigmoid(Activation):
    """A sigmoid of three straight lines, as PyTorch and ONNX's HardSwish define it.

    Cache      where −3 < x < 3
    By hand    f(0) = ½, f(3) = 1, f'(0) = 1/6.
    """

    formulas = Formulas("y = min(max(x/6 + ½, 0), 1)", "g/6 where −3 < x < 3, else 0")
    bounds = (0.0, 1.0)
    is_monotone = True

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        xp, inside = array_namespace(x), (real(x) > -3) & (real(x) < 3)
        beyond = xp.where(real(x) > 0, 1.0, 0.0 * x)
        return xp.where(inside, x / 6 + 0.5, beyond), inside

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        inside = cache
        return array_namespace(grad_y).where(inside, grad_y / 6, 0.0)

    @staticmethod
    def kernel_value(x: Any, a: Any, m: Any) -> Any:
        return m.maximum(m.minimum(m.fma(x, 1 / 6, 0.5), 1.0), 0.0)

    @staticmethod
    def kernel_grad(g: Any, x: Any, y: Any, a: Any, m: Any) -> Any:
        return g * m.where(x < 3.0, m.where(x > -3.0, 1.0, 0.0), 0.0) * (1 / 6)


def softplus(x: Array) -> Array:
    """ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), elementwise, without overflow."""
    xp, positive = array_namespace(x), real(x) > 0
    return xp.where(positive, x, 0.0) + xp.log1p(xp.exp(xp.where(positive, -x, x)))


def Softmax(*choices: Any, **settings: Any) -> NoReturn:
    """Raises ConfigError: the loss owns the softmax. Use LogLikelihood and no layer for it."""
    raise ConfigError(f"Softmax: {instead('softmax')}")
