"""A form of rows and columns, such as a sudoku or a score sheet: each cell is read by itself, and may be blank."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos import Mark, Page, find_digits
from digitlab.data.photos.mark import Mask
from digitlab.data.photos.marks import find_parts
from digitlab.data.photos.page import Stopwatch
from digitlab.data.photos.sheet import Corners, four_sides, straightened
from digitlab.errors import ConfigError, DataError
from digitlab.nn.network import Network
from digitlab.reading.partition import partition
from digitlab.reading.photo import MIN_CONFIDENCE, asker, read_of, sees_colour
from digitlab.reading.results import Read, Reading

MARGIN = 0.1  # of a cell on each side, where its lines are
LEAST_HEIGHT = 0.25  # of a cell's height, for a digit
MOST_CELLS = 10_000
LEAST_CELL = 4  # pixels of a side: a smaller one holds no digit, and may have no pixel between its margins
DASH = 0.25  # of a cell, the widest gap in a dashed line
LEAST_GRID = 0.15  # of the picture that the lines of a form enclose


def read_grid(
    network: Network,
    photo: NDArray[np.uint8],
    rows: int,
    columns: int,
    *,
    min_confidence: float = MIN_CONFIDENCE,
    class_names: Sequence[str] = tuple("0123456789"),
) -> Reading:
    """Read a form of `rows` × `columns` cells on a photo, uint8 (H, W, 3) or grey (H, W).

    The form is what the largest connected lines enclose, straightened; without lines, the whole picture.
    `Reading.cells` has the text of each cell; `line` and `column` of a digit are those of its cell. Raises ConfigError
    for no cells or more than 10,000, DataError for a form that is smaller than 4 pixels for each of its cells.
    """
    if not (rows >= 1 and columns >= 1 and rows * columns <= MOST_CELLS):
        raise ConfigError(f"grid: got {rows}×{columns}, expected at least 1×1 and at most {MOST_CELLS:,} cells")
    colour = sees_colour(network)
    clock = Stopwatch()
    page = find_digits(photo)
    corners = _form(page, 1)
    if corners is None:  # perhaps its lines are dashed
        corners = _form(page, round(DASH * min(page.clean.shape[0] / rows, page.clean.shape[1] / columns)))
    if corners is not None:
        form, matrix = straightened(page.photo, corners, inset=1.0)
        inner = find_digits(form)
        back = page.matrix @ np.diag([1 / page.zoom, 1 / page.zoom, 1.0]) @ matrix @ inner.matrix
        page = replace(inner, matrix=back, size=page.size, sheet=page.sheet)
    ask = asker(network, page, colour)
    binary = page.ink.binary & ~page.rules
    height, width = binary.shape
    if height < LEAST_CELL * rows or width < LEAST_CELL * columns:
        least = f"{LEAST_CELL * columns}×{LEAST_CELL * rows}"
        raise DataError(
            f"the form has {width}×{height} pixels, expected at least {least} for {rows}×{columns} cells. "
            "Check the numbers of rows and columns, or take the photo from nearer."
        )
    digits: list[Read] = []
    others: list[Read] = []
    cells: list[tuple[str, ...]] = []
    for row in range(rows):
        texts = []
        for column in range(columns):
            answers = partition(ask(_in_cell(binary, row, column, rows, columns)), ask, usual=height / rows / 2)
            good = [answer for answer in answers if answer.confidence >= min_confidence]
            digits += [read_of(answer, row, column) for answer in good]
            bad = [answer for answer in answers if answer.confidence < min_confidence]
            others += [read_of(answer, row, column, "it looks like no digit") for answer in bad]
            texts.append("".join(class_names[answer.label] for answer in good))
        cells.append(tuple(texts))
    clock.lap("cells")
    return Reading(
        tuple(digits), tuple(others), page, tuple(class_names), tuple(cells), {**page.seconds, **clock.seconds}
    )


def _form(page: Page, gap: int) -> Corners | None:
    """The corners of what the largest connected ink encloses, in pixels of the page; None if that is too little.

    Gaps of up to `gap` pixels are closed.
    """
    from scipy import ndimage

    ink = ndimage.maximum_filter(page.ink.binary | page.ink.faint, 2 + gap)
    if gap > 1:
        ink = ndimage.minimum_filter(ink, gap)
    labels, _ = ndimage.label(ink, structure=np.ones((3, 3), bool))
    spans = ndimage.find_objects(labels)
    if not spans:
        return None
    sizes = [(y.stop - y.start) * (x.stop - x.start) for y, x in spans]
    largest = int(np.argmax(sizes))
    if sizes[largest] < LEAST_GRID * ink.size:
        return None
    return four_sides(labels == largest + 1)


def _in_cell(binary: Mask, row: int, column: int, rows: int, columns: int) -> list[Mark]:
    """The parts of ink inside a cell, without what is left of its lines."""
    h, w = binary.shape[0] / rows, binary.shape[1] / columns
    top, bottom = round((row + MARGIN) * h), round((row + 1 - MARGIN) * h)
    left, right = round((column + MARGIN) * w), round((column + 1 - MARGIN) * w)
    parts = []
    for part in find_parts(binary[top:bottom, left:right]):
        x0, y0, x1, y1 = part.box
        edges = (x0 == 0) + (y0 == 0) + (x1 == right - left) + (y1 == bottom - top)
        thin = min(part.width, part.height) < 0.12 * h
        if not (edges and thin) and edges < 3:
            parts.append(replace(part, box=(x0 + left, y0 + top, x1 + left, y1 + top)))
    tallest = max((part.height for part in parts), default=0)
    return parts if tallest >= LEAST_HEIGHT * h else []
