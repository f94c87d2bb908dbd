"""Digits as text: one line an image, its label and its pixels 0–255, with or without a heading.

shared/csv_table.py      the numbers of a text file
shared/table_layout.py   which column is the label, and which are pixels
shared/pixels.py         what their numbers mean;  labels.py  what the labels mean
"""

import os
from collections.abc import Sequence
from pathlib import Path

from digitlab.data.dataset import Digits
from digitlab.data.formats.shared.contents import WHOLE, Reading, UnlabelledError
from digitlab.data.formats.shared.csv_table import read_table
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.raw import Raw, to_digits
from digitlab.data.formats.shared.table_layout import LABEL_NAMES, find_layout, word_columns
from digitlab.errors import DataError
from digitlab.files import require_suffix, write_text


def read_csv(
    path: str | os.PathLike[str],
    *,
    class_names: Sequence[str] | None = None,
    name: str = "",
    label_column: str | int | None = None,
    image_shape: Sequence[int] | None = None,
) -> Digits:
    """The labelled images in a CSV file, plain or gzip; fields are separated by commas, semicolons, tabs or spaces.

    class_names    what the classes are called; None: "0" to "9", or the words in the column of labels
    label_column   the label's name in the heading, or its position, -1 for the last; None: the column called label,
                   labels, class, y, target, targets or digit, else the first
    image_shape    of one image, (H, W) or (H, W, 3); None: square
    Whole numbers are bytes 0–255; if all pixels are within 0–1 and some are fractions, they are shares of 255.
    Raises DataError naming the file, the line, the column, what was found and what was expected.
    """
    names = None if class_names is None else tuple(class_names)
    reading = Reading(label_column, names, None if image_shape is None else tuple(image_shape))
    return to_digits(read_lines(path, reading), names)[WHOLE].renamed(name)


def read_lines(path: str | os.PathLike[str], reading: Reading) -> dict[str, Raw]:
    """The labelled images in a CSV file, before their labels have a meaning; see `read_csv`."""
    table = read_table(path, words=lambda heading, columns: word_columns(heading, columns, reading.label_column))
    layout = find_layout(table, f"{path}: line {table.first_line}", reading)
    columns = layout.pixels + 1
    images = layout.images(table, lambda row, pixel: f"{path}: line {table.line(row)}, column {columns[pixel]}")
    if layout.label is None:
        size, pixels = "×".join(map(str, images.shape[1:])), images[0].size
        raise UnlabelledError(
            f"{path}: line {table.line(0)} has {pixels:,} numbers, expected a label and a square image; "
            f"these are {size} pixels alone.",
            images,
        )
    labels = table.words.get(layout.label, table.values[:, layout.label])
    named = table.heading is not None and table.heading[layout.label].lower() in LABEL_NAMES
    guessed = reading.label_column is None and not named
    hint = "If another column holds the label name it: --label-column -1 is the last." if guessed else ""
    return {WHOLE: Raw(images, labels, str(path), lambda i: f"{path}: line {table.line(i)}", hint)}


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


FORMAT = Format(("csv",), read_lines, table=True, gzip=True)
