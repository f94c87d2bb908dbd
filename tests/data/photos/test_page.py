"""A mark's ink, as the page gives it: grey levels of the photo, as shares of the mark's own dark ink."""

import numpy as np

from digitlab.data.photos import find_digits

from .drawn import paper, put


def test_a_pale_part_of_a_mark_stays_paler_than_the_rest():
    """Half as much ink is (0.5 - 0.2) / 0.6 = half full, also where nothing darker is near."""
    page = paper()
    put(page, np.full((80, 10), 255, np.uint8), 100, 60)
    put(page, np.full((10, 60), 128, np.uint8), 110, 130)
    found = find_digits(page)
    (mark,) = found.parts
    ink = found.ink_of(mark)
    assert ink[10:70, 3:7].min() > 0.95
    np.testing.assert_allclose(ink[73:77, 30:65], 0.5, atol=0.07)


def test_the_faintest_ink_of_a_mark_is_kept():
    page = paper()
    put(page, np.full((80, 10), 255, np.uint8), 100, 60)
    put(page, np.full((10, 60), 66, np.uint8), 110, 130)  # a quarter, which alone would be 0.1
    found = find_digits(page)
    (mark,) = found.parts
    assert mark.width > 60 and found.ink_of(mark)[mark.mask].min() >= 0.25
