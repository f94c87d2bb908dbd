"""Pale ruled lines of a small picture: subtracted from the ink before a threshold is chosen.

A threshold tears a rule that is paler than the writing, and its pieces join digits or pass for strokes. All along its
length, a rule has the same shade, and digits hide only a part of it: the median over a row of pixels shows the rule
without the digits.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]  # (H, W)

LARGEST = 120_000  # pixels of a picture in which rules are straight
SLOPES = np.linspace(-0.08, 0.08, 33)  # of a rule, in pixels down for each to the right
WIDTHS = (3, 5, 8, 12)  # pixels from the middle of a rule to the paper beside it
COLUMNS = 100  # that are looked at
LEAST, CERTAIN = 0.012, 6.0  # of the paper's light, a rule's shade; standard errors that it stands out by
HIDDEN = 0.3  # of the width, what digits hide of a rule
SHOWN, EVEN = 0.4, 1.6  # of its shade, what the rest has at least and at most
END = 0.15  # of the width, at each edge, where a rule has that shade, too
PALER, BESIDE = 0.6, 0.5  # shares of the writing's ink and of the rule's: a rule's shade, and that of paper beside it


class Rule(NamedTuple):
    """A rule from left to right: how much of it is seen, its slope, its row in the middle, and how far paper is."""

    seen: float
    slope: float
    y: int
    width: int


def without_pale_rules(flat: Plane, noise: float) -> Plane:
    """The share of ink on each pixel, (H, W), less that of rules from edge to edge that are paler than the writing.

    `noise` is the standard deviation of a pixel of paper. Large pictures stay as they are: there, rules are followed
    (rules.py).
    """
    if flat.size > LARGEST or min(flat.shape) < 4 * max(WIDTHS):
        return flat
    inked = flat[flat > max(0.02, 4 * noise)]
    if inked.size < 12:
        return flat
    writing = float(np.quantile(inked, 0.9))
    return _without_horizontal(_without_horizontal(flat, writing, noise).T, writing, noise).T


def _without_horizontal(flat: Plane, writing: float, noise: float) -> Plane:
    """The plane without its pale rules from left to right, the most visible ones first."""
    taken: list[Rule] = []
    for rule in sorted(_rules(flat, noise), reverse=True):
        if any(_overlap(rule, other, flat.shape[1]) for other in taken):
            continue
        taken.append(rule)
        ys = rule.y + np.array([0, -1, 1]) * rule.width
        shade, above, below = np.median(flat.take(_places(flat.shape, ys, rule.slope)), axis=1)
        if shade <= PALER * writing and max(above, below) <= BESIDE * shade:
            flat = _subtracted(flat, rule, writing)
    return flat


def _rules(flat: Plane, noise: float) -> Iterator[Rule]:
    """What may be a rule from left to right; the same one several times, with other slopes, rows and widths."""
    step = max(1, flat.shape[1] // COLUMNS)
    looked_at = len(range(0, flat.shape[1], step))
    end = max(4, int(END * looked_at))
    least = CERTAIN * 1.25 * noise / np.sqrt(looked_at) + LEAST  # 1.25: of a median, beside a mean's 1
    for width in WIDTHS:
        ridge = _ridge(flat, width)
        ys = _crossed(ridge[:, ::step], least, end, 1 + int(max(SLOPES) * flat.shape[1] / 2))
        for slope in SLOPES if ys.size else ():
            rows = ridge.take(_places(flat.shape, ys, slope, step))
            for at in np.flatnonzero(np.count_nonzero(rows > least, axis=1) > 0.5 * looked_at).tolist():
                row, shade = rows[at], np.median(rows[at])
                low, high = np.quantile(row, [HIDDEN, 1 - HIDDEN])
                least_shown = min(np.median(row[:end]), np.median(row[-end:]), low)
                if least_shown >= SHOWN * shade and high <= EVEN * shade:
                    yield Rule(float(np.minimum(row, shade).mean()), float(slope), int(ys[at]), width)


def _crossed(ridge: Plane, least: float, end: int, reach: int) -> NDArray[np.intp]:
    """The rows, (n,), that a rule may cross the middle of: within `reach` there is enough of one, whatever its slope.

    Most pictures have none: a digit with a margin shows nothing near the edges.
    """
    from scipy import ndimage

    highest = ndimage.maximum_filter1d(ridge, 2 * reach + 1, axis=0)
    there = (highest > least).mean(axis=1) > 0.5
    for part in (highest[:, :end], highest[:, -end:]):
        there &= (part > SHOWN * least).mean(axis=1) >= 0.5
    return np.flatnonzero(there)


def _ridge(flat: Plane, width: int) -> Plane:
    """How much more ink a pixel has than the pixels so far above and below it, (H, W); -1 near the edges."""
    ridge = np.full(flat.shape, -1.0, np.float32)
    ridge[width:-width] = flat[width:-width] - np.maximum(flat[: -2 * width], flat[2 * width :])
    return ridge


def _overlap(a: Rule, b: Rule, width: int) -> bool:
    """Whether two rules meet in a picture of that width."""
    apart = [a.y - b.y + side * (a.slope - b.slope) * width / 2 for side in (-1, 0, 1)]
    return min(map(abs, apart)) <= max(a.width, b.width) or min(apart) < 0 < max(apart)


def _down(width: int, slope: float) -> NDArray[np.intp]:
    """How much lower a rule of that slope is in each column than in the middle, (W,)."""
    return np.round(slope * (np.arange(width) - width / 2)).astype(np.intp)


def _places(shape: tuple[int, ...], ys: NDArray[np.intp], slope: float, step: int = 1) -> NDArray[np.intp]:
    """Flat positions of pixels on lines of that slope, (n, W / step), which cross the middle in the rows `ys`, (n,).

    Every `step`-th column counts; beyond the edge, its pixels are repeated.
    """
    h, w = shape
    columns = np.arange(0, w, step)
    return (ys[:, None] + _down(w, slope)[columns]).clip(0, h - 1) * w + columns


def _subtracted(flat: Plane, rule: Rule, writing: float) -> Plane:
    """The plane less the rule's shade, row by row of its thickness; darker strokes that cross it stay as they are."""
    h, w = flat.shape
    offsets = np.arange(-rule.width, rule.width + 1)[:, None]
    rows, columns = rule.y + offsets + _down(w, rule.slope), np.arange(w)  # (2 width + 1, W)
    band = flat[rows.clip(0, h - 1), columns]
    shades = np.median(band, axis=1, keepdims=True).clip(0)
    inside = (rows >= 0) & (rows < h)
    only = inside & (band < 0.5 * (shades + writing))
    result = flat.copy()
    result[rows[only], np.broadcast_to(columns, rows.shape)[only]] = (band - shades)[only]
    return result
