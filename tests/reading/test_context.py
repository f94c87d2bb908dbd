"""What the page says of its marks: the height of the writing, edges, strokes, texture."""

import numpy as np
import pytest

from digitlab.data.photos.mark import mark_of
from digitlab.reading.context import refused
from digitlab.reading.partition import Answer

from .marks import answer, ring, stroke

PAGE = (300, 400)


def reasons(*answers: Answer, noise: float = 0.0) -> list[str]:
    return [reason.split(" (")[0] for reason in refused(answers, 0.5, PAGE, (), noise=noise)]


@pytest.mark.parametrize(
    "top, bottom, read",
    [(90, 172, False), (98, 162, True), (92, 167, True), (80, 160, True), (100, 180, True)],
    ids=["slash", "one", "long one", "only above", "only below"],
)
def test_a_stroke_that_is_longer_at_both_ends_than_digits_beside_it_is_a_slash(top: int, bottom: int, read: bool):
    digits = [answer(ring(left, 100, 40, 60), label) for left, label in ((20, 3), (70, 8), (150, 5), (200, 0))]
    lone = answer(stroke(125, top, bottom), 1)
    assert reasons(*digits, lone, noise=0.005) == ["", "", "", "", "" if read else "is a slash or a bracket"]
    tall = answer(ring(250, 80, 40, 100), 9)
    assert not reasons(lone, tall, *digits, noise=0.005)[0], "a hand whose digits are of different heights"
    assert reasons(*digits[:2], lone, noise=0.005) == [""] * 3, "two digits say too little of the writing's height"


@pytest.mark.parametrize(
    "label, others, read", [(1, 10, False), (1, 4, True), (3, 10, True)], ids=["uprights", "few", "3s"]
)
def test_many_ones_among_as_many_marks_that_are_no_digits_are_uprights_of_letters(label, others, read) -> None:
    digits = [answer(stroke(20 + 30 * i, 100, 160), 1 if i else label) for i in range(9)]
    digits[1:4] = [answer(digit.mark, label) for digit in digits[1:4]]
    small = [answer(ring(30 + 30 * i, 140, 12, 20, pen=3), 5, 1.0) for i in range(others)]
    assert [not reason for reason in reasons(*digits, *small, noise=0.005)][:9] == [read] * 9


def test_the_speckled_edge_of_a_shadow_does_not_make_digits_a_drawing_or_letters() -> None:
    digits = [answer(ring(20 + 90 * i, 100, 35, 60), label) for i, label in enumerate((3, 8, 5, 0))]
    speckles = np.ones((60, 60), bool)
    speckles[5:55:6, 5:55:6] = False
    shadow = [answer(mark_of(speckles, 10 + 70 * i, 200), 8, 1.0) for i in range(5)]
    assert reasons(*digits, *shadow, noise=0.005)[:4] == [""] * 4
    letters = [answer(ring(10 + 70 * i, 200, 60, 60, pen=20), 8, 1.0) for i in range(5)]
    assert all(reasons(*digits, *letters, noise=0.005)[:4])


def test_a_mark_that_fills_its_picture_is_a_crop_cut_to_its_ink() -> None:
    unsure = np.full(10, 0.04)
    unsure[7] = 0.64
    fills = Answer(ring(0, 2, 398, 297), np.zeros((28, 28), np.uint8), unsure, 0.0)
    narrow = Answer(ring(0, 2, 150, 297), np.zeros((28, 28), np.uint8), unsure, 0.0)
    cut = "is cut off by the edge"
    assert reasons(fills, noise=0.005) == [""]
    assert reasons(narrow, noise=0.005) == [cut], "a shadow or a thumb may look so"
    drawing = Answer(ring(125, 2, 150, 297), np.zeros((28, 28), np.uint8), unsure, 0.0)
    assert reasons(drawing, noise=0.005) == [cut], "a drawing may look so"
    central = answer(drawing.mark, 7, not_digit=0.2)
    assert reasons(central, noise=0.005) == [""], "a picture as high as its digit"
    assert reasons(central, answer(ring(20, 100, 60, 90), 3), noise=0.005)[0] == cut
    assert reasons(fills, answer(ring(100, 100, 60, 90), 3), noise=0.005)[0] == cut, "beside a digit it is a frame"


@pytest.mark.parametrize("share, read", [(0.8, True), (0.6, False)])
def test_a_stroke_from_edge_to_edge_in_the_middle_is_a_1_if_it_looks_so(share: float, read: bool) -> None:
    probabilities = np.full(10, (1 - share) / 9)
    probabilities[1] = share
    bar = Answer(mark_of(np.ones((298, 90), bool), 150, 1), np.zeros((28, 28), np.uint8), probabilities, 0.0)
    assert (reasons(bar, noise=0.005) == [""]) == read


def test_a_straight_1_that_the_edge_cuts_is_a_digit_between_digits() -> None:
    left, right = answer(ring(40, 2, 40, 60), 3), answer(ring(140, 4, 40, 60), 8)
    one = answer(stroke(105, 0, 62), 1)
    assert reasons(left, one, right, noise=0.005) == ["", "", ""]
    assert reasons(left, one, noise=0.005)[1] == "is cut off by the edge"


def test_a_tiny_ring_with_one_stroke_beside_it_is_an_icon() -> None:
    """In a screenshot of a drawing program, above the large digit; a small number has more digits."""
    large, slash = answer(ring(200, 120, 90, 150), 6), stroke(180, 20, 44)
    icon, beside = answer(ring(150, 20, 20, 24, pen=4), 0), answer(ring(120, 20, 20, 24, pen=4), 8)
    assert [bool(reason) for reason in reasons(large, icon, answer(slash, 1))][1:] == [True, True]
    assert reasons(large, icon, beside, answer(slash, 1))[:3] == ["", "", ""]


@pytest.mark.parametrize("others, read", [(8, True), (10, False)])
def test_of_many_ones_a_fifth_as_many_other_marks_make_uprights(others: int, read: bool) -> None:
    ones = [answer(stroke(20 + 30 * (i % 9), 20 + 50 * (i // 9), 60 + 50 * (i // 9)), 1) for i in range(45)]
    small = [answer(ring(300 + 16 * (i % 5), 40 + 50 * (i // 5), 12, 20, pen=3), 5, 1.0) for i in range(others)]
    assert [not reason for reason in reasons(*ones, *small, noise=0.005)][:45] == [read] * 45
