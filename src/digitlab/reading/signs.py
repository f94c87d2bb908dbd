"""Brackets and percent signs beside numbers: their strokes look like 1s and 7s, their rings like 0s."""

from collections.abc import Iterator, Sequence

import numpy as np

from digitlab.data.photos.lines import text_lines
from digitlab.data.photos.mark import Mark
from digitlab.reading.answers import Answers
from digitlab.reading.partition import Answer

BRACKETS = (1, 7)  # what a bracket looks like
BOW = 0.07  # of its height, how far a bracket bends at least
FIFTHS = 5  # parts of a mark's height: the ends are the first and the last
SLIM = 0.6  # of its height, the width of a bracket
WITHIN = 6  # digits between brackets at most
HIGH = 0.85  # of the digits between them, the height of brackets
RING = 0.15, 0.65  # of the stroke's height, a ring of a percent sign
REACH = 0.9  # of the stroke's height, how far its middle is from that of a ring at most


def without_signs(judged: Sequence[Answer], why: Sequence[str]) -> list[str]:
    """The reasons why marks are no digits, with those of brackets around digits, and of percent signs."""
    found = list(why)
    able = [at for at, reason in enumerate(why) if not reason]
    for line in text_lines([judged[at].mark.box for at in able]):
        for first, last in _brackets([judged[able[number]] for number in line]):
            found[able[line[first]]] = found[able[line[last]]] = "is a bracket"
    everything = Answers(judged)
    for at in able:
        if judged[at].label == 1:
            for ring in _rings(judged[at].mark, everything):
                found[ring] = found[at] = "is part of a percent sign"
    return found


def _brackets(line: Sequence[Answer]) -> Iterator[tuple[int, int]]:
    """Pairs of places in a line: a stroke that bends to the left, digits, and the next that bends most to the right."""
    bows = [_bow(answer.mark) if answer.label in BRACKETS else 0.0 for answer in line]
    heights = [answer.mark.height for answer in line]
    openings = [at for at, bow in enumerate(bows) if bow <= -BOW]
    for opening, following in zip(openings, [*openings[1:], len(line)]):
        places = range(opening + 2, min(following, opening + WITHIN + 2))
        last = max(places, key=bows.__getitem__, default=opening)
        between = max(heights[opening + 1 : last], default=0)
        if bows[last] >= BOW and min(heights[opening], heights[last]) >= HIGH * between:
            yield opening, last


def _bow(mark: Mark) -> float:
    """How far the middle of a slim mark is to the right of the line between its ends, in its heights."""
    if mark.width > SLIM * mark.height:
        return 0.0
    _, middles = mark.row_middles()
    if len(middles) < FIFTHS:
        return 0.0
    top, _, centre, _, bottom = (float(part.mean()) for part in np.array_split(middles, FIFTHS))
    return (centre - (top + bottom) / 2) / mark.height


def _rings(stroke: Mark, everything: Answers) -> list[int]:
    """The numbers of the two small rings of a percent sign: above on the left of its stroke, below on the right."""
    places, (x, y) = everything.places, stroke.middle
    near = places.within(stroke, REACH * stroke.height)
    near &= (places.height >= RING[0] * stroke.height) & (places.height <= RING[1] * stroke.height)
    rings = [at for at in np.flatnonzero(near).tolist() if everything.all[at].mark.loops == 1]
    upper = [at for at in rings if places.x[at] < x and places.y[at] < y]
    lower = [at for at in rings if places.x[at] > x and places.y[at] > y]
    return [upper[0], lower[0]] if len(upper) == len(lower) == 1 else []
