"""The share of digits on a page, and what it makes of the network's answers."""

import numpy as np
import pytest

from digitlab.data.photos.mark import mark_of
from digitlab.reading.partition import Answer
from digitlab.reading.prior import DIGITS, OTHERS, TRAINED, in_context

MARK = mark_of(np.ones((4, 3), bool), 0, 0)


def answer(not_digit: float) -> Answer:
    return Answer(MARK, np.zeros((28, 28), np.uint8), np.eye(10)[3], not_digit)


def changed(*not_digit: float, counted: list[bool] | None = None) -> list[float]:
    answers = [answer(p) for p in not_digit]
    return [a.not_digit for a in in_context(answers, counted or [True] * len(answers))]


def test_by_hand_where_nothing_is_counted():
    """Even odds, times those of the page (8 to 0.2 = 40), by those of the training (79 to 21): 10.6 to 1."""
    assert (DIGITS, OTHERS, TRAINED) == (8.0, 0.2, 0.79)
    assert changed(0.5, counted=[False]) == pytest.approx([1 / (1 + 40 * 21 / 79)])


def test_among_words_a_doubtful_mark_is_none_and_among_digits_it_is_one():
    assert changed(0.3, *[1.0] * 40)[0] > 0.6
    assert changed(0.7, *[0.0] * 40)[0] < 0.2


def test_what_is_not_counted_says_nothing_of_the_page():
    dirt = changed(0.3, *[1.0] * 40, counted=[True] + [False] * 40)
    assert dirt[0] == pytest.approx(changed(0.3)[0])


def test_a_network_that_only_knows_digits_is_left_alone():
    answers = [answer(0.0)] * 3
    assert in_context(answers, [True] * 3) == answers


@pytest.mark.parametrize("sure", [0.0, 1.0])
def test_what_is_certain_stays(sure):
    assert changed(sure, 0.5, 0.5)[0] == pytest.approx(sure, abs=1e-9)
