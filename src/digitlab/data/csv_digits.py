"""Digits as text: one line an image, `label,784 whole numbers 0–255`, with or without a line of headings.

Each line becomes bytes through a table of the 256 spellings, which is as fast as parsing numbers gets in Python
(60,000 images in a few seconds), and a line that does not fit the table says what is wrong with it and where.
"""

import math
import os
from pathlib import Path

import numpy as np

from digitlab.data.digits import DIGIT_NAMES, Digits
from digitlab.data.safe_gzip import SafeReader
from digitlab.errors import DataError
from digitlab.files import require_suffix, write_text

MOST_LINE_BYTES = 1 << 20  # an honest line of 28×28 has about 3 KiB; a bomb may have no line end at all
_VALUE = {str(value).encode(): value for value in range(256)}


def read_csv(path: str | os.PathLike[str], *, class_names: tuple[str, ...] = DIGIT_NAMES, name: str = "") -> Digits:
    """The images in a CSV file, plain or gzip; their side is the square root of the numbers after the label.

    Raises DataError naming the file, the line, what was found and what was expected.
    """
    rows, labels, columns = bytearray(), [], 0
    with SafeReader(path, limit=4 << 30) as file:  # text takes about four bytes a pixel
        number = 0
        while line := file.readline(MOST_LINE_BYTES):
            number += 1
            if len(line) == MOST_LINE_BYTES:
                raise DataError(
                    f"{path}: line {number} is longer than {MOST_LINE_BYTES:,} bytes, expected `label,784 numbers`. "
                    "It is not a CSV file of small images."
                )
            fields = line.strip(b" \t\r\n\xef\xbb\xbf").split(b",")  # spreadsheets begin with a byte order mark
            if fields == [b""] or (number == 1 and _is_heading(fields)):
                continue
            columns = columns or _square_columns(path, number, len(fields))
            if len(fields) != columns:
                raise DataError(
                    f"{path}: line {number} has {len(fields)} numbers, expected {columns} as in the lines before: "
                    f"a label and {columns - 1} pixels. Is the file cut off there?"
                )
            try:
                values = bytes(map(_VALUE.__getitem__, fields))
            except KeyError:
                values = _parse_slowly(path, number, fields)
            if values[0] >= len(class_names):
                raise DataError(
                    f"{path}: line {number} has the label {values[0]}, expected 0–{len(class_names) - 1}. "
                    "The label comes first in the line, then the pixels."
                )
            labels.append(values[0])
            rows += values[1:]
    if not labels:
        raise DataError(f"{path}: holds no images, expected lines of `label,784 numbers`.")
    side = math.isqrt(columns - 1)
    images = np.frombuffer(rows, dtype=np.uint8).reshape(-1, side, side)  # (N, side, side)
    return Digits(images, np.array(labels, dtype=np.int64), class_names, name)


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


def _is_heading(fields: list[bytes]) -> bool:
    """Whether a first line holds names ("label", "1x1", "pixel0"): its first field is no number at all."""
    return not fields[0].strip(b' "+-').replace(b".", b"").isdigit()


def _square_columns(path: str | os.PathLike[str], number: int, columns: int) -> int:
    if columns < 2 or math.isqrt(columns - 1) ** 2 != columns - 1:
        raise DataError(
            f"{path}: line {number} has {columns} numbers, expected a label and a square image: "
            "1 + 784 numbers for 28×28, 1 + 64 for 8×8, with commas between them."
        )
    return columns


def _parse_slowly(path: str | os.PathLike[str], number: int, fields: list[bytes]) -> bytes:
    """A line with spaces or quotes around its numbers; DataError for the first field that is no 0–255."""
    values = bytearray()
    for column, field in enumerate(fields, start=1):
        text = field.decode("utf-8", "replace").strip(' "')
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 255):
            raise DataError(
                f"{path}: line {number}, column {column}: found {text[:20]!r}, expected a whole number 0–255. "
                "Scale pixels back to 0–255 and round them."
            )
        values.append(int(text))
    return bytes(values)
