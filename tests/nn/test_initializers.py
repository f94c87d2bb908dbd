"""The distributions that first weights are drawn from: mean, spread, shape; orthogonality; given arrays."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import (
    Constant,
    Dense,
    FanOutNormal,
    Given,
    Glorot,
    He,
    Initializer,
    Network,
    Normal,
    Orthogonal,
    ScaledNormal,
    Uniform,
    Zeros,
)

FAN_IN, FAN_OUT = 300, 200


def drawn(initializer, shape=(FAN_IN, FAN_OUT), seed=0, dtype="float64"):
    return initializer(shape, FAN_IN, FAN_OUT, np.random.default_rng(seed), dtype)


NORMALS = [
    (Normal(), 1),
    (Normal(0.2), 0.2),
    (ScaledNormal(), 1 / math.sqrt(FAN_IN)),
    (FanOutNormal(), 1 / math.sqrt(FAN_OUT)),
    (FanOutNormal(pool=2), 2 / math.sqrt(FAN_OUT)),
    (Glorot(), math.sqrt(2 / (FAN_IN + FAN_OUT))),
    (He(), math.sqrt(2 / FAN_IN)),
]


@pytest.mark.parametrize("initializer, std", NORMALS, ids=[repr(i) for i, _ in NORMALS])
def test_normal_with_the_stated_spread(initializer, std):
    values = drawn(initializer).ravel()  # 60,000: the mean is known to std/245, the spread to .3 %
    assert abs(values.mean()) < 4 * std / math.sqrt(values.size)
    assert values.std() == pytest.approx(std, rel=0.012)
    assert kstest(values / std, "norm").pvalue > 1e-3


@pytest.mark.parametrize("initializer, low, high", [(Uniform(), -0.5, 0.5), (Uniform(0.1, 0.4), 0.1, 0.4)], ids=repr)
def test_uniform(initializer, low, high):
    values = drawn(initializer).ravel()
    assert low <= values.min() < values.max() < high
    assert kstest((values - low) / (high - low), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (3, 2, 7), (2, 2, 3, 4)])
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_orthogonal_rows_or_columns(shape, gain):
    values = drawn(Orthogonal(gain), shape)
    assert values.shape == shape
    matrix = values.reshape(-1, shape[-1])
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    assert_allclose(tall.T @ tall, gain**2 * np.eye(tall.shape[1]), atol=1e-12)


def test_orthogonal_matrices_are_spread_evenly():
    """Without the signs of R, QR gives matrices whose first diagonal element is always of one sign."""
    rng = np.random.default_rng(0)
    corners = np.array([Orthogonal()((2, 2), 2, 2, rng, "float64")[0, 0] for _ in range(400)])
    assert abs(np.mean(corners > 0) - 0.5) < 0.1


def test_zeros_and_constant():
    assert not drawn(Zeros()).any()
    assert (drawn(Constant(0.7)) == 0.7).all()


def test_given_is_taken_over_and_copied():
    weights = np.arange(6.0).reshape(3, 2)
    net = Network([Dense(2, Given(weights), Given([5, 6]))], 3)
    assert_array_equal(net.parameters()["0.W"].value, weights)
    assert_array_equal(net.parameters()["0.b"].value, [5, 6])
    net.parameters()["0.W"].value[0, 0] = 9
    assert weights[0, 0] == 0


def test_given_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match=r"Given: got an array of shape \(2, 3\), expected \(3, 2\)"):
        Network([Dense(2, Given(np.zeros((2, 3))))], 3)
    with pytest.raises(ShapeError, match=r"expected \(3, 2\)"):
        Network([Dense(2, Given(0.5))], 3)


def test_given_nothing_says_what_to_do():
    with pytest.raises(ConfigError, match="give it an array"):
        Network([Dense(2, Given())], 3)


def test_one_generator_gives_one_sequence():
    rng = np.random.default_rng(0)
    first, second = (Normal()((3,), 3, 3, rng, "float64") for _ in range(2))
    assert not np.array_equal(first, second)
    assert_array_equal(np.concatenate([first, second]), np.random.default_rng(0).normal(size=6))


def test_a_base_class_says_that_it_draws_nothing():
    with pytest.raises(TypeError, match="sample"):
        Initializer()((2,), 1, 1, np.random.default_rng(0), "float32")
