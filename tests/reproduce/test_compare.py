"""Figures beside figures: mean, spread, difference, and what counts as a deviation."""

import pytest

from digitlab.reproduce.compare import compare_one, number, spread_text
from digitlab.reproduce.results import RowResult
from digitlab.reproduce.row import Reported, Result


def found(*values):
    results = {str(i): Result({"net/test": value}) for i, value in enumerate(values)}
    return RowResult("row", "as-written", "default", 1, {}, results, {})


def test_mean_and_sample_deviation():
    c = compare_one(Reported("net/test", 95.0), found(95.0, 96.0, 97.0))
    assert (c.ours, c.sd, c.seeds, c.difference) == (96.0, 1.0, 3, 1.0)
    assert c.ours_text == "96.00 ± 1.00 % (n = 3)"
    assert c.book_text == "95.00 %, test"


def test_the_best_where_the_book_chose_its_best():
    c = compare_one(Reported("net/test", 95.0, statistic="best", memory=True, split=""), found(95.0, 96.5))
    assert c.ours == 96.5
    assert c.ours_text == "96.50 % (best of 2)"
    assert c.book_text == "95.00 % [M]"


def test_what_was_not_measured_is_not_compared():
    c = compare_one(Reported("net/valid", 95.0), found(95.0))
    assert (c.ours, c.difference, c.notable, c.ours_text) == (None, None, False, "–")
    assert compare_one(Reported("net/valid", 95.0), None).ours is None


@pytest.mark.parametrize(
    "values, book, notable",
    [
        ((95.0, 95.2, 95.4), 95.5, False),  # within 3 sd
        ((95.0, 95.01, 95.02), 95.25, False),  # closer than single runs of a book can be told apart
        ((95.0, 95.01, 95.02), 96.0, True),
        ((95.0,), 95.2, False),
        ((95.0,), 96.0, True),
    ],
)
def test_a_deviation_is_more_than_the_spread(values, book, notable):
    assert compare_one(Reported("net/test", book), found(*values)).notable is notable


@pytest.mark.parametrize(
    "value, unit, text", [(95.4, "%", "95.40"), (33.0, "", "33"), (0.0657, "", "0.0657"), (12345.6, "", "12,345.6")]
)
def test_numbers(value, unit, text):
    assert number(value, unit) == text


def test_a_single_run_has_no_spread():
    assert spread_text(22.25, 0.0, 1, "%") == "22.25 % (n = 1)"
