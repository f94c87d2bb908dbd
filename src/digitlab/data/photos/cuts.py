"""Where a mark may be cut: two or more digits that touch, beside or above each other; a cut crosses little ink."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.mark import Mark, mark_of

SLANTS = (-0.3, -0.15, 0.0, 0.15, 0.3)  # pixels to the right for each down
MOST_CUTS = 20
SMALLEST = 8  # pixels high
EVEN = 0.75  # of the higher one's height, for the lower one of two digits above each other
MIDDLE = 0.35, 0.65  # shares of its height between which they are cut
LEVEL = 0.05  # widths of the pen: of cuts that differ by less in what they cross, the steepest is taken
THIN = 1.5  # widths of the pen: ink in a row of a stroke with nothing beside it
SLENDER, BARE = 0.5, 0.65  # a stroke: its width in heights at most, the share of its rows with nothing beside it
CRUMB = 0.12  # of a piece's largest part: smaller ones belong to its neighbour
Columns = NDArray[np.intp]  # (h,): in each row, the first column to the right of the cut


@dataclass(frozen=True)
class Cut:
    """A slanting cut through a mark; `crossed` is the ink on it, in widths of the pen."""

    columns: Columns
    crossed: float


def cuts(mark: Mark, *, within: tuple[float, float] = (0.0, 1.0)) -> list[Cut]:
    """Cuts from top to bottom that may part two digits, from left to right; [] for a mark too narrow for two.

    Candidates are the straight cuts that cross least ink among those around them, and no more than two strokes;
    `within` says between which shares of the width.
    """
    h, w = mark.mask.shape
    pen = max(1.0, mark.pen)
    if w < 0.6 * h or h < SMALLEST:
        return []
    rows = np.arange(h)[:, None]
    found: list[tuple[int, float, int, Cut]] = []  # ink on it in LEVELs, slant, column in the middle
    near = max(1, round(0.05 * h))
    for slant in SLANTS:
        shift = np.round(slant * (rows - h / 2)).astype(np.intp)  # (h, 1)
        first, last = max(2, round(0.6 * pen), round(within[0] * w)), min(w - max(1, round(0.6 * pen)), within[1] * w)
        middles = np.arange(first, last, dtype=np.intp)
        columns = np.clip(middles[None] + shift, 0, w)  # (h, n)
        crossed = np.where(columns < w, mark.mask[rows, np.minimum(columns, w - 1)], False).sum(axis=0) / pen
        for at, middle in enumerate(middles):
            around = crossed[max(0, at - near) : at + near + 1]
            if crossed[at] <= 2.2 + 0.04 * w / pen and crossed[at] == around.min():
                cut = Cut(columns[:, at], float(crossed[at]))
                found.append((round(cut.crossed / LEVEL), abs(slant), int(middle), cut))
    found.sort(key=lambda each: each[:2])
    chosen: list[tuple[int, Cut]] = []
    for _, _, middle, cut in found:
        if len(chosen) < MOST_CUTS and all(abs(middle - other) > 1.6 * near for other, _ in chosen):
            chosen.append((middle, cut))
    return [cut for _, cut in sorted(chosen, key=lambda each: each[0])]


def piece(mark: Mark, before: Cut | None, after: Cut | None, reach: int = 0) -> Mark | None:
    """The part of a mark between two cuts (None: its own side), and `reach` pixels beyond; None if no ink is left.

    Crumbs are left out.
    """
    from scipy import ndimage

    first = 0 if before is None else max(0, int(before.columns.min()) - reach)
    last = mark.width if after is None else min(mark.width, int(after.columns.max()) + reach)
    across = np.arange(first, last)[None]
    part = mark.mask[:, first:last]
    if before is not None:
        part = part & (across >= before.columns[:, None] - reach)
    if after is not None:
        part = part & (across < after.columns[:, None] + reach)
    labels, count = ndimage.label(part, structure=np.ones((3, 3), bool))
    if not count:
        return None
    if count > 1:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0  # paper
        part = (sizes >= CRUMB * sizes.max())[labels]
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    top, left, bottom, right = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    box = mark.box[0] + first + left, mark.box[1] + top, mark.box[0] + first + right, mark.box[1] + bottom
    return Mark(box, part[top:bottom, left:right], mark.pen)


def stroke(part: Mark) -> Mark | None:
    """The straight stroke that a part mostly is, without the ends of its neighbours' strokes; None if it is no stroke.

    Also None if nothing is beside the stroke. The 1 of 417 has the bar of the 4 on its left and that of the 7 on its
    right, and looks like a digit only without them.
    """
    rows, mask = np.arange(part.height), part.mask
    left, right = mask.argmax(axis=1), part.width - mask[:, ::-1].argmax(axis=1)
    bare = mask.any(axis=1) & (right - left <= THIN * part.pen)
    if part.width > SLENDER * part.height or bare.mean() < BARE:
        return None
    middle = (left + right - 1) / 2
    axis = np.polyval(np.polyfit(rows[bare], middle[bare], 1), rows)
    beside = np.abs(np.arange(part.width) - axis[:, None]) > THIN * part.pen / 2
    if np.abs(middle - axis)[bare].max() > part.pen or not mask[beside].any():
        return None
    mask = mask & ~beside
    columns = np.flatnonzero(mask.any(axis=0))
    first, last = int(columns[0]), int(columns[-1]) + 1
    return Mark((part.box[0] + first, part.box[1], part.box[0] + last, part.box[3]), mask[:, first:last], part.pen)


def stacked(mark: Mark) -> list[tuple[Mark, Mark]]:
    """The ways to cut a high mark into two of about one height, above each other."""
    turned, found = _turned(mark), []
    for cut in cuts(turned, within=MIDDLE):
        parts = [_turned(part) for part in (piece(turned, None, cut), piece(turned, cut, None)) if part is not None]
        if len(parts) == 2 and min(part.height for part in parts) >= EVEN * max(part.height for part in parts):
            found.append((parts[0], parts[1]))
    return found


def _turned(mark: Mark) -> Mark:
    """A mark with rows and columns exchanged."""
    return mark_of(np.ascontiguousarray(mark.mask.T), mark.box[1], mark.box[0])
