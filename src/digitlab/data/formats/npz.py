"""NumPy's .npz archives: `images` and `labels`, or Keras's `x_train, y_train, x_test, y_test` (and `x_valid, y_valid`).

Beside them there may be `class_names`.

An .npz is a zip of .npy members, each a short header (type and shape) before its numbers. The header is compared
with the member's size before memory is taken, and members that hold Python objects are never unpickled.
"""

import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import DIGIT_NAMES, Digits
from digitlab.data.formats.npy import read_array
from digitlab.data.formats.shared.contents import AS_IT_IS, Reading, contents_of
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.named_arrays import read_named
from digitlab.data.formats.shared.raw import Raw, to_digits
from digitlab.data.formats.shared.safe_gzip import MAX_BYTES
from digitlab.data.splits import Splits
from digitlab.errors import DataError, in_brief
from digitlab.files import atomic_write, require_file, require_suffix, unpacked_limit
from digitlab.settings.data import Split

MAX_NAMES = 1 << 20  # bytes of the names of classes, four for each character
NAMES = "class_names"  # the member that says what the classes are called, where they are not digits


def read_npz(path: str | os.PathLike[str], split: Split = "50k/10k/10k") -> Splits:
    """The sets in an .npz file: published ones split as `split` says, a single one cut up (see `split_single`).

    Raises DataError naming the file, the member, what was found and what was expected.
    """
    file = require_file(path)
    return contents_of(to_digits(read_arrays(file, AS_IT_IS), None), file.name).splits(split)


def read_arrays(file: Path, reading: Reading) -> dict[str, Raw]:
    """The sets in an .npz file; see named_arrays.py for the names that its arrays may have. Raises DataError."""
    with _opened(file) as archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        own = _read_names(archive, str(file)) if NAMES in keys else None
        return read_named(keys, partial(_read_member, archive, str(file)), str(file), reading, own)


def write_npz(
    path: str | os.PathLike[str], digits: Digits, test: Digits | None = None, valid: Digits | None = None
) -> None:
    """Write a set as a compressed .npz with `images` and `labels`; with a test set as `x_train` ... `y_test`.

    A validation set beside a test set is `x_valid` and `y_valid`.

    Classes that are not called "0" to "9" leave their names in `class_names`. Written atomically.
    Raises ConfigError for the suffix of another format.
    """
    require_suffix(path, "a NumPy archive", ".npz")
    arrays: dict[str, Any] = {"images": digits.images, "labels": digits.labels}
    if test is not None:
        sets = {"train": digits, "valid": valid, "test": test}
        arrays = {f"x_{part}": found.images for part, found in sets.items() if found is not None}
        arrays |= {f"y_{part}": found.labels for part, found in sets.items() if found is not None}
    if digits.class_names != DIGIT_NAMES:
        arrays[NAMES] = np.array(digits.class_names)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_class_names(archive: zipfile.ZipFile, class_names: tuple[str, ...]) -> None:
    """Add what the classes are called to an .npz that is being written."""
    with archive.open(zipfile.ZipInfo(f"{NAMES}.npy", (1980, 1, 1, 0, 0, 0)), "w") as member:
        np.lib.format.write_array(member, np.array(class_names), allow_pickle=False)


def read_members(path: str | os.PathLike[str], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays of these names in an .npz archive that holds no others. Raises DataError."""
    with _opened(Path(path)) as archive:
        found = archive.namelist()
        if sorted(found) != sorted(f"{name}.npy" for name in names):
            raise DataError(f"{path}: holds {', '.join(found)!s:.80}, expected {', '.join(names)}.")
        return {name: _read_member(archive, str(path), name) for name in names}


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{file}: not a readable .npz archive ({in_brief(error)}), expected one that numpy.savez wrote. "
            "Is it cut off? Fetch or export it again."
        ) from error


def _read_names(archive: zipfile.ZipFile, file: str) -> tuple[str, ...]:
    names = _read_member(archive, file, NAMES, MAX_NAMES)
    if names.ndim != 1 or names.dtype.kind != "U":
        raise DataError(f"{file}: {NAMES} is {names.dtype} of shape {names.shape}, expected a list of texts.")
    return tuple(names.tolist())


def _read_member(archive: zipfile.ZipFile, file: str, key: str, limit: int | None = None) -> NDArray[Any]:
    """One array, its promise checked first."""
    info = archive.getinfo(f"{key}.npy")
    limit = unpacked_limit(Path(file).stat().st_size, limit or MAX_BYTES)
    return read_array(lambda _: archive.open(info), info.file_size, f"{file}: {key}", limit)


FORMAT = Format(("npz",), read_arrays)
