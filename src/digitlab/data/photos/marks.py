"""From ink to marks: which pixels belong together, which marks may be digits, and in what order they are read."""

import heapq
from bisect import bisect
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.lines import reading_order
from digitlab.data.photos.mark import Mark, fill, mark_of, union

Mask = NDArray[np.bool_]
REACH = 0.16  # how much paper may be between the parts of a digit, as a share of the usual height
MAX_MARKS = 10_000  # on one page; of more, the largest are looked at
MAX_JOINED = 300  # more marks are not compared in pairs, which would take too long
CIRCLE, ROUND = 24, 0.024  # pixels of a circle; how round it is: of 4,000 0s of MNIST, none is
BOXES = 2  # times the picture: what the boxes of all marks cover; rings in rings and the like are no writing


def find_marks(binary: Mask) -> list[Mark]:
    """The marks in ink (H, W), in reading order: lines from top to bottom, each from left to right.

    Specks are dropped. Parts of one broken digit are joined. What by its shape can be no digit carries `why_not`.
    """
    return marks_of(find_parts(binary), binary.shape)


def marks_of(marks: list[Mark], shape: tuple[int, ...]) -> list[Mark]:
    """The same from the parts that `find_parts` found in a picture of `shape`, (H, W)."""
    if not marks:
        return []
    usual = usual_height(marks)
    marks = _joined([m for m in marks if max(m.height, m.width) >= 0.12 * usual], usual)
    marks = [m for m in marks if max(m.height, m.width) >= 0.28 * usual]
    return reading_order([replace(m, why_not=_why_not(m, usual, shape)) for m in marks])


def find_parts(binary: Mask, most: int = MAX_MARKS) -> list[Mark]:
    """Connected ink, the `most` largest pieces, without grains of a few pixels; those with most ink come first."""
    from scipy import ndimage

    labels, _ = ndimage.label(binary, structure=np.ones((3, 3), bool))
    areas = np.bincount(labels.ravel())
    areas[0] = 0  # paper
    least = max(6, binary.size // 150_000)
    numbers = [n for n in np.argsort(-areas, kind="stable")[:most].tolist() if areas[n] >= least]
    spans = ndimage.find_objects(labels)
    marks, room = [], BOXES * binary.size
    for number in numbers:
        rows, columns = spans[number - 1]
        room -= (rows.stop - rows.start) * (columns.stop - columns.start)
        if room < 0:
            break
        marks.append(mark_of(labels[rows, columns] == number, columns.start, rows.start))
    return marks


def usual_height(marks: list[Mark]) -> float:
    """The height of the page's digits: the median of heights, where each counts by its ink, so that dust does not."""
    heights = np.array([max(m.height, 0.6 * m.width) for m in marks], dtype=float)
    ink = np.sqrt([float(m.mask.sum()) for m in marks])
    order = np.argsort(heights)
    half = np.cumsum(ink[order]) >= 0.5 * ink.sum()
    return float(heights[order][np.argmax(half)])


def _why_not(mark: Mark, usual: float, shape: tuple[int, ...]) -> str:
    """Why this mark can be no digit, by its shape alone; "" if it may be one."""
    h, w = shape
    left, top, right, bottom = mark.box
    edges = (left <= 1) + (top <= 1) + (right >= w - 1) + (bottom >= h - 1)
    large = mark.width > 0.5 * w or mark.height > 0.5 * h
    fill = float(mark.mask.mean())
    if edges >= 2 and (large or mark.height > 1.8 * usual):
        return "runs out of the picture"
    if edges and (mark.height < 0.6 * usual or mark.width > 3 * mark.height or fill > 0.6):
        return "is cut off by the edge"
    if reason := odd_shape(mark):
        return reason
    if mark.height < 0.45 * usual:
        return "is smaller than the writing"
    if mark.height > 2.6 * usual and mark.height > 2.6 * mark.pen * 4:
        return "is larger than the writing"
    return ""


def odd_shape(mark: Mark) -> str:
    """Why no digit has this mark's shape, whatever is around it; "" if one may."""
    fill = float(mark.mask.mean())
    if mark.width > 3.2 * mark.height:
        return "is a dash"
    if mark.pen > 0.6 * max(mark.height, mark.width) or (fill > 0.82 and mark.width > 0.6 * mark.height):
        return "is a blot"
    if min(mark.height, mark.width) >= CIRCLE and mark.off_circle < ROUND:
        return "is a circle"
    return ""


def _joined(marks: list[Mark], usual: float) -> list[Mark]:
    """Marks with the parts of broken digits put together, nearest parts first.

    Two marks are parts of one if there is little paper between them, the whole is no larger than a digit, and at least
    one of them is too small to be a digit by itself, or one is above the other.
    """
    if len(marks) > MAX_JOINED:
        return marks
    parts = dict(enumerate(sorted(marks, key=lambda m: m.box[0])))
    lefts = [mark.box[0] for mark in parts.values()]
    heap = [
        (gap, i, j)
        for i, a in parts.items()
        for j in range(i + 1, bisect(lefts, a.box[2] + REACH * usual))
        if np.isfinite(gap := _gap(a, parts[j], usual))
    ]
    heapq.heapify(heap)
    number = len(parts)
    while heap:
        _, i, j = heapq.heappop(heap)
        if i not in parts or j not in parts:
            continue
        whole = union(parts.pop(i), parts.pop(j))
        for k, other in parts.items():
            gap = _gap(whole, other, usual)
            if np.isfinite(gap):
                heapq.heappush(heap, (gap, number, k))
        parts[number] = whole
        number += 1
    return list(parts.values())


def _gap(a: Mark, b: Mark, usual: float) -> float:
    """The paper between two parts of one digit, in pixels; infinite if they are none."""
    left, top = min(a.box[0], b.box[0]), min(a.box[1], b.box[1])
    right, bottom = max(a.box[2], b.box[2]), max(a.box[3], b.box[3])
    height, width = bottom - top, right - left
    across = max(a.box[0], b.box[0]) - min(a.box[2], b.box[2])  # negative: they overlap from left to right
    down = max(a.box[1], b.box[1]) - min(a.box[3], b.box[3])
    near = REACH * usual
    small = min(a, b, key=lambda m: m.width * m.height)
    inside = max(0, -across) * max(0, -down) / (small.width * small.height)
    if inside > 0.5 and small.height < 0.62 * usual and height <= 1.45 * usual:
        return _distance(a, b, 0.5 * usual)  # it lies in the box of the other
    if across > near or down > near or height > 1.45 * usual or width > max(1.1 * usual, 1.05 * max(a.width, b.width)):
        return np.inf
    size = min(max(a.height, 0.5 * a.width), max(b.height, 0.5 * b.width))
    overlap = -across / max(1, min(a.width, b.width))
    if size > 0.62 * usual or (overlap < 0.3 and (size > 0.5 * usual or across > 0.08 * usual)):
        return np.inf
    return _distance(a, b, near)


def _distance(a: Mark, b: Mark, most: float) -> float:
    """The shortest distance over paper from one mark's ink to the other's; infinite if longer than `most`."""
    from scipy import ndimage

    left, top = min(a.box[0], b.box[0]), min(a.box[1], b.box[1])
    shape = max(a.box[3], b.box[3]) - top, max(a.box[2], b.box[2]) - left
    first, second = np.ones(shape, bool), np.zeros(shape, bool)
    fill(first, a, left, top, False)
    fill(second, b, left, top, True)
    shortest = float(ndimage.distance_transform_edt(first)[second].min())
    return shortest if shortest <= most else np.inf
