"""Pictures enlarged by repeating pixels: found, brought to their own size, and boxes brought back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digitlab.data.photos import find_digits
from digitlab.data.photos.repeats import without_repeats

from .drawn import paper


def enlarged(small, size):
    return np.repeat(np.repeat(small, size, axis=0), size, axis=1)


def drawing(rng, height=12, width=9):
    return rng.integers(256, size=(height, width, 3)).astype(np.uint8)


@given(st.integers(3, 20), st.integers(0, 19), st.integers(0, 19), st.integers(0, 1 << 32))
def test_a_picture_gets_its_own_pixels_back(size, top, left, seed):
    """Also if the first row and column of squares are cut off in part."""
    small, top, left = drawing(np.random.default_rng(seed)), top % size, left % size
    found, repeats = without_repeats(enlarged(small, size)[top:, left:])
    np.testing.assert_array_equal(found, small)
    x, y, _ = repeats.matrix() @ [3, 4, 1]
    assert (x, y) == (3 * size - left, 4 * size - top)


def test_photos_and_simple_drawings_stay_as_they_are():
    rng = np.random.default_rng(1)
    square = np.full((90, 90, 3), 255, np.uint8)
    square[30:60, 30:60] = 0
    for photo in (drawing(rng, 60, 80), enlarged(drawing(rng), 2), paper(), square, np.zeros((40, 40, 3), np.uint8)):
        found, repeats = without_repeats(photo)
        assert found is photo and repeats is None


def test_boxes_of_marks_are_in_pixels_of_the_given_picture():
    small = np.full((20, 16, 3), 255, np.uint8)
    small[4:15, 7:9] = 0
    small[4:6, 5:7] = 128
    page = find_digits(enlarged(small, 10))
    (mark,) = page.marks
    np.testing.assert_allclose(page.in_photo(mark.box), (50, 40, 90, 150), atol=6)
    assert page.size == (200, 160)


def test_a_pixel_is_read_as_in_the_small_picture():
    """Of squares of one colour, the threshold would keep edges only."""
    small = np.full((14, 10, 3), 255, np.uint8)
    for row, column in enumerate((3, 4, 5, 6, 6, 5, 4, 5, 6, 6)):  # half of an 8, in two shades
        small[row + 2, column], small[row + 2, column - 1] = 0, 140
    for a, b in zip(find_digits(small).images, find_digits(enlarged(small, 12)).images, strict=True):
        np.testing.assert_array_equal(a, b)
