"""NumPy's .npz archives: `images` and `labels`, or Keras's `x_train, y_train, x_test, y_test` (and `x_valid, y_valid`).

Beside them there may be `class_names`.

An .npz is a zip of .npy members, each a short header (type and shape) before its numbers. The header is held
against the member's size before memory is taken, and members that hold Python objects are never unpickled.
"""

import math
import os
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.digits import DIGIT_NAMES, Digits
from digitlab.data.safe_gzip import MOST_BYTES, require_file
from digitlab.data.splits import Split, Splits, join_validation, split_published, split_single
from digitlab.errors import DataError
from digitlab.files import require_suffix, written_beside

NAMES = "class_names"  # the member that says what the classes are called, where they are not digits


def read_npz(path: str | os.PathLike[str], split: Split = "50k/10k/10k") -> Splits:
    """The sets in an .npz file: published ones split as `split` says, a single one cut up (see `split_single`).

    Raises DataError naming the file, the member, what was found and what was expected.
    """
    file = require_file(path)
    try:
        with zipfile.ZipFile(file) as archive:
            keys = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
            if {"x_train", "y_train", "x_test", "y_test"} <= keys:
                names = _read_names(archive, str(file)) if NAMES in keys else DIGIT_NAMES
                train = _read_pair(archive, str(file), "x_train", "y_train", names)
                test = _read_pair(archive, str(file), "x_test", "y_test", names)
                if {"x_valid", "y_valid"} <= keys:  # as `digitlab expand` writes: its training set may not be cut
                    valid = _read_pair(archive, str(file), "x_valid", "y_valid", names)
                    return join_validation(Splits(train, valid, test), split).named(file.name)
                return split_published(train, test, split).named(file.name)
            if {"images", "labels"} <= keys:
                names = _read_names(archive, str(file)) if NAMES in keys else DIGIT_NAMES
                return split_single(_read_pair(archive, str(file), "images", "labels", names).renamed(file.name), split)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{file}: not a readable .npz archive ({error}), expected one that numpy.savez wrote. "
            "Is it cut off? Fetch or export it again."
        ) from error
    raise DataError(
        f"{file}: holds {', '.join(sorted(keys)[:8]) or 'nothing'}; expected images and labels, "
        "or x_train, y_train, x_test and y_test. Save it with numpy.savez(images=..., labels=...)."
    )


def write_npz(path: str | os.PathLike[str], digits: Digits, test: Digits | None = None) -> None:
    """Write a set as a compressed .npz with `images` and `labels`; with a test set as `x_train` ... `y_test`.

    Classes that are not called "0" to "9" leave their names in `class_names`. Written atomically.
    Raises ConfigError for the suffix of another format.
    """
    require_suffix(path, "a NumPy archive", ".npz")
    arrays: dict[str, Any] = {"images": digits.images, "labels": digits.labels}
    if test is not None:
        arrays = {"x_train": digits.images, "y_train": digits.labels, "x_test": test.images, "y_test": test.labels}
    if digits.class_names != DIGIT_NAMES:
        arrays[NAMES] = np.array(digits.class_names)
    with written_beside(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_class_names(archive: zipfile.ZipFile, class_names: tuple[str, ...]) -> None:
    """Add what the classes are called to an .npz that is being written."""
    with archive.open(zipfile.ZipInfo(f"{NAMES}.npy", (1980, 1, 1, 0, 0, 0)), "w") as member:
        np.lib.format.write_array(member, np.array(class_names), allow_pickle=False)


def _read_names(archive: zipfile.ZipFile, file: str) -> tuple[str, ...]:
    names = _read_member(archive, file, NAMES)
    if names.ndim != 1 or names.dtype.kind != "U":
        raise DataError(f"{file}: {NAMES} is {names.dtype} of shape {names.shape}, expected a list of texts.")
    return tuple(names.tolist())


def _read_pair(archive: zipfile.ZipFile, file: str, images: str, labels: str, names: tuple[str, ...]) -> Digits:
    pictures, numbers = _read_member(archive, file, images), _read_member(archive, file, labels)
    try:
        return Digits(pictures, numbers, names)
    except DataError as error:
        raise DataError(f"{file}: {images} and {labels}: {error}") from error


def _read_member(archive: zipfile.ZipFile, file: str, key: str) -> NDArray[Any]:
    """One array, its promise checked first."""
    info = archive.getinfo(f"{key}.npy")
    try:
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            read_header = (
                np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read_header(member)
            promised = math.prod(shape) * dtype.itemsize
            if dtype.hasobject:
                raise DataError(
                    f"{file}: {key} holds Python objects, which are never loaded; expected numbers. "
                    "Save it as a uint8 array (images) or an integer array (labels)."
                )
            if promised > MOST_BYTES or promised != info.file_size - member.tell():
                raise DataError(
                    f"{file}: {key} promises {shape} of {dtype}, {promised:,} bytes, found {info.file_size:,} "
                    f"(limit {MOST_BYTES:,}). The file is damaged; fetch or export it again."
                )
        with archive.open(info) as member:
            array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{file}: {key} is not a readable array ({error}). Export it again.") from error
    return array
