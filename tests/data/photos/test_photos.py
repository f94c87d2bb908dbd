"""From photo to digits: each stage against what was drawn, and the form against MNIST's own images."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, label, zoom

from digitlab.data import Splits
from digitlab.data.photos import find_digits, mnist_form
from digitlab.data.photos.cuts import cuts, piece
from digitlab.data.photos.ink import find_ink, mended
from digitlab.data.photos.lines import reading_order
from digitlab.data.photos.mark import mark_of, pen_width
from digitlab.data.photos.marks import find_marks, find_parts, odd_shape
from digitlab.data.photos.mnist_form import THINNEST, _quantile
from digitlab.data.photos.page import without_patches
from digitlab.data.synthetic.pages import draw_page, print_digit
from digitlab.data.synthetic.strokes import draw_digit
from digitlab.errors import ShapeError

from .drawn import paper, put, seven

# Ink


def same(mask: np.ndarray, ink: np.ndarray, left: int, top: int) -> float:
    """How much of ink and mask is common, as a share of both together."""
    drawn = np.zeros(mask.shape, bool)
    drawn[top : top + ink.shape[0], left : left + ink.shape[1]] = ink > 127
    return float((drawn & mask).sum() / (drawn | mask).sum())


@pytest.mark.parametrize(
    ("background", "pen"),
    [
        ((240, 238, 230), (30, 30, 40)),
        ((30, 60, 45), (235, 240, 230)),
        ((246, 222, 110), (190, 40, 45)),
        ((120, 170, 120), (204, 120, 120)),  # the same brightness, another colour
        ((240, 240, 240), (200, 200, 205)),  # pale
    ],
)
def test_ink_of_any_colour_on_any_paper(background, pen):
    page, ink = paper(colour=background), seven()
    put(page, ink, 100, 60, pen)
    assert same(find_ink(page).binary, ink, 100, 60) > 0.9


def test_light_corners_of_a_turned_scan_do_not_make_ink_light():
    h, w = 300, 400
    y, x = np.mgrid[0:h, 0:w]
    page = np.repeat(np.round(235 - 170 * (x + y) / (h + w)).astype(np.uint8)[..., None], 3, axis=2)
    put(page, seven(40), 100, 100, (20, 20, 30))
    for corner in (y > h - 0.05 * x, x > w - 0.05 * y):  # what a scanner program fills in
        page[corner] = 235
    ink = find_ink(page)
    assert not ink.light_on_dark
    assert ink.binary[100:140, 100:140].any() and not ink.binary[150:250, 20:350].any()


def test_ink_that_runs_out_of_a_crop_on_all_sides_is_ink():
    page = paper(120, 120)
    page[50:62] = page[:, 50:62] = (30, 30, 40)
    assert not find_ink(page).light_on_dark
    assert find_ink(255 - page).light_on_dark


def test_a_shadow_is_no_ink():
    page, ink = paper(), seven()
    put(page, ink, 100, 60)
    light = np.where(np.arange(300) > 140, 0.55, 1.0)[None, :, None]
    shaded = (page * light).astype(np.uint8)
    assert same(find_ink(shaded).binary[:, 50:250], ink, 50, 60) > 0.85


def test_digits_beside_and_across_the_edge_of_a_shadow_are_whole():
    page, ink, places = paper(300, 300), seven(70), [(75, 105), (180, 30), (150, 200)]
    drawn = np.zeros(page.shape[:2], bool)
    for left, top in places:
        put(page, ink, left, top)
        drawn[top : top + ink.shape[0], left : left + ink.shape[1]] = ink > 127
    light = np.ones(page.shape[:2])
    light[140:, 100:250] = 0.5  # a telephone's shadow
    page = page * gaussian_filter(light, 4)[..., None] + np.random.default_rng(1).normal(0, 2, page.shape)
    binary = find_ink(np.clip(page, 0, 255).astype(np.uint8)).binary
    assert (drawn & binary).sum() / (drawn | binary).sum() > 0.8


def test_a_thick_pen_on_a_photo_keeps_its_corners():
    y, x = np.mgrid[-40:40, -34:34]
    ink = np.where((np.hypot(x / 33, y / 39) < 1) & (np.hypot(x / 7, y / 12) > 1), 255, 0)  # a 0
    page = paper(210, 270)
    put(page, ink, 130, 60)
    grain = gaussian_filter(np.random.default_rng(2).normal(0, 8, page.shape[:2]), 1.5)[..., None]
    page = np.clip(page + grain + np.linspace(-10, 0, 270)[:, None], 0, 255).astype(np.uint8)
    assert same(find_ink(page).binary, ink, 130, 60) > 0.9


@pytest.mark.parametrize("enlarged", [1, 3])
def test_a_stroke_that_is_torn_by_less_pressure_is_whole(enlarged):
    """Where ink is a third of what is above and below it; the paper between two strokes joins nothing."""
    page = paper(120, 160).astype(float)
    page[30:90, 60:63] = page[30:90, 72:75] = 40
    page[58:62, 60:63] = 175
    page = np.kron(gaussian_filter(page, (0.7, 0.7, 0)), np.ones((enlarged, enlarged, 1))).astype(np.uint8)
    ink = find_ink(page)
    marks = find_marks(mended(ink.binary, ink))
    assert [round(mark.height / enlarged / 10) for mark in marks] == [6, 6]


@pytest.mark.parametrize("style", ["ruled", "grid"])
def test_pale_rules_join_no_strokes(style):
    sheet = draw_page(style, np.random.default_rng(4))
    assert len(find_digits(sheet.image).marks) >= 0.95 * len(sheet.truth)


def test_grain_beside_grain_is_not_joined():
    """Two dots with half as much ink between them are two; beside a stroke they would be parts of it."""
    page = paper(200, 300).astype(float)
    for y in range(20, 180, 20):
        page[y : y + 3, 60:63] = page[y + 6 : y + 9, 60:63] = 60
        page[y + 3 : y + 6, 60:63] = 175
    page[40:160, 200:203] = 60  # the writing
    binary = find_ink(gaussian_filter(page, (0.7, 0.7, 0)).astype(np.uint8)).binary
    assert label(binary, np.ones((3, 3)))[1] == 17


def test_blank_pages_have_no_marks():
    rng = np.random.default_rng(0)
    noisy = np.clip(rng.normal(210, 8, (300, 400, 3)), 0, 255).astype(np.uint8)
    slope = np.repeat(np.tile(np.linspace(120, 250, 400), (300, 1))[..., None], 3, axis=2).astype(np.uint8)
    static = rng.integers(0, 256, (200, 300, 3), dtype=np.uint8)
    for page in (paper(), paper() * 0, noisy, slope, static, paper(1, 1), paper(2, 90)):
        assert find_digits(page).marks == ()


# Marks


def test_row_middles_by_hand():
    rows, middles = mark_of(
        np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 1, 1]], bool), 7, 9
    ).row_middles()
    assert rows.tolist() == [0, 2, 3] and middles.tolist() == pytest.approx([0, 1.5, 5 / 3])


def test_pen_width():
    mask = np.zeros((60, 60), bool)
    mask[:, 26:34] = True
    assert pen_width(mask[:, 26:34]) == pytest.approx(8, abs=0.5)


def test_broken_strokes_are_joined_and_neighbours_are_not():
    binary = np.zeros((120, 300), bool)
    binary[20:30, 40:80] = True  # the bar of a 5, off its body
    binary[34:100, 40:75] = seven(66)[:66, :35] > 127
    binary[20:100, 120:130] = True  # a 1
    binary[20:100, 160:170] = True  # another
    assert len(find_marks(binary)) == 3


def test_specks_are_dropped_and_blots_are_named():
    binary = np.zeros((200, 400), bool)
    for left in (40, 120, 200):
        binary[50:130, left : left + seven().shape[1]][: seven().shape[0]] = seven()[:80] > 127
    binary[150:154, 60:64] = True  # dust
    binary[60:130, 300:370] = True  # a blot
    binary[180:186, 100:180] = True  # a dash
    marks = find_marks(binary)
    assert sum(not m.why_not for m in marks) == 3
    assert sorted(m.why_not for m in marks if m.why_not) == ["is a blot", "is a dash"]


@pytest.mark.parametrize("pen", [2, 5, 8])
def test_a_circle_that_a_program_drew_is_named(pen):
    y, x = np.mgrid[:80, :80] - 39.5
    circle = abs(np.hypot(x, y) - 35) <= pen / 2
    oval = abs(np.hypot(x, 0.93 * y) - 33) <= pen / 2
    assert [odd_shape(find_parts(ring)[0]) for ring in (circle, oval)] == ["is a circle", ""]


def test_no_0_of_mnist_is_a_circle(mnist_splits: Splits) -> None:
    zeros = mnist_splits.test.images[mnist_splits.test.labels == 0].reshape(-1, 28, 28)
    marks = [max(find_parts(zoom(zero.astype(float), 4) > 128), key=lambda mark: mark.height) for zero in zeros]
    assert min(mark.off_circle for mark in marks) > 0.03


def test_reading_order_on_a_sloping_page():
    rng = np.random.default_rng(3)
    expected = {}
    marks = []
    for line in range(4):
        for column in range(9):
            x = 60 + 70 * column + rng.integers(-6, 7)
            y = 60 + 110 * line + round(0.12 * x) + int(rng.integers(-9, 10))
            mark = mark_of(np.ones((60, 40), bool), x, y)
            expected[mark.box] = (line, column)
            marks.append(mark)
    rng.shuffle(marks)
    read = reading_order(marks)
    assert [expected[m.box] for m in read] == sorted(expected.values())
    assert [m.line for m in read] == [line for line in range(4) for _ in range(9)]


def test_two_digits_that_touch_can_be_cut():
    two, three = (print_digit(text, 70, "DejaVuSans") for text in "23")
    both = np.zeros((80, two.shape[1] + three.shape[1] - 6), np.uint8)
    both[: two.shape[0], : two.shape[1]] = two
    both[: three.shape[0], -three.shape[1] :] = np.maximum(both[: three.shape[0], -three.shape[1] :], three)
    whole = mark_of(both > 127, 10, 20)
    ways = cuts(whole)
    middle = min(ways, key=lambda cut: abs(float(cut.columns.mean()) - (two.shape[1] - 3)))
    assert abs(middle.columns.mean() - (two.shape[1] - 3)) <= 6
    left, right = piece(whole, None, middle), piece(whole, middle, None)
    assert left is not None and right is not None
    assert left.mask.sum() + right.mask.sum() <= whole.mask.sum()
    assert left.box[0] == 10 and abs(right.box[2] - whole.box[2]) <= 2
    assert cuts(mark_of(two[:, :8] > 127, 0, 0)) == []


# MNIST's form


def test_the_form_of_mnist(mnist_splits: Splits) -> None:
    """MNIST's own images, cut out and centred again, come back: the same box, place and, nearly, the same bytes."""
    for image, _ in mnist_splits.train.first(100):
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        crop = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255
        again = mnist_form(crop)
        assert np.abs(again.astype(float) - image).mean() < 2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9), st.integers(30, 200), st.integers(0, 2**32 - 1))
def test_box_centre_and_polarity(digit, height, seed):
    rng = np.random.default_rng(seed)
    ink = draw_digit(digit, height, rng).astype(np.float32) / 255
    solid = ink > 0.3
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    image = mnist_form(ink, pen=pen_width(ink > 0.5))
    assert image.shape == (28, 28) and image.dtype == np.uint8 and image.max() > 200
    h, w = (np.flatnonzero((image > 25).any(axis=axis)) for axis in (1, 0))
    assert max(h[-1] - h[0], w[-1] - w[0]) + 1 in (18, 19, 20)
    weight = image.astype(float)
    y, x = np.mgrid[0:28, 0:28]
    assert abs((weight * y).sum() / weight.sum() - 14) <= 0.51 or h[0] == 0 or h[-1] == 27
    assert abs((weight * x).sum() / weight.sum() - 14) <= 0.51 or w[0] == 0 or w[-1] == 27


@pytest.mark.parametrize("count", [1, 2, 7, 10, 101])
def test_the_brightness_of_full_ink_is_numpys_quantile(count):
    values = np.random.default_rng(count).random(count).astype(np.float32)
    assert _quantile(values, 0.9) == pytest.approx(np.quantile(values, 0.9), rel=1e-6)


def test_a_thin_pen_is_widened():
    thin = np.zeros((200, 120), np.float32)
    thin[:, 58:61] = 1
    thin[0, :] = thin[-1, :] = 0.01
    assert mnist_form(thin).max(axis=1).mean() > 0
    width = (mnist_form(thin, pen=3.0).astype(float) / 255).sum(axis=1).max()
    assert width == pytest.approx(THINNEST, abs=0.5)


# The whole page


@pytest.mark.parametrize("size", [14, 28, 60, 300, 700])
def test_any_size(size):
    page = paper(size * 2, size * 2)
    ink = seven(size)
    put(page, ink, size // 2, size // 3)
    page_ = find_digits(page)
    assert len(page_.marks) == 1
    box = page_.in_photo(page_.marks[0].box)
    expected = [size // 2, size // 3, size // 2 + ink.shape[1], size // 3 + ink.shape[0]]
    assert np.allclose(box, expected, atol=3 + 0.03 * size)


@given(st.integers(1, 90), st.integers(1, 12), st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0, 2, 60]))
@settings(max_examples=60, deadline=None)
def test_slim_pictures_of_any_content(long, short, seed, upright, grain):
    """Also of a single row or column, where planes and curves have too few points."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(rng.uniform(0, 255), rng.uniform(0, 255), long)[:, None] * np.ones(short)
    picture = np.clip(slope + rng.normal(0, grain, slope.shape), 0, 255).astype(np.uint8)
    picture = picture if upright else picture.T
    assert find_digits(picture).size == picture.shape


def test_grey_photos_and_wrong_arrays():
    page = paper()
    put(page, seven(), 100, 60)
    assert len(find_digits(page[..., 0]).marks) == 1
    for wrong in (page.astype(float), page[None], np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ShapeError, match=r"expected uint8 \(H, W, 3\)"):
            find_digits(wrong)


def test_a_thin_pen_on_a_large_sheet_is_widened_by_distance(monkeypatch):
    """Which is as far as the disc would reach, whose time grows with its area."""
    ink = np.zeros((300, 225), np.float32)
    ink[20:280, 110:112] = ink[20:22, 20:200] = 1
    fast = mnist_form(ink, pen=2.0)
    monkeypatch.setattr(sys.modules[mnist_form.__module__], "LARGE_DISC", 100)
    slow = mnist_form(ink, pen=2.0)
    assert np.abs(fast.astype(int) - slow).mean() < 3
    assert (fast > 128).sum() > 30, "strokes, not hairs"


def test_a_thick_1_that_fills_its_slim_crop_is_one_mark():
    page = paper(120, 26, (150, 150, 148))
    page = np.clip(page + np.random.default_rng(0).normal(0, 2, page.shape), 0, 255).astype(np.uint8)
    page[3:117, 3:23] = (110, 20, 30)
    (mark,) = find_digits(page).marks
    assert mark.mask.mean() > 0.9


def test_pale_ink_at_the_pictures_edge_is_the_edge_of_a_shadow():
    """Where a shadow's edge meets the picture's, some of it looks like pale ink; a digit nearby would take it up."""
    flat, ink = np.zeros((100, 120)), np.zeros((100, 120), bool)
    for rows, columns, depth in ((slice(20, 80), slice(40, 50), 0.4), (slice(0, 12), slice(20, 39), 0.06)):
        flat[rows, columns], ink[rows, columns] = depth, True
    parts = find_parts(ink)
    assert [part.height for part in without_patches(parts, flat)] == [60]
    flat[:12, 20:39] = 0.2  # writing with less pressure
    assert len(without_patches(parts, flat)) == 2
    flat[:12, 20:39] = 0.06
    inside = np.roll(flat, 5, axis=0)
    assert len(without_patches(find_parts(inside > 0), inside)) == 2
