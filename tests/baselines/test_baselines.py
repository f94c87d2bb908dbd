"""The baselines: by hand, against scikit-learn, and the figures that the book reports."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neighbors import NearestCentroid
from sklearn.svm import SVC

from digitlab.baselines import (
    BASELINES,
    Baseline,
    Darkness,
    LogisticRegression,
    NearestMean,
    SupportVectors,
    fit,
    judge,
    make_baseline,
)
from digitlab.baselines.base import features
from digitlab.data import Digits, load
from digitlab.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def sets():
    return load("digits")


def two_by_two(*rows):
    return np.array(rows, np.uint8).reshape(-1, 2, 2)


def test_pixels_are_divided_by_256_as_in_the_books_data():
    x = features(two_by_two([0, 64, 128, 255]))
    assert x.dtype == np.float32
    assert x.tolist() == [[0, 0.25, 0.5, 0.99609375]]


def test_numbers_are_numbers_and_bytes_of_another_dtype_are_refused():
    assert features(two_by_two([0, 64, 128, 255]) / 256).tolist() == [[0, 0.25, 0.5, 0.99609375]]
    for dtype in ("int64", "float64", "uint16"):
        with pytest.raises(DataError, match=f"images: got whole numbers from 0 to 255 as {dtype}; .*must be uint8"):
            features(two_by_two([0, 64, 128, 255]).astype(dtype))


def test_darkness_by_hand():
    """Sums of 1 and 3 for class 0, mean 2; 8 for class 2."""
    baseline = Darkness()
    baseline.fit(two_by_two([0, 0, 0, 64], [64, 64, 64, 0], [255, 255, 1, 1]), np.array([0, 0, 2]))
    assert_allclose(baseline.means, [0.5, 2.0])
    assert baseline.predict(two_by_two([128, 0, 0, 0], [128, 128, 64, 1], [64, 64, 64, 128])).tolist() == [0, 2, 0]
    assert baseline.learned() == "mean darkness: 0 0.5  2 2.0"


def test_nearest_mean_is_scikit_learns(sets):
    baseline = NearestMean()
    baseline.fit(sets.train.images, sets.train.labels)
    x, y = sets.train.images.reshape(-1, 64) / 256, sets.train.labels
    x = x + np.random.default_rng(0).normal(0, 1e-9, x.shape)  # scikit-learn warns of pixels that are always paper
    truth = NearestCentroid().fit(x, y).predict(sets.test.images.reshape(-1, 64) / 256)
    assert_array_equal(baseline.predict(sets.test.images), truth)


@pytest.mark.parametrize("setting, gamma", [("book", 1 / 64), ("today", None)])
def test_the_support_vector_machine(sets, setting, gamma):
    x, y = sets.train.images.reshape(-1, 64) / 256, sets.train.labels
    truth = SVC(C=1.0, kernel="rbf", gamma=gamma or 1 / (64 * x.astype(np.float32).var())).fit(x, y)
    baseline = SupportVectors(setting)
    baseline.fit(sets.train.images, y)
    assert_array_equal(baseline.predict(sets.test.images), truth.predict(sets.test.images.reshape(-1, 64) / 256))
    assert baseline.learned() == f"{truth.n_support_.sum():,} support vectors"
    assert setting in baseline.described()


def test_logistic_regression_says_where_it_stopped(sets):
    few = LogisticRegression(iterations=5)
    few.fit(sets.train.images, sets.train.labels)
    assert few.learned() == "5 steps, stopped before convergence"
    enough = LogisticRegression(iterations=2000)
    enough.fit(sets.train.images, sets.train.labels)
    assert "stopped" not in enough.learned()
    assert judge(enough, sets.test).accuracy > 0.88


def test_they_know_more_from_one_to_the_next(sets):
    accuracies = []
    for name in BASELINES:
        baseline = make_baseline(name)
        fit(baseline, sets.train)
        accuracies.append(judge(baseline, sets.test).accuracy)
    assert list(BASELINES) == ["darkness", "nearest-mean", "logistic", "svm"]
    assert 0.1 < accuracies[0] < 0.3 and min(accuracies[1:]) > 0.8


def test_judging_by_blocks_changes_nothing(sets):
    baseline = NearestMean()
    fit(baseline, sets.train)
    told = []
    result, whole = judge(baseline, sets.test, block=7, advance=told.append), judge(baseline, sets.test, block=10_000)
    assert result.accuracy == whole.accuracy == np.trace(result.confusion) / 300
    assert_array_equal(result.confusion, whole.confusion)
    assert_array_equal(result.confusion.sum(axis=1), sets.test.counts())
    assert sum(told) == 300 and max(told) == 7


def test_what_cannot_be(sets):
    with pytest.raises(ConfigError, match="unknown baseline 'tree'; there are: darkness, nearest-mean, logistic, svm"):
        make_baseline("tree")
    with pytest.raises(ConfigError, match="expected book or today"):
        SupportVectors("tomorrow")
    with pytest.raises(ConfigError, match="at least 1"):
        LogisticRegression(0)
    with pytest.raises(DataError, match="a single class"):
        fit(Darkness(), sets.train.only([3]))
    assert issubclass(Darkness, Baseline)


def test_colour_images():
    rng = np.random.default_rng(0)
    digits = Digits(rng.integers(0, 256, (20, 4, 4, 3), np.uint8), np.arange(20) % 2)
    fit(baseline := Darkness(), digits)
    assert judge(baseline, digits).confusion.shape == (10, 10)


@pytest.mark.mnist
def test_average_darkness_is_the_books_figure(mnist_splits):
    """Nielsen ch. 1: 2,225 of 10,000 test images."""
    fit(baseline := Darkness(), mnist_splits.train)
    assert judge(baseline, mnist_splits.test).accuracy == 0.2225


@pytest.mark.slow
@pytest.mark.mnist
@pytest.mark.parametrize("size, right", [(100, 0.2507), (200, 0.4893)])
def test_the_svm_has_the_books_figures_for_few_images(mnist_splits, size, right):
    """Nielsen ch. 3, more_data.py: validation accuracy with the first 100 and 200 images."""
    fit(baseline := SupportVectors(), mnist_splits.train.first(size))
    assert judge(baseline, mnist_splits.valid).accuracy == right
