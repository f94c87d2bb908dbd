"""Brackets around digits, percent signs, and what only resembles them."""

import numpy as np
import pytest

from digitlab.data.photos.mark import Mark, mark_of
from digitlab.reading.partition import Answer
from digitlab.reading.signs import without_signs

from .marks import answer, ring, stroke

BRACKET, PERCENT = "is a bracket", "is part of a percent sign"


def arc(left: int, bow: float, height: int = 70) -> Mark:
    """A stroke whose middle is `bow` of its height to the right of its ends."""
    y = np.arange(height)
    middle = 100 + bow * height * (1 - (2 * y / (height - 1) - 1) ** 2)
    mask = np.abs(np.arange(200) - middle[:, None]) <= 3
    return mark_of(mask[:, mask.any(axis=0)], left, 100)


def signs(*answers: Answer) -> list[str]:
    return without_signs(answers, [""] * len(answers))


def digits(left: int, count: int) -> list[Answer]:
    return [answer(ring(left + 50 * n, 105, 40, 60), 2 + n) for n in range(count)]


@pytest.mark.parametrize(("left", "right"), [(1, 1), (1, 7)])
def test_strokes_that_bend_away_from_digits_are_brackets(left: int, right: int) -> None:
    found = signs(answer(arc(20, -0.15), left), *digits(70, 3), answer(arc(220, 0.15), right), *digits(280, 2))
    assert found == [BRACKET, "", "", "", BRACKET, "", ""]


@pytest.mark.parametrize(
    ("first", "last", "count", "height"),
    [
        (0.15, -0.15, 3, 70),  # towards the digits
        (-0.15, -0.15, 3, 70),  # both to the left
        (-0.02, 0.02, 3, 70),  # strokes of a 1
        (-0.15, 0.15, 7, 70),  # too much between them
        (-0.15, 0.15, 3, 45),  # lower than the digits
        (-0.7, 0.7, 3, 70),  # as wide as a digit
        (-0.15, 0.15, 0, 70),  # nothing between them
    ],
)
def test_what_are_no_brackets(first: float, last: float, count: int, height: int) -> None:
    marks = answer(arc(20, first, height), 1), *digits(70, count), answer(arc(70 + 50 * count, last, height), 1)
    assert signs(*marks) == [""] * len(marks)


def test_of_two_strokes_that_may_close_the_brackets_the_one_that_bends_more_does() -> None:
    found = signs(answer(arc(20, -0.15), 1), *digits(70, 1), answer(arc(120, 0.08), 7), answer(arc(170, 0.2), 1))
    assert found == [BRACKET, "", "", BRACKET]


def test_a_stroke_with_two_small_rings_is_a_percent_sign() -> None:
    small = [answer(ring(left, top, 18, 18, pen=3), 0) for left, top in ((80, 100), (110, 150))]
    five = answer(ring(20, 105, 40, 60), 5)
    assert signs(five, answer(stroke(100, 100, 170), 1), *small) == ["", *[PERCENT] * 3]
    assert signs(five, answer(stroke(100, 100, 170), 1), small[0]) == [""] * 3, "one ring"
    assert signs(five, answer(stroke(100, 100, 170), 4), *small) == [""] * 4, "no stroke"
    high = [answer(ring(left, top, 30, 50), 0) for left, top in ((60, 80), (110, 140))]
    assert signs(five, answer(stroke(100, 100, 170), 1), *high) == [""] * 4, "rings as high as digits"
