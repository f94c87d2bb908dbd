"""Zeros that overlap are taken apart by the paper that each encloses."""

import numpy as np
import pytest

from digitlab.data.photos.mark import mark_of
from digitlab.reading.chains import links


def rings(*middles: int, radius: int = 20, pen: int = 3) -> np.ndarray:
    """Circles side by side, (H, W)."""
    y, x = np.mgrid[0 : 2 * radius + 9, 0 : max(middles) + radius + 5]
    away = [np.hypot(x - middle, y - radius - 4) for middle in middles]
    ink: np.ndarray = np.any([np.abs(d - radius) <= pen / 2 for d in away], axis=0)
    return ink


@pytest.mark.parametrize("step", [42, 40, 38])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_chain_of_zeros(step, count):
    found = links(mark_of(rings(*(25 + step * n for n in range(count))), 100, 50))
    assert len(found) == count
    for number, link in enumerate(found):
        left, top, right, bottom = link.box
        assert abs((left + right) / 2 - (125 + step * number)) <= 3 and abs((top + bottom) / 2 - 74) <= 3
        assert 38 <= link.height <= 46


def test_a_digit_at_the_end_is_a_link_too():
    ink = np.pad(rings(25, 64), ((0, 0), (20, 0)))
    ink[4:46, 10:13] = True  # a 1
    ink[24:27, 10:26] = True  # that the first zero touches
    found = links(mark_of(ink, 0, 0))
    assert len(found) == 3 and found[0].box[2] < 30


def test_what_is_no_chain():
    eight = np.concatenate([rings(25), rings(25)[4:]])
    assert links(mark_of(rings(25), 0, 0)) == ()
    assert links(mark_of(eight, 0, 0)) == (), "its holes are above each other"
    assert links(mark_of(np.ones((20, 50), bool), 0, 0)) == ()
