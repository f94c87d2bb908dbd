"""MATLAB's .mat files (up to version 7): `mnist-original.mat`, `mnist_all.mat`, EMNIST's, and others of that kind.

    mnist-original.mat   data (784, 70000), a column an image, and label (1, 70000)
    mnist_all.mat        train0 … train9, test0 … test9: an array (N, 784) for each class
    emnist-letters.mat   a struct `dataset` with train.images, train.labels, test.images, test.labels, on their side
Objects and functions in the file are never loaded.
"""

import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.shared.contents import Reading
from digitlab.data.formats.shared.families import FAMILIES, family_of_file
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.named_arrays import arrange, paired_arrays, read_named
from digitlab.data.formats.shared.raw import Raw
from digitlab.data.formats.shared.safe_gzip import MAX_BYTES, unpacked_limit
from digitlab.errors import DataError

NUMBERS = ("double", "single", "logical", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
EMNIST = "dataset"  # the struct in EMNIST's files
HEADER, COMPRESSED, PIECE = 128, 15, 1 << 20  # bytes before the elements; the kind of a packed one; bytes at once


def read_mat(path: Path, reading: Reading) -> dict[str, Raw]:
    """The sets in a .mat file. Raises DataError if it is damaged, holds no images and labels, or too much."""
    from scipy.io import whosmat

    try:
        _check_size(path)
        found = {name: (shape, kind) for name, shape, kind in whosmat(path)}
        if EMNIST in found and found[EMNIST][1] == "struct":
            return _emnist(path, reading)
        numbers = {name: shape for name, (shape, kind) in found.items() if kind in NUMBERS}
        if not arrange(numbers) and (others := [f"{name} ({found[name][1]})" for name in found if name not in numbers]):
            raise DataError(f"{path}: holds {', '.join(others[:6])}, expected arrays of numbers: images and labels.")
        return read_named(numbers, lambda name: _variable(path, name), str(path), reading)
    except (ValueError, TypeError, KeyError, IndexError, EOFError, OSError, NotImplementedError, zlib.error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path}: is not a readable MATLAB file ({error}). Is it cut off? Fetch it again, or save it with -v7."
        ) from error


def _check_size(path: Path) -> None:
    """DataError if a file unpacks to more than a data set can be: SciPy unpacks an element of any size."""
    total, limit = 0, unpacked_limit(path.stat().st_size, MAX_BYTES)
    with path.open("rb") as file:
        file.seek(HEADER - 2)
        order: Literal["little", "big"] = "little" if file.read(2) == b"IM" else "big"
        while len(tag := file.read(8)) == 8:
            kind, size = (int.from_bytes(half, order) for half in (tag[:4], tag[4:]))
            unpack = zlib.decompressobj() if kind == COMPRESSED else None
            while size and (piece := file.read(min(size, PIECE))):
                size -= len(piece)
                while unpack is not None and piece and total <= limit:
                    total += len(unpack.decompress(piece, PIECE))
                    piece = unpack.unconsumed_tail
                total += 0 if unpack is not None else len(piece)
            if total > limit:
                raise DataError(f"{path}: unpacks to more than {limit:,} bytes, expected small images.")


def _variable(path: Path, name: str) -> NDArray[Any]:
    from scipy.io import loadmat

    array: NDArray[Any] = np.asarray(loadmat(path, variable_names=[name])[name])
    return array


def _emnist(path: Path, reading: Reading) -> dict[str, Raw]:
    """EMNIST's struct: rows of pixels that run down the image first, and labels from 0 or, of letters, from 1."""
    dataset = _variable(path, EMNIST)
    family = family_of_file(path.with_name(f"{path.name.removesuffix('.mat')}-")) or FAMILIES["emnist-digits"]
    raws = {}
    for part in ("train", "test"):
        images, labels = (_field(_field(dataset, part, path), kind, path) for kind in ("images", "labels"))
        raws[part] = family.read(paired_arrays(images, labels, f"{path}: {part}", reading), reading)
    return raws


def _field(struct: NDArray[Any], name: str, path: Path) -> NDArray[Any]:
    if struct.dtype.names is None or name not in struct.dtype.names or struct.size != 1:
        raise DataError(f"{path}: {EMNIST} has no {name}, expected train and test, each with images and labels.")
    value: NDArray[Any] = np.asarray(struct.reshape(-1)[name][0])
    return value


FORMAT = Format(("mat",), read_mat)
