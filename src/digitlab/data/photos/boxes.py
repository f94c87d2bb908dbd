"""Boxes and rings around digits beside ruled lines: several in a row have their tops and bottoms on one line.

`rules.py` takes these for ruled lines. Boxes and rings with separate ink inside are given back, to be known as frames;
of others, such as boxes that touch their digit, the sides are left, and they are taken away, too.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

WIDEST = 0.4  # of the picture, in one direction at least: what is larger may be a table of ruled lines
SMALLEST = 12  # pixels of a side
HOLDS = 0.02  # of a box, the ink inside it: a digit, and no dust
SLIM = 0.2  # of its height, the width of a side
NEAR = 3  # pixels between a side and the line that it ends at
SIDES, ALIKE = 4, 0.06  # at least so many have the same height, up to this share


class _Side(NamedTuple):
    """A slim piece of ink that ends at lines above and below."""

    number: int
    height: int


def with_boxes(binary: Mask, left: Mask) -> Mask:
    """The ink that stays when ruled lines are taken away, (H, W), with whole boxes.

    binary  the ink with its lines
    left    the same without them

    A box, a ring or a row of boxes is connected, encloses other ink, and is much less high or wide than the picture.
    """
    from scipy import ndimage

    labels, count = ndimage.label(binary, structure=np.ones((3, 3), bool))
    loses = np.bincount(labels[binary & ~left], minlength=count + 1) > 0
    h, w = binary.shape
    whole = left.copy()
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        small = high <= WIDEST * h or wide <= WIDEST * w
        if not (loses[number] and small and min(high, wide) >= SMALLEST):
            continue
        inside = labels[rows, columns]
        own = inside == number
        if (ndimage.binary_fill_holes(own) & (inside > 0) & ~own).sum() >= HOLDS * own.size:
            whole[rows, columns] |= own
    return whole


def without_sides(left: Mask, taken: Mask) -> Mask:
    """The ink without the sides of boxes whose tops and bottoms were taken away as lines; all (H, W)."""
    from scipy import ndimage

    labels, _ = ndimage.label(left, structure=np.ones((3, 3), bool))
    sides: list[_Side] = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        if high < SMALLEST or wide > SLIM * high:
            continue
        across = slice(max(0, columns.start - NEAR), columns.stop + NEAR)
        above = taken[max(0, rows.start - NEAR) : rows.start + NEAR, across]
        below = taken[rows.stop - NEAR : rows.stop + NEAR, across]
        if above.any() and below.any():
            sides.append(_Side(number, high))
    heights = np.array([side.height for side in sides], dtype=float)
    alike = np.abs(heights[:, None] - heights) <= ALIKE * heights
    gone = [side.number for side, others in zip(sides, alike.sum(axis=1)) if others >= SIDES]
    return left & ~np.isin(labels, gone) if gone else left
