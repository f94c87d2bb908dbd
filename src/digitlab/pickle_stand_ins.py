"""What the names in a pickle stand for when it is read without running it (restricted_pickle.py).

Each stands for something that can only build arrays of numbers or plain values. Whatever is in the file, its types and
sizes are checked before NumPy sees them.
"""

import math
from typing import Any, ClassVar

import numpy as np


class PickledObject:
    """An object whose class was allowed by name, with its attributes as a dictionary and none of its methods.

    An allowed "network.Network" has "sizes", "weights" and "biases" in `.attributes`, and its name in `.pickled_class`.
    They are no attributes of Python's: NumPy would follow one named `__array_interface__` to any place in memory.
    """

    __slots__ = ("attributes",)
    pickled_class: ClassVar[str] = ""
    attributes: dict[str, Any]

    def __new__(cls, *_: Any) -> "PickledObject":
        made = object.__new__(cls)
        made.attributes = {}
        return made


def stand_in(name: str) -> type[PickledObject]:
    """The class of the objects of an allowed class: "network.Network"."""
    return type(name.rpartition(".")[2], (PickledObject,), {"pickled_class": name, "__slots__": ()})


class Dtype:
    """`numpy.dtype("f4", 0, 1)` followed by its byte order: a number type, never objects, fields or text."""

    def __init__(self, name: str | bytes, align: object = 0, copy: object = 0) -> None:
        text = name.decode("ascii") if isinstance(name, bytes) else name
        if len(text) > 3 or text[:1] not in "biufc":
            raise ValueError(f"arrays of dtype {text!r} are not read, only booleans and numbers")
        self.dtype: np.dtype[Any] = np.dtype(text)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order: Any = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        if any(part is not None for part in state[2:5]):
            raise ValueError("arrays with fields are not read, only plain numbers")
        self.dtype = self.dtype.newbyteorder(order)

    def require_fit(self, shape: object, size: int) -> None:
        """Raise ValueError unless `size` bytes, which were read, are exactly an array of this shape."""
        if not isinstance(shape, tuple) or not all(type(n) is int for n in shape):
            raise ValueError("an array's shape is not a tuple of whole numbers")
        if any(n < 0 for n in shape) or math.prod(shape) * self.dtype.itemsize != size:
            raise ValueError(f"an array's shape {shape!s:.200} does not fit its {size:,} bytes")


class Array(np.ndarray[Any, Any]):
    """An array whose pickled state is checked before NumPy sees it."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, kind, fortran, raw = state[-4:]
        if isinstance(raw, str):  # a Python 2 byte string, read as latin1
            raw = raw.encode("latin-1")
        if not isinstance(kind, Dtype) or not isinstance(raw, bytes):
            raise ValueError("an array's numbers are not bytes of a number type")
        kind.require_fit(shape, len(raw))
        checked: Any = (1, shape, kind.dtype, bool(fortran), raw)
        super().__setstate__(checked)


def _new_array(*_: object) -> Array:
    """`_reconstruct(ndarray, (0,), b"b")`: the empty array that its state then fills, whatever is asked for."""
    return np.ndarray.__new__(Array, (0,), "b")


def _new_scalar(kind: Dtype, raw: bytes | str) -> Any:
    """`scalar(dtype, bytes)`: one NumPy number."""
    data = raw.encode("latin-1") if isinstance(raw, str) else bytes(raw)
    return np.frombuffer(data, kind.dtype, count=1)[0]


def _array_from_buffer(raw: bytes, kind: Dtype, shape: tuple[int, ...], order: str) -> np.ndarray[Any, Any]:
    """`_frombuffer(bytes, dtype, shape, order)`: how protocol 5 writes an array."""
    if not isinstance(raw, bytes | bytearray):
        raise ValueError("an array's numbers are not bytes")
    kind.require_fit(shape, len(raw))
    return np.frombuffer(raw, kind.dtype).reshape(shape, order="F" if order == "F" else "C")


def _encode(text: str, codec: str = "latin1") -> bytes:
    """`_codecs.encode(text, "latin1")`: how old protocols write bytes; no other codec is ever needed."""
    if codec not in ("latin1", "latin-1"):
        raise ValueError(f"codec {codec!r} is not allowed")
    return text.encode("latin-1")


def _no_bytes() -> bytes:
    """`__builtin__.bytes()`: how old protocols write the empty byte string; with arguments it is a TypeError."""
    return b""


def _rebuild(kind: Any, base: object, state: object) -> PickledObject:
    """`copyreg._reconstructor(cls, object, None)`: how old protocols start an object of an allowed class."""
    if not (isinstance(kind, type) and issubclass(kind, PickledObject)):
        raise ValueError("only objects of allowed classes can be rebuilt")
    return kind()


NAMES: dict[str, Any] = {
    "numpy.ndarray": None,  # only ever an argument of _reconstruct
    "numpy.dtype": Dtype,
    "_codecs.encode": _encode,
    "__builtin__.bytes": _no_bytes,
    "builtins.bytes": _no_bytes,
    "copyreg._reconstructor": _rebuild,
    "copy_reg._reconstructor": _rebuild,
    "builtins.object": None,
    "__builtin__.object": None,
}
for _core in ("numpy.core", "numpy._core"):  # NumPy 2 renamed its inside; files of both kinds exist
    NAMES[f"{_core}.multiarray._reconstruct"] = _new_array
    NAMES[f"{_core}.multiarray.scalar"] = _new_scalar
    NAMES[f"{_core}.numeric._frombuffer"] = _array_from_buffer
