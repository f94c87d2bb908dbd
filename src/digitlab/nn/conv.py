"""Convolution: the same small dense layer at every window of a picture.

Each window's kh·kw·C numbers are laid out as one row, all windows of all pictures under each other ("im2col"),
and then a convolution is the dense layer of network.py on these rows: the same three formulas.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError
from digitlab.nn.formulas import Formulas
from digitlab.nn.initializers import Initializer, ScaledNormal, Zeros
from digitlab.nn.masks import as_mask, check_fit, checked_connections, connections_text
from digitlab.nn.network import Cache, Layer, Parameter, Shape
from digitlab.nn.windows import Windows, check_padding, check_pair, pair, windows_on

__all__ = ["Conv2D"]


@dataclass(eq=False, repr=False)
class Conv2D(Layer):
    """Convolution of pictures with learned kernels, one for each output channel; `Conv2D(filters, kernel_size)`.

    Shapes     x (N, H, W, C)   W (kh, kw, C, filters)   b (filters,)   y (N, OH, OW, filters)
               OH = ⌊(H + 2 padding − dilation (kh − 1) − 1) / stride⌋ + 1, and OW likewise
    Cache      x with its padding; R would be kh·kw copies of every picture.
    By hand    x = [1 2 3; 4 5 6; 7 8 9], W = [1 2; 3 4] gives y = [37 47; 67 77]; with g all 1:
               ∂L/∂W = [12 16; 24 28], ∂L/∂x = [1 3 2; 4 10 6; 3 7 4].

    `kernel_size`, `stride`, `padding` (zeros, on both sides) and `dilation` are a number or a pair (down, across);
    padding="same" gives ⌈H/stride⌉ × ⌈W/stride⌉, an odd pixel going below and on the right.
    `weights` are N(0, 1/fan_in) unless you choose (He() suits ReLU); fan_in = kh·kw·C and fan_out = kh·kw·filters.
    `biases=None` leaves b out.
    `connections`, (C, filters) of 0 and 1, says which channel reaches which map, as in C3 of LeNet-5 (table I):
    where it is 0, W counts as 0, and so does its gradient.
    As everywhere in this field the kernel is not flipped: strictly, this is a cross-correlation.

    Raises ShapeError if the input is no picture, smaller than the kernel, or has not the mask's channels; ConfigError
    for impossible settings.     See Nielsen ch. 6; LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", sec. II.
    """

    formulas = Formulas(
        "y[p] = Σ over places k in the kernel of  x[p·stride + k·dilation] W[k] + b,  p a window's position;\n"
        "with windows as rows, R (N·OH·OW, kh·kw·C):  y = R W + b",
        "∂L/∂W = Rᵀ g    ∂L/∂b = Σ g    ∂L/∂R = g Wᵀ;  ∂L/∂x sums ∂L/∂R over the windows that saw each pixel",
    )
    filters: int
    kernel_size: int | tuple[int, int]
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] | str = 0
    dilation: int | tuple[int, int] = 1
    weights: Initializer = field(default=ScaledNormal(), metadata={"family": Initializer})
    biases: Initializer | None = field(default=Zeros(), metadata={"family": Initializer})
    connections: Any = field(default=None, metadata={"shown": connections_text})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.filters, int) or self.filters < 1:
            raise ConfigError(f"{self.name}: got {self.filters!r} filters, expected a whole number of at least 1")
        for setting in ("kernel_size", "stride", "dilation"):
            check_pair(self.name, setting, getattr(self, setting), 1)
        check_padding(self.name, self.padding)
        if self.connections is not None:
            self.connections = checked_connections(self.connections, self.name)

    @property
    def name(self) -> str:
        """The layer as errors name it."""
        return f"Conv2D({self.filters}, {self.kernel_size})"

    def windows(self, input_shape: Shape) -> Windows:
        """How the kernel lies on pictures of shape (H, W, C). Raises ShapeError if it does not fit."""
        return windows_on(self.name, input_shape, self.kernel_size, self.stride, self.padding, self.dilation)

    def output_shape(self, input_shape: Shape) -> Shape:
        count = self.windows(input_shape).count
        check_fit(self.connections, (input_shape[2], self.filters), self.name, "(channels, filters)")
        return (*count, self.filters)

    def init(self, input_shape: Shape, rng: np.random.Generator | None, *, dtype: str = "float32") -> None:
        shape = (*pair(self.kernel_size), input_shape[2], self.filters)
        places = math.prod(pair(self.kernel_size))
        fans = places * input_shape[2], places * self.filters
        if self.connections is not None:
            mask = as_mask(self.connections, input_shape[2], self.filters)
            self.buffers["connections"] = np.asarray(mask, dtype)  # (C, filters)
        self.params["W"] = Parameter(self.connected(self.weights(shape, *fans, rng, dtype)))
        if self.biases is not None:
            self.params["b"] = Parameter(self.biases((self.filters,), *fans, rng, dtype), regularized=False)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        xp, windows = array_namespace(x), self.windows(x.shape[1:])
        padded = windows.pad(x)  # (N, H', W', C)
        y = rows_of(padded, windows) @ self.matrix()  # (N·OH·OW, filters)
        if "b" in self.params:
            y = y + self.params["b"].value
        return xp.reshape(y, (x.shape[0], *windows.count, self.filters)), (padded, windows)  # (N, OH, OW, filters)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        self.backward_params(grad_y, cache)
        padded, windows = cache
        xp, channels = array_namespace(grad_y), padded.shape[3]
        W = xp.reshape(self.matrix(), (-1, channels, self.filters))  # (kh·kw, C, filters)
        g = xp.reshape(grad_y, (-1, self.filters))  # (N·OH·OW, filters)
        grad_x = xp.zeros(tuple(padded.shape), dtype=grad_y.dtype, device=grad_y.device)  # (N, H', W', C)
        for k, place in enumerate(windows.places()):
            grad_x[place] += xp.reshape(g @ W[k, ...].T, (*grad_y.shape[:3], channels))  # (N, OH, OW, C)
        return windows.unpad(grad_x)  # (N, H, W, C)

    def backward_params(self, grad_y: Array, cache: Cache) -> None:
        padded, windows = cache
        xp, W = array_namespace(grad_y), self.params["W"]
        g = xp.reshape(grad_y, (-1, self.filters))  # (N·OH·OW, filters)
        places = [xp.reshape(padded[place], (-1, padded.shape[3])).T @ g for place in windows.places()]  # (C, filters)
        W.grad = self.connected(xp.reshape(xp.stack(places), W.value.shape))  # (kh, kw, C, filters)
        if "b" in self.params:
            # Σ g as a product: NumPy sums the columns of so tall an array ten times slower.
            self.params["b"].grad = xp.ones(g.shape[0], dtype=g.dtype, device=g.device) @ g  # (filters,)

    def matrix(self) -> Array:
        """The kernels as the weights of a dense layer on rows."""
        W = self.connected(self.params["W"].value)
        return array_namespace(W).reshape(W, (-1, self.filters))  # (kh·kw·C, filters)

    def connected(self, weights: Array) -> Array:
        """Weights, or their gradient, with 0 where the mask has no connection."""
        return weights * self.buffers["connections"] if "connections" in self.buffers else weights


def rows_of(padded: Array, windows: Windows) -> Array:
    """What each window sees as one row, place after place of the kernel, the channels of a place together."""
    xp = array_namespace(padded)
    seen = xp.concat([padded[place] for place in windows.places()], axis=-1)  # (N, OH, OW, kh·kw·C)
    return xp.reshape(seen, (-1, seen.shape[-1]))  # (N·OH·OW, kh·kw·C)
