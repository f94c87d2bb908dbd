"""The activations' values against plain formulas, and what they do far out."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import erf, expit

from digitlab.errors import GradientError
from digitlab.nn import ELU, GELU, HardSigmoid, LeakyReLU, Linear, ReLU, Sigmoid, SiLU, Softplus, Step, Tanh

X = np.array([-30.0, -4.0, -3.5, -1.0, -0.3, 0.0, 0.2, 1.0, 2.5, 4.0, 30.0])
FORMULAS = [
    (Linear(), lambda x: x),
    (Sigmoid(), expit),
    (Tanh(), lambda x: (1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x))),
    (ReLU(), lambda x: np.maximum(x, 0)),
    (LeakyReLU(), lambda x: np.maximum(x, 0.01 * x)),
    (LeakyReLU(0.2), lambda x: np.maximum(x, 0.2 * x)),
    (ELU(), lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)),
    (ELU(0.5), lambda x: np.where(x > 0, x, 0.5 * (np.exp(np.minimum(x, 0)) - 1))),
    (Softplus(), lambda x: np.log(1 + np.exp(x))),
    (SiLU(), lambda x: x / (1 + np.exp(-x))),
    (HardSigmoid(), lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    (Step(), lambda x: (x >= 0).astype(float)),
]
LAYERS = [layer for layer, _ in FORMULAS] + [GELU()]
each = pytest.mark.parametrize("layer", LAYERS, ids=repr)


@pytest.mark.parametrize("layer, formula", FORMULAS, ids=[repr(layer) for layer, _ in FORMULAS])
def test_values(layer, formula):
    assert_allclose(layer.forward(X)[0], formula(X), rtol=1e-12, atol=1e-15)


def test_gelu_is_within_its_stated_distance_of_x_phi():
    x = np.linspace(-6, 6, 10_001)
    distance = np.abs(GELU().forward(x)[0] - x * 0.5 * (1 + erf(x / math.sqrt(2))))
    assert 0.0004 < distance.max() < 0.0005


@each
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_far_out_nothing_overflows(layer, dtype):
    # x³ of GELU is the first to leave float32, near 10¹²: there is no pixel or weight like that.
    x = np.array([-1e10, -1e4, -700, -90, 0, 90, 700, 1e4, 1e10], dtype)
    with np.errstate(all="raise", under="ignore"):
        y, cache = layer.forward(x)
        assert np.isfinite(y).all()
        if not isinstance(layer, Step):
            assert np.isfinite(layer.backward(np.ones_like(x), cache)).all()


@each
def test_a_nan_stays_visible(layer):
    """A network that has diverged must not look sound again behind an activation."""
    if isinstance(layer, Step):
        pytest.skip("has no NaN to give: it says yes or no")
    assert np.isnan(layer.forward(np.array([math.nan]))[0]).all()


@pytest.mark.parametrize("layer, slope", [(ReLU(), 0), (LeakyReLU(), 0.01), (ELU(), 1), (ELU(0.5), 0.5)], ids=repr)
def test_at_the_kink_the_left_slope_is_taken(layer, slope):
    x = np.array([0.0, -0.0])
    assert_allclose(layer.backward(np.ones(2), layer.forward(x)[1]), slope)


def test_hard_sigmoid_is_flat_at_its_corners():
    layer = HardSigmoid()
    x = np.array([-3.0, -2.999, 2.999, 3.0])
    assert_allclose(layer.backward(np.ones(4), layer.forward(x)[1]), [0, 1 / 6, 1 / 6, 0])


def test_step_has_no_way_back_and_says_what_to_do():
    layer = Step()
    y, cache = layer.forward(X)
    with pytest.raises(GradientError, match="use Sigmoid"):
        layer.backward(np.ones_like(X), cache)
    assert_array_equal(y, X >= 0)
    assert y.dtype == X.dtype


def test_softplus_keeps_its_small_values():
    y, _ = Softplus().forward(np.array([-40.0]))
    assert y[0] == pytest.approx(math.exp(-40), rel=1e-12)  # ln(1 + e⁻⁴⁰) written out is 0
