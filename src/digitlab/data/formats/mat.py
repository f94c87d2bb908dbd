"""MATLAB's .mat files (up to version 7): `mnist-original.mat`, `mnist_all.mat`, EMNIST's, and others of that kind.

    mnist-original.mat   data (784, 70000), a column an image, and label (1, 70000)
    mnist_all.mat        train0 … train9, test0 … test9: an array (N, 784) for each class
    emnist-letters.mat   a struct `dataset` with train.images, train.labels, test.images, test.labels, on their side
Objects and functions in the file are never loaded.
"""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.shared.contents import Reading
from digitlab.data.formats.shared.families import FAMILIES, family_of_file
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.mat_file import Variable, read_variables
from digitlab.data.formats.shared.named_arrays import arrange, paired_arrays, read_named
from digitlab.data.formats.shared.raw import Raw
from digitlab.errors import DataError, in_brief

EMNIST = "dataset"  # the struct in EMNIST's files


def read_mat(path: Path, reading: Reading) -> dict[str, Raw]:
    """The sets in a .mat file. Raises DataError if it is damaged, holds no images and labels, or too much."""
    try:
        found = read_variables(path)
    except (ValueError, struct.error, zlib.error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path}: is not a readable MATLAB file ({in_brief(error)}). Is it cut off? "
            "Fetch it again, or save it with -v7."
        ) from error
    if EMNIST in found and found[EMNIST].kind == "struct":
        return _emnist(path, found[EMNIST], reading)
    numbers = {name: value for name, (_, value) in found.items() if isinstance(value, np.ndarray)}
    if not arrange(numbers) and (others := [f"{name} ({found[name].kind})" for name in found if name not in numbers]):
        raise DataError(f"{path}: holds {', '.join(others[:6])}, expected arrays of numbers: images and labels.")
    return read_named(numbers, numbers.__getitem__, str(path), reading)


def _emnist(path: Path, dataset: Variable, reading: Reading) -> dict[str, Raw]:
    """EMNIST's struct: rows of pixels that run down the image first, and labels from 0 or, of letters, from 1."""
    family = family_of_file(path.with_name(f"{path.name.removesuffix('.mat')}-")) or FAMILIES["emnist-digits"]
    raws = {}
    for part in ("train", "test"):
        images, labels = (_array(_field(dataset, part, path), kind, path) for kind in ("images", "labels"))
        raws[part] = family.read(paired_arrays(images, labels, f"{path}: {part}", reading), reading)
    return raws


def _field(dataset: Variable, name: str, path: Path) -> Variable:
    found: Variable | None = dataset.value.get(name) if isinstance(dataset.value, dict) else None
    if found is None:
        raise DataError(f"{path}: {EMNIST} has no {name}, expected train and test, each with images and labels.")
    return found


def _array(part: Variable, name: str, path: Path) -> NDArray[Any]:
    value = _field(part, name, path).value
    if not isinstance(value, np.ndarray):
        raise DataError(f"{path}: {EMNIST}'s {name} are no array of numbers.")
    return value


FORMAT = Format(("mat",), read_mat)
