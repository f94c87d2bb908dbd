"""Which parts of the ink make a digit: parts that are near are joined, wide ones are cut, as the network likes best.

A broken 5 is two pieces of ink, 00 may be one. Near pieces form a cluster. Each is cut where two digits may touch, and
of all ways to divide the row of pieces into digits, the one whose digits are likeliest together is taken: the best path
through a graph of segments (Gader et al. 1995, "Neural and fuzzy methods in handwriting recognition"; LeCun et al.
1998, "Gradient-based learning applied to document recognition", sec. IV).
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.cuts import Cut, cuts, piece, stacked, stroke
from digitlab.data.photos.mark import Box, Mark, union
from digitlab.reading.chains import links

NEAR_ACROSS, NEAR_DOWN = 0.16, 0.24  # paper between the parts of a digit, in heights of the larger one
WIDEST = 1.25  # of a digit's height, where it is joined from parts
MOST_PARTS = 6  # that make one digit
SURE = 0.95  # a narrow mark that is read with more is not cut
CERTAIN, CERTAINLY_WIDE = 0.99, 1.3  # the same for a wider one, up to so many of its heights
SHARED = 0.1  # what a stroke costs that belongs to both sides of a cut
SECOND = 1.5  # what each digit costs in a picture that is too small for two
JOIN, CUT = 0.25, 0.45  # what a join and a cut cost, as a logarithm of probability
BESIDE, ABOVE = 3, 20  # how much it costs to leave out a share of the ink, by where it is: a power of what remains
OUTSIDE = 1  # the same for what runs out of the picture, such as a dark corner, and for a line under or over a number
WIDE_ENOUGH = 0.95  # of its height: a mark as wide as this may well be two digits
TALL = 1.5  # of the writing's height and of its width: a mark as high may be two digits above each other
BARE = 0.5  # what it costs to take a stroke without what is beside it, as the uprights of an H without its bar
STROKES = (1, 7)  # letters fall apart into strokes that look like them
STROKE = 0.7  # what each of these costs that is cut off
NARROW_STROKE = 1.0  # the same of a mark that is narrower than two digits, as n, v and H are
SURE_PART, DOUBT = 0.9, 2.0  # what a part costs that is cut off and read with less
NONE = 3.0  # what it costs that a mark of the width of one digit is none
GRAIN = 0.3  # of the writing's height, below which a mark is not cut
FULL = 0.85  # of the mark's height, a part of it that is a digit of its own
DASH, AFAR = 3.2, 0.15  # heights of a stroke in its width, from which it is a line; from the digit, in its heights
EVEN = 0.62  # a mark below this share of its cluster's height is rather a part than a digit


@dataclass(frozen=True)
class Segment:
    """Ink that may be one digit: pieces `first` to `last` (excluded) of a cluster; `cost` of joining and cutting."""

    mark: Mark
    first: int
    last: int
    cost: float
    cut: bool = False


@dataclass(frozen=True)
class Answer:
    """A mark with its image and what the network says: probabilities (classes,), and that it is no digit.

    `depth` is the share of the paper's light that its ink takes, 0 to 1: pencil has less than a pen.
    """

    mark: Mark
    image: NDArray[np.uint8]
    probabilities: NDArray[np.float64]
    not_digit: float
    depth: float = 1.0

    @cached_property
    def label(self) -> int:
        """The most probable class."""
        return int(np.argmax(self.probabilities))

    @cached_property
    def confidence(self) -> float:
        """The probability that the mark is a digit, and this one."""
        return (1 - self.not_digit) * float(self.probabilities.max())


Judge = Callable[[Sequence[Mark]], list[Answer]]


def partition(
    answers: Sequence[Answer],
    judge: Judge,
    *,
    usual: float,
    one: bool = False,
    shape: tuple[int, ...] = (1 << 30, 1 << 30),
) -> list[Answer]:
    """Parts of ink, each with what the network says of it alone, as marks that are a digit or not.

    usual  the height of the writing in pixels
    one    all parts may be one digit, however far they are from each other: the picture is too small for several
    shape  of the picture, (H, W)
    """
    answers = _divided(answers, judge, usual)
    single = {answer.mark.box for answer in answers if _is_single(answer)}
    rows = [_pieces(cluster, single, usual) for cluster in _clusters([answer.mark for answer in answers], usual, one)]
    budget = _Budget()
    segments = [_segments(row, usual, one, budget) for row in rows]
    judged = judge([segment.mark for some in segments for segment in some])
    found: list[Answer] = []
    start = 0
    for row, some in zip(rows, segments):
        found += _best_path(row, some, judged[start : start + len(some)], shape)
        start += len(some)
    return found


def _divided(answers: Sequence[Answer], judge: Judge, usual: float) -> list[Answer]:
    """The answers, with the links of a chain, or two digits above each other, where the network is sure of each."""
    found: list[Answer] = []
    for answer in answers:
        mark = answer.mark
        ways: Sequence[Sequence[Mark]] = ()
        if answer.confidence < SURE and mark.width > WIDE_ENOUGH * mark.height:
            ways = [links(mark)]
        elif answer.confidence < SURE and answer.label != 1 and mark.height > TALL * max(usual, mark.width):
            ways = stacked(mark)
        judged = [parts for way in ways if (parts := judge(way))]
        best = max(judged, key=_least, default=[])
        found += best if best and _least(best) >= SURE_PART else [answer]
    return found


def _least(parts: Sequence[Answer]) -> float:
    return min(part.confidence for part in parts)


@dataclass
class _Budget:
    """What may be spent on one page's segments; on a page of writing that is far more than enough."""

    segments: int = 1500
    pixels: int = 20_000_000

    def allows(self, mark: Mark) -> bool:
        """Whether a segment of the size of this mark may still be tried; it is then counted."""
        self.segments -= 1
        self.pixels -= mark.width * mark.height
        return self.segments >= 0 and self.pixels >= 0


@dataclass(frozen=True)
class _Piece:
    """The part of `whole` between two cuts; `number` counts the wholes of a cluster."""

    whole: Mark
    number: int
    left: Cut | None
    right: Cut | None


def _clusters(parts: Sequence[Mark], usual: float, one: bool) -> list[list[Mark]]:
    """Parts that may belong to one digit, directly or through others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if one or len(parts) < 2:
        return [list(parts)] if parts else []
    boxes = np.array([part.box for part in parts], dtype=np.float64)
    left, top, right, bottom = boxes.T
    size = np.minimum(np.maximum(bottom - top, 0.6 * (right - left)), 1.4 * usual)
    size = np.maximum(size[:, None], size[None])
    across = np.maximum(left[:, None], left[None]) - np.minimum(right[:, None], right[None])
    down = np.maximum(top[:, None], top[None]) - np.minimum(bottom[:, None], bottom[None])
    width = np.maximum(right[:, None], right[None]) - np.minimum(left[:, None], left[None])
    height = np.maximum(bottom[:, None], bottom[None]) - np.minimum(top[:, None], top[None])
    wide = np.maximum((right - left)[:, None], (right - left)[None])
    near = (across <= NEAR_ACROSS * size) & (down <= NEAR_DOWN * size) & (height <= 1.6 * size)
    near &= width <= np.maximum(WIDEST * height, 1.1 * wide)
    i, j = np.nonzero(near)
    count, numbers = connected_components(coo_array((np.ones(len(i)), (i, j)), shape=near.shape), directed=False)
    members: list[list[Mark]] = [[] for _ in range(count)]
    for number, part in zip(numbers.tolist(), parts):
        members[number].append(part)
    return members


def _is_single(answer: Answer) -> bool:
    """Whether a mark is surely one digit, so that no cut need be tried: the wider it is, the surer it must be read."""
    aspect = _aspect(answer.mark)
    return aspect < CERTAINLY_WIDE and answer.confidence >= (SURE if aspect < WIDE_ENOUGH else CERTAIN)


def _aspect(mark: Mark) -> float:
    return mark.width / max(1, mark.height)


def _pieces(cluster: Sequence[Mark], single: Container[Box], usual: float) -> list[_Piece]:
    """A cluster's parts from left to right, each cut wherever it may be, unless it is surely a `single` digit.

    Grain, much smaller than the writing, is not cut: there may be hundreds of it.
    """
    tallest = max(part.height for part in cluster)
    found = []
    for number, part in enumerate(sorted(cluster, key=lambda m: m.box[0] + m.box[2])):
        high = part.height >= max(0.4 * tallest, GRAIN * usual)
        places = cuts(part) if high and part.box not in single else []
        ends = [None, *places, None]
        found += [_Piece(part, number, a, b) for a, b in pairwise(ends)]
    return found


def _segments(row: list[_Piece], usual: float, one: bool, budget: _Budget) -> list[Segment]:
    """All that may be one digit: pieces of one mark, or several whole marks."""
    tallest = max(part.whole.height for part in row)
    starts = [i for i in range(len(row)) if i == 0 or row[i].number != row[i - 1].number]
    ends = [*starts[1:], len(row)]
    found: list[Segment] = []
    for at, first in enumerate(starts):
        whole = row[first].whole
        aspect = _aspect(whole)
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


def _best_path(
    row: list[_Piece], segments: list[Segment], judged: list[Answer], shape: tuple[int, ...]
) -> list[Answer]:
    """The division of a row of pieces whose digits are likeliest together; parts that are no digit stay alone."""
    ink = sum(float(part.whole.mask.sum()) for part in row if part.right is None)
    alone = {s.first: a for s, a in zip(segments, judged) if s.mark is row[s.first].whole}
    ending: list[list[tuple[float, int, int]]] = [[] for _ in range(len(row) + 1)]  # value, first piece, judged
    for s, (segment, answer) in enumerate(zip(segments, judged)):
        value = float(np.log(max(answer.confidence, 1e-4))) - segment.cost
        if segment.cut:
            narrow = _aspect(row[segment.first].whole) < WIDE_ENOUGH
            value -= (NARROW_STROKE if narrow else STROKE) * (answer.label in STROKES)
            value -= DOUBT * (answer.confidence < SURE_PART)
        elif segment.mark.width <= WIDEST * segment.mark.height and not _has_digit(segment, alone):
            value = max(value, float(np.log(max(answer.not_digit, 1e-4))) - NONE)
        ending[segment.last].append((value, segment.first, s))
        if not segment.cut and row[segment.first].whole is segment.mark:  # dust costs little, much of the ink much
            rest = 1 - float(segment.mark.mask.sum()) / ink
            power = _power(segment.mark, [part.whole for part in row if part.whole is not segment.mark], shape)
            ending[segment.last].append((float(np.log(max(0.02, rest**power))), segment.first, s))
    best = [(0.0, 0, -1)]
    for options in ending[1:]:
        reached = [(best[first][0] + value, first, s) for value, first, s in options if best[first][2] != -2]
        best.append(max(reached) if reached else (-np.inf, 0, -2))
    found: list[Answer] = []
    last = len(row)
    while last > 0:
        _, last, s = best[last]
        found.append(judged[s])
    return found[::-1]


def _has_digit(segment: Segment, alone: Mapping[int, Answer]) -> bool:
    """Whether one of the parts that a mark is joined from is surely a digit as high as the mark, beside the others.

    A stroke is none for sure: it may be a part of a letter.
    """
    parts = [alone[at] for at in range(segment.first, segment.last) if at in alone]
    return len(parts) > 1 and any(
        part.confidence >= SURE
        and part.label not in STROKES
        and part.mark.height >= FULL * segment.mark.height
        and not any(_overlap(part.mark, other.mark) for other in parts if other is not part)
        for part in parts
    )


def _overlap(a: Mark, b: Mark) -> bool:
    """Whether marks share a good part of their columns."""
    return min(a.box[2], b.box[2]) - max(a.box[0], b.box[0]) > 0.2 * min(a.width, b.width)


def _power(mark: Mark, others: list[Mark], shape: tuple[int, ...]) -> int:
    """How much it costs to leave out a mark, by where it is and what it looks like."""
    if mark.touches(shape):
        return OUTSIDE
    stacked = [other for other in others if _stacked(mark, other)]
    if not stacked:
        return BESIDE
    line = mark.width > DASH * mark.height and all(
        mark.box[1] > other.box[1] or other.box[1] - mark.box[3] > AFAR * other.height for other in stacked
    )
    return OUTSIDE if line else ABOVE


def _stacked(a: Mark, b: Mark) -> bool:
    """Whether one of two marks is above the other, as the dot of a question mark is."""
    across = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    down = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    return across > 0.6 * min(a.width, b.width) and down <= 0
