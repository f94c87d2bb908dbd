"""One file as a data set: its kind is told from its content (kinds.py), and each kind has a reader.

What is no data set is named for what it is, with the way to make one of it.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.data.formats.contents import Contents, Reading
from digitlab.data.formats.idx_families import Family, family_of_file
from digitlab.data.formats.raw import WHOLE, Raw, joined, to_contents
from digitlab.data.names import NAMES
from digitlab.errors import DataError, did_you_mean
from digitlab.files import require_file
from digitlab.kinds import PICTURES, Kind, sniff


def _reader(module: str, name: str) -> Callable[[Path, Reading], Any]:
    """A function of a module of this folder, which is imported when it is called."""

    def read(path: Path, reading: Reading) -> Any:
        return getattr(importlib.import_module(f"digitlab.data.formats.{module}"), name)(path, reading)

    return read


# Of tables one learns the columns first (Raw), of other files the sets (Contents).
TABLES = {"csv": _reader("csv_digits", "read_raw_csv"), "parquet": _reader("parquet", "read_raw_parquet")}
READERS = {
    "idx": _reader("idx_folder", "read_single"),
    "npz": _reader("npz", "npz_contents"),
    "npy": _reader("npy", "npy_contents"),
    "mat": _reader("mat", "mat_contents"),
    "pickle": _reader("pickles", "pickle_contents"),
    **dict.fromkeys(PICTURES, _reader("image_folder", "picture_contents")),
}
THROUGH_GZIP = ("csv", "idx", "pickle")  # kinds that are read compressed as well

EXPECTED = (
    "expected a table (CSV, Parquet), arrays (.npz, .npy, .mat, a pickle), an IDX file, a picture, "
    "or a folder of one of these"
)
_EXPORT = "if it is a data set export it: numpy.savez('data.npz', images=…, labels=…)"
_NETWORK = "if it is a network name it where NET stands"
_UNPACK = "unpack it and name the folder"
MEND = {
    "hdf5": _EXPORT,
    "torch": _EXPORT,
    "mat73": "save it in MATLAB with save(…, '-v7')",
    "arrow": "save it as Parquet",
    "excel": "save it as CSV",
    "utf-16": "save it as CSV in UTF-8",
    "safetensors": _NETWORK,
    "json": _NETWORK,
    "keras": _NETWORK,
    "onnx": _NETWORK,
    "zip": _UNPACK,
    "tar": _UNPACK,
    "7z": _UNPACK,
    "rar": _UNPACK,
    "bzip2": "unpack it first",
    "xz": "unpack it first",
    "zstd": "unpack it first",
}


def read_path(path: Path, reading: Reading, family: Family | None = None) -> Contents:
    """What a file or folder holds; `family`, if given, says how a table of EMNIST is to be read. Raises DataError."""
    if path.is_dir():
        from digitlab.data.formats.folders import read_any_folder

        return read_any_folder(path, reading)
    if not path.exists():
        hint = did_you_mean(str(path), NAMES)
        raise DataError(f"{path}: there is no such file or folder{hint}; expected 'mnist', 'digits', 'auto' or a path.")
    kind = sniff(require_file(path))
    if kind.name not in TABLES | READERS:
        mend = f"; {MEND[kind.name]}." if kind.name in MEND else "."
        raise DataError(f"{path}: is {kind}, which is not read as a data set; {EXPECTED}{mend}")
    if kind.compressed and kind.name not in THROUGH_GZIP:
        raise DataError(f"{path}: is {kind}; unpack it first.")
    if kind.name in TABLES:
        return tables_contents({WHOLE: [path]}, reading, path.name, family)
    refuse_columns(path, reading)
    contents: Contents = READERS[kind.name](path, reading)
    return contents


def tables_contents(
    files: Mapping[str, Sequence[Path]], reading: Reading, name: str, family: Family | None = None
) -> Contents:
    """The sets in tables, by their part, each in one file or in several pieces.

    EMNIST's images are turned upright, and its classes have their names.
    """
    family = family or next((found for some in files.values() for p in some if (found := family_of_file(p))), None)
    raws = {part: joined([read_raw(path, reading) for path in some]) for part, some in files.items()}
    if family is None:
        return to_contents(raws, reading.class_names, name)
    for part, raw in raws.items():
        images = np.ascontiguousarray(raw.images.swapaxes(1, 2)) if family.sideways else raw.images
        labels = np.asarray(raw.labels)
        if labels.dtype.kind in "iu" and reading.class_names is None:
            labels = labels.astype(np.int64) - family.first_label
        raws[part] = replace(raw, images=images, labels=labels, names=family.class_names)
    return to_contents(raws, reading.class_names, name)


def read_raw(path: Path, reading: Reading) -> Raw:
    """The images and labels in a table. Raises DataError for a file that is none, UnlabelledError without labels."""
    kind: Kind = sniff(require_file(path))
    if kind.name not in TABLES:
        raise DataError(f"{path}: is {kind}, expected a table (CSV or Parquet).")
    raw: Raw = TABLES[kind.name](path, reading)
    return raw


def refuse_columns(path: object, reading: Reading) -> None:
    """DataError if the column of labels was named, and this is no table."""
    if reading.label_column is not None:
        raise DataError(f"{path}: got label_column {reading.label_column!r}, which is for tables; this is none.")
