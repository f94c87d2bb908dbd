"""The variables of a MATLAB 5 file, as MATLAB's versions 5 to 7 write it: arrays of numbers, and structs of them.

SciPy's reader believes the sizes in a file: a damaged one made it crash, or take a gigabyte. Here each size is compared
with the bytes that there are. See "MAT-File Format", chapter 1: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf

    file       a header of 128 bytes, the last two "IM" (little-endian) or "MI"; then elements
    element    its type and size, two uint32, and so many bytes, filled up to eight; up to four bytes fit beside them
    matrix     an element of elements: class and flags, sizes of the axes, name, and the numbers, first axis fastest
    struct     a matrix whose numbers are replaced by the length of its field names, these names, a matrix for each
    packed     an element that zlib compressed
"""

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.shared.safe_gzip import MAX_BYTES
from digitlab.errors import DataError
from digitlab.files import unpacked_limit

HEADER = 128
MATRIX, PACKED = 14, 15  # types of elements
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CLASSES = {
    **{1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 6: "double", 7: "single", 16: "function"},
    **{8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32", 13: "uint32", 14: "int64", 15: "uint64"},
}
COMPLEX = 0x800  # among the flags
MOST = 1000  # variables of a file, or fields of a struct
DEEPEST = 8  # structs inside each other


class Variable(NamedTuple):
    """An array of numbers, a struct of one element as the variables in its fields, or None for any other kind."""

    kind: str  # "double", "uint8", "struct", "char" ...
    value: "NDArray[Any] | dict[str, Variable] | None"


def read_variables(path: Path) -> dict[str, Variable]:
    """The variables of a .mat file by name; numbers have the type that they are stored in, axes their order in MATLAB.

    Raises DataError for a file that unpacks to more than a data set can be, ValueError for a damaged one.
    """
    limit = unpacked_limit(size := path.stat().st_size, MAX_BYTES)
    if size > MAX_BYTES:
        raise DataError(f"{path}: has {size:,} bytes, expected {MAX_BYTES:,} at most.")
    content = memoryview(path.read_bytes())
    order = "<" if bytes(content[HEADER - 2 : HEADER]) == b"IM" else ">"
    found: dict[str, Variable] = {}
    left = limit
    for kind, inside in _elements(content[HEADER:], order):
        if kind == PACKED:
            inside, left = _unpacked(inside, order, left, f"{path}: unpacks to more than {limit:,} bytes")
        elif kind != MATRIX:
            raise ValueError(f"it has an element of type {kind} where an array is expected")
        name, variable = _matrix(inside, order, DEEPEST)
        found[name] = variable
        if len(found) > MOST:
            raise ValueError(f"it has more than {MOST:,} variables")
    return found


def _elements(content: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """The type and the bytes of each element."""
    at = 0
    while at < len(content):
        if len(content) - at < 8:
            raise ValueError("it is cut off")
        kind, size = struct.unpack_from(f"{order}II", content, at)
        start, end = at + 8, at + 8 + size + (-size % 8 if kind != PACKED else 0)
        if kind >> 16:  # a small one: size and type are halves of the first number, the bytes are in the second's place
            kind, size, start, end = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        if start + size > min(len(content), end):
            raise ValueError(f"an element promises {size:,} bytes, and {len(content) - start:,} are left")
        yield kind, content[start : start + size]
        at = end


def _unpacked(packed: memoryview, order: str, left: int, refusal: str) -> tuple[memoryview, int]:
    """The matrix in a packed element, and how many bytes the others may still unpack to."""
    unpack = zlib.decompressobj()
    kind, size = struct.unpack(f"{order}II", unpack.decompress(packed, 8))
    if kind != MATRIX:
        raise ValueError(f"a packed element of type {kind} is no array")
    if size > left:
        raise DataError(f"{refusal}, expected small images.")
    content = unpack.decompress(unpack.unconsumed_tail, size) if size else b""
    if len(content) < size:
        raise ValueError(f"a packed array promises {size:,} bytes and has {len(content):,}")
    return memoryview(content), left - size


def _matrix(content: memoryview, order: str, deepest: int) -> tuple[str, Variable]:
    """The name and the value of a matrix. An empty element is MATLAB's []."""
    if not content:
        return "", Variable("double", np.zeros((0, 0)))
    parts = _elements(content, order)
    flags = _numbers(parts, order, most=2)
    shape = tuple(_numbers(parts, order, most=16).tolist())
    name = _numbers(parts, order, most=1 << 16).tobytes().decode("latin-1")
    kind = CLASSES.get(int(flags[0]) & 0xFF, "unknown") if len(flags) else "unknown"
    if min(shape, default=-1) < 0:
        raise ValueError(f"{name!s:.80} has the shape {shape}")
    if kind.startswith(("double", "single", "int", "uint")) and not flags[0] & COMPLEX:
        values = _numbers(parts, order, most=math.prod(shape))
        if len(values) != math.prod(shape):
            raise ValueError(f"{name!s:.80} promises {shape} numbers and has {len(values):,}")
        return name, Variable(kind, values.reshape(shape, order="F"))
    if kind == "struct" and math.prod(shape) == 1 and deepest:
        return name, Variable(kind, _fields(parts, order, deepest - 1))
    return name, Variable(kind, None)


def _fields(parts: Iterator[tuple[int, memoryview]], order: str, deepest: int) -> dict[str, Variable]:
    """The fields of a struct of one element."""
    length = max(1, int(_numbers(parts, order, most=1).sum()))
    names = _numbers(parts, order, most=1 << 16).tobytes()
    if len(names) > MOST * length:
        raise ValueError(f"a struct has more than {MOST:,} fields")
    found = {}
    for at in range(0, len(names), length):
        kind, content = next(parts, (0, memoryview(b"")))
        if kind != MATRIX:
            raise ValueError(f"a field of a struct is an element of type {kind}, expected an array")
        name = names[at : at + length].partition(b"\0")[0].decode("latin-1")
        found[name] = _matrix(content, order, deepest)[1]
    return found


def _numbers(parts: Iterator[tuple[int, memoryview]], order: str, *, most: int) -> NDArray[Any]:
    """The numbers of the next element."""
    kind, content = next(parts, (0, memoryview(b"")))
    if kind not in NUMBERS:
        raise ValueError(f"an element has type {kind}, expected numbers")
    dtype = np.dtype(order + NUMBERS[kind])
    if len(content) > most * dtype.itemsize:
        raise ValueError(f"an element has {len(content) // dtype.itemsize:,} numbers, expected {most:,} at most")
    return np.frombuffer(content, dtype)
