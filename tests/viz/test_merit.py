"""Figures of merit against scikit-learn and SciPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.calibration import calibration_curve

from digitlab.errors import ConfigError, ShapeError
from digitlab.viz.calibration import calibration, calibration_figure
from digitlab.viz.confusion import accuracy_figure

RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, 4, 500)
PROBABILITIES = RNG.dirichlet(np.ones(4) * 0.7, 500)
PROBABILITIES[np.arange(500), LABELS] += 0.3
PROBABILITIES /= PROBABILITIES.sum(axis=1, keepdims=True)
GUESSES = PROBABILITIES.argmax(axis=1)


def test_accuracy_per_class_as_bars():
    matrix = np.array([[8, 2, 0], [1, 3, 0], [0, 0, 0]])
    figure = accuracy_figure(matrix, ("a", "b", "c"))
    (axes,) = figure.axes
    assert_allclose([bar.get_height() for bar in axes.patches], [80, 75])
    assert axes.get_ylim()[0] == 0, "bars begin at 0"
    assert "all: 78.57 %" in axes.get_title()
    assert "%" in axes.get_ylabel()


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_calibration_is_scikit_learns(bins):
    found = calibration(PROBABILITIES, LABELS, bins=bins)
    right, sure = GUESSES == LABELS, PROBABILITIES.max(axis=1)
    accuracy, confidence = calibration_curve(right, sure, n_bins=bins)
    some = found.counts > 0
    assert_allclose(found.accuracy, accuracy)
    assert_allclose(found.confidence, confidence)
    assert found.counts.sum() == 500
    assert found.ece == pytest.approx((found.counts[some] / 500 * np.abs(accuracy - confidence)).sum())


def test_the_calibration_error_by_hand():
    # Two images 90 % sure, one of them right: |.5 − .9|; two 60 % sure, both right: |1 − .6|. Mean of .4 and .4.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    found = calibration(probabilities, np.array([0, 1, 0, 0]), bins=10)
    assert found.ece == pytest.approx(0.4)
    with pytest.raises(ConfigError):
        calibration(probabilities, np.zeros(4, int), bins=0)
    with pytest.raises(ShapeError):
        calibration(probabilities, np.zeros(3, int))


def test_the_reliability_diagram():
    found = calibration(PROBABILITIES, LABELS)
    upper, lower = calibration_figure(found).axes
    some = found.counts > 0
    assert_allclose(upper.get_lines()[1].get_ydata(), 100 * found.accuracy)
    assert_allclose([bar.get_height() for bar in lower.patches], found.counts[some])
    assert (upper.get_ylabel(), lower.get_xlabel()) == ("accuracy (%)", "confidence (%)")
