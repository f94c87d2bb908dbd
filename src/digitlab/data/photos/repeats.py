"""Pictures that were enlarged by repeating each pixel, as "nearest neighbour" does: back to their own pixels."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_REPEATS = 3  # columns and rows of a picture drawn with twice the pixels may be alike in pairs by chance
LEAST_SIDE = 7  # pixels of a picture of a digit
MOST = 0.75  # of the borders between squares are changes; fewer in a drawing of a few rectangles
SAMPLES = 16  # rows and columns that are looked at first; in a photo, these tell


@dataclass(frozen=True)
class Repeats:
    """Squares of `size` pixels of one colour; the first ones begin at column `left` and row `top`, at most 0."""

    size: int
    left: int
    top: int

    def matrix(self) -> NDArray[np.float64]:
        """(3, 3), from positions x, y, 1 in the small picture to those in the large one."""
        return np.array([[self.size, 0, self.left], [0, self.size, self.top], [0, 0, 1.0]])


def without_repeats(photo: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Repeats | None]:
    """A picture (H, W, 3) with one pixel for each square of one colour; itself and None if it has no such squares."""
    h, w = photo.shape[:2]
    if _common(_changes(photo[:: max(1, h // SAMPLES)], axis=1)) < LEAST_REPEATS:
        return photo, None
    columns, rows = _changes(photo, axis=1), _changes(photo, axis=0)
    size = math.gcd(_common(columns), _common(rows))
    if size < LEAST_REPEATS or min(h, w) < LEAST_SIDE * size or min(_share(c, size) for c in (columns, rows)) < MOST:
        return photo, None
    top, left = (-(-int(changes[0]) % size) for changes in (rows, columns))  # the first squares may be cut off
    y, x = (np.arange(start, stop, size).clip(0) for start, stop in ((top, h), (left, w)))
    return photo[y[:, None], x], Repeats(size, left, top)


def _changes(photo: NDArray[np.uint8], axis: int) -> NDArray[np.int64]:
    """The columns (`axis` 1) or rows (0) that differ from those before them."""
    before, after = (photo[:, :-1], photo[:, 1:]) if axis == 1 else (photo[:-1], photo[1:])
    return np.flatnonzero((before != after).any(axis=(1 - axis, 2))) + 1


def _share(changes: NDArray[np.int64], size: int) -> float:
    """How many of the borders between squares, from the first change to the last, are changes."""
    return len(changes) / (int(changes[-1] - changes[0]) / size + 1) if len(changes) else 0.0


def _common(changes: NDArray[np.int64]) -> int:
    """The greatest common divisor of the distances between changes; 0 if there is no distance."""
    return int(np.gcd.reduce(np.diff(changes))) if len(changes) > 1 else 0
