"""From ink to marks: which pixels belong together, which marks may be digits, and in what order they are read."""

import heapq
from bisect import bisect
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
REACH = 0.16  # how much paper may be between the parts of a digit, as a share of the usual height
MAX_MARKS = 1500  # a page with more is no page of writing; the largest are looked at
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


def find_marks(binary: Mask) -> list[Mark]:
    """The marks in ink (H, W), in reading order: lines from top to bottom, each from left to right.

    Specks are dropped. Parts of one broken digit are joined. What by its shape can be no digit carries `why_not`.
    """
    marks = _components(binary)
    if not marks:
        return []
    usual = usual_height(marks)
    marks = _joined([m for m in marks if max(m.height, m.width) >= 0.12 * usual], usual)
    marks = [m for m in marks if max(m.height, m.width) >= 0.28 * usual]
    return reading_order([replace(m, why_not=_why_not(m, usual, binary.shape)) for m in marks])


def _components(binary: Mask) -> list[Mark]:
    """Connected ink, without grains of a few pixels."""
    from scipy import ndimage

    labels, _ = ndimage.label(binary, structure=np.ones((3, 3), bool))
    areas = np.bincount(labels.ravel())
    areas[0] = 0  # paper
    least = max(6, binary.size // 150_000)
    numbers = [n for n in np.argsort(-areas, kind="stable")[:MAX_MARKS].tolist() if areas[n] >= least]
    spans = ndimage.find_objects(labels)
    marks = []
    for number in numbers:
        rows, columns = spans[number - 1]
        marks.append(mark_of(labels[rows, columns] == number, columns.start, rows.start))
    return marks


def mark_of(mask: Mask, left: int, top: int) -> Mark:
    """A mark of these pixels, whose corner is at (left, top) in the photo."""
    h, w = mask.shape
    return Mark((int(left), int(top), int(left) + w, int(top) + h), mask, pen_width(mask))


def pen_width(mask: Mask) -> float:
    """How wide the pen was, in pixels, from the mean distance of the ink to the paper.

    Across a stroke of even width w the distances are 1, 2 … w/2, w/2 … 2, 1, whose mean is (w + 2)/4.
    """
    from scipy import ndimage

    distance = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    return float(4 * distance[mask].mean() - 2) if mask.any() else 0.0


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
    if mark.width > 3.2 * mark.height:
        return "is a dash"
    if mark.pen > 0.6 * max(mark.height, mark.width) or (fill > 0.82 and mark.width > 0.6 * mark.height):
        return "is a blot"
    if mark.height < 0.45 * usual:
        return "is smaller than the writing"
    if mark.height > 2.6 * usual and mark.height > 2.6 * mark.pen * 4:
        return "is larger than the writing"
    return ""


def _joined(marks: list[Mark], usual: float) -> list[Mark]:
    """Marks with the parts of broken digits put together, nearest parts first.

    Two marks are parts of one if there is little paper between them, the whole is no larger than a digit, and at least
    one of them is too small to be a digit by itself, or one is above the other.
    """
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
    _into(first, a, left, top, False)
    _into(second, b, left, top, True)
    shortest = float(ndimage.distance_transform_edt(first)[second].min())
    return shortest if shortest <= most else np.inf


def _into(plane: Mask, mark: Mark, left: int, top: int, value: bool) -> None:
    x, y = mark.box[0] - left, mark.box[1] - top
    plane[y : y + mark.height, x : x + mark.width][mark.mask] = value


def union(a: Mark, b: Mark) -> Mark:
    """Two marks as one."""
    left, top = min(a.box[0], b.box[0]), min(a.box[1], b.box[1])
    mask = np.zeros((max(a.box[3], b.box[3]) - top, max(a.box[2], b.box[2]) - left), bool)
    _into(mask, a, left, top, True)
    _into(mask, b, left, top, True)
    return mark_of(mask, left, top)


def reading_order(marks: list[Mark]) -> list[Mark]:
    """The marks line by line from top to bottom, in each line from left to right; `line` is set.

    A line is followed from mark to mark, so it may slope or bend: a mark continues the line whose last mark is at
    about its height and nearest to its left.
    """
    lines: list[list[Mark]] = []
    slopes: list[float] = []  # of each line, where it has come to
    for mark in sorted(marks, key=lambda m: m.box[0] + m.box[2]):
        x, y = _middle(mark)
        best, chosen = np.inf, -1
        for number, line in enumerate(lines):
            last = line[-1]
            lx, ly = _middle(last)
            tall = max(mark.height, last.height, 1)
            off = abs(y - ly - slopes[number] * (x - lx))
            far = (x - lx) / tall
            if off < 0.55 * tall + 0.04 * (x - lx) and off / tall + 0.1 * far < best:
                best, chosen = off / tall + 0.1 * far, number
        if chosen < 0:
            lines.append([mark])
            slopes.append(0.0)
        else:
            lines[chosen].append(mark)
            slopes[chosen] = _slope(lines[chosen])
    # Where lines slope, they are ordered by their height in the middle of the page.
    known = [_slope(line) for line in lines if len(line) > 2]
    tilt = float(np.median(known)) if known else 0.0
    lines.sort(key=lambda line: float(np.mean([_middle(m)[1] - tilt * _middle(m)[0] for m in line])))
    return [replace(mark, line=number) for number, line in enumerate(lines) for mark in line]


def _middle(mark: Mark) -> tuple[float, float]:
    return (mark.box[0] + mark.box[2]) / 2, (mark.box[1] + mark.box[3]) / 2


def _slope(line: list[Mark]) -> float:
    """How much a line of marks goes down per pixel to the right, from its last few marks; 0 for fewer than three."""
    if len(line) < 3:
        return 0.0
    x, y = np.array([_middle(mark) for mark in line[-6:]]).T
    return float(np.clip(np.polyfit(x, y, 1)[0], -0.4, 0.4)) if np.ptp(x) > 0 else 0.0


def cuts(mark: Mark, usual: float, *, most: int = 4) -> list[tuple[Mark, Mark]]:
    """Cuts of a mark into two halves side by side, the likeliest first: where two digits may touch.

    Candidates are columns, upright and slanted, that cross no more ink than two strokes; each half must be as high as
    a digit, and wider than a stroke. The network decides which cut is right, if any.
    """
    h, w = mark.mask.shape
    if w < 0.8 * h or h < 8:
        return []
    candidates = []
    for slant in (0.0, -0.25, 0.25):
        shift = np.round(slant * (np.arange(h) - h / 2)).astype(int)  # how far each row's cut lies from the middle's
        for x in range(round(0.18 * w), round(0.82 * w) + 1, max(1, w // 40)):
            column = np.clip(x + shift, 0, w - 1)
            crossed = int(mark.mask[np.arange(h), column].sum())
            candidates.append((crossed + 0.15 * abs(x - w / 2), x, slant, column))
    candidates.sort(key=lambda c: c[0])
    chosen: list[tuple[float, float]] = []
    found = []
    for cost, x, slant, column in candidates:
        if cost > 2.2 * mark.pen + 0.04 * w or any(abs(x - px) < 0.12 * w and slant == ps for px, ps in chosen):
            continue
        left = mark.mask & (np.arange(w)[None, :] < column[:, None])
        halves = [_trimmed(part, mark) for part in (left, mark.mask & ~left)]
        if all(half is not None and _is_like_a_digit(half, mark, usual) for half in halves):
            chosen.append((x, slant))
            found.append((halves[0], halves[1]))
        if len(found) == most:
            break
    return found  # type: ignore[return-value]  # None is filtered above


def _is_like_a_digit(half: Mark, whole: Mark, usual: float) -> bool:
    """Whether half of a mark is high enough for a digit, and wider than a stroke."""
    narrow = half.width < 0.36 * half.height or half.mask.mean() > 0.72
    return half.height >= 0.6 * min(whole.height, usual) and not narrow


def _trimmed(part: Mask, mark: Mark) -> Mark | None:
    """A part of a mark's mask as a mark: its largest pieces; None if it is too thin."""
    from scipy import ndimage

    labels, count = ndimage.label(part, structure=np.ones((3, 3), bool))
    if not count:
        return None
    sizes = ndimage.sum_labels(part, labels, range(1, count + 1))
    part = np.isin(labels, 1 + np.flatnonzero(sizes >= 0.12 * sizes.max()))
    rows, columns = ndimage.find_objects(part.astype(np.uint8))[0]
    part = part[rows, columns]
    if part.shape[1] < 2 and part.shape[0] < 4:
        return None
    return replace(mark_of(part, mark.box[0] + columns.start, mark.box[1] + rows.start), line=mark.line)
