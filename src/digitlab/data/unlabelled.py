"""Images to classify, without labels or with them: one set, whatever it comes from.

    a picture               one digit, brought to MNIST's form as in an image folder (image_folder.py)
    a folder of pictures    every picture in it and in its folders, in the order of their names
    a NumPy array (.npy)    as it is
    any other source        what `load` makes of it: the images with their labels, or alone where there are none

Several sources make one set.
"""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import DIGIT_NAMES
from digitlab.data.formats.npy import read_npy
from digitlab.data.formats.shared.contents import Part, UnlabelledError
from digitlab.data.formats.shared.csv_table import Table, read_table
from digitlab.data.formats.shared.table_layout import INDEX_NAMES, LABEL_NAMES
from digitlab.data.loading import load_part
from digitlab.errors import DataError
from digitlab.kinds import PICTURES, sniff
from digitlab.settings.data import DataSettings, Source


@dataclass(frozen=True, eq=False, repr=False)
class Unlabelled:
    """Images in the order of their source.

    values       uint8 (N, H, W) or (N, H, W, 3); numbers (N, ...) of an array or table that holds no pixel bytes
    names        the files of pictures; None for a set, whose images have no names
    positions    int64 (N,): each image's place in its source, counted from 0
    labels       int64 (N,) where the source has labels, else None
    class_names  what the classes of the labels are called
    skipped      what is wrong with each picture that could not be read, a line each
    part         which images of the source these are: "train", "valid", "test" or "all"
    note         a line for the user about how the source was read; "" for none
    """

    values: NDArray[Any]
    names: tuple[str, ...] | None = None
    positions: NDArray[np.int64] | None = None
    labels: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] = DIGIT_NAMES
    skipped: tuple[str, ...] = ()
    part: Part = "all"
    note: str = ""

    def __repr__(self) -> str:
        return f"Unlabelled: {len(self.values):,} of shape {'×'.join(map(str, self.values.shape[1:]))}"


def read_unlabelled(
    sources: Source | Sequence[Source],
    *,
    picture_shape: tuple[int, ...] = (28, 28),
    columns: int | None = None,
    part: Part | None = None,
    advance: Callable[[int], None] = lambda images: None,
    **settings: Unpack[DataSettings],
) -> Unlabelled:
    """The images in a file or folder, or in several, one after the other.

    picture_shape  what pictures become: (H, W), or (H, W, 3) in colour; and what rows of a CSV file are, unless
                   `settings` say otherwise
    columns        for tables of numbers that are no pixels: how many make one input
    part           "train", "valid", "test" or "all"; None: the test set of a source that its author divided, else all
    advance        called with 1 after every picture
    settings       of other sources, see `load`

    Of several pictures, one that cannot be read is skipped and described. Raises DataError naming the file if none
    can be read, or for files that hold no images.
    """
    paths = [Path(one).expanduser() for one in ([sources] if isinstance(sources, str | os.PathLike) else sources)]
    if not paths:
        raise DataError("got no file to read; expected a file or folder of images")
    files = [_picture_files(path) for path in paths]
    if all(files):
        return _read_pictures([path for some in files for path in some], picture_shape, advance)
    parts = [
        _read_pictures(some, picture_shape, advance)
        if some
        else _read_set(path, picture_shape, columns, part, settings)
        for path, some in zip(paths, files)
    ]
    return _joined(parts, paths)


def _picture_files(source: Path) -> list[Path]:
    """The pictures in a folder and its subfolders, in the order of their names; of a picture, itself; else none."""
    files = source.rglob("*") if source.is_dir() else [source]
    return sorted(
        (path for path in files if not _is_hidden(path.relative_to(source)) and _is_picture(path)),
        key=lambda path: [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", str(path)))],
    )  # "2.png" before "10.png"


def _is_hidden(path: Path) -> bool:
    return any(name.startswith(".") for name in path.parts)


def _is_picture(path: Path) -> bool:
    """Whether a file is a picture, or is called one: reading it then says what is wrong with it."""
    from digitlab.data.photos import is_picture

    return path.is_file() and (is_picture(path) or sniff(path).name in (*PICTURES, "heic", "svg"))


def _read_pictures(files: list[Path], shape: tuple[int, ...], advance: Callable[[int], None]) -> Unlabelled:
    from digitlab.data.photos import read_digit

    images, positions, skipped = [], [], []
    for position, path in enumerate(files):
        try:
            images.append(read_digit(path, shape))
            positions.append(position)
        except DataError as error:
            skipped.append(str(error))
        advance(1)
    if not images:
        more = f" (and {len(files) - 1:,} more pictures, none of which can be read)" if len(files) > 1 else ""
        raise DataError(f"{skipped[0]}{more}")
    names = tuple(str(files[position]) for position in positions)
    return Unlabelled(np.stack(images), names, np.array(positions), skipped=tuple(skipped))


def _read_set(
    path: Path, picture_shape: tuple[int, ...], columns: int | None, part: Part | None, settings: DataSettings
) -> Unlabelled:
    """A set by what `load` makes of it, or the images that it finds without labels."""
    kind = sniff(path) if path.exists() else None
    if kind is not None and kind.name == "npy" and not kind.compressed:
        return Unlabelled(_checked(read_npy(path), path))
    if kind is not None and columns is not None and kind.name in ("csv", "text"):
        return Unlabelled(_numbers(read_table(path), columns, path))
    if kind is not None and kind.name == "csv" and picture_shape[1:] != picture_shape[:1]:  # neither square nor grey
        settings = {**settings, "image_shape": settings.get("image_shape") or picture_shape}
    try:
        loaded = load_part(path, part, **settings)
    except UnlabelledError as error:
        return Unlabelled(_checked(error.images, path))
    digits, own = loaded.digits, part or ("test" if loaded.divided else "all")
    return Unlabelled(
        digits.images, labels=digits.labels, class_names=digits.class_names, part=own, note=loaded.note or ""
    )


def _checked(array: NDArray[Any], path: Path) -> NDArray[Any]:
    if array.dtype.kind not in "buif" or array.ndim == 0:
        raise DataError(f"{path}: holds {array.dtype} of shape {array.shape}, expected an array of images (N, H, W).")
    return array


def _numbers(table: Table, columns: int, path: Path) -> NDArray[np.float64]:
    """The inputs in a table of numbers, (N, columns); columns that the heading calls label or index are left out."""
    names = [name.lower() for name in table.heading] if table.heading is not None else []
    kept = [i for i in range(table.values.shape[1]) if not names or names[i] not in (*LABEL_NAMES, *INDEX_NAMES)]
    if len(kept) != columns:
        raise DataError(
            f"{path}: line {table.first_line} has {len(kept)} numbers, expected {columns}: as many as the network has "
            "inputs. Name a column that is no input label or index in a heading."
        )
    return table.values[:, kept].astype(np.float64)


def _joined(parts: list[Unlabelled], sources: Sequence[Path]) -> Unlabelled:
    """Several sources as one set; images of a set among them are named by its file and their place in it."""
    first = parts[0]
    if len(parts) == 1:
        return first
    for part, source in zip(parts, sources):
        if part.values.shape[1:] != first.values.shape[1:] or part.values.dtype != first.values.dtype:
            raise DataError(
                f"{source}: has images of {part.values.dtype}, {part.values.shape[1:]}, and {sources[0]} of "
                f"{first.values.dtype}, {first.values.shape[1:]}; expected one form. Name them in separate commands."
            )
    names: list[str] = []
    positions, start = [], 0
    for part, source in zip(parts, sources):
        own = np.arange(len(part.values)) if part.positions is None else part.positions
        names += part.names if part.names is not None else [f"{source}:{position}" for position in own.tolist()]
        positions.append(own + start)
        start += len(part.values) + len(part.skipped)
    values, skipped = np.concatenate([part.values for part in parts]), [line for part in parts for line in part.skipped]
    return Unlabelled(values, tuple(names), np.concatenate(positions), skipped=tuple(skipped))
