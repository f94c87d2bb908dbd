"""Ruled lines: found as long thin runs of ink, and taken away where nothing crosses them.

A rule is followed column by column: ink that is no higher than a rule's own thickness belongs to it, ink that is
higher belongs to a stroke that crosses, and stays. So a digit on the line keeps its strokes.
This is how staff lines are removed from sheets of music (Dalitz et al. 2008, "A comparative study of staff
removal algorithms", sec. 2: line tracking).
"""

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.boxes import with_boxes, without_sides

Mask = NDArray[np.bool_]

THINNEST = 25  # a rule is at least so many times longer than thick
THICK, MORE = 5, 1.5  # pixels of a rule, where that finds so many times more than up to 4
BLURRED = 3.3  # the same of a small picture that was enlarged, in its own pixels
ACROSS = 10  # the same for one from edge to edge with free ends, as in a small crop
SINGLE = 1.6  # times a rule's thickness: more ink is a stroke that crosses it
END = 2.0  # times its thickness, what nothing may cross at the end of a line from edge to edge
SLIM = 2.5  # times its width, the height of a small picture that has room for one stroke
WHOLE, MOSTLY = 0.8, 0.5  # of the width, where there is ink on a line from edge to edge, and where nothing crosses it
GAPS, SPREAD = 3, 0.37  # of paper along a row of strokes; of half its band, the sd of their middles
PASSES, SMALL = 3, 200_000  # at most, over the lines of a picture of so many pixels
MOST_PIECES = 400  # of rules between what crosses them; the longest are followed
LOOP = 0.25  # of the rest of a hole's border, the rule that closes it
LONG_GAP = 3  # of the width, what digits hide of a rule between two parts that are as long
REACH = 0.45  # and spans at least this share of the picture


def remove_rules(binary: Mask, faint: Mask | None = None, *, zoom: float = 1.0) -> tuple[Mask, Mask]:
    """The ink (H, W) without ruled lines, and the lines that were taken away, (H, W), or those that are paler than ink.

    Lines are looked for in `faint`, if given: ink with everything paler, where they are not torn. `zoom` says how much
    the picture was enlarged, and its lines with it.
    """
    seen = binary if faint is None else faint | binary
    thickest = max(4, max(binary.shape) // 120, round(2.2 * zoom))  # the largest run that may be part of a rule
    across, down = _rules(seen, thickest, crop=zoom > 1)
    if thickest == 4 or zoom > 1:  # a small picture: its lines may be thick
        more = round(BLURRED * zoom) if zoom > 1 else THICK
        thick = _rules(seen, more, crop=zoom > 1)
        if sum(some.sum() for some in thick) > MORE * (across.sum() + down.sum()):
            across, down, thickest = *thick, more
    if across.any() and down.any():
        across, down = _with_crossings(seen, across, down, 4 * max(thickest, THICK) + 5)
    rules = across | down
    if not (rules & binary).any():
        return binary, rules
    left = binary & ~rules
    left = _mended(binary, left, across)
    left = _mended(binary.T, left.T, down.T).T
    left |= _closing_holes(binary, left)
    left = with_boxes(binary, left)
    left = without_sides(left, binary & ~left)
    return left, binary & ~left


def _rules(seen: Mask, thickest: int, crop: bool) -> tuple[Mask, Mask]:
    """The pixels of lines from left to right, and from top to bottom.

    In a small picture a line may end at another one, and has no free end until that is away: they are looked for again.
    """
    across = down = np.zeros_like(seen)
    for _ in range(PASSES if seen.size <= SMALL else 1):
        before = int(across.sum() + down.sum())
        found = _horizontal_rules(seen & ~down, thickest, crop)
        if crop and seen.shape[0] >= SLIM * seen.shape[1]:  # a line from top to bottom is a 1
            return across | found, down
        down = down | _horizontal_rules(np.ascontiguousarray((seen & ~across).T), thickest, crop).T
        across = across | found
        if across.sum() + down.sum() == before:
            break
    return across, down


def _with_crossings(seen: Mask, across: Mask, down: Mask, gap: int) -> tuple[Mask, Mask]:
    """The lines with the ink where they cross each other, at which each is interrupted by up to `gap` pixels."""
    from scipy import ndimage

    def closed(lines: Mask, axis: int) -> Mask:
        wide = ndimage.maximum_filter1d(lines.astype(np.uint8), gap, axis=axis, mode="constant")
        narrow: Mask = ndimage.minimum_filter1d(wide, gap, axis=axis, mode="constant") > 0
        return narrow

    one, other = closed(across, 1), closed(down, 0)
    spots = (one & other).astype(np.uint8)
    for axis in (0, 1):
        spots = ndimage.maximum_filter1d(spots, gap, axis=axis, mode="constant")
    near = seen & (spots > 0)
    return across | (near & one), down | (near & other)


def _horizontal_rules(binary: Mask, thickest: int, crop: bool) -> Mask:
    """Pixels that belong to lines from left to right and to nothing that crosses them.

    In a small crop, which a digit may fill, a line is a rule only if it runs from edge to edge.
    """
    from scipy import ndimage

    h, w = binary.shape
    heights = run_heights(binary)
    thin = binary & (heights <= thickest)
    if not thin.any():
        return thin
    # Bridge what crosses: gaps of up to a twentieth of the width, in pieces long enough to be a line's.
    labels, _ = ndimage.label(thin, structure=np.ones((3, 3), bool))
    spans = ndimage.find_objects(labels)
    sizes = [(x.stop - x.start, y.stop - y.start) for y, x in spans]
    pieces = [i for i, (wide, high) in enumerate(sizes, start=1) if wide >= max(8, w // 60) and high <= 0.3 * wide + 8]
    pieces = sorted(pieces, key=lambda i: -sizes[i - 1][0])[:MOST_PIECES]
    if not pieces:
        return np.zeros_like(binary)
    rules = np.zeros_like(binary)
    for members, curve in _chains(labels, spans, pieces, w):
        ys, xs = _pixels(labels, spans, members)
        thick = float(np.median(heights[ys, xs]))
        near = np.abs(ys - curve(xs)) <= max(2.0, 0.8 * thick)
        length = float(xs.max() - xs.min() + 1)
        covered = len(np.unique(xs[near])) / length
        whole = _edge_to_edge(heights, curve, thick)
        long = not crop and length >= max(REACH * w, THINNEST * thick) and covered >= 0.5
        if long or (whole and w >= ACROSS * thick):
            # Along the whole curve, also the short pieces that were too small to be followed.
            columns = np.arange(w) if whole else np.arange(max(0, int(xs.min()) - 4), min(w, int(xs.max()) + 5))
            rows = _around(curve, columns, thick, h)
            ink = binary[rows, columns]
            single = ink & (heights[rows, columns] <= SINGLE * thick + 1)
            if not _is_row_of_strokes(ink, single):
                rules[rows[single], np.broadcast_to(columns, rows.shape)[single]] = True
    return rules


def _around(curve: np.poly1d, columns: NDArray[np.intp], thick: float, height: int) -> NDArray[np.intp]:
    """The rows in which a line of this thickness may be, (2 reach + 1, columns), within a picture of this height."""
    reach = int(np.ceil(max(2.0, 0.5 * thick)))
    middle = np.clip(np.round(curve(columns)).astype(int), 0, height - 1)
    rows: NDArray[np.intp] = np.clip(middle + np.arange(-reach, reach + 1)[:, None], 0, height - 1)
    return rows


def _is_row_of_strokes(ink: Mask, single: Mask) -> bool:
    """Whether what is `single` in the band of a line, (2 reach + 1, columns), are strokes of digits in straight rows.

    There is paper between them, and they are not straight: their middles spread over the band. Those of a rule, torn or
    dashed, stay in its middle.
    """
    reach = len(ink) // 2
    gaps = int((np.diff(ink.any(axis=0).astype(int)) < 0).sum())
    count = single.sum(axis=0)
    middles = np.arange(-reach, reach + 1) @ single[:, count > 0] / count[count > 0]
    return gaps >= GAPS and float(np.std(middles)) > SPREAD * reach


def _edge_to_edge(heights: NDArray[np.int32], curve: np.poly1d, thick: float) -> bool:
    """Whether a line runs from one edge to the other with free ends; a digit's stroke joins another one at its end.

    The line is followed beyond its pieces: near an edge they may be too short for pieces, and a rule is torn by noise.
    """
    h, w = heights.shape
    columns = np.arange(w)
    middle = np.round(curve(columns)).astype(int)
    reach = int(np.ceil(max(2.0, 0.5 * thick)))
    rows = middle[None] + np.arange(-reach, reach + 1)[:, None]  # (2 reach + 1, w)
    runs = np.where((rows >= 0) & (rows < h), heights[np.clip(rows, 0, h - 1), columns], 0).max(axis=0)
    single = SINGLE * max(thick, float(np.median(runs[runs > 0]))) + 1 if runs.any() else 0.0
    edge, few = max(3, w // 40), max(3, w // 40, round(END * thick))
    reaches = runs[:edge].any() and runs[-edge:].any()
    free = max(runs[:few].max(), runs[-few:].max()) <= single
    bare = (runs > 0) & (runs <= single)
    return bool(reaches and free) and float((runs > 0).mean()) >= WHOLE and float(bare.mean()) >= MOSTLY


def run_heights(binary: Mask) -> NDArray[np.int32]:
    """For each pixel of ink, the length of the vertical run of ink that it is part of; 0 on paper. (H, W)."""
    from scipy import ndimage

    runs, _ = ndimage.label(binary, structure=[[0, 1, 0]] * 3)
    lengths = np.bincount(runs.ravel()).astype(np.int32)
    lengths[0] = 0  # paper
    heights: NDArray[np.int32] = lengths[runs]
    return heights


def _pixels(
    labels: NDArray[np.int32], spans: list[tuple[slice, slice]], members: list[int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    ys, xs = [], []
    for member in members:
        rows, columns = spans[member - 1]
        y, x = np.nonzero(labels[rows, columns] == member)
        ys.append(y + rows.start)
        xs.append(x + columns.start)
    return np.concatenate(ys), np.concatenate(xs)


def _chains(
    labels: NDArray[np.int32], spans: list[tuple[slice, slice]], pieces: list[int], width: int
) -> "list[tuple[list[int], np.poly1d]]":
    """Pieces that lie on one slightly bent line, with that line, y = a + bx + cx²: longest pieces first.

    A line grows by the nearest piece that continues it, and is fitted again: a short piece says little about the
    direction, so a far one could be wrong.
    """
    places = {piece: _pixels(labels, spans, [piece]) for piece in pieces}
    names, ends = [], []  # of pieces not steeper than 15°: x of the left end, of the right end, y there
    for piece, (y, x) in places.items():
        slope, height = np.polyfit(x, y, 1) if x.max() > x.min() else (0.0, float(y.mean()))
        if abs(slope) <= 0.27:
            names.append(piece)
            ends.append((x.min(), x.max(), slope * x.min() + height, slope * x.max() + height))
    if not names:
        return []
    x0, x1, y0, y1 = np.array(ends, dtype=float).T
    free = np.ones(len(names), bool)
    chains = []
    for seed in np.argsort(x0 - x1, kind="stable"):
        if not free[seed]:
            continue
        free[seed] = False
        members = [int(seed)]
        left, right = x0[seed], x1[seed]
        curve = np.poly1d(np.polyfit([left, right], [y0[seed], y1[seed]], 1) if right > left else [y0[seed]])
        while True:
            before, after = x1 < left, x0 > right
            gap = np.where(before, left - x1, np.where(after, x0 - right, np.inf))
            off = np.abs(np.where(before, curve(x1) - y1, curve(x0) - y0))
            fits = free & (gap <= max(30, width / 6)) & (off <= 2.5 + 0.03 * np.minimum(gap, 1e6))
            if not fits.any():
                break
            nearest = int(np.argmin(np.where(fits, gap, np.inf)))
            free[nearest] = False
            members.append(nearest)
            left, right = min(left, x0[nearest]), max(right, x1[nearest])
            curve = _fitted(np.array([x0, x1, y0, y1])[:, members], width)
        chains.append((members, curve))
    return [
        ([names[m] for m in members], curve) for members, curve in _merged(chains, np.array([x0, x1, y0, y1]), width)
    ]


def _fitted(ends: NDArray[np.float64], width: int) -> np.poly1d:
    """The line through the ends of pieces, (4, n): left and right x, then y there; straight if it is short."""
    x0, x1, y0, y1 = ends
    degree = 1 if x1.max() - x0.min() < width / 3 else 2
    return np.poly1d(np.polyfit(np.concatenate([x0, x1]), np.concatenate([y0, y1]), degree))


def _merged(
    chains: "list[tuple[list[int], np.poly1d]]", ends: NDArray[np.float64], width: int
) -> "list[tuple[list[int], np.poly1d]]":
    """The chains; two that continue each other are one line, although digits hide much of it between them."""
    found: list[tuple[list[int], np.poly1d]] = []
    for members, curve in chains:
        left, right = ends[0, members].min(), ends[1, members].max()
        for at, (others, other) in enumerate(found):
            start, end = ends[0, others].min(), ends[1, others].max()
            a, b = (right, start) if right < start else (end, left)  # where the gap begins and ends
            known = min(right - left, end - start) >= b - a  # each is long enough to tell its direction
            if 0 < b - a <= width / LONG_GAP and known and max(abs(curve(x) - other(x)) for x in (a, b)) <= 2.5:
                both = [*others, *members]
                found[at] = both, _fitted(ends[:, both], width)
                break
        else:
            found.append((members, curve))
    return found


def _closing_holes(binary: Mask, left: Mask) -> Mask:
    """What was taken away of loops, (H, W): a zero that is written on a line shares its foot with it.

    A hole whose border is nearly all ink that is no rule belongs to a digit; the rule closes it.
    """
    from scipy import ndimage

    taken = binary & ~left
    numbers, count = ndimage.label(np.pad(~binary, 1, constant_values=True))
    borders = np.zeros((2, count + 1))
    beside = [np.roll(numbers, shift, axis)[1:-1, 1:-1] for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1))]
    for side in beside:
        for ink, total in zip((left, taken), borders):
            total += np.bincount(side[ink], minlength=count + 1)
    closed = (borders[1] > 0) & (borders[1] <= LOOP * borders[0])
    closed[[0, numbers[0, 0]]] = False
    found: Mask = np.zeros_like(binary)
    for side in beside:
        found |= taken & closed[side]
    return ndimage.binary_dilation(found, iterations=3, mask=taken) if found.any() else found


def _mended(binary: Mask, left: Mask, rules: Mask) -> Mask:
    """Give back what joined two strokes: columns of a rule with ink left both above and below."""
    if not rules.any():
        return left
    from scipy import ndimage

    heights = run_heights(rules)
    reach = int(np.quantile(heights[rules], 0.9)) + 2  # where rules cross, they are higher
    above = np.zeros_like(left)
    below = np.zeros_like(left)
    for step in range(1, reach + 1):
        above[step:] |= left[:-step]
        below[:-step] |= left[step:]
    # A stroke crosses at an angle: what is above may be some pixels further to the side than what is below.
    side = np.ones((1, 2 * (reach // 2 + 1) + 1), bool)
    both = ndimage.binary_dilation(above, side) & ndimage.binary_dilation(below, side)
    mended: Mask = left | (rules & both & binary)
    return mended
