"""A form of rows and columns, such as a sudoku or a score sheet: each cell is read by itself, and may be blank."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos import Mark, Page, find_digits
from digitlab.data.photos.mark import Mask, fill
from digitlab.data.photos.marks import find_parts
from digitlab.data.photos.page import Stopwatch
from digitlab.data.photos.sheet import Corners, four_sides, straightened
from digitlab.errors import ConfigError, DataError
from digitlab.nn.network import Network
from digitlab.reading.partition import partition
from digitlab.reading.photo import MIN_CONFIDENCE, asker, read_of, sees_colour
from digitlab.reading.prior import in_context
from digitlab.reading.results import Read, Reading

MARGIN = 0.1  # of a cell on each side, where its lines are if the form has any
LEAST_HEIGHT = 0.25  # of a cell's height, for a digit
LARGE, THIN = 1.1, 0.12  # of a cell, ink that is larger than one; of its height, the thickness of a line
CROSSING = 0.4  # of its height, what is left of two lines that cross
MOST_CELLS = 10_000
LEAST_CELL = 4  # pixels of a side: a smaller one holds no digit, and may have no pixel between its margins
DASH = 0.25  # of a cell, the widest gap in a dashed line
LEAST_GRID = 0.15  # of the picture that the lines of a form enclose
FIT, LEAST_FIT = 12, 0.2  # pixels of a cell where lines are compared with a form; how well they fit at least


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
    corners = _form(page, rows, columns)
    if corners is not None:
        form, matrix = straightened(page.photo, corners, inset=1.0)
        inner = find_digits(form)
        back = page.matrix @ np.diag([1 / page.zoom, 1 / page.zoom, 1.0]) @ matrix @ inner.matrix
        page = replace(inner, matrix=back, size=page.size, sheet=page.sheet)
    ask = asker(network, page, colour)
    binary = page.ink.binary & ~page.rules
    margin = MARGIN if corners is not None else 0.0
    height, width = binary.shape
    if height < LEAST_CELL * rows or width < LEAST_CELL * columns:
        least = f"{LEAST_CELL * columns}×{LEAST_CELL * rows}"
        raise DataError(
            f"the form has {width}×{height} pixels, expected at least {least} for {rows}×{columns} cells. "
            "Check the numbers of rows and columns, or take the photo from nearer."
        )
    inside = _in_cells(binary, rows, columns, margin)
    places = sorted(inside)
    ask([part for place in places for part in inside[place]])  # all at once, which is faster; `ask` remembers them
    found = [partition(ask(inside[place]), ask, usual=height / rows / 2) for place in places]
    answers = in_context([answer for some in found for answer in some], [True] * sum(map(len, found)))
    digits: list[Read] = []
    others: list[Read] = []
    texts: defaultdict[tuple[int, int], str] = defaultdict(str)
    where = [place for place, some in zip(places, found) for _ in some]
    for answer, place in zip(answers, where):
        if answer.confidence >= min_confidence:
            digits.append(read_of(answer, *place))
            texts[place] += class_names[answer.label]
        else:
            others.append(read_of(answer, *place, "it looks like no digit"))
    cells = [tuple(texts[row, column] for column in range(columns)) for row in range(rows)]
    clock.lap("cells")
    return Reading(
        tuple(digits), tuple(others), page, tuple(class_names), tuple(cells), {**page.seconds, **clock.seconds}
    )


def _form(page: Page, rows: int, columns: int) -> Corners | None:
    """The corners of the form in pixels of the page: of what connected ink encloses, that with lines around its cells.

    None if nothing has. Lines may be torn, or dashed with gaps of up to a share of a cell.
    """
    binary, seen = page.ink.binary, page.ink.binary | page.ink.faint
    dash = round(DASH * min(binary.shape[0] / rows, binary.shape[1] / columns))
    candidates = [_enclosed(binary, 0), _enclosed(seen, 1), _enclosed(seen, max(1, dash))]
    fits = [(_fit(seen, some, rows, columns), at) for at, some in enumerate(candidates) if some is not None]
    best, at = max(fits, default=(0.0, 0))
    return candidates[at] if best >= LEAST_FIT else None


def _enclosed(ink: Mask, gap: int) -> Corners | None:
    """The corners of what the largest connected ink encloses, where gaps of up to `gap` pixels are closed."""
    from scipy import ndimage

    if gap:
        ink = ndimage.maximum_filter(ink, 2 + gap)
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


def _fit(ink: Mask, corners: Corners, rows: int, columns: int) -> float:
    """How well lines of ink enclose the cells of a form: 1 for lines around all cells and nothing inside."""
    from PIL import Image

    plane = np.repeat(np.where(ink, 255, 0).astype(np.uint8)[..., None], 3, axis=2)
    form = Image.fromarray(straightened(plane, corners, inset=1.0)[0][..., 0])
    drawn = np.asarray(form.resize((FIT * columns, FIT * rows), Image.Resampling.BOX)) > 255 // 8
    return (_lines_at(drawn, rows) + _lines_at(drawn.T, columns)) / 2


def _lines_at(drawn: Mask, count: int) -> float:
    """The share of lines that are drawn from left to right between `count` rows; less what is drawn inside the rows.

    The outer two count as much as all others together, so that a frame without lines is a form.
    """
    near = FIT // 6
    at = np.arange(2 * count + 1) * FIT // 2  # lines, and the middles of rows between them
    shares = np.array([drawn[max(0, y - near) : y + near + 1].any(axis=0).mean() for y in at])
    lines, middles = shares[::2], shares[1::2]
    return float((lines[[0, -1]].mean() + lines[1:-1].mean()) / 2 if count > 1 else lines.mean()) - float(
        middles.mean()
    )


def _in_cells(binary: Mask, rows: int, columns: int, margin: float) -> dict[tuple[int, int], list[Mark]]:
    """The parts of ink of each cell (row, column) that has any, without what is left of lines.

    Ink smaller than a cell belongs to the cell of its middle, since bent paper moves it across the cell's sides; larger
    ink, such as a digit that touches a line, is cut along the sides. `margin`: of each cell, where lines may be; 0 if
    the form has none.
    """
    h, w = binary.shape[0] / rows, binary.shape[1] / columns
    found: dict[tuple[int, int], list[Mark]] = {}
    large = binary.copy()
    for part in find_parts(binary):
        if part.height > LARGE * h or part.width > LARGE * w:
            continue
        fill(large, part, 0, 0, False)
        middle = part.middle[1] / h, part.middle[0] / w
        beside = [min(at % 1, 1 - at % 1) < 2 * margin for at in middle]
        thin = min(part.width, part.height) < THIN * h
        crossing = all(beside) and max(part.width, part.height) < CROSSING * h
        if not (any(beside) and thin) and not crossing:
            found.setdefault((int(middle[0]), int(middle[1])), []).append(part)
    y, x = np.nonzero(large)
    for row, column in np.unique(np.stack([y / h, x / w]).astype(int), axis=1).T.tolist():
        top, bottom = round((row + margin) * h), round((row + 1 - margin) * h)
        left, right = round((column + margin) * w), round((column + 1 - margin) * w)
        for part in find_parts(large[top:bottom, left:right]):
            x0, y0, x1, y1 = part.box
            edges = (x0 == 0) + (y0 == 0) + (x1 == right - left) + (y1 == bottom - top)
            thin = min(part.width, part.height) < THIN * h
            if not margin or (not (edges and thin) and edges < 3):
                moved = replace(part, box=(x0 + left, y0 + top, x1 + left, y1 + top))
                found.setdefault((row, column), []).append(moved)
    return {at: parts for at, parts in found.items() if max(part.height for part in parts) >= LEAST_HEIGHT * h}
