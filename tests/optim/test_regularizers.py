"""Regularizers by hand; their gradients against the penalty's own differences; the limit that max-norm promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError
from digitlab.nn.describe import build, describe
from digitlab.optim.regularizers import L1, L2, MaxNorm, Regularizer


def test_l2_by_hand():
    value = np.array([[3.0]])
    assert L2(5.0).penalty(value, 50) == pytest.approx(0.45)
    assert_allclose(L2(5.0).gradient(value, 50), [[0.3]])


def test_l1_by_hand():
    value = np.array([[-3.0]])
    assert L1(5.0).penalty(value, 50) == pytest.approx(0.3)
    assert_allclose(L1(5.0).gradient(value, 50), [[-0.1]])
    assert_array_equal(L1(5.0).gradient(np.zeros((2, 2)), 50), np.zeros((2, 2)))


def test_max_norm_by_hand():
    value = np.array([[3.0, 0.3], [4.0, 0.4]])  # the second neuron's weights are short enough
    assert_allclose(MaxNorm(2.5).project(value), [[1.5, 0.3], [2.0, 0.4]])
    assert_allclose(MaxNorm(2.5).project(np.zeros((2, 2))), np.zeros((2, 2)))


def test_max_norm_of_a_convolution_counts_all_weights_into_a_filter():
    value = np.ones((2, 2, 1, 3))  # (H, W, in, filters): length 2 each
    assert_allclose(MaxNorm(1.0).project(value), np.full_like(value, 0.5))


@pytest.mark.parametrize("regularizer", [L1(0.7), L2(0.7)], ids=repr)
def test_the_gradient_is_the_derivative_of_the_penalty(regularizer):
    value, h = np.random.default_rng(0).normal(size=(4, 3)), 1e-6
    numeric = np.empty_like(value)
    for at in np.ndindex(value.shape):
        up, down = value.copy(), value.copy()
        up[at] += h
        down[at] -= h
        numeric[at] = (regularizer.penalty(up, 20) - regularizer.penalty(down, 20)) / (2 * h)
    assert_allclose(regularizer.gradient(value, 20), numeric, rtol=1e-6, atol=1e-9)


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=4, max_side=4), elements=st.floats(-1e6, 1e6)),
    st.floats(1e-3, 1e3),
)
def test_after_max_norm_no_neuron_is_over_the_limit(value, limit):
    kept = value.copy()
    projected = MaxNorm(limit).project(value)
    lengths = np.sqrt((projected**2).sum(axis=tuple(range(value.ndim - 1))))
    assert (lengths <= limit * (1 + 1e-9)).all()
    assert_allclose(MaxNorm(limit).project(projected), projected, rtol=1e-9)  # a second time changes nothing
    short = np.sqrt((value**2).sum(axis=tuple(range(value.ndim - 1)))) <= limit
    assert_array_equal(projected[..., short], value[..., short])
    assert_array_equal(value, kept)


def test_those_without_a_penalty_add_nothing():
    assert MaxNorm(1.0).gradient(np.ones((2, 2)), 10) is None
    assert MaxNorm(1.0).penalty(np.ones((2, 2)), 10) == 0
    assert_array_equal(L2(1.0).project(np.ones((2, 2))), np.ones((2, 2)))


@pytest.mark.parametrize(
    "make", [lambda: L1(-1.0), lambda: L2(-0.1), lambda: L2(math.nan), lambda: MaxNorm(0.0), lambda: MaxNorm(math.nan)]
)
def test_strengths_that_make_no_sense_are_refused(make):
    with pytest.raises(ConfigError, match="expected"):
        make()


@pytest.mark.parametrize("regularizer", [L1(0.5), L2(5.0), MaxNorm(3.0)], ids=repr)
def test_there_and_back_through_its_description(regularizer):
    assert build(Regularizer, describe(regularizer)) == regularizer


def test_single_precision_stays_single():
    value = np.ones((3, 2), dtype=np.float32)
    for result in (L1(1.0).gradient(value, 3), L2(1.0).gradient(value, 3), MaxNorm(0.5).project(value)):
        assert result.dtype == np.float32


def test_the_share_that_a_step_removes():
    """By hand: λ = 5, n = 50 takes .1 of each weight at learning rate 1; L1 and the norm take no fixed share."""
    assert L2(5.0).decay(50) == pytest.approx(0.1)
    assert L1(5.0).decay(50) == MaxNorm(1.0).decay(50) == 0
