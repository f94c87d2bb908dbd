"""A data set's pictures as lists of their non-zero pixels: what the first dense layer reads (ops/sparse_dense.py)."""

import threading
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary, finalize

import numpy as np

from digitlab.engine.fast.compiler.load import Kernels
from digitlab.engine.fast.layout import LANES

Vector = np.ndarray[Any, Any]
DENSEST = 0.5  # above this share of non-zero numbers, lists cost more than they save


@dataclass(frozen=True, eq=False)
class PixelLists:
    """`starts` (M + 1, 2): where each list begins in `indices` and `values`, and the sum of its values as float64."""

    starts: Vector
    indices: Vector
    values: Vector
    offset: float  # what the scaling adds to every pixel, which the lists leave out


# Networks that train at the same time on the same images share one list of them, which then stays in the caches. The
# list lives as long as the array that it was made from, so that a second training can use it.
_shared: "WeakValueDictionary[tuple[Any, ...], PixelLists]" = WeakValueDictionary()
_kept: dict[int, PixelLists] = {}  # by the array's id, while that array lives
_lock = threading.RLock()  # reentrant: an array may be freed, which calls `_forget`, while the lock is held


def shared_lists(kernels: Kernels, x: Vector, factor: float, offset: float, owner: Any = None) -> PixelLists | None:
    """`list_pixels`, or existing lists of the same numbers.

    They are kept as long as `owner` lives, the array that x is a view of, or until it is listed again.
    """
    key = (x.shape, x.dtype.str, factor, offset, fingerprint(kernels, x))
    with _lock:
        lists = _shared.get(key)
    if lists is None:
        # Without the lock, so that trainings on different images do not wait for each other.
        lists = list_pixels(kernels, x, factor, offset)
    if lists is None:
        return None
    with _lock:
        lists = _shared.setdefault(key, lists)
        if isinstance(owner, np.ndarray):
            if id(owner) not in _kept:
                finalize(owner, _forget, id(owner)).atexit = False
            _kept[id(owner)] = lists
    return lists


def was_listed(array: Vector) -> bool:
    """Whether lists were made from this array object, whose numbers may have changed since."""
    return id(array) in _kept


def _forget(owner: int) -> None:
    with _lock:
        _kept.pop(owner, None)


def fingerprint(kernels: Kernels, x: Vector) -> bytes:
    """A hash of 256 bits, which takes a fraction of the time that listing takes."""
    sums, whole = np.zeros(4, np.int64), x.nbytes - x.nbytes % 32
    kernels.run("mix_words", x.ctypes.data, whole // 32, sums.ctypes.data)
    return sums.tobytes() + x.reshape(-1).view(np.uint8)[whole:].tobytes()


def room_for_one(n_in: int) -> PixelLists:
    """An empty list for one image, which `predict` (loops/predict.py) fills."""
    return PixelLists(
        np.zeros((2, 2), np.int64), np.zeros(n_in + LANES, np.uint16), np.zeros(n_in + LANES, np.float32), 0.0
    )


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
    indices = np.zeros(count + LANES, np.uint16)
    values = np.zeros(count + LANES, np.float32)
    addresses = (starts.ctypes.data, indices.ctypes.data, values.ctypes.data)
    kernels.run(name, x.ctypes.data, rows, n_in, *scaling, *addresses)
    return PixelLists(starts, indices, values, offset if pixels else 0.0)
