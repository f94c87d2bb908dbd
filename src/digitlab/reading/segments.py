"""What may be one digit of a cluster of ink: its parts joined, or pieces of a part that is cut; each with its cost."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digitlab.data.photos.cuts import Cut, cuts, piece, stroke
from digitlab.data.photos.mark import Box, Mark, union

NEAR_ACROSS, NEAR_DOWN = 0.16, 0.24  # paper between the parts of a digit, in heights of the larger one
MOST_SIZE = 1.4  # of the writing's height, what counts of a larger part
WIDEST = 1.25  # of a digit's height, where it is joined from parts
MOST_PARTS = 6  # that make one digit
SHARED = 0.1  # what a stroke costs that belongs to both sides of a cut
SECOND = 1.5  # what each digit costs in a picture that is too small for two
JOIN, CUT = 0.25, 0.45  # what a join and a cut cost, as a logarithm of probability
WIDE_ENOUGH = 0.95  # of its height: a mark as wide as this may well be two digits
BARE = 0.5  # what it costs to take a stroke without what is beside it, as the uprights of an H without its bar
GRAIN = 0.3  # of the writing's height, below which a mark is not cut
EVEN = 0.62  # a mark below this share of its cluster's height is rather a part than a digit


@dataclass(frozen=True)
class Segment:
    """Ink that may be one digit: pieces `first` to `last` (excluded) of a cluster; `cost` of joining and cutting."""

    mark: Mark
    first: int
    last: int
    cost: float
    cut: bool = False


class Budget:
    """What may be spent on the segments of a page of so many parts; a page of writing needs far less."""

    def __init__(self, parts: int) -> None:
        self.segments = 1500 + 2 * parts
        self.pixels = 20_000_000 + 4000 * parts

    def allows(self, mark: Mark) -> bool:
        """Whether a segment of the size of this mark may still be tried; it is then counted."""
        self.segments -= 1
        self.pixels -= mark.width * mark.height
        return self.segments >= 0 and self.pixels >= 0


@dataclass(frozen=True)
class Piece:
    """The part of `whole` between two cuts; `number` counts the wholes of a cluster."""

    whole: Mark
    number: int
    left: Cut | None
    right: Cut | None


def clusters(parts: Sequence[Mark], usual: float, one: bool) -> list[list[Mark]]:
    """Parts that may belong to one digit, directly or through others; `usual` is the writing's height in pixels.

    `one`: all of them may, however far they are from each other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if one or len(parts) < 2:
        return [list(parts)] if parts else []
    near = [(i, j) for i, others in enumerate(_near(parts, usual)) for j in others]
    i, j = np.array(near, dtype=int).reshape(-1, 2).T
    shape = (len(parts), len(parts))
    count, numbers = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=shape), directed=False)
    members: list[list[Mark]] = [[] for _ in range(count)]
    for number, part in zip(numbers.tolist(), parts):
        members[number].append(part)
    return members


def _near(parts: Sequence[Mark], usual: float) -> list[list[int]]:
    """For each part the numbers of those that may belong to one digit with it; each pair once."""
    left, top, right, bottom = np.array([part.box for part in parts], dtype=np.float64).T
    size = np.minimum(np.maximum(bottom - top, 0.6 * (right - left)), MOST_SIZE * usual)
    order = np.argsort(left)
    # Only those that begin before a part ends, or a little after, so that a page of thousands is compared quickly.
    ends = np.searchsorted(left[order], right + NEAR_ACROSS * MOST_SIZE * usual, "right")
    found: list[list[int]] = [[] for _ in parts]
    for start, i in enumerate(order.tolist()):
        j = order[start + 1 : ends[i]]
        larger = np.maximum(size[i], size[j])
        across = left[j] - np.minimum(right[i], right[j])
        down = np.maximum(top[i], top[j]) - np.minimum(bottom[i], bottom[j])
        width = np.maximum(right[i], right[j]) - left[i]
        height = np.maximum(bottom[i], bottom[j]) - np.minimum(top[i], top[j])
        wide = np.maximum(right[i] - left[i], right[j] - left[j])
        near = (across <= NEAR_ACROSS * larger) & (down <= NEAR_DOWN * larger) & (height <= 1.6 * larger)
        found[i] = j[near & (width <= np.maximum(WIDEST * height, 1.1 * wide))].tolist()
    return found


def aspect_of(mark: Mark) -> float:
    """The width of a mark in its heights."""
    return mark.width / max(1, mark.height)


def pieces_of(cluster: Sequence[Mark], single: Container[Box], usual: float) -> list[Piece]:
    """A cluster's parts from left to right, each cut wherever it may be, unless it is surely a `single` digit.

    Grain, much smaller than the writing, is not cut: there may be hundreds of it.
    """
    tallest = max(part.height for part in cluster)
    found = []
    for number, part in enumerate(sorted(cluster, key=lambda m: m.box[0] + m.box[2])):
        high = part.height >= max(0.4 * tallest, GRAIN * usual)
        places = cuts(part) if high and part.box not in single else []
        ends = [None, *places, None]
        found += [Piece(part, number, a, b) for a, b in pairwise(ends)]
    return found


def segments_of(row: list[Piece], usual: float, one: bool, budget: Budget) -> list[Segment]:
    """All that may be one digit of a row of pieces: pieces of one mark, or several whole marks.

    `usual` and `one` as for `clusters`; each segment is taken from the page's `budget`.
    """
    tallest = max(part.whole.height for part in row)
    starts = [i for i in range(len(row)) if i == 0 or row[i].number != row[i - 1].number]
    ends = [*starts[1:], len(row)]
    found: list[Segment] = []
    for at, first in enumerate(starts):
        whole = row[first].whole
        aspect = aspect_of(whole)
        cost = 1.5 * max(0.0, aspect - 1.3) + (SECOND if one else 0.0)
        found.append(Segment(whole, first, ends[at], cost))
        each = CUT + (SECOND if one else 0.0) + (0.9 if aspect < WIDE_ENOUGH else 0.0)
        for i in range(first, ends[at]):
            for j in range(i + 1, ends[at] + 1):
                if (i, j) == (first, ends[at]):
                    continue
                sides = [cut for cut in (row[i].left, row[j - 1].right) if cut is not None]
                cost = sum(0.5 * each + 0.25 * max(0.0, cut.crossed - 1) for cut in sides)
                for reach in (0, round(whole.pen)):  # a stroke that two digits share belongs to both
                    if not budget.allows(whole):
                        break
                    part = piece(whole, row[i].left, row[j - 1].right, reach)
                    if part is not None and _may_be_a_digit(part, whole, usual):
                        found.append(Segment(part, i, j, cost + (SHARED if reach else 0), cut=True))
                        if not reach and (bare := stroke(part)) is not None and budget.allows(bare):
                            found.append(Segment(bare, i, j, cost + BARE, cut=True))
        for until in range(at + 2, min(len(starts), at + (10 if one else MOST_PARTS)) + 1):
            wholes = [row[i].whole for i in starts[at:until]]
            if not all(map(budget.allows, wholes)):
                break
            mark = union(*wholes)
            if mark.height > 1.6 * max(m.height for m in wholes) and not one:
                continue
            if mark.width > max(WIDEST * mark.height, 1.1 * max(m.width for m in wholes)):
                continue
            found.append(Segment(mark, first, ends[until - 1], _join_cost(wholes, mark, tallest, one)))
    return found


def _may_be_a_digit(part: Mark, whole: Mark, usual: float) -> bool:
    """Whether a piece of a mark is high enough for a digit, and no wider."""
    return part.height >= 0.6 * min(whole.height, usual) and 0.8 * whole.pen <= part.width <= 1.5 * part.height


def _join_cost(wholes: list[Mark], mark: Mark, tallest: float, one: bool) -> float:
    """More for each part that could be a digit by itself: as high as the rest, and beside it."""
    if one:
        return SECOND
    able = sum(m.height > EVEN * max(mark.height, 0.8 * tallest) for m in wholes)
    return JOIN * (len(wholes) - 1) + 0.8 * max(0, able - 1)
