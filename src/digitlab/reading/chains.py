"""Zeros in a chain, as in 1000: cuts from top to bottom fail where they overlap, but each encloses its own paper."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digitlab.data.photos.mark import Mark, Mask, holes, mark_of

TALL = 0.6  # of the mark's height, for the paper inside a zero
BESIDE = 0.35  # of the narrower one, what the paper of two zeros may share from left to right
LEFT_OVER = 0.5  # of the mark's height: smaller ink that belongs to no ring is a link or a piece of a rule


def links(mark: Mark) -> Sequence[Mark]:
    """The zeros of a chain and the digits between them, from left to right; () for a mark that is none."""
    from scipy import ndimage

    labels, _ = ndimage.label(holes(mark.mask))
    spans = ndimage.find_objects(labels)
    tall = [n for n, (rows, _) in enumerate(spans, 1) if rows.stop - rows.start >= TALL * mark.height]
    tall.sort(key=lambda n: int(spans[n - 1][1].start))
    if len(tall) < 2:
        return ()
    across = [(spans[n - 1][1].start, spans[n - 1][1].stop) for n in tall]
    for (a, b), (c, d) in pairwise(across):
        if b - c > BESIDE * min(b - a, d - c):
            return ()
    found, rest = [], mark.mask.copy()
    for number in tall:
        ring = mark.mask & (ndimage.distance_transform_edt(labels != number) <= mark.pen + 1)
        rest &= ~ring
        found += _parts(ring, mark, 0.0)[:1]
    return sorted([*found, *_parts(rest, mark, LEFT_OVER)], key=lambda part: part.box[0] + part.box[2])


def _parts(ink: Mask, mark: Mark, least: float) -> list[Mark]:
    """The connected pieces of a mark's ink that are at least `least` of its height, the largest first."""
    from scipy import ndimage

    labels, _ = ndimage.label(ink, structure=np.ones((3, 3), bool))
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        if rows.stop - rows.start >= least * mark.height:
            mask = labels[rows, columns] == number
            found.append(mark_of(mask, mark.box[0] + columns.start, mark.box[1] + rows.start))
    return sorted(found, key=lambda part: -int(part.mask.sum()))
