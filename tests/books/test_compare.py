"""Figures beside figures: mean, spread, difference, and what counts as a deviation."""

from dataclasses import replace

import numpy as np
import pytest

from digitlab.books.catalogue import CATALOGUE
from digitlab.books.compare import compare_one, mean_sd_text, number
from digitlab.books.experiment import Reported, Result
from digitlab.books.results import ExperimentResult
from digitlab.statistics import summarize


def found(*values):
    results = {str(i): Result({"net/test": value}) for i, value in enumerate(values)}
    return ExperimentResult("row", "as-written", "default", 1, {}, results, {})


def test_mean_and_sample_deviation():
    c = compare_one(Reported("net/test", 95.0), found(95.0, 96.0, 97.0))
    assert (c.ours, c.summary.sd, c.summary.n, c.difference) == (96.0, 1.0, 3, 1.0)
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


def off(values, book, **fields):
    """Whether figures of these seeds are further from the book's than chance and rounding allow."""
    return compare_one(Reported("net/test", book, **fields), found(*values)).notable


def test_the_rule_by_hand():
    """n = 3, s = .1, t(2) = 4.3027: a single run of the book may differ by t s √(1/3 + 1) + .005."""
    c = compare_one(Reported("net/test", 96.0), found(95.9, 96.0, 96.1))
    assert c.allowed == pytest.approx(4.3027 * 0.1 * (4 / 3) ** 0.5 + 0.005, rel=1e-4)
    c = compare_one(Reported("net/test", 96.0, runs=3), found(95.9, 96.0, 96.1))
    assert c.allowed == pytest.approx(4.3027 * 0.1 * (2 / 3) ** 0.5 + 0.005, rel=1e-4)
    c = compare_one(Reported("net/test", 96.0, runs=3), found(95.8, 95.9, 96.0, 96.1, 96.2))
    assert c.allowed == pytest.approx(2.7764 * c.summary.sd * (1 / 5 + 1 / 3) ** 0.5 + 0.005, rel=1e-4)
    c = compare_one(Reported("net/test", 96.0, statistic="best"), found(95.9, 96.0, 96.1))
    assert c.allowed == pytest.approx(4.3027 * 0.1 * 2**0.5 + 0.005, rel=1e-4)


def test_one_run_has_the_spread_of_a_share_of_its_images():
    """10,000 images, 96 % right: √(.96 · .04 / 10,000) = .196 points."""
    c = compare_one(Reported("net/test", 96.0), found(95.0))
    assert c.allowed == pytest.approx(1.96 * 0.19596 * 2**0.5 + 0.005, rel=1e-4)
    few = compare_one(Reported("net/test", 96.0, images=100, step=1), found(95.0))
    assert few.allowed == pytest.approx(1.96 * 1.9596 * 2**0.5 + 0.5, rel=1e-4)
    errors = compare_one(Reported("net/test", 33, unit="errors"), found(38))
    assert errors.allowed == pytest.approx(1.96 * (33 * (1 - 0.0033)) ** 0.5 * 2**0.5 + 0.5, rel=1e-4)


@pytest.mark.parametrize(
    "values, book, fields, notable",
    [
        ((95.0, 95.2, 95.4), 95.9, {}, False),
        ((95.0, 95.2, 95.4), 96.5, {}, True),
        ((95.0, 95.01, 95.02), 95.25, {}, True),  # runs that agree as closely as that show a small difference, too
        ((95.0,), 95.5, {}, False),
        ((95.0,), 96.0, {}, True),
        ((95.0,), 95.01, {"images": 0}, True),  # nothing in it is random
        ((95.0,), 95.04, {"images": 0, "step": 0.1}, False),
        ((95.0,), 95.06, {"images": 0, "step": 0.1}, True),
        ((0.094,), 0.09, {"unit": ""}, False),  # what the book rounds away
        ((0.096,), 0.09, {"unit": ""}, True),
        ((95.0, 95.0, 95.0), 95.0, {}, False),  # no spread, no difference
        # Chapter 6: three networks there and three or five here, a tenth of a per cent apart from one another.
        ((99.04, 99.08, 99.12), 99.15, {"runs": 3}, False),
        ((99.04, 99.08, 99.12), 99.23, {"runs": 3}, True),
        ((99.50, 99.53, 99.55, 99.57, 99.60), 99.60, {"runs": 3}, False),
        ((99.50, 99.53, 99.55, 99.57, 99.60), 99.67, {"runs": 3}, True),
        ((99.31,), 99.37, {"runs": 3}, False),
        ((99.10,), 99.37, {"runs": 3}, True),
        ((38.0,), 33.0, {"unit": "errors"}, False),
        ((60.0,), 33.0, {"unit": "errors"}, True),
    ],
)
def test_what_is_further_off_than_chance_and_rounding_allow(values, book, fields, notable):
    assert off(values, book, **fields) is notable


def test_every_figure_of_chapter_6_can_be_further_off():
    """The rule allows less than the rungs of the ladder are apart, so that a wrong rung shows."""
    experiments = [experiment for experiment in CATALOGUE.values() if experiment.chapter == "6" and experiment.reported]
    for experiment in experiments:
        for reported in experiment.reported:
            assert reported.runs == (1 if experiment.name == "ch6-ensemble" else 3)
            apart = 30 if reported.unit else 0.3
            values = [reported.value - apart + d for d in (-0.03, 0, 0.03)]
            assert compare_one(replace(reported, figure="net/test"), found(*values)).notable, (
                experiment.name,
                reported,
            )


def test_chance_alone_is_named_once_in_twenty_times():
    rng = np.random.default_rng(0)
    runs = rng.normal(97.0, 0.1, (4000, 4))
    named = np.mean([off(ours, float(book)) for *ours, book in runs])
    assert 0.03 < named < 0.06  # a little less than .05: rounding is allowed on top


@pytest.mark.parametrize(
    "value, unit, text", [(95.4, "%", "95.40"), (33.0, "", "33"), (0.0657, "", "0.0657"), (12345.6, "", "12,345.6")]
)
def test_numbers(value, unit, text):
    assert number(value, unit) == text


def test_a_single_run_has_no_spread():
    assert mean_sd_text(summarize([22.25]), "%") == "22.25 % (n = 1)"
