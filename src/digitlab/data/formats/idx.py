"""IDX, the format MNIST was published in: a magic number, the sizes, then the bytes, nothing else.

    byte 0  0, 0          always
    byte 2  8             the type: unsigned byte
    byte 3  d             how many dimensions: 1 for labels (magic 2049), 3 for images (2051)
    byte 4  n₁ … n_d      each size, 32 bits, most significant byte first
    then    the numbers, the last dimension changing fastest

See http://yann.lecun.com/exdb/mnist/, "the IDX file format". Colour images are (N, H, W, 3), magic 2052.
"""

import gzip
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from digitlab.data.dataset import DIGIT_NAMES, Digits
from digitlab.data.formats.shared.safe_gzip import SafeReader, mistaken_for
from digitlab.errors import DataError
from digitlab.files import atomic_write, require_suffix

_WHAT = {1: "labels", 2: "a table", 3: "images", 4: "colour images"}
BYTES, WORDS = 0x08, 0x0C  # the types of numbers that are read
TYPES: dict[int, np.dtype[Any]] = {BYTES: np.dtype(np.uint8), WORDS: np.dtype(">i4")}


def read_idx(
    path: str | os.PathLike[str], *, dimensions: int | tuple[int, ...] = (), code: int = BYTES
) -> NDArray[Any]:
    """The array in an IDX file, plain or gzip: uint8 labels (N,), images (N, H, W), colour (N, H, W, 3).

    dimensions   what the file must have: 1 for labels, 3 for images, (3, 4) for images of any kind; (): any number
    code         the type of its numbers: BYTES, or WORDS for int32
    The sizes in the header are compared with the file's length before memory is taken.
    Raises DataError naming the file, the byte, what was found there and what was expected.
    """
    with SafeReader(path) as file:
        sizes = _read_header(file, (dimensions,) if isinstance(dimensions, int) else dimensions, code)
        promised = math.prod(sizes) * TYPES[code].itemsize
        header = file.tell()
        if 0 in sizes[1:]:
            raise DataError(f"{file.path}: the header promises {' × '.join(map(str, sizes))} values; expected pixels.")
        if promised > file.max_bytes - header:
            raise DataError(
                f"{file.path}: the header promises {' × '.join(map(str, sizes))} = {promised:,} bytes after byte "
                f"{header}, found room for {max(0, file.max_bytes - header):,} at most in this file. "
                "It is cut off or damaged; fetch the file again."
            )
        values = file.read_array(promised, _WHAT.get(len(sizes), "values"))
        file.expect_end()
    return values.view(TYPES[code]).astype(TYPES[code].newbyteorder("="), copy=False).reshape(sizes)


def idx_dimensions(path: str | os.PathLike[str]) -> int:
    """How many dimensions the array in an IDX file has: 1 for labels, 3 for images, 4 for colour images."""
    with SafeReader(path) as file:
        return len(_read_header(file, ()))


def _read_header(file: SafeReader, dimensions: tuple[int, ...], code: int = BYTES) -> tuple[int, ...]:
    """Magic number and sizes; DataError if they are not those of an IDX file of this type."""
    magic = file.read(4)
    if len(magic) < 4:
        raise DataError(f"{file.path}: has {len(magic)} bytes of content, expected an IDX header. Fetch it again.")
    number = int.from_bytes(magic, "big")
    expected = " or ".join(f"{256 * code + d} ({_WHAT.get(d, 'values')})" for d in dimensions or (3, 1))
    if magic[:2] != b"\0\0" or not 8 <= magic[2] <= 14 or magic[3] == 0:
        found = mistaken_for(magic) or f"the magic number {number}"
        raise DataError(
            f"{file.path}: at byte 0 found {found}, expected an IDX file's {expected}. It is another kind of file."
        )
    if magic[2] != code:
        mend = (
            "Convert the values to 0–255 and write them with write_idx." if code == BYTES else "Fetch the file again."
        )
        what = "unsigned bytes" if code == BYTES else "32-bit numbers"
        raise DataError(f"{file.path}: at byte 2 found IDX type {magic[2]:#04x}, expected {code:#04x} ({what}). {mend}")
    if dimensions and magic[3] not in dimensions:
        raise DataError(
            f"{file.path}: at byte 0 found the magic number {number} ({_WHAT.get(magic[3], 'other values')}), "
            f"expected {expected}. Are the image and label files swapped?"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(
            f"{file.path}: cut off at byte {4 + len(sizes)}, inside the header; expected {magic[3]} sizes of 4 bytes. "
            "Fetch the file again."
        )
    return tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))


def write_idx(path: str | os.PathLike[str], values: ArrayLike) -> None:
    """Write whole numbers 0–255 as IDX, gzip-compressed if the name ends in .gz; labels, images or colour images.

    Written atomically; the same values give the same bytes (no time stamp inside). Raises DataError for other values,
    or for a single number without dimensions, ConfigError for the suffix of another format.
    """
    require_suffix(path, "an IDX file", ".gz", ".idx", ".ubyte")
    array = np.asarray(values)
    if array.dtype.kind not in "iu" or (array.size and (array.min() < 0 or array.max() > 255)):
        raise DataError(
            f"{path}: an IDX file holds whole numbers 0–255, got {array.dtype} values. "
            "Scale, round and convert them with astype('uint8')."
        )
    if not 1 <= array.ndim <= 255:
        raise DataError(f"{path}: an IDX file holds an array, got a single number. Give at least one dimension.")
    with atomic_write(path) as temporary, idx_file(temporary, array.shape) as file:
        file.write(np.ascontiguousarray(array, dtype=np.uint8).data)


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Magic number and sizes of an IDX file of unsigned bytes."""
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, dtype=">u4").tobytes()


@contextmanager
def idx_file(path: str | os.PathLike[str], shape: tuple[int, ...]) -> Iterator[IO[bytes]]:
    """An IDX file of this shape, its header written, to write the bytes into; compressed if the name ends in .gz.

    The name in the gzip header and its time stamp are left out, so the same values give the same bytes.
    """
    with Path(path).open("wb") as plain:
        packed: Any = gzip.GzipFile("", "wb", 6, plain, mtime=0) if Path(path).suffix == ".gz" else nullcontext(plain)
        with packed as file:
            file.write(idx_header(shape))
            yield file


def read_idx_pair(
    images: str | os.PathLike[str],
    labels: str | os.PathLike[str],
    *,
    class_names: tuple[str, ...] = DIGIT_NAMES,
    name: str = "",
) -> Digits:
    """Images and their labels from two IDX files; DataError if the counts differ or a label has no class."""
    pictures, numbers = read_idx(images, dimensions=(3, 4)), read_idx(labels, dimensions=1)
    return paired(images, pictures, labels, numbers, class_names, name=name)


def paired(
    images: str | os.PathLike[str],
    pictures: NDArray[np.uint8],
    labels: str | os.PathLike[str],
    numbers: NDArray[Any],
    class_names: tuple[str, ...],
    *,
    first: int = 0,
    name: str = "",
) -> Digits:
    """Pictures (N, H, W) of one file with the numbers (N,) of another, which count the classes from `first` on.

    Raises DataError if the counts differ or a number has no class.
    """
    if len(pictures) != len(numbers):
        raise DataError(
            f"{images} holds {len(pictures):,} images and {labels} {len(numbers):,} labels; expected as many of each. "
            "They belong to different sets; fetch both again."
        )
    classes = numbers.astype(np.int64) - first
    wrong = np.flatnonzero((classes < 0) | (classes >= len(class_names)))
    if len(wrong):
        at, last = int(wrong[0]), first + len(class_names) - 1
        raise DataError(
            f"{labels}: label number {at:,} (from 0) is {numbers[at]}, expected {first}–{last}. "
            "The file is damaged, or a set with other classes: pass their class_names."
        )
    return Digits(pictures, classes, class_names, name)
