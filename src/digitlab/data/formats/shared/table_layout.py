"""Which columns of a table are what: the label, an index, and the pixels in the order of the image.

The heading is believed: a column called "label" or "class" is the label wherever it is. Without such a name the
label comes first, as in most files of MNIST, unless the columns themselves show that it comes last.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.shared.contents import Reading
from digitlab.data.formats.shared.csv_table import Table
from digitlab.data.formats.shared.pixels import Place, to_bytes
from digitlab.errors import DataError, did_you_mean

LABEL_NAMES = ("label", "labels", "class", "y", "target", "targets", "digit")
INDEX_NAMES = ("", "unnamed: 0", "id", "index", "idx", "imageid", "image_id", "image id", "row", "rowid", "row_id")
_PIXEL_NAME = re.compile(r"\D*\d+(?:\D\d+)?\D?")  # "pixel17", "1x28", "17", "px_17", "[17]"


@dataclass(frozen=True)
class Layout:
    """The columns of a table, counted from 0.

    label    the column of the labels; None if there is none
    pixels   the columns of the pixels, in the order of the image: int64 (H·W,)
    shape    of an image: (H, W) or (H, W, 3)
    """

    label: int | None
    pixels: NDArray[np.int64]
    shape: tuple[int, ...]

    def images(self, table: Table, place: Place) -> NDArray[np.uint8]:
        """The images of the table; `place` says in messages where pixel `column` of image `row` is."""
        columns = self.pixels
        consecutive = bool((np.diff(columns) == 1).all())  # then no copy is needed
        values = table.values[:, columns[0] : columns[-1] + 1] if consecutive else table.values[:, columns]
        images = to_bytes(values, place).reshape(len(values), *self.shape)
        if len(self.shape) == 3 and self.shape[0] == 3 and self.shape[2] != 3:
            images = images.transpose(0, 2, 3, 1)  # one colour after the other
        return np.ascontiguousarray(images)


def find_layout(table: Table, where: str, reading: Reading) -> Layout:
    """What the columns of a table are; `where` begins the messages.

    In a table that does not name its label, numbers below that of the classes may be labels; one without labels has the
    label None. Raises DataError if the columns make no image, if several could be the label, or if the column that
    was asked for is none of them.
    """
    label_column, image_shape = reading.label_column, reading.image_shape
    names = tuple(name.lower() for name in table.heading) if table.heading is not None else None
    label = _asked(table, label_column, where) if label_column is not None else _named(names, where)
    rest = [c for c in range(table.values.shape[1]) if c != label]

    def image(columns: int) -> bool:
        wanted = math.prod(image_shape) if image_shape is not None else math.isqrt(columns) ** 2
        return columns == wanted > 0

    def fits(columns: int) -> bool:
        return image(columns) or (label is None and image(columns - 1))

    index = [c for c in rest if names is not None and names[c] in INDEX_NAMES]
    if not index and _counts(table.values[:, rest[0]]) and (not fits(len(rest)) or len(table.values) > reading.classes):
        index = rest[:1]
    if fits(len(rest) - len(index)):
        rest = [c for c in rest if c not in index]
    if label is None and image(len(rest) - 1):
        label = _shown(table, names, rest, reading.classes)
        rest.remove(label)
    if not image(len(rest)):
        raise _no_image(table, where, label, image_shape)
    if words := [c for c in table.words if c in rest]:
        name = f" ({table.heading[words[0]]})" if table.heading is not None else ""
        found = table.words[words[0]][0]
        raise DataError(f"{where}, column {words[0] + 1}{name}: found {found!r}, expected a whole number 0–255.")
    side = math.isqrt(len(rest))
    return Layout(label, _ordered(names, rest), tuple(image_shape) if image_shape is not None else (side, side))


def word_columns(heading: Sequence[str] | None, columns: int, label_column: str | int | None) -> set[int]:
    """The columns that may hold words: those that may be the label or an index."""
    some = {0, min(1, columns - 1), columns - 1}
    for c, name in enumerate(heading or ()):
        if name.lower() in (*LABEL_NAMES, *INDEX_NAMES, str(label_column).lower()):
            some.add(c)
    if re.fullmatch(r"[+-]?\d{1,9}", str(label_column)) and -columns <= int(str(label_column)) < columns:
        some.add(int(str(label_column)) % columns)
    return some


def _asked(table: Table, label_column: str | int, where: str) -> int:
    """The column that `label_column` means: a name first, then a position."""
    count: int = table.values.shape[1]
    heading: tuple[str, ...] = table.heading or ()
    asked, low = str(label_column), [str(name).lower() for name in heading]
    if asked in heading:
        return heading.index(asked)
    if asked.lower() in low:
        return low.index(asked.lower())
    if re.fullmatch(r"[+-]?\d+", asked):
        if -count <= int(asked) < count:
            return int(asked) % count
        raise DataError(f"{where}: got label column {label_column}, expected 0 to {count - 1}, or -1 for the last.")
    if not heading:
        raise DataError(
            f"{where}: got label column {label_column!r}, but the file has no heading; expected a position: 0 for the "
            "first column, -1 for the last."
        )
    some = ", ".join(heading[:4]) + (f", …, {heading[-1]}" if len(heading) > 5 else "")
    near = did_you_mean(str(label_column), heading)
    raise DataError(f"{where}: there is no column {label_column!r}{near}; the heading has {some}.")


def _named(names: Sequence[str] | None, where: str) -> int | None:
    """The column with one of the usual names of a label."""
    found = [c for c, name in enumerate(names or ()) if name in LABEL_NAMES]
    if len(found) > 1 and names is not None:
        both = " and ".join(names[c] for c in found)
        raise DataError(f"{where}: {both} could both be the label. Name one: --label-column {names[found[0]]}.")
    return found[0] if found else None


def _shown(table: Table, names: Sequence[str] | None, columns: Sequence[int], classes: int) -> int:
    """The label among columns of which none has its usual name: one of a label and the pixels of an image."""
    if names is not None:
        odd = [c for c in columns if not _PIXEL_NAME.fullmatch(names[c])]
        if len(odd) == 1:
            return odd[0]
    first, last = columns[0], columns[-1]
    if last in table.words and first not in table.words:
        return last
    if first in table.words:
        return first
    # Without any name. The corners of digits are blank: where the first column is 0 throughout and the last is not,
    # but the one before it is nearly so, the first is a corner and the last the label.
    a, y, z = (table.values[:, c] for c in (first, columns[-2], last))
    classes_last = bool(((z >= 0) & (z < classes) & (z == np.trunc(z))).all())
    blank = not a.any() and 4 * np.count_nonzero(y) < len(y)
    if len(columns) > 64 and blank and classes_last and 2 * np.count_nonzero(z) >= len(z):
        return last
    return first


def _counts(column: NDArray[np.generic]) -> bool:
    """Whether the numbers are 0, 1, 2 … or 1, 2, 3 …"""
    return column[0] in (0, 1) and bool((column == column[0] + np.arange(len(column))).all())


def _ordered(names: Sequence[str] | None, pixels: list[int]) -> NDArray[np.int64]:
    """The pixels by the numbers in their names, if these are consecutive: some programs sort pixel10 before pixel2."""
    columns = np.array(pixels, dtype=np.int64)
    if names is None:
        return columns
    found = [re.fullmatch(r"\D*?(\d+)\D?", names[c]) for c in pixels]
    numbers = np.array([int(match[1]) if match and len(match[1]) < 10 else -1 for match in found])
    order = np.argsort(numbers, kind="stable")
    return columns[order] if (np.diff(numbers[order]) == 1).all() and numbers.min() >= 0 else columns


def _no_image(table: Table, where: str, label: int | None, image_shape: Sequence[int] | None) -> DataError:
    count = table.values.shape[1]
    if image_shape is not None:
        asked = f"{'×'.join(map(str, image_shape))} = {math.prod(image_shape):,} pixels"
        return DataError(f"{where} has {count:,} numbers, expected a label and {asked}.")
    others = count - 1
    colour = math.isqrt(others // 3)
    mend = "For images of another shape name it: --image-shape 20x30, or image_shape=(20, 30)."
    if others == 3 * colour * colour and colour > 1:
        mend = f"If they are in colour: --image-shape {colour}x{colour}x3."
    elif label is not None and table.heading is not None and math.isqrt(others) ** 2 < others < count + 20:
        odd = [name for name in table.heading if not _PIXEL_NAME.fullmatch(name) and name.lower() not in LABEL_NAMES]
        mend = f"Remove the columns {', '.join(odd[:3])} first." if odd else mend
    return DataError(
        f"{where} has {count:,} numbers, expected a label and a square image: 1 + 784 numbers for 28×28, 1 + 64 for "
        f"8×8. {mend}"
    )
