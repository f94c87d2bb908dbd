"""Frames: rings, boxes and tables drawn around digits. They are neither digits nor letters, and no part of a digit."""

from collections.abc import Sequence

import numpy as np

from digitlab.data.photos.mark import Mark
from digitlab.data.photos.neighbours import Neighbours
from digitlab.reading.partition import Answer

AROUND = 0.6  # of each side of a digit, what a frame covers at least: a ring may be open
INSIDE = 0.05  # of a digit's box, what a frame's ink covers at most
LIKELY = 0.5  # confidence of a digit inside
FILLED = 0.3  # of the height of a mark that is read as a digit, what is inside, or the mark is a 0 with a speck
NARROW = 0.75  # of its height, a 0 whose slash does not touch it


def frames(answers: Sequence[Answer]) -> list[bool]:
    """For each part of the ink whether it is a frame: it surrounds a part that is rather a digit than none."""
    found = [False] * len(answers)
    places = Neighbours([answer.mark for answer in answers])
    for inner in answers:
        if inner.confidence < LIKELY:
            continue
        for at in np.flatnonzero(places.around(inner.mark)).tolist():
            outer = answers[at]
            if outer.confidence < LIKELY or not _is_part_of(inner, outer):
                found[at] = found[at] or _surrounds(outer.mark, inner.mark)
    return found


def _is_part_of(inner: Answer, zero: Answer) -> bool:
    """Whether what is inside a mark that is read as a digit is its slash, or dust."""
    slash = inner.label == 1 and zero.mark.width < NARROW * zero.mark.height
    return slash or inner.mark.height < FILLED * zero.mark.height


def _surrounds(outer: Mark, inner: Mark) -> bool:
    """Whether a mark has ink on all four sides of another one, whose box is inside its own, and hardly any in it."""
    left, top = inner.box[0] - outer.box[0], inner.box[1] - outer.box[1]
    right, bottom = left + inner.width, top + inner.height
    rows, columns = outer.mask[top:bottom], outer.mask[:, left:right]
    sides = (
        rows[:, :left].any(axis=1),
        rows[:, right:].any(axis=1),
        columns[:top].any(axis=0),
        columns[bottom:].any(axis=0),
    )
    return bool(rows[:, left:right].mean() <= INSIDE and min(side.mean() for side in sides) >= AROUND)
