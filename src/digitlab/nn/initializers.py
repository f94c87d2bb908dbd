"""Where learning starts: the distributions that first weights and biases are drawn from.

An initializer is called with the shape and the fans of the parameter: `fan_in` numbers are summed into one output,
and each input reaches `fan_out` outputs. It always draws with NumPy from the given generator,
so the same seed gives the same network on every array library.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.describe import Described
from digitlab.nn.io.stored import charge

__all__ = [
    "Constant",
    "FanOutNormal",
    "Given",
    "Glorot",
    "He",
    "Initializer",
    "Normal",
    "Orthogonal",
    "ScaledNormal",
    "Uniform",
    "Zeros",
]

Floats = np.ndarray[Any, np.dtype[Any]]


def streams(rng: np.random.Generator | None, count: int) -> Sequence[np.random.Generator | None]:
    """A random generator for each layer, so that a change in one does not change the others' first weights."""
    return [None] * count if rng is None else rng.spawn(count)


class Draw(NamedTuple):
    """What an initializer may look at: the parameter's shape, its fans, and the generator to draw from."""

    shape: tuple[int, ...]
    fan_in: int
    fan_out: int
    rng: np.random.Generator


class Initializer(Described):
    """Base: `initializer(shape, fan_in, fan_out, rng, dtype)` gives the first values, a NumPy array.

    With `rng=None` nothing is drawn and the array holds zeros: its values are about to be loaded from a file.
    """

    def __call__(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator | None, dtype: str
    ) -> Floats:
        if rng is None:
            charge(math.prod(shape))
            return np.zeros(shape, dtype)
        return np.ascontiguousarray(self.sample(Draw(shape, fan_in, fan_out, rng)), dtype=dtype)

    def biases(self) -> "Initializer":
        """The first biases that go with weights drawn so."""
        return Zeros()

    def sample(self, draw: Draw) -> Floats:
        """The values, in float64."""
        raise TypeError(f"{type(self).__name__} does not define sample")


@dataclass(frozen=True, repr=False)
class Normal(Initializer):
    """N(0, std²). With std = 1 the book's large initialization (Nielsen ch. 1; `large_weight_initializer`)."""

    aliases = ("large",)
    std: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.std < math.inf:
            raise ConfigError(f"Normal: got std {self.std}, expected a finite one of at least 0")

    def biases(self) -> Initializer:
        """N(0, 1) for std 1, as the book's `large_weight_initializer` draws them; else zeros."""
        return self if self.std == 1 else Zeros()

    def sample(self, draw: Draw) -> Floats:
        return draw.rng.normal(0.0, self.std, draw.shape)


@dataclass(frozen=True, repr=False)
class ScaledNormal(Initializer):
    """N(0, 1/fan_in): a weighted sum of inputs of size 1 has size 1, and no neuron starts saturated.

    Nielsen ch. 3, "Weight initialization"; Rashid draws the same, written as a power: std = fan_in^-½.
    """

    aliases = ("scaled",)

    def biases(self) -> Initializer:
        """N(0, 1), as the book's `default_weight_initializer` draws them."""
        return Normal()

    def sample(self, draw: Draw) -> Floats:
        return draw.rng.normal(0.0, 1 / math.sqrt(draw.fan_in), draw.shape)


@dataclass(frozen=True, repr=False)
class FanOutNormal(Initializer):
    """N(0, pool²/fan_out): what the book's network3 draws for all of its weights (Nielsen ch. 6).

    `pool` is the side of the pooling that follows a convolution: network3 divides its kernels' fan-out, kh·kw·filters,
    by the area of the pooling, so that FanOutNormal(pool=2) has variance 1/(filters·25/4) for 5×5 kernels.
    For its fully connected layers there is no pooling, pool=1.
    """

    pool: int = 1

    def __post_init__(self) -> None:
        if self.pool < 1:
            raise ConfigError(f"FanOutNormal: got pool {self.pool}, expected at least 1, the side of a window")

    def sample(self, draw: Draw) -> Floats:
        return draw.rng.normal(0.0, self.pool / math.sqrt(draw.fan_out), draw.shape)


@dataclass(frozen=True, repr=False)
class Uniform(Initializer):
    """U(low, high); by default U(−½, ½), Rashid's first and simplest choice."""

    low: float = -0.5
    high: float = 0.5

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ConfigError(f"Uniform: got {self.low} to {self.high}, expected the lower end first")

    def sample(self, draw: Draw) -> Floats:
        return draw.rng.uniform(self.low, self.high, draw.shape)


@dataclass(frozen=True, repr=False)
class Glorot(Initializer):
    """N(0, 2/(fan_in + fan_out)): keeps the size of signals forward and of gradients backward.

    Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 12.
    """

    aliases = ("xavier",)

    def sample(self, draw: Draw) -> Floats:
        return draw.rng.normal(0.0, math.sqrt(2 / (draw.fan_in + draw.fan_out)), draw.shape)


@dataclass(frozen=True, repr=False)
class He(Initializer):
    """N(0, 2/fan_in): as ScaledNormal, doubled because ReLU drops half of the signal's variance.

    He et al. 2015, "Delving deep into rectifiers", eq. 10.
    """

    aliases = ("kaiming",)

    def sample(self, draw: Draw) -> Floats:
        return draw.rng.normal(0.0, math.sqrt(2 / draw.fan_in), draw.shape)


@dataclass(frozen=True, repr=False)
class Orthogonal(Initializer):
    """Rows or columns of length `gain`, at right angles to each other; leading axes are taken as one.

    Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks".
    """

    gain: float = 1.0

    def sample(self, draw: Draw) -> Floats:
        """`gain` times Q of the QR decomposition of normal numbers, uniformly distributed."""
        rows, columns = math.prod(draw.shape[:-1]), draw.shape[-1]
        tall = draw.rng.normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        # QR is unique only up to signs; fixing them by R's diagonal makes Q uniformly distributed (Mezzadri 2007).
        q = q * np.sign(np.diagonal(r))
        values: Floats = self.gain * (q if rows >= columns else q.T).reshape(draw.shape)
        return values


@dataclass(frozen=True, repr=False)
class Zeros(Initializer):
    """All 0. Right for biases; for weights it makes all neurons of a layer learn the same thing."""

    def sample(self, draw: Draw) -> Floats:
        return np.zeros(draw.shape)


@dataclass(frozen=True, repr=False)
class Constant(Initializer):
    """All the same value."""

    value: float = 0.0

    def sample(self, draw: Draw) -> Floats:
        return np.full(draw.shape, self.value)


@dataclass(frozen=True, repr=False, eq=False)
class Given(Initializer):
    """The given array (copied): to start from weights worked out by hand, or learned elsewhere.

    The array is no choice and so stays out of a description; a saved network carries it as its weights.
    """

    values: Any = field(default=None, metadata={"described": False})

    def sample(self, draw: Draw) -> Floats:
        if self.values is None:
            raise ConfigError("Given() has no values; give it an array, or load the network's weights from its file")
        values = np.array(self.values, dtype=np.float64)
        if values.shape != tuple(draw.shape):
            raise ShapeError(f"Given: got an array of shape {values.shape}, expected {tuple(draw.shape)}")
        return values
