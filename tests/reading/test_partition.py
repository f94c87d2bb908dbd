"""Which parts of the ink make a digit, by an answer for each box that a network could give."""

from collections.abc import Sequence

import numpy as np
import pytest

from digitlab.data.photos.mark import Mark, mark_of
from digitlab.reading.partition import Answer, partition

from .marks import answer

USUAL = 60.0


def bar(left: int, top: int, width: int, height: int) -> Mark:
    mask = np.zeros((height, width), bool)
    mask[:, :6] = mask[-6:] = mask[:6] = True
    return mark_of(mask, left, top)


@pytest.mark.parametrize("label, kept", [(0, True), (1, False)])
def test_a_digit_beside_a_broken_one_is_read(label: int, kept: bool) -> None:
    digit, above, below = bar(20, 20, 28, 60), bar(54, 20, 26, 26), bar(54, 52, 26, 28)

    def judge(marks: Sequence[Mark]) -> list[Answer]:
        sure = [mark.box == digit.box for mark in marks]
        return [
            Answer(mark, np.zeros((28, 28), np.uint8), np.eye(10)[label if yes else 7], 0.001 if yes else 0.999)
            for mark, yes in zip(marks, sure)
        ]

    found = partition(judge([digit, above, below]), judge, usual=USUAL)
    assert any(answer.mark.box == digit.box for answer in found) == kept, "a stroke may be a part of a letter"


@pytest.mark.parametrize("height, cut", [(40, True), (16, False)])
def test_grain_is_not_cut(height: int, cut: bool) -> None:
    asked: list[Mark] = []

    def judge(marks: Sequence[Mark]) -> list[Answer]:
        asked.extend(marks)
        return [Answer(mark, np.zeros((28, 28), np.uint8), np.eye(10)[7], 0.9) for mark in marks]

    two = np.zeros((height, 2 * height), bool)
    for left in (2, height + 2):
        two[:, left : left + 3] = True
    two[-3:, 2 : height + 4] = True
    partition(judge([mark_of(two, 20, 20)]), judge, usual=USUAL)
    assert (len(asked) > 2) == cut


def test_a_page_of_many_broken_digits_has_a_budget_for_all_of_them() -> None:
    """Each needs a segment; 2,000 of them need more than a page of writing."""
    halves = [
        mark_of(np.ones((20, 8), bool), 40 * (n % 100) + 10 * part, 60 * (n // 100))
        for n in range(2000)
        for part in (0, 1)
    ]
    found = partition(
        [answer(half, 1, 1.0) for half in halves], lambda marks: [whole(mark) for mark in marks], usual=40
    )
    assert len(found) == 2000


def whole(mark: Mark) -> Answer:
    return answer(mark, 4, 0.0 if mark.width > 10 else 1.0)
