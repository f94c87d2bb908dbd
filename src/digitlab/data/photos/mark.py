"""A mark: ink that belongs together, as a box in the photo and the pixels in it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
LARGE = 250_000  # pixels of a mask; of a larger one, every second or third row and column is measured
Box = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are just outside


@dataclass(frozen=True)
class Mark:
    """Ink that belongs together: its box in the photo, its mask (bottom - top, right - left), its pen's width.

    `why_not` says in words why it can be no digit; empty if it may be one. `line` counts lines of writing from 0.
    """

    box: Box
    mask: Mask = field(repr=False)
    pen: float
    why_not: str = ""
    line: int = 0

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.box[3] - self.box[1]

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of the box, x and y."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @cached_property
    def loops(self) -> int:
        """How many pieces of paper the ink encloses: 2 in an 8, many where noise crosses the threshold."""
        from scipy import ndimage

        return int(ndimage.label(np.pad(~self.mask, 1, constant_values=True))[1]) - 1

    @cached_property
    def off_circle(self) -> float:
        """How far its outline is from a circle: the standard deviation of its radius, as a share of the mean radius.

        The outline is the first and the last pixel of each row and column of the box.
        """
        y, x = np.arange(self.height), np.arange(self.width)
        ends = [
            (self.mask.argmax(axis=1), y),
            (self.width - 1 - self.mask[:, ::-1].argmax(axis=1), y),
            (x, self.mask.argmax(axis=0)),
            (x, self.height - 1 - self.mask[::-1].argmax(axis=0)),
        ]
        across, down = np.concatenate(ends, axis=1)
        radius = np.hypot(across - (self.width - 1) / 2, down - (self.height - 1) / 2)
        return float(radius.std() / max(radius.mean(), 1.0))

    def row_middles(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The rows of the box that have ink, (n,), and the mean column of the ink in each, (n,)."""
        rows = np.flatnonzero(self.mask.any(axis=1))
        return rows, (self.mask[rows] @ np.arange(self.width)) / self.mask[rows].sum(axis=1)

    def touches(self, shape: tuple[int, ...]) -> bool:
        """Whether the mark reaches an edge of a picture of this shape, (H, W)."""
        left, top, right, bottom = self.box
        return left <= 1 or top <= 1 or right >= shape[1] - 1 or bottom >= shape[0] - 1


def mark_of(mask: Mask, left: int, top: int) -> Mark:
    """A mark of these pixels, whose corner is at (left, top) in the photo."""
    h, w = mask.shape
    return Mark((int(left), int(top), int(left) + w, int(top) + h), mask, pen_width(mask))


def pen_width(mask: Mask) -> float:
    """How wide the pen was, in pixels, from the mean distance of the ink to the paper.

    Across a stroke of even width w the distances are 1, 2 … w/2, w/2 … 2, 1, whose mean is (w + 2)/4.
    """
    from scipy import ndimage

    step = max(1, round((mask.size / LARGE) ** 0.5))
    few = mask[::step, ::step]
    distance = ndimage.distance_transform_edt(np.pad(few, 1))[1:-1, 1:-1]
    return float(step * (4 * distance[few].mean() - 2)) if few.any() else 0.0


def union(*marks: Mark) -> Mark:
    """Several marks as one."""
    if len(marks) == 1:
        return marks[0]
    left, top = min(m.box[0] for m in marks), min(m.box[1] for m in marks)
    mask = np.zeros((max(m.box[3] for m in marks) - top, max(m.box[2] for m in marks) - left), bool)
    for mark in marks:
        fill(mask, mark, left, top, True)
    return mark_of(mask, left, top)


def fill(plane: Mask, mark: Mark, left: int, top: int, value: bool) -> None:
    """Set the mark's pixels in a plane whose corner is at (left, top) in the photo."""
    x, y = mark.box[0] - left, mark.box[1] - top
    plane[y : y + mark.height, x : x + mark.width][mark.mask] = value


def holes(mask: Mask) -> Mask:
    """Paper that ink encloses, (H, W): what is not connected with the border."""
    from scipy import ndimage

    labels, count = ndimage.label(np.pad(~mask, 1, constant_values=True))
    inside = np.ones(count + 1, bool)
    inside[[0, labels[0, 0]]] = False
    enclosed: Mask = inside[labels][1:-1, 1:-1]
    return enclosed
