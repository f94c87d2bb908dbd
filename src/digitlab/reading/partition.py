"""Which parts of the ink make a digit: parts that are near are joined, wide ones are cut, as the network likes best.

A broken 5 is two pieces of ink, 00 may be one. Near pieces form a cluster. Each is cut where two digits may touch, and
of all ways to divide the row of pieces into digits, the one whose digits are likeliest together is taken: the best path
through a graph of segments (Gader et al. 1995, "Neural and fuzzy methods in handwriting recognition"; LeCun et al.
1998, "Gradient-based learning applied to document recognition", sec. IV).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.cuts import stacked
from digitlab.data.photos.mark import Mark
from digitlab.reading.chains import links
from digitlab.reading.segments import (
    WIDE_ENOUGH,
    WIDEST,
    Budget,
    Piece,
    Segment,
    aspect_of,
    clusters,
    pieces_of,
    segments_of,
)

SURE = 0.95  # a narrow mark that is read with more is not cut
CERTAIN, CERTAINLY_WIDE = 0.99, 1.3  # the same for a wider one, up to so many of its heights
BESIDE, ABOVE = 3, 20  # how much it costs to leave out a share of the ink, by where it is: a power of what remains
OUTSIDE = 1  # the same for what runs out of the picture, such as a dark corner, and for a line under or over a number
TALL = 1.5  # of the writing's height and of its width: a mark as high may be two digits above each other
STROKES = (1, 7)  # letters fall apart into strokes that look like them
STROKE = 0.7  # what each of these costs that is cut off
NARROW_STROKE = 1.0  # the same of a mark that is narrower than two digits, as n, v and H are
SURE_PART, DOUBT = 0.9, 2.0  # what a part costs that is cut off and read with less
NONE = 3.0  # what it costs that a mark of the width of one digit is none
FULL = 0.85  # of the mark's height, a part of it that is a digit of its own
DASH, AFAR = 3.2, 0.15  # heights of a stroke in its width, from which it is a line; from the digit, in its heights


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
    rows = [pieces_of(cluster, single, usual) for cluster in clusters([answer.mark for answer in answers], usual, one)]
    budget = Budget(len(answers))
    segments = [segments_of(row, usual, one, budget) for row in rows]
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


def _is_single(answer: Answer) -> bool:
    """Whether a mark is surely one digit, so that no cut need be tried: the wider it is, the surer it must be read."""
    aspect = aspect_of(answer.mark)
    return aspect < CERTAINLY_WIDE and answer.confidence >= (SURE if aspect < WIDE_ENOUGH else CERTAIN)


def _best_path(row: list[Piece], segments: list[Segment], judged: list[Answer], shape: tuple[int, ...]) -> list[Answer]:
    """The division of a row of pieces whose digits are likeliest together; parts that are no digit stay alone."""
    ink = sum(float(part.whole.mask.sum()) for part in row if part.right is None)
    alone = {s.first: a for s, a in zip(segments, judged) if s.mark is row[s.first].whole}
    ending: list[list[tuple[float, int, int]]] = [[] for _ in range(len(row) + 1)]  # value, first piece, judged
    for s, (segment, answer) in enumerate(zip(segments, judged)):
        value = float(np.log(max(answer.confidence, 1e-4))) - segment.cost
        if segment.cut:
            narrow = aspect_of(row[segment.first].whole) < WIDE_ENOUGH
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
