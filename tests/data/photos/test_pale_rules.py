"""Rules that are paler than the writing are subtracted; strokes and whatever is no rule stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.data.photos import find_digits
from digitlab.data.photos.pale_rules import LARGEST, without_pale_rules

from .drawn import paper, put, seven

INK, RULE, NOISE = 0.5, 0.12, 0.01


def written(shape: tuple[int, int] = (120, 200)) -> np.ndarray:
    """Noise of paper, and two strokes that slant across most of the height."""
    flat = np.random.default_rng(0).normal(0, NOISE, shape)
    for y in range(15, shape[0] - 15):
        for left in (60, 110):
            flat[y, left + y // 5 : left + 6 + y // 5] = INK
    return flat


def with_rule(flat: np.ndarray, y: float, slope: float, thick: float, shade: float) -> tuple[np.ndarray, np.ndarray]:
    """A rule with soft edges drawn under the strokes, and where nothing but the rule is, (H, W) each."""
    rows, columns = np.indices(flat.shape)
    off = np.abs(rows - y - slope * (columns - flat.shape[1] / 2))
    share = np.clip((thick / 2 + 1 - off) / 1.5, 0, 1)
    bare = flat < 0.3
    return flat + np.where(bare, shade * share, 0), bare & (share > 0)


@settings(max_examples=25, deadline=None)
@given(st.floats(25, 95), st.floats(-0.07, 0.07), st.floats(1.5, 6), st.floats(0.06, 0.2), st.booleans())
def test_a_pale_rule_goes_and_the_strokes_across_it_stay(y, slope, thick, shade, upright):
    flat = written()
    ruled, line = with_rule(flat, y, slope, thick, shade)
    found = without_pale_rules(ruled.T, NOISE).T if upright else without_pale_rules(ruled, NOISE)
    assert (found[line] > 0.7 * shade).mean() < 0.1
    assert np.array_equal(found[flat > 0.3], ruled[flat > 0.3])


@pytest.mark.parametrize("upright", [False, True])
def test_several_rules_go(upright):
    ruled = written()
    lines = np.zeros(ruled.shape, bool)
    for y in (20, 50, 80, 105):
        ruled, line = with_rule(ruled, y, 0.02, 3, RULE)
        lines |= line
    found = without_pale_rules(ruled.T, NOISE).T if upright else without_pale_rules(ruled, NOISE)
    assert (found[lines] > RULE / 2).mean() < 0.02


def test_what_is_no_pale_rule_stays():
    flat = written()
    assert np.array_equal(without_pale_rules(flat, NOISE), flat)
    foot = flat.copy()
    foot[95:101] = INK  # as dark as the writing: the foot of a 2, in a picture that is cut to its ink
    assert np.array_equal(without_pale_rules(foot, NOISE), foot)
    short = flat.copy()
    short[95:98, 20:150] += RULE  # ends inside the picture
    assert np.array_equal(without_pale_rules(short, NOISE), short)
    shadow = flat.copy()
    shadow[95:] += RULE  # dark on one side of its edge
    assert np.array_equal(without_pale_rules(shadow, NOISE), shadow)


def test_large_pictures_and_blank_ones_stay():
    large = np.zeros((LARGEST // 400, 500))
    large[50:53] = RULE
    assert without_pale_rules(large, 0.001) is large
    blank = np.zeros((100, 100))
    assert without_pale_rules(blank, 0.0) is blank


def test_digits_on_a_pale_rule_are_marks_of_their_own():
    page = paper(100, 240)
    page[78:80] = (205, 210, 225)
    for left in (20, 90, 160):
        put(page, seven(60), left, 20)
    noisy = page + np.random.default_rng(0).normal(0, 2, page.shape)
    marks = find_digits(noisy.clip(0, 255).astype(np.uint8)).marks
    assert len(marks) == 3
    assert all(mark.width < 50 and 55 <= mark.height <= 66 for mark in marks)
