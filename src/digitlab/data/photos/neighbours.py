"""The marks of a page as arrays: one mark is compared with all others at once, however many there are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.mark import Mark

Chosen = NDArray[np.bool_]
ACROSS, ASKEW = 0.2, 0.3  # what marks that cross share of the smaller box, and the middles' distance, in heights
INSIDE = 0.9  # what they share at any distance


class Neighbours:
    """N marks and where they are. Each method says of all of them, (N,), which ones are meant; never the mark itself.

    `height`, `width`, `x` and `y` (the middle) are in pixels of the page, (N,); `size` is the height of a mark, or 0.6
    of its width if that is more.
    """

    def __init__(self, marks: Sequence[Mark]) -> None:
        """The marks of a page, in any order."""
        self.left, self.top, self.right, self.bottom = np.array([m.box for m in marks], dtype=float).reshape(-1, 4).T
        self.width, self.height = self.right - self.left, self.bottom - self.top
        self.x, self.y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        self.size = np.maximum(self.height, 0.6 * self.width)
        self._number = {id(mark): number for number, mark in enumerate(marks)}

    def others(self, mark: Mark) -> Chosen:
        """All but the mark itself."""
        return self._others(mark, np.ones(len(self.x), bool))

    def beside(self, mark: Mark) -> Chosen:
        """Which are near a mark at its height and no smaller: on one line of writing with it."""
        beside: Chosen = self._on_line(mark) & (self.size >= 0.7 * _size(mark))
        return beside

    def beside_smaller(self, mark: Mark) -> Chosen:
        """Which have the mark beside them: near it at its height, and no larger."""
        beside: Chosen = self._on_line(mark) & (0.7 * self.size <= _size(mark))
        return beside

    def within(self, mark: Mark, reach: float) -> Chosen:
        """Which have their middle less than `reach` pixels away, both across and down."""
        x, y = mark.middle
        return self._others(mark, (np.abs(self.x - x) < reach) & (np.abs(self.y - y) < reach))

    def inside(self, mark: Mark) -> Chosen:
        """Which have their box inside the mark's."""
        left, top, right, bottom = mark.box
        return self._others(
            mark, (left <= self.left) & (top <= self.top) & (right >= self.right) & (bottom >= self.bottom)
        )

    def around(self, mark: Mark) -> Chosen:
        """Which have a box around the mark's, larger on all four sides."""
        left, top, right, bottom = mark.box
        return (self.left < left) & (self.top < top) & (self.right > right) & (self.bottom > bottom)

    def crossing(self, mark: Mark) -> Chosen:
        """Which the mark crosses or surrounds, as a digit does not: digits beside each other share little.

        A mark inside another one's box does not cross it.
        """
        left, top, right, bottom = mark.box
        across = np.minimum(right, self.right) - np.maximum(left, self.left)
        down = np.minimum(bottom, self.bottom) - np.maximum(top, self.top)
        share = across * down / np.minimum(mark.width * mark.height, self.width * self.height)
        askew = np.abs(mark.middle[1] - self.y) / np.maximum(mark.height, self.height)
        holding = (self.left <= left) & (self.top <= top) & (self.right >= right) & (self.bottom >= bottom)
        crossing = (share > INSIDE) | ((share > ACROSS) & (askew > ASKEW))
        return self._others(mark, (across > 0) & (down > 0) & crossing & ~holding)

    def _on_line(self, mark: Mark) -> Chosen:
        x, y = mark.middle
        reach = np.maximum(self.size, _size(mark))
        return self._others(mark, (np.abs(self.y - y) < 0.6 * reach) & (np.abs(self.x - x) < 3 * reach))

    def _others(self, mark: Mark, chosen: Chosen) -> Chosen:
        own = self._number.get(id(mark))
        if own is not None:
            chosen[own] = False
        return chosen


def _size(mark: Mark) -> float:
    return max(mark.height, 0.6 * mark.width)
