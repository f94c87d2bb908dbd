"""A data set's pictures as lists of their non-zero pixels: what the first dense layer reads (kernels/sparse.py)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.engine.fast.load import Kernels

Vector = np.ndarray[Any, Any]
DENSEST = 0.5  # above this share of non-zero numbers, lists cost more than they save


@dataclass(frozen=True)
class PixelLists:
    """`starts` (M + 1, 2): where each list begins in `indices` and `values`, and the sum of its values as float64."""

    starts: Vector
    indices: Vector
    values: Vector
    offset: float  # what the scaling adds to every pixel, which the lists leave out


def list_pixels(kernels: Kernels, x: Vector, factor: float, offset: float) -> PixelLists | None:
    """The lists of x (M, n), uint8 or float32, C-contiguous; None if too few numbers are zero."""
    rows, n_in = x.shape
    starts = np.zeros((rows + 1, 2), np.int64)
    pixels = x.dtype == np.uint8
    name, scaling = ("list_bytes", (factor,)) if pixels else ("list_floats", ())
    sample = min(rows, 500)
    if kernels.run(name, x.ctypes.data, sample, n_in, *scaling, starts.ctypes.data, 0, 0) > DENSEST * sample * n_in:
        return None
    count = kernels.run(name, x.ctypes.data, rows, n_in, *scaling, starts.ctypes.data, 0, 0)
    indices = np.zeros(count + 8, np.uint16)
    values = np.zeros(count + 8, np.float32)
    addresses = (starts.ctypes.data, indices.ctypes.data, values.ctypes.data)
    kernels.run(name, x.ctypes.data, rows, n_in, *scaling, *addresses)
    return PixelLists(starts, indices, values, offset if pixels else 0.0)
