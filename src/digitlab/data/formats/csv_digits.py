"""Digits as text: one line an image, its label and its pixels 0–255, with or without a heading.

csv_table.py      the numbers of a text file
table_layout.py   which column is the label, and which are pixels
pixels.py         what their numbers mean;  labels.py  what the labels mean
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import DIGIT_NAMES, Digits
from digitlab.data.formats.contents import Reading, UnlabelledError
from digitlab.data.formats.csv_table import Table, read_table
from digitlab.data.formats.pixels import to_bytes
from digitlab.data.formats.raw import WHOLE, Raw, with_classes
from digitlab.data.formats.table_layout import LABEL_NAMES, Layout, find_layout, word_columns
from digitlab.errors import DataError
from digitlab.files import require_suffix, write_text


@dataclass(frozen=True, eq=False, repr=False)
class CsvImages:
    """What a CSV file holds.

    images       uint8 (N, H, W) or (N, H, W, 3)
    labels       numbers (N,), or words; None if no column holds labels
    named        whether the heading names the column of labels
    lines        the line in the file where image i stands
    """

    images: NDArray[np.uint8]
    labels: NDArray[Any] | list[str] | None
    named: bool
    lines: Callable[[int], int]


def read_csv_images(
    path: str | os.PathLike[str],
    *,
    label_column: str | int | None = None,
    image_shape: Sequence[int] | None = None,
    classes: int = 10,
) -> CsvImages:
    """The images in a CSV file, plain or gzip, with or without labels; for the arguments see `read_csv`.

    Raises DataError naming the file, the line, the column, what was found and what was expected.
    """
    table = read_table(path, words=lambda heading, columns: word_columns(heading, columns, label_column))
    layout = find_layout(
        table, f"{path}: line {table.first_line}", label_column=label_column, image_shape=image_shape, classes=classes
    )
    images = _images(table, layout, path)
    if layout.label is None:
        return CsvImages(images, None, False, table.line)
    named = table.heading is not None and table.heading[layout.label].lower() in LABEL_NAMES
    return CsvImages(images, table.words.get(layout.label, table.values[:, layout.label]), named, table.line)


def read_csv(
    path: str | os.PathLike[str],
    *,
    class_names: Sequence[str] | None = None,
    name: str = "",
    label_column: str | int | None = None,
    image_shape: Sequence[int] | None = None,
) -> Digits:
    """The labelled images in a CSV file, plain or gzip; fields are separated by commas, semicolons, tabs or spaces.

    class_names    what the classes are called; None: "0" to "9", or the words that stand in the column of labels
    label_column   the label's name in the heading, or its position, -1 for the last; None: the column called label,
                   labels, class, y, target, targets or digit, else the first
    image_shape    of one image, (H, W) or (H, W, 3); None: square
    Whole numbers are bytes 0–255; if all pixels lie within 0–1 and some are fractions, they are shares of 255.
    Raises DataError naming the file, the line, the column, what was found and what was expected.
    """
    names = None if class_names is None else tuple(class_names)
    raw = read_raw_csv(path, Reading(label_column, names, None if image_shape is None else tuple(image_shape)))
    return with_classes({WHOLE: raw}, class_names)[WHOLE].renamed(name)


def read_raw_csv(path: str | os.PathLike[str], reading: Reading) -> Raw:
    """The labelled images in a CSV file, before their labels have a meaning; see `read_csv`."""
    found = read_csv_images(
        path,
        label_column=reading.label_column,
        image_shape=reading.image_shape,
        classes=len(DIGIT_NAMES if reading.class_names is None else reading.class_names),
    )
    if found.labels is None:
        size, pixels = "×".join(map(str, found.images.shape[1:])), found.images[0].size
        raise UnlabelledError(
            f"{path}: line {found.lines(0)} has {pixels:,} numbers, expected a label and a square image; "
            f"these are {size} pixels alone.",
            found.images,
        )
    guessed = reading.label_column is None and not found.named
    return Raw(
        found.images,
        found.labels,
        str(path),
        lambda i: f"{path}: line {found.lines(i)}",
        hint="If another column holds the label name it: --label-column -1 is the last." if guessed else "",
    )


def write_csv(path: str | os.PathLike[str], digits: Digits) -> None:
    """Write grey digits as `label,pixels` lines without a heading, atomically.

    Raises DataError for colour images, ConfigError for the suffix of another format.
    """
    require_suffix(path, "a table", ".csv", ".txt")
    if digits.images.ndim != 3:
        raise DataError(f"{path}: got {digits}, expected grey images: CSV has one number a pixel.")
    pixels = digits.images.reshape(len(digits), -1)  # (N, H·W)
    lines = (",".join(map(str, (label, *row))) for label, row in zip(digits.labels.tolist(), pixels.tolist()))
    write_text(Path(path), "\n".join(lines) + "\n")


def _images(table: Table, layout: Layout, path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    columns = layout.pixels
    consecutive = bool((np.diff(columns) == 1).all())
    values = table.values[:, columns[0] : columns[-1] + 1] if consecutive else table.values[:, columns]  # (N, H·W)
    images = to_bytes(
        values, lambda row, pixel: f"{path}: line {table.line(row)}, column {columns[pixel] + 1}"
    ).reshape(len(values), *layout.shape)
    if len(layout.shape) == 3 and layout.shape[0] == 3 and layout.shape[2] != 3:
        images = images.transpose(0, 2, 3, 1)  # the three colours stood one after the other
    return np.ascontiguousarray(images)
