"""The gradient check finds what is wrong, and names it; ways of taking the gradient compared on one network."""

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from digitlab.errors import ConfigError, GradientError
from digitlab.gradients import (
    SPSA,
    CentralDifferences,
    ComplexStep,
    ForwardDifferences,
    ForwardGradient,
    PerExample,
    check_gradients,
    compare_gradients,
)
from digitlab.nn import (
    GELU,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LogLikelihood,
    MeanSquaredError,
    Network,
    ReLU,
    Sigmoid,
    Step,
    Tanh,
    Zeros,
    mlp,
)
from digitlab.nn.containers import Branches, Residual
from digitlab.nn.normalization import BatchNorm
from digitlab.nn.pooling import MaxPool2D
from digitlab.nn.zoo import build_named

from .gradient_ways import ALL, batch, network


class _WrongWeights(Dense):
    """∂L/∂W a millionth too large in one element."""

    def backward(self, grad_y, cache):
        grad_x = super().backward(grad_y, cache)
        self.params["W"].grad[2, 1] *= 1 + 1e-5
        return grad_x


class _WrongBias(Dense):
    def backward(self, grad_y, cache):
        grad_x = super().backward(grad_y, cache)
        self.params["b"].grad = grad_y.mean(axis=0)  # a mean where a sum belongs
        return grad_x


class _WrongInput(Sigmoid):
    def backward(self, grad_y, cache):
        return grad_y * cache  # the factor 1 − y is missing


class _NaNs(Sigmoid):
    def backward(self, grad_y, cache):
        return grad_y * np.nan


@pytest.mark.parametrize("way", [ForwardDifferences(), CentralDifferences(), ComplexStep()], ids=repr)
def test_a_right_network_passes(way):
    report = check_gradients(network(), *batch(), method=way, tolerance=1e-4)
    assert report.passed
    assert [row.name for row in report.rows] == ["0.W", "0.b", "2.W", "2.b", "input"]
    assert [row.checked for row in report.rows] == [20, 4, 12, 3, 30]
    assert "all gradients agree" in str(report)
    assert type(way).__name__ in str(report)


def test_central_differences_are_right_to_a_ten_millionth():
    assert max(row.error for row in check_gradients(network(), *batch()).rows) < 1e-7
    assert max(row.error for row in check_gradients(network(), *batch(), method=ComplexStep()).rows) < 1e-12


@pytest.mark.parametrize(
    "layers, wrong",
    [
        (lambda: [_WrongWeights(4), Tanh(), Dense(3)], {"0.W"}),
        (lambda: [Dense(4), Tanh(), _WrongBias(3)], {"2.b"}),
        (lambda: [_WrongInput(), Dense(3)], {"input"}),
        (lambda: [Dense(4), _WrongInput(), Dense(3)], {"0.W", "0.b", "input"}),
        (lambda: [Dense(4), _NaNs(), Dense(3)], {"0.W", "0.b", "input"}),
    ],
)
def test_a_broken_backward_is_found_and_named(layers, wrong):
    net = Network(layers(), 5, LogLikelihood(), dtype="float64", seed=3)
    report = check_gradients(net, *batch())
    assert not report.passed
    assert {row.name for row in report.rows if not row.passed} == wrong
    assert "WRONG" in str(report)


def test_the_worst_element_is_the_broken_one():
    net = Network([_WrongWeights(4), Tanh(), Dense(3)], 5, LogLikelihood(), dtype="float64", seed=3)
    row = check_gradients(net, *batch()).rows[0]
    assert row.worst == (2, 1)
    assert row.error == pytest.approx(1e-5, rel=0.01)
    assert row.backprop / row.other == pytest.approx(1 + 1e-5, rel=1e-7)


def test_a_vanished_gradient_is_checked_as_strictly():
    """Ten saturating layers: ∂L/∂W of the first is 10⁻⁵ of the last one's, and still a wrong formula shows."""
    layers = [Dense(4), _WrongInput(), *(layer for _ in range(7) for layer in (Dense(4), Sigmoid())), Dense(3)]
    net = Network(layers, 5, LogLikelihood(), dtype="float64", seed=3)
    report = check_gradients(net, *batch())
    assert abs(report.rows[0].backprop) < 1e-4 * abs(report.rows[-2].backprop)
    assert not report.rows[0].passed


def test_float32_networks_are_checked_in_double_precision_and_left_alone():
    net = network("float32")
    before = {name: (p.value, p.value.copy()) for name, p in net.parameters().items()}
    x, targets = batch()
    assert check_gradients(net, x.astype("float32"), targets).passed
    for name, p in net.parameters().items():
        assert p.value is before[name][0]
        assert p.value.dtype == np.float32
        assert_array_equal(p.value, before[name][1])
        assert p.grad is None


def test_pixel_bytes_and_pictures_are_checked_as_the_network_takes_them():
    net = Network([MaxPool2D(2), Branches([[Residual([ReLU()])]])], (4, 4, 1), MeanSquaredError(), dtype="float64")
    images = np.random.default_rng(0).permutation(32).reshape(2, 4, 4).astype(np.uint8) * 7
    report = check_gradients(net, images, np.random.default_rng(0).random((2, 2, 2, 1)))
    assert report.rows[-1].shape == (2, 4, 4, 1)
    assert report.passed, f"\n{report}"


def test_dropout_is_checked_with_its_mask_held():
    assert check_gradients(network(dropout=0.5), *batch(), training=True).passed


class _ForgetsTheBatch(BatchNorm):
    """Right for prediction, and wrong in training: the mean and the variance depend on x, too."""

    def backward(self, grad_y, cache):
        return super().backward(grad_y, (*cache[:2], False))


class _DropsBothWays(Dropout):
    def backward(self, grad_y, cache):
        return grad_y


@pytest.mark.parametrize("layer", [_ForgetsTheBatch(), _DropsBothWays(0.5)], ids=repr)
def test_training_is_checked_where_it_differs(layer):
    net = Network([Dense(4), layer, Dense(3)], 5, seed=2, dtype="float64")
    report = check_gradients(net, *batch())
    assert {row.name for row in report.rows if not row.passed} == {"0.W, training", "0.b, training", "input, training"}
    assert check_gradients(net, *batch(), training=False).passed
    assert not check_gradients(net, *batch(), training=True).passed


@pytest.mark.parametrize("layer", [BatchNorm(), Dropout(0.5), Dropout(0.5, inverted=False)], ids=repr)
def test_right_layers_pass_in_both_kinds_of_pass(layer):
    net = Network([Dense(4), layer, Dense(3)], 5, seed=2, dtype="float64")
    drawn = net.copy().forward(batch()[0], training=True)[0]
    report = check_gradients(net, *batch())
    assert report.passed and len(report.rows) == 2 * (len(net.parameters()) + 1), f"\n{report}"
    assert_array_equal(net.forward(batch()[0], training=True)[0], drawn)  # its generator has not moved
    assert check_gradients(net, *(some[:1] for some in batch())).passed  # of one, on which BatchNorm cannot train


def test_a_sample_of_elements_is_enough_for_large_layers():
    net = Network([Dense(30), Sigmoid(), Dense(3)], 100, dtype="float64")
    x, targets = batch(features=100)
    report = check_gradients(net, x, targets, samples=5, rng=np.random.default_rng(0))
    assert report.passed
    assert [row.checked for row in report.rows] == [5, 5, 5, 3, 5]
    with pytest.raises(ConfigError, match="rng="):
        check_gradients(net, x, targets, samples=5)


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(GradientError, match="Step"):
        check_gradients(Network([Dense(3), Step()], 5, MeanSquaredError()), *batch())
    with pytest.raises(ConfigError, match=r"got SPSA\(\); expected"):
        check_gradients(network(), *batch(), method=SPSA())


def test_a_network_without_parameters_has_its_input_checked():
    report = check_gradients(Network([Tanh()], 3, MeanSquaredError(), dtype="float64"), *batch(features=3))
    assert [row.name for row in report.rows] == ["input"]
    assert report.passed


def test_report_of_lenet5_fits_80_columns():
    rng = np.random.default_rng(0)
    report = check_gradients(build_named("lenet5"), rng.random((2, 28, 28)), [1, 2], samples=1, rng=rng)
    assert report and max(map(len, str(report).splitlines())) <= 80


# ---- compare_gradients ----


def test_comparison():
    net = network("float32", dropout=0.3)
    before = {name: p.value.copy() for name, p in net.parameters().items()}
    rows = compare_gradients(net, *batch(), ALL, np.random.default_rng(0), training=True)
    assert [row.way for row in rows] == ALL
    errors = {type(row.way).__name__: row.relative_error for row in rows}
    assert errors["Backpropagation"] == 0
    assert errors["PerExample"] < 1e-14
    assert errors["ComplexStep"] < 1e-14
    assert errors["ComplexStep"] < errors["CentralDifferences"] < errors["ForwardDifferences"] < 1e-5
    assert errors["SPSA"] > 0.5
    for row in rows:
        assert row.evaluations == row.way.evaluations(net)
        assert row.seconds > 0
        assert -1 <= row.cosine <= 1 + 1e-12
        assert row.refusal is None
    assert rows[4].cosine == pytest.approx(1, abs=1e-12)
    for name, p in net.parameters().items():
        assert p.grad is None
        assert_array_equal(p.value, before[name])


def test_comparison_says_why_a_way_does_not_serve():
    net = Network([Dense(4), BatchNorm(), Dense(3)], 5, dtype="float64")
    refused, served = compare_gradients(
        net, *batch(), [PerExample(), ForwardGradient(3)], np.random.default_rng(0), training=True
    )
    assert "BatchNorm" in refused.refusal
    assert math.isnan(refused.relative_error)
    assert served.refusal is None
    with pytest.raises(GradientError, match="Step"):
        compare_gradients(Network([Dense(3), Step()], 5, "mse"), *batch(), [SPSA()], np.random.default_rng(0))
    with pytest.raises(GradientError, match="no parameters"):
        compare_gradients(Network([Tanh()], 3, "mse"), *batch(features=3), [SPSA()], np.random.default_rng(0))


def test_dropout_layers_are_where_the_mask_is_drawn():
    assert isinstance(network(dropout=0.5).layers[2], Dropout)


class TestKinks:
    """Where the loss has no one derivative, any slope between its two sides is right, and nothing else is."""

    def network(self):
        net = Network([Dense(4, biases=Zeros()), ReLU(), Dense(2)], 3, MeanSquaredError(), dtype="float64", seed=1)
        return net, np.zeros((2, 3)), np.ones((2, 2))  # x = 0 and biases of 0: every ReLU stands at 0

    def test_a_subgradient_passes_and_is_counted(self):
        report = check_gradients(*self.network(), method=CentralDifferences())
        # Each bias moves one ReLU off its kink. An input moves all four at once, and there the subgradients that
        # backpropagation adds up need not lie between the two slopes, so the input's row is no part of this test.
        assert {row.name: (row.kinks, row.passed) for row in report.rows}["0.b"] == (4, True)
        assert "4 on a kink" in str(report)

    def test_a_slope_outside_of_both_sides_does_not(self, monkeypatch):
        backward = ReLU.backward
        monkeypatch.setattr(ReLU, "backward", lambda self, g, cache: backward(self, g, cache) - 3 * g)
        report = check_gradients(*self.network())
        assert "0.b" in [row.name for row in report.rows if not row.passed]

    def test_smooth_places_are_no_kinks(self):
        net = Network([Dense(4), Tanh(), Dense(2)], 3, MeanSquaredError(), dtype="float64", seed=1)
        report = check_gradients(net, np.ones((2, 3)), np.ones((2, 2)))
        assert [row.kinks for row in report.rows] == [0] * len(report.rows)


def test_a_report_is_true_if_all_agrees():
    network, x, y = mlp([4, 3], seed=0), np.ones((2, 4)), np.array([0, 2])
    assert check_gradients(network, x, y)
    assert not check_gradients(network, x, y, tolerance=0.0)


# ---- the default way ----


class _NotComplex(Sigmoid):
    """Right, but it takes no complex numbers."""

    def forward(self, x, *, training=False):
        return super().forward(np.abs(x) * np.sign(x.real), training=training)


def blank_picture_network(first):
    """Blank pixels put every ReLU behind them exactly on its kink, and make the numbers of each pool equal."""
    layers = [first, MaxPool2D(2), ReLU(), Conv2D(3, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(3)]
    net = Network(layers, (12, 12, 1), LogLikelihood(), seed=1)
    x = np.zeros((2, 12, 12), np.uint8)
    x[:, 4:8, 5:7] = 200
    return net, x, np.array([0, 2])


@pytest.mark.parametrize("way", [None, CentralDifferences(), ForwardDifferences()], ids=repr)
def test_a_right_network_with_blank_pixels_passes(way):
    report = check_gradients(*blank_picture_network(Conv2D(4, 3, biases=Zeros())), method=way)
    assert report.passed, str(report)


@pytest.mark.parametrize("way", [None, CentralDifferences()], ids=repr)
@pytest.mark.parametrize("part", ["W", "b", "input"])
def test_a_wrong_one_does_not(way, part):
    class Wrong(Conv2D):
        def backward(self, grad_y, cache):
            grad_x = super().backward(grad_y, cache)
            if part == "input":
                return grad_x * 1.01
            self.params[part].grad = self.params[part].grad * 1.01
            return grad_x

    report = check_gradients(*blank_picture_network(Wrong(4, 3, biases=Zeros())), method=way)
    assert [row.name for row in report.rows if not row.passed] == [part if part == "input" else f"0.{part}"]


def test_the_default_is_a_complex_step_where_layers_allow_it():
    x, y = np.ones((2, 4)), np.array([0, 2])
    assert isinstance(check_gradients(mlp([4, 3]), x, y).way, ComplexStep)
    former = check_gradients(mlp([4, 3]), x, y, way=CentralDifferences())
    assert isinstance(former.way, CentralDifferences)
    gelu = check_gradients(mlp([4, 3, 3], activation="gelu"), x, y)
    assert isinstance(gelu.way, CentralDifferences if not GELU.analytic else ComplexStep)
    assert gelu.passed


def test_a_layer_of_ones_own_that_takes_no_complex_numbers_is_right_all_the_same():
    net = Network([Dense(4), _NotComplex(), Dense(3)], 4, LogLikelihood(), seed=3)
    assert check_gradients(net, np.random.default_rng(0).normal(size=(5, 4)), np.arange(5) % 3).passed
