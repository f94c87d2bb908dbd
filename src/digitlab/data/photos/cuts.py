"""Where a mark may be cut: two or more digits that touch, beside or above each other; a cut crosses little ink."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.mark import Mark, mark_of

SLANTS = (-0.4, -0.2, 0.0, 0.2, 0.4)  # pixels to the right for each down
MOST_CUTS = 10
SMALLEST = 8  # pixels high
EVEN = 0.75  # of the higher one's height, for the lower one of two digits above each other
MIDDLE = 0.35, 0.65  # shares of its height between which they are cut
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
    found: list[tuple[float, int, Columns]] = []  # crossed, column in the middle, columns
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
                found.append((float(crossed[at]), int(middle), columns[:, at]))
    found.sort(key=lambda cut: cut[0])
    chosen: list[tuple[float, int, Columns]] = []
    for cut in found:
        if len(chosen) < MOST_CUTS and all(abs(cut[1] - other[1]) > 1.6 * near for other in chosen):
            chosen.append(cut)
    chosen.sort(key=lambda cut: cut[1])
    return [Cut(columns, crossed) for crossed, _, columns in chosen]


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
