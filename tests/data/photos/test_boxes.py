"""Boxes around digits on a page whose ruled lines are taken away."""

import numpy as np
import pytest

from digitlab.data.photos.rules import remove_rules


def boxes(count: int, gap: int) -> np.ndarray:
    """Boxes of 100×80 pixels in a row, whose sides are 4 pixels wide."""
    page = np.zeros((500, 60 + count * (80 + gap)), bool)
    for at in range(count):
        left = 30 + at * (80 + gap)
        page[30:130, left : left + 84] = True
        page[34:126, left + 4 : left + 80] = False
    return page


def blots(page: np.ndarray, count: int, gap: int) -> np.ndarray:
    """Where a digit would be in each box, a blot."""
    inside = np.zeros_like(page)
    for at in range(count):
        inside[60:100, 60 + at * (80 + gap) :][:, :25] = True
    return inside


@pytest.mark.parametrize("gap", [30, 0])
def test_boxes_with_something_in_them_stay_whole(gap: int) -> None:
    page = boxes(6, gap)
    assert remove_rules(page)[1].any(), "empty boxes are lines"
    ink = page | blots(page, 6, gap)
    assert (remove_rules(ink)[0] == ink).all()


@pytest.mark.parametrize("bottom, stays", [(126, False), (110, True)])
def test_strokes_between_two_lines_stay_unless_all_reach_both(bottom: int, stays: bool) -> None:
    page = np.zeros((500, 600), bool)
    page[30:34] = page[126:130] = True
    for left in range(100, 500, 80):
        page[34:bottom, left : left + 4] = True
    clean, _ = remove_rules(page)
    assert clean[60:100].any() == stays


@pytest.mark.parametrize("count, width", [(3, 4), (5, 40)], ids=["few", "wide"])
def test_few_or_wide_strokes_between_two_lines_stay(count: int, width: int) -> None:
    page = np.zeros((500, 600), bool)
    page[30:34] = page[126:130] = True
    for at in range(count):
        left = 100 + 80 * at
        page[34:126, left : left + width] = True
    clean, _ = remove_rules(page)
    assert clean[60:100].sum() == 40 * count * width


def test_the_lines_of_a_table_as_large_as_the_page_are_taken_away() -> None:
    page = np.zeros((500, 600), bool)
    page[30:470, 30:570] = True
    page[34:466, 34:566] = False
    page[200:300, 250:370] = True
    clean, _ = remove_rules(page)
    assert clean[200:300, 250:370].all() and not clean[30:34, 100:500].any()
