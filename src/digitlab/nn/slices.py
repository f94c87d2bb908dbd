"""A part of each example: some rows, columns, channels, or any set of its numbers. A branch may begin with it."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import Array, array_namespace
from digitlab.errors import ConfigError, ShapeError
from digitlab.nn.formulas import Formulas
from digitlab.nn.network import Cache, Layer, Shape

__all__ = ["Slice", "halves", "quadrants"]


@dataclass(eq=False, repr=False)
class Slice(Layer):
    """The part of its input that the layers after it are to see: `Slice(rows=(0, 14))`, `Slice(indices=[0, 5])`.

    Shapes     x (N, H, W) or (N, H, W, C), cut along each axis that is given; with indices x (N, …), y (N, count)
    Cache      the input's shape
    By hand    Slice(indices=[2, 0]) of [5 6 7] is [7 5]; g = [1 2] gives ∂L/∂x = [2 0 1].

    rows, columns   [start, stop), counted from the top and from the left
    channels        a list of channel numbers
    indices         a list of places in the flattened example, each once; alone, not with the three above
    Raises ConfigError for a choice that names nothing, ShapeError if the input has no such place.
    """

    formulas = Formulas(
        "y = the chosen elements of x, in their order", "∂L/∂x is g where an element was chosen and 0 elsewhere"
    )
    passes_on = True
    rows: Any = None
    columns: Any = None
    channels: Any = None
    indices: Any = None
    chosen: dict[Shape, Any] = field(init=False, default_factory=dict)  # input shape → places, worked out once

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            pair = getattr(self, name)
            if pair is not None and not (_whole(pair) and len(pair) == 2 and pair[0] < pair[1]):
                raise ConfigError(f"Slice: got {name}={pair!r}, expected (start, stop) with 0 ≤ start < stop")
        for name in ("channels", "indices"):
            numbers = getattr(self, name)
            if numbers is not None and not (_whole(numbers) and len(numbers) == len(set(numbers)) > 0):
                raise ConfigError(f"Slice: got {name}={numbers!r}, expected a list of different numbers from 0 on")
        axes = [name for name in ("rows", "columns", "channels") if getattr(self, name) is not None]
        if bool(axes) == (self.indices is not None):
            raise ConfigError("Slice: expected rows, columns and channels (any of them), or indices alone")
        for name in (*axes, *(["indices"] if self.indices is not None else [])):
            setattr(self, name, [int(n) for n in getattr(self, name)])

    def output_shape(self, input_shape: Shape) -> Shape:
        return tuple(self.places(input_shape).shape)

    def places(self, input_shape: Shape) -> np.ndarray[Any, Any]:
        """The places in the flattened example that are chosen, in the output's shape."""
        if input_shape not in self.chosen:
            self.chosen[input_shape] = self._places(input_shape)
        places: np.ndarray[Any, Any] = self.chosen[input_shape]
        return places

    def _places(self, input_shape: Shape) -> Any:
        count = math.prod(input_shape)
        everything = np.arange(count).reshape(input_shape)
        if self.indices is not None:
            least = max(self.indices) + 1
            if least > count:
                raise ShapeError(f"{self!r}: got input of shape {input_shape}, expected at least {least} numbers")
            return np.asarray(self.indices)
        axes = 3 if self.channels is not None else 2
        if not axes <= len(input_shape) <= 3:
            mend = "put Reshape((28, 28)) before it" if len(input_shape) == 1 else "use indices=[...]"
            expected = "(H, W, C)" if axes == 3 else "a picture (H, W) or (H, W, C)"
            raise ShapeError(f"{self!r}: got input of shape {input_shape}, expected {expected}; {mend}")
        needed = [(self.rows or [0, 0])[1], (self.columns or [0, 0])[1], max(self.channels or [-1]) + 1]
        for size, least, name in zip(input_shape, needed, ("rows", "columns", "channels")):
            if size < least:
                raise ShapeError(f"{self!r}: got input of shape {input_shape}, expected at least {least} {name}")
        if self.rows is not None:
            everything = everything[self.rows[0] : self.rows[1]]
        if self.columns is not None:
            everything = everything[:, self.columns[0] : self.columns[1]]
        return everything if self.channels is None else everything[:, :, self.channels]

    def forward(self, x: Array, *, training: bool = False) -> tuple[Array, Cache]:
        xp, shape = array_namespace(x), tuple(x.shape)
        places = self.places(shape[1:])
        flat = xp.reshape(x, (shape[0], -1))
        y = xp.take(flat, xp.asarray(places.ravel(), device=x.device), axis=1)
        return xp.reshape(y, (shape[0], *places.shape)), shape

    def backward(self, grad_y: Array, cache: Cache) -> Array:
        xp, shape = array_namespace(grad_y), cache
        places = self.places(shape[1:]).ravel()
        # A scatter, written as a gather: every place of x takes the column of g that it gave, or the 0 put last.
        source = np.full(math.prod(shape[1:]), places.size)
        source[places] = np.arange(places.size)
        zeros = xp.zeros((shape[0], 1), dtype=grad_y.dtype, device=grad_y.device)
        columns = xp.concat([xp.reshape(grad_y, (shape[0], -1)), zeros], axis=1)  # (N, count + 1)
        return xp.reshape(xp.take(columns, xp.asarray(source, device=grad_y.device), axis=1), shape)


@checked
def halves(image_shape: Shape, across: str = "rows") -> list[Slice]:
    """Two slices that share nothing: the upper and the lower half, or with across="columns" left and right."""
    height, width = _height_and_width("halves", image_shape)
    if across not in ("rows", "columns"):
        raise ConfigError(f"halves: got {across!r}, expected 'rows' (upper and lower) or 'columns' (left and right)")
    size = height if across == "rows" else width
    return [Slice(**{across: (0, size // 2)}), Slice(**{across: (size // 2, size)})]


@checked
def quadrants(image_shape: Shape) -> list[Slice]:
    """Four slices that share nothing: upper left, upper right, lower left, lower right."""
    height, width = _height_and_width("quadrants", image_shape)
    up_down, left_right = [(0, height // 2), (height // 2, height)], [(0, width // 2), (width // 2, width)]
    return [Slice(rows=rows, columns=columns) for rows in up_down for columns in left_right]


def _height_and_width(function: str, image_shape: Shape) -> tuple[int, int]:
    if len(image_shape) < 2:
        raise ConfigError(f"{function}: image_shape: got {tuple(image_shape)}, expected (height, width, …)")
    return image_shape[0], image_shape[1]


def _whole(numbers: Any) -> bool:
    """Whether these are several whole numbers from 0 on."""
    if not isinstance(numbers, list | tuple | range | np.ndarray):
        return False
    return all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0 for n in numbers)
