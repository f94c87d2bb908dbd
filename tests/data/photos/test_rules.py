"""Ruled lines are found and taken away, and the digits on them stay whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import digitlab.data.photos.page as page_module
from digitlab.data.photos import find_digits
from digitlab.data.photos.mark import holes
from digitlab.data.photos.marks import find_marks
from digitlab.data.photos.rules import remove_rules, run_heights

from .drawn import paper, put, seven


def test_run_heights_by_hand():
    binary = np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1], [1, 1, 1]], bool)
    assert run_heights(binary).tolist() == [[2, 0, 1], [2, 0, 0], [0, 2, 2], [1, 2, 2]]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30))
def test_run_heights_against_a_loop(seed, h, w):
    binary = np.random.default_rng(seed).random((h, w)) < 0.6
    expected = np.zeros((h, w), int)
    for x in range(w):
        for y in range(h):
            if binary[y, x]:
                low, high = y, y
                while low > 0 and binary[low - 1, x]:
                    low -= 1
                while high < h - 1 and binary[high + 1, x]:
                    high += 1
                expected[y, x] = high - low + 1
    assert np.array_equal(run_heights(binary), expected)


@pytest.mark.parametrize("slope", [0.0, 0.06, -0.1])
@pytest.mark.parametrize("upright", [False, True])
def test_a_rule_goes_and_the_stroke_across_it_stays(slope, upright):
    binary = np.zeros((200, 300), bool)
    binary[40:160, 140:150] = True  # a stroke
    x = np.arange(300)
    y = np.round(100 + slope * (x - 150)).astype(int)
    for offset in range(3):
        binary[y + offset, x] = True
    wanted = np.zeros_like(binary)
    wanted[40:160, 140:150] = True
    if upright:
        binary, wanted = binary.T, wanted.T
    left, rules = remove_rules(binary)
    assert rules.sum() > 700
    assert (left & wanted).sum() > 0.97 * wanted.sum()
    assert (left & ~wanted).sum() < 30


def test_a_slanting_stroke_is_not_torn_by_the_rule_it_crosses():
    from scipy import ndimage

    binary = np.zeros((200, 300), bool)
    for x in range(100, 200):
        y = 60 + round(0.8 * (x - 100))
        binary[y : y + 2, x] = True
    binary[99:102] = True
    left, rules = remove_rules(binary)
    assert rules.sum() > 700
    # A gap of a pixel may stay, which joining closes; without mending there are five rows between the halves.
    assert ndimage.label(ndimage.binary_dilation(left, np.ones((3, 3))), np.ones((3, 3)))[1] == 1


@pytest.mark.parametrize("thick", [5, 6])
def test_a_rule_of_a_small_crop_runs_from_edge_to_edge(thick):
    binary = np.zeros((100, 120), bool)
    binary[70 : 70 + thick] = True
    binary[20:65, 50:56] = True
    left, rules = remove_rules(binary, zoom=3)
    assert rules[70 : 70 + thick].all() and np.array_equal(left, binary & ~rules)
    binary[20:75, 0:6] = True  # as a 5 or an L has: this is its stroke
    assert not remove_rules(binary, zoom=3)[1].any()
    seven = np.zeros((100, 120), bool)
    seven[10:12, 8:] = seven[10:90, 117:] = True  # a thin 7, cut to its ink
    assert not remove_rules(seven, zoom=3)[1].any()


@pytest.mark.parametrize("wide", [8, 10])
def test_a_rule_of_a_small_crop_may_be_blurred_at_its_ends_or_everywhere(wide):
    """Its ends are no pieces of a line where they are thicker than most of it."""
    binary = np.zeros((160, 400), bool)
    binary[120 : 120 + wide] = True
    binary[120:129, :40] = binary[120:129, -40:] = True
    binary[40:150, 200:212] = True
    left, rules = remove_rules(binary, zoom=3)
    assert rules[:, :190].sum() >= 0.9 * binary[:, :190].sum()
    assert [mark.height for mark in find_marks(left)] == [110]
    binary[:, :20] = False  # not to the edge
    assert not remove_rules(binary, zoom=3)[1].any()


def test_a_rule_of_a_small_crop_may_end_at_another_one():
    binary = np.zeros((160, 400), bool)
    binary[2:8] = binary[130:136] = True
    binary[:, 60:66] = True
    binary[40:110, 200:212] = True
    left, _ = remove_rules(binary, zoom=3)
    assert [mark.box for mark in find_marks(left)] == [(200, 40, 212, 110)]


def test_the_bar_of_a_seven_that_fills_its_picture_is_no_rule():
    """Its end is not free, although the stem leaves it some pixels before the edge."""
    binary = np.zeros((178, 84), bool)
    binary[8:12] = True
    for row in range(12, 176):
        at = 75 - round((row - 12) * 0.4)
        binary[row, at : at + 4] = True
    assert not remove_rules(binary)[1].any()


def test_where_rules_cross_nothing_stays():
    binary = np.zeros((200, 300), bool)
    for at in (50, 150):
        binary[at : at + 3] = binary[:, at : at + 3] = True
    left, rules = remove_rules(binary)
    assert not left.any() and np.array_equal(rules, binary)


def test_a_rule_that_digits_hide_for_a_quarter_of_its_length_goes_on_both_sides():
    ink = np.zeros((100, 400), bool)
    ink[70:73] = True
    ink[66:76, 150:250] = True  # feet of digits, which are no line
    left, _ = remove_rules(ink)
    assert not left[:, :140].any() and not left[:, 260:].any() and left[66:76, 150:250].all()


def test_a_zero_on_a_line_keeps_its_foot():
    y, x = np.mgrid[0:100, 0:300]
    radius = np.hypot((x - 150) / 20, (y - 48) / 26)
    ink = (abs(radius - 0.95) <= 0.05) | (abs(y - 73) <= 1)
    left, rules = remove_rules(ink)
    assert rules[73, :120].all() and rules[73, 180:].all()
    assert holes(left).sum() == pytest.approx((radius < 0.9).sum(), rel=0.05)


def test_digits_are_no_rules():
    binary = np.zeros((100, 120), bool)
    binary[20:80, 55:60] = True  # a 1
    binary[20:24, 80:110] = True  # the bar of a 7
    left, rules = remove_rules(binary)
    assert np.array_equal(left, binary) and not rules.any()


def test_a_large_photo_is_read_at_half_its_size_if_its_writing_is_large(monkeypatch):
    monkeypatch.setattr(page_module, "FINE", 40_000)
    for height, zoom in ((120, 0.5), (40, 1.0)):
        photo, ink = paper(220, 240), seven(height)
        put(photo, ink, 60, 50)
        page = find_digits(photo)
        assert page.zoom == zoom and page.size == (220, 240) and len(page.marks) == 1
        left, top, _, bottom = page.in_photo(page.marks[0].box)
        assert abs(left - 60) <= 4 and abs(top - 50) <= 4 and abs(bottom - 50 - ink.shape[0]) <= 4


def test_a_stroke_from_edge_to_edge_of_a_slim_crop_is_a_1():
    binary = np.zeros((400, 120), bool)
    binary[:, 50:56] = True
    assert not remove_rules(binary, zoom=4)[1].any()
    wide = np.zeros((200, 120), bool)
    wide[:, 50:56] = True
    assert remove_rules(wide, zoom=4)[1].any(), "beside it there is room for a digit"


@pytest.mark.parametrize(("sway", "is_rule"), [(0, True), (3, False)])
def test_a_column_of_strokes_is_no_torn_rule(sway: int, is_rule: bool) -> None:
    """The 1s of a dense sheet, 20 pixels high with 4 pixels between them: as straight as a rule, they are one."""
    rng = np.random.default_rng(0)
    binary = np.zeros((600, 200), bool)
    for top in range(0, 600, 24):
        lean = np.linspace(-1, 1, 20) * rng.uniform(-sway, sway)
        left = np.round(100 + lean).astype(int)
        for offset in range(4):
            binary[top + np.arange(20), left + offset] = True
    assert remove_rules(binary)[1].any() == is_rule
