"""Shapes of one example: what may be one, and which can be read as another."""

import math
import operator
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import numpy as np

from digitlab.errors import ConfigError, ShapeError

Shape = tuple[int, ...]  # without the batch axis


def checked_shape(shape: Any) -> Shape:
    """One example's shape, given as a number or a sequence of them. Raises ConfigError."""
    sizes = (shape,) if isinstance(shape, int | np.integer) else shape
    if not isinstance(sizes, list | tuple) or not all(isinstance(n, int | np.integer) and n > 0 for n in sizes):
        raise ConfigError(f"input_shape: got {shape!r}, expected positive whole numbers such as [28, 28, 1]")
    return tuple(map(int, sizes))


def checked_dtype(dtype: str) -> str:
    """The type of a network's numbers. Raises ConfigError for another than "float32" and "float64"."""
    if dtype not in ("float32", "float64"):
        raise ConfigError(f"dtype: got {dtype!r}, expected 'float32' or 'float64'")
    return dtype


def inner_shape(layer: Any, input_shape: Shape, where: str) -> Shape:
    """The output shape of one layer of several; its ShapeError begins with `where`."""
    try:
        shape: Shape = layer.output_shape(input_shape)
    except ShapeError as error:
        raise ShapeError(f"{where} {error}") from None
    return shape


def require_flat(input_shape: Shape, layer: str) -> None:
    """Raise ShapeError, naming the layer, unless the input is flat features (n,)."""
    if len(input_shape) != 1:
        raise ShapeError(
            f"{layer}: got input of shape {input_shape}, expected flat features (n,); put a Flatten() before it"
        )


def same_order(shape: Shape, wanted: Shape) -> bool:
    """Whether numbers in one shape can be read in the wanted one without changing their order.

    Flat numbers can be read as any shape, neighbouring axes can be joined, (28, 28, 3) → (28, 84), and axes of length 1
    come and go. Cutting an axis in two is a guess about what it means, so only flat numbers are cut.
    """
    return math.prod(shape) == math.prod(wanted) and (len(shape) == 1 or set(borders(wanted)) <= set(borders(shape)))


def borders(shape: Shape) -> Iterator[int]:
    """After how many parts of the whole each axis begins; axes of length 1 have no border of their own."""
    return accumulate((n for n in shape if n > 1), operator.mul)
