"""Reading a pickle without running it: arrays and plain Python values, and nothing else.

A pickle is a small program. One of its instructions fetches any function of any module by name, so `pickle.load` runs
code that the author of the file chose. This reader looks names up in a short table instead, whose entries can only
build arrays of numbers. The pickles of the books (`mnist.pkl.gz`, lists of weights) need no more.

The base is Python's unpickler written in Python: its instructions can be replaced one by one (`load_build` below), and
a hostile memo index costs it nothing. An instruction takes microseconds, an array of any size a dozen instructions.

See https://docs.python.org/3/library/pickle.html#restricting-globals and, for the instructions, pickletools.
"""

import io
import math
import pickle
import struct
from collections.abc import Callable, Collection
from typing import Any, ClassVar, NoReturn, Protocol

import numpy as np

from digitlab.errors import DataError

PIECE = 1 << 20  # lengths in the file may lie: long reads are made in pieces of one MiB


class Readable(Protocol):
    """What `load` reads from: an open binary file, a `SafeReader`, a BytesIO."""

    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...


class PickledObject:
    """An object whose class was allowed by name, with its attributes and none of its methods.

    An allowed "network.Network" has `.sizes`, `.weights`, `.biases` as in the file, and its name in `.pickled_class`.
    """

    pickled_class: ClassVar[str] = ""

    def __new__(cls, *_: Any) -> "PickledObject":
        return object.__new__(cls)


def load(
    source: Readable | bytes, *, allowed: Collection[str] = (), what: str = "the pickle", encoding: str = "latin1"
) -> Any:
    """The one value pickled in `source`, built from numbers, strings, containers and arrays only.

    allowed    further classes the file may mention ("network.Network"), whose objects become `PickledObject`s
    what       the name of the file in errors
    encoding   of the byte strings of Python 2: "latin1" turns them into str, "bytes" leaves them, which saves a copy
    Arrays are a subclass of `numpy.ndarray`; `np.asarray` gives plain ones. The size that a file may unpack to is
    limited by its reader (data/formats/shared/safe_gzip.py).

    Raises DataError for any other name, for a damaged or cut-off file, and for arrays of anything but numbers.
    """
    file = _Pieces(io.BytesIO(source) if isinstance(source, bytes) else source)
    try:
        return _Unpickler(file, frozenset(allowed), what, encoding).load()
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can fail in any instruction: EOF, KeyError, struct.error ...
        reason = str(error) or type(error).__name__
        raise DataError(
            f"{what}: not a readable pickle; reading stopped after byte {file.position:,} ({reason}). "
            "Is it cut off, or another kind of file? Fetch or export it again."
        ) from error


class _Pieces:
    """A file that counts what was read, and that makes room for bytes only as they arrive."""

    def __init__(self, file: Readable) -> None:
        self.file = file
        self.position = 0

    def read(self, size: int, /) -> bytes:
        pieces, left = [self.file.read(min(size, PIECE))], size - PIECE
        while left > 0 and pieces[-1]:
            pieces.append(self.file.read(min(left, PIECE)))
            left -= len(pieces[-1])
        data = b"".join(pieces) if len(pieces) > 1 else pieces[0]
        self.position += len(data)
        return data

    def readline(self) -> bytes:
        line = self.file.readline()
        self.position += len(line)
        if not line.endswith(b"\n"):  # half a name would be refused for what it is not
            raise EOFError("a line is cut off")
        return line


class _Dtype:
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

    def fits(self, shape: tuple[int, ...], size: int) -> bool:
        """Whether `size` bytes are exactly an array of this shape; they are there, so it cannot be too large."""
        return all(n >= 0 for n in shape) and math.prod(shape) * self.dtype.itemsize == size


class _Array(np.ndarray[Any, Any]):
    """An array whose pickled state is checked before NumPy sees it."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shape, kind, fortran, raw = state[-4:]
        if isinstance(raw, str):  # a Python 2 byte string, read as latin1
            raw = raw.encode("latin-1")
        if not isinstance(kind, _Dtype) or not isinstance(raw, bytes) or not kind.fits(shape, len(raw)):
            raise ValueError(f"an array's shape {shape!r} does not fit the bytes that follow")
        checked: Any = (1, shape, kind.dtype, bool(fortran), raw)
        super().__setstate__(checked)


def _new_array(*_: object) -> _Array:
    """`_reconstruct(ndarray, (0,), b"b")`: the empty array that its state then fills, whatever is asked for."""
    return np.ndarray.__new__(_Array, (0,), "b")


def _new_scalar(kind: _Dtype, raw: bytes | str) -> Any:
    """`scalar(dtype, bytes)`: one NumPy number."""
    return np.frombuffer(raw.encode("latin-1") if isinstance(raw, str) else raw, kind.dtype, count=1)[0]


def _array_from_buffer(raw: bytes, kind: _Dtype, shape: tuple[int, ...], order: str) -> np.ndarray[Any, Any]:
    """`_frombuffer(bytes, dtype, shape, order)`: how protocol 5 writes an array."""
    if not kind.fits(shape, len(raw)):
        raise ValueError(f"an array's shape {shape!r} does not fit its {len(raw):,} bytes")
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


_NAMES: dict[str, Any] = {
    "numpy.ndarray": None,  # only ever an argument of _reconstruct
    "numpy.dtype": _Dtype,
    "_codecs.encode": _encode,
    "__builtin__.bytes": _no_bytes,
    "builtins.bytes": _no_bytes,
    "copyreg._reconstructor": _rebuild,
    "copy_reg._reconstructor": _rebuild,
    "builtins.object": None,
    "__builtin__.object": None,
}
for _core in ("numpy.core", "numpy._core"):  # NumPy 2 renamed its inside; files of both kinds exist
    _NAMES[f"{_core}.multiarray._reconstruct"] = _new_array
    _NAMES[f"{_core}.multiarray.scalar"] = _new_scalar
    _NAMES[f"{_core}.numeric._frombuffer"] = _array_from_buffer


_OUTSIDE = (
    *(pickle.PERSID, pickle.BINPERSID, pickle.EXT1, pickle.EXT2, pickle.EXT4),
    *(pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
)  # instructions that refer to things outside the file


class _Unpickler(pickle._Unpickler):
    """Python's unpickler with our table of names, without the instructions that reach outside the file."""

    stack: list[Any]  # where the instructions find their arguments; the stubs leave these two out
    read: Callable[[int], bytes]

    def __init__(self, file: _Pieces, allowed: frozenset[str], what: str, encoding: str) -> None:
        super().__init__(file, fix_imports=False, encoding=encoding)
        self.what = what
        self.names = _NAMES | {name: _stand_in(name) for name in allowed}

    def find_class(self, module: str, name: str) -> Any:
        """What `module.name` may stand for here, from the table; DataError for every other name."""
        full = f"{module}.{name}"
        if full in self.names:
            return self.names[full]
        if module.split(".")[0] in ("dill", "cloudpickle"):
            raise DataError(
                f"{self.what}: a dill file (it asks for {full}), which holds program code; that is never run here. "
                "Open it where it was made and export the arrays: "
                "numpy.savez('network.npz', *[numpy.asarray(w) for w in weights])."
            )
        raise DataError(
            f"{self.what}: the pickle asks for {full}, which is not an array or a plain value, so it was refused "
            "and nothing was run. If you trust its author, load it with Python's own pickle and export the arrays "
            "with numpy.savez."
        )

    def load_build(self) -> None:
        """BUILD gives an object its state. Only what was built here may take one: not functions, not classes."""
        state = self.stack.pop()
        instance = self.stack[-1]
        if isinstance(instance, _Array | _Dtype):
            instance.__setstate__(state)
        elif isinstance(instance, PickledObject) and isinstance(state, dict):
            names = (key.decode("ascii") if isinstance(key, bytes) else str(key) for key in state)
            instance.__dict__.update(zip(names, state.values()))
        else:
            raise DataError(f"{self.what}: the pickle sets the state of {type(instance).__name__}; it was refused.")

    def load_long_bytes(self) -> None:
        """BYTEARRAY8, without believing its length: protocol 5 keeps an array's numbers in it."""
        (size,) = struct.unpack("<Q", self.read(8))
        self.stack.append(self.read(size))

    def refuse(self) -> NoReturn:
        raise DataError(f"{self.what}: the pickle refers to things outside itself; it was refused.")

    dispatch: ClassVar[dict[int, Any]] = {
        **pickle._Unpickler.dispatch,
        pickle.BUILD[0]: load_build,
        pickle.BYTEARRAY8[0]: load_long_bytes,
        **dict.fromkeys(map(ord, _OUTSIDE), refuse),
    }


def _stand_in(name: str) -> type[PickledObject]:
    return type(name.rpartition(".")[2], (PickledObject,), {"pickled_class": name})
