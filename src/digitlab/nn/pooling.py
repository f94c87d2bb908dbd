"""Pooling: each window of a picture becomes one number per channel. Nothing is learned."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.arrays import Array, array_namespace, like, real
from digitlab.errors import ConfigError
from digitlab.nn.formulas import Formulas
from digitlab.nn.network import Cache, Layer, Shape
from digitlab.nn.windows import Windows, check_padding, check_pair, check_picture, pair, windows_on

__all__ = ["AveragePool2D", "GlobalAveragePool", "MaxPool2D"]


@dataclass(eq=False, repr=False)
class _Pool2D(Layer):
    """What the two poolings by windows share: their settings and their output's shape."""

    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None
    padding: int | tuple[int, int] | str = 0

    def __post_init__(self) -> None:
        check_pair(self.name, "size", self.size, 1)
        if self.stride is not None:
            check_pair(self.name, "stride", self.stride, 1)
        check_padding(self.name, self.padding)
        if self.padding != "same" and any(p >= s for p, s in zip(pair(self.padding), pair(self.size))):
            raise ConfigError(
                f"{self.name}: got padding {self.padding}, expected less than the size: "
                "a window of padding alone has no value"
            )

    @property
    def name(self) -> str:
        """The layer as errors name it."""
        return f"{type(self).__name__}({self.size})"

    def windows(self, input_shape: Shape) -> Windows:
        stride = self.size if self.stride is None else self.stride
        return windows_on(self.name, input_shape, self.size, stride, self.padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*self.windows(input_shape).count, input_shape[2])


class MaxPool2D(_Pool2D):
    """The largest number of each window, channel by channel; `MaxPool2D(2)` halves height and width.

    Shapes     x (N, H, W, C)   y (N, OH, OW, C),  OH = ⌊(H + 2 padding − size) / stride⌋ + 1, and OW likewise
    Cache      x with its padding, y: the maximum is where they agree.
    By hand    x = [1 2; 4 3] gives y = 4; with g = 5: ∂L/∂x = [0 0; 5 0].

    `size`, `stride` (the size, if not given) and `padding` are a number or a pair (down, across), or padding="same".
    Padding is −∞ and so never the maximum. Pixels left over at the lower and right border are dropped, as in the book.
    A complex number is compared by its real part.
    Raises ShapeError if the input is no picture or smaller than the window.     See Nielsen ch. 6, "Pooling layers".
    """

    formulas = Formulas(
        "y = max over the window of x",
        "g goes to the pixel that was the maximum, to the first one (row by row) if several are, as in PyTorch;\n"
        "where windows overlap (stride < size) a pixel gets the sum",
    )
    passes_on = True

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        windows = self.windows(x.shape[1:])
        padded = windows.pad(x, -np.inf)  # (N, H', W', C)
        first, *others = windows.places()
        y = padded[first]  # (N, OH, OW, C)
        for place in others:
            y = larger(y, padded[place])
        return y, (padded, y, windows)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        padded, y, windows = cache
        xp = array_namespace(grad_y)
        grad_x = xp.zeros_like(padded)  # (N, H', W', C)
        waiting = xp.ones_like(y, dtype=xp.bool)  # windows whose first maximum has not come yet
        for place in windows.places():
            here = (padded[place] == y) & waiting  # (N, OH, OW, C)
            grad_x[place] += grad_y * xp.astype(here, grad_y.dtype)
            waiting = waiting & ~here
        return windows.unpad(grad_x)  # (N, H, W, C)


class AveragePool2D(_Pool2D):
    """The mean of each window, channel by channel; `AveragePool2D(2)` halves height and width.

    Shapes     x (N, H, W, C)   y (N, OH, OW, C),  OH = ⌊(H + 2 padding − size) / stride⌋ + 1, and OW likewise
    Cache      n for every window, and the shape of x with its padding
    By hand    x = [1 2; 4 3] gives y = 2.5; with g = 4: ∂L/∂x = [1 1; 1 1].

    `size`, `stride` (the size, if not given) and `padding` are a number or a pair (down, across), or padding="same".
    Padding is not counted: at the border, n is smaller (ONNX's default; PyTorch's count_include_pad=False).
    Pixels left over at the lower and right border are dropped.
    Raises ShapeError if the input is no picture or smaller than the window.     See LeCun et al. 1998, sec. II.B, whose
    subsampling also learns a factor and a bias for each map.
    """

    formulas = Formulas(
        "y = Σ over the window of x / n,  n the pixels in it",
        "every pixel of the window gets g/n; where windows overlap (stride < size) a pixel gets the sum",
    )

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        windows = self.windows(x.shape[1:])
        padded, n = windows.pad(x), pixels_in(windows, x)  # (N, H', W', C), (OH, OW, 1)
        first, *others = windows.places()
        total = padded[first]  # (N, OH, OW, C)
        for place in others:
            total = total + padded[place]
        return total / n, (n, tuple(padded.shape), windows)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        n, shape, windows = cache
        share = grad_y / n  # (N, OH, OW, C)
        grad_x = array_namespace(grad_y).zeros(shape, dtype=grad_y.dtype, device=grad_y.device)  # (N, H', W', C)
        for place in windows.places():
            grad_x[place] += share
        return windows.unpad(grad_x)  # (N, H, W, C)


class GlobalAveragePool(Layer):
    """The mean of each channel over the whole picture, so that a Dense layer can follow; `GlobalAveragePool()`.

    Shapes     x (N, H, W, C)   y (N, C)
    Cache      the shape of x
    By hand    x = [1 2; 4 3] gives y = 2.5; with g = 4: ∂L/∂x = [1 1; 1 1].
    Raises ShapeError if the input is no picture.     See Lin et al. 2014, "Network in network", sec. 3.2.
    """

    formulas = Formulas("y = Σ over all pixels of x / (H W)", "every pixel gets g / (H W)")

    def output_shape(self, input_shape: Shape) -> Shape:
        check_picture("GlobalAveragePool()", input_shape)
        return (input_shape[2],)

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        y = array_namespace(x).sum(x, axis=(1, 2)) / (x.shape[1] * x.shape[2])  # (N, C)
        return y, tuple(x.shape)

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        _, h, w, _ = cache
        return array_namespace(grad_y).broadcast_to(grad_y[:, None, None, :] / (h * w), cache)  # (N, H, W, C)


def larger(a: Array, b: Array) -> Array:
    """The larger of two, elementwise; NaN if one is, so that a network that diverged cannot hide it."""
    xp = array_namespace(a)
    if xp.isdtype(a.dtype, "complex floating"):
        return xp.where(real(b) > real(a), b, a)
    return xp.maximum(a, b)


def pixels_in(windows: Windows, x: Array) -> Any:
    """How many pixels of the picture each window holds: a number if all hold the same, else (OH, OW, 1)."""
    if windows.padded == windows.picture:
        return windows.kernel[0] * windows.kernel[1]
    inside = np.zeros((1, *windows.padded, 1))
    inside[windows.inside()] = 1
    counts = np.sum([inside[place] for place in windows.places()], axis=0)  # (1, OH, OW, 1)
    return like(counts[0], x)  # (OH, OW, 1)
