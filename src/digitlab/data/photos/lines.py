"""Lines of writing: which marks stand on one line, however it slopes, and in what order they are read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from digitlab.data.photos.mark import Box, Mark

STEEPEST = 0.45  # pixels down for each to the right: writing on a photo that was taken askew
STEPS = 61  # slopes that are tried
MOST = 100  # places that vote for the page's slope


class _Place(NamedTuple):
    """The middle of a box, and how high it is."""

    x: float
    y: float
    height: float


def reading_order(marks: Sequence[Mark]) -> list[Mark]:
    """The marks line by line from top to bottom, in each line from left to right; `line` is set."""
    lines = text_lines([mark.box for mark in marks])
    return [replace(marks[at], line=number) for number, line in enumerate(lines) for at in line]


def text_lines(boxes: Sequence[Box]) -> list[list[int]]:
    """The lines of writing from top to bottom, each the numbers of its boxes from left to right.

    The page's slope is the one at which the boxes' rows overlap most. From there each line is followed from box to
    box, so it may also bend: a box continues the line whose last box is at about its height and nearest to its left.
    """
    places = [_Place((left + right) / 2, (top + bottom) / 2, bottom - top) for left, top, right, bottom in boxes]
    tilt = page_slope(places)
    lines: list[list[int]] = []
    ends = np.empty((len(places), 4))  # of each line: x, y and height of its last place, and its slope there
    for at in sorted(range(len(places)), key=lambda at: places[at].x):
        here = places[at]
        x, y, height, slope = ends[: len(lines)].T
        tall, far = np.maximum(np.maximum(here.height, height), 1), here.x - x
        off = np.abs(here.y - y - slope * far)
        cost = np.where(off < 0.55 * tall + 0.04 * far, off / tall + 0.1 * far / tall, np.inf)
        chosen = int(np.argmin(cost)) if lines else -1
        if chosen < 0 or cost[chosen] == np.inf:
            chosen = len(lines)
            lines.append([])
        lines[chosen].append(at)
        ends[chosen] = *here, _slope([places[i] for i in lines[chosen][-6:]], tilt)
    return sorted(lines, key=lambda line: float(np.mean([places[i].y - tilt * places[i].x for i in line])))


def page_slope(places: Sequence[_Place]) -> float:
    """How much lines of writing go down per pixel to the right; 0 for fewer than three.

    As in the projection profiles that straighten scanned text (Baird 1987, "The skew angle of printed documents"):
    at the right slope the marks of a line fall on the same rows, and the sum of squares of the rows' counts is largest.
    """
    if len(places) < 3:
        return 0.0
    x, y, heights = np.array(places[:: -(-len(places) // MOST)], dtype=float).T
    tall = float(np.median(heights))
    slopes = np.linspace(-STEEPEST, STEEPEST, STEPS)
    rows = (y[None] - slopes[:, None] * x[None]) / max(tall, 1.0)  # (slopes, places), in heights
    # How near all pairs are to one row; a pair that is a quarter of a height apart counts e⁻².
    apart = np.square(rows[:, :, None] - rows[:, None, :])
    score = np.exp(-32 * apart).sum(axis=(1, 2)) - len(x)
    score *= 1 - 0.35 * np.abs(slopes) / STEEPEST  # where several slopes fit, the smallest
    best = int(np.argmax(score))
    level = score[len(slopes) // 2]
    return float(slopes[best]) if score[best] > 1.1 * level else 0.0


def _slope(line: list[_Place], tilt: float) -> float:
    """How much a line goes down per pixel to the right, from its last places; the page's slope for less than three.

    The page's slope counts as two further places do, so that digits that sway do not bend a short line.
    """
    if len(line) < 3:
        return tilt
    x, y, _ = np.array(line, dtype=float).T
    if np.ptp(x) == 0:
        return tilt
    off, few = x - x.mean(), len(x)
    own = float(off @ y / (off @ off))  # least squares
    return float(np.clip((own * few + 2 * tilt) / (few + 2), -STEEPEST - 0.1, STEEPEST + 0.1))
