"""The losses' values, their activations, label smoothing, and soft targets."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_softmax, softmax

from digitlab.engine.fast import make_plan
from digitlab.errors import ConfigError, DataError, ShapeError
from digitlab.gradients import check_gradients
from digitlab.nn import Conv2D, CrossEntropy, LogLikelihood, MeanSquaredError, Network, Quadratic, soft_targets
from digitlab.nn import losses as losses_module
from digitlab.optim import SGD

Z = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, -3.0]])
LABELS = np.array([0, 2])
ONE_HOT = np.array([[1.0, 0, 0], [0, 0, 1]])


def value(loss, z=Z, t=LABELS):
    return float(loss.forward(z, t)[0])


def test_quadratic_is_the_books_cost():
    assert value(Quadratic()) == pytest.approx(((expit(Z) - ONE_HOT) ** 2).sum() / (2 * 2))


def test_cross_entropy_is_the_books_cost():
    a = expit(Z)
    expected = -(ONE_HOT * np.log(a) + (1 - ONE_HOT) * np.log(1 - a)).sum() / 2
    assert value(CrossEntropy()) == pytest.approx(expected)


def test_log_likelihood_is_the_books_cost():
    assert value(LogLikelihood()) == pytest.approx(-np.log(softmax(Z, axis=1)[[0, 1], LABELS]).mean())


def test_mean_squared_error_is_a_mean_over_all_numbers():
    assert value(MeanSquaredError(), t=ONE_HOT) == pytest.approx(np.mean((Z - ONE_HOT) ** 2))


@pytest.mark.parametrize(
    "loss, activation",
    [
        (Quadratic(), expit),
        (CrossEntropy(), expit),
        (LogLikelihood(), lambda z: softmax(z, axis=1)),
        (MeanSquaredError(), lambda z: z),
    ],
    ids=["quadratic", "cross-entropy", "log-likelihood", "mean-squared-error"],
)
def test_each_owns_its_activation(loss, activation):
    assert_allclose(loss.activation(Z), activation(Z), rtol=1e-14)


def test_log_softmax_agrees_with_scipy_far_out_too():
    z = np.array([[1000.0, 0, -1000], [1e4, 1e4, 1e4], [-700, -701, -702]])
    assert_allclose(losses_module.log_softmax(z), log_softmax(z, axis=1), rtol=1e-13)


def test_a_hopeless_answer_costs_what_it_should():
    z = np.array([[-1e4, 1e4]])
    assert value(LogLikelihood(), z, np.array([0])) == 2e4
    assert value(CrossEntropy(), z, np.array([0])) == 2e4
    assert value(Quadratic(), z, np.array([0])) == 1.0


def test_a_perfect_answer_costs_nothing():
    z = np.array([[1e4, -1e4]])
    for loss in (LogLikelihood(), CrossEntropy(), Quadratic()):
        assert value(loss, z, np.array([0])) == 0
        assert_array_equal(loss.backward(loss.forward(z, np.array([0]))[1]), np.zeros((1, 2)))


def test_label_smoothing_by_hand():
    """s = .3 and three outputs: the label's target is .7 + .1 = .8, the others' .1."""
    smoothed = LogLikelihood(label_smoothing=0.3).targets(np.array([1]), np.zeros((1, 3)))
    assert_allclose(smoothed, [[0.1, 0.8, 0.1]])
    assert smoothed.sum() == pytest.approx(1)


def test_arrays_of_targets_are_not_smoothed():
    for loss in (LogLikelihood, CrossEntropy, Quadratic, MeanSquaredError):
        assert value(loss(label_smoothing=0.3), t=ONE_HOT) == value(loss(), t=ONE_HOT)


def test_deltas_of_the_paired_losses_are_outputs_minus_targets():
    for loss, a in ((CrossEntropy(), expit(Z)), (LogLikelihood(), softmax(Z, axis=1))):
        assert_allclose(loss.backward(loss.forward(Z, LABELS)[1]), (a - ONE_HOT) / 2, rtol=1e-13)


def test_quadratic_learns_slowly_where_it_is_saturated_and_cross_entropy_does_not():
    """Nielsen ch. 3 opens with this: a neuron that is wrong at z = 10 hardly moves under the quadratic cost."""
    z, t = np.array([[10.0]]), np.array([[0.0]])
    assert abs(Quadratic().backward(Quadratic().forward(z, t)[1])[0, 0]) < 1e-4
    assert CrossEntropy().backward(CrossEntropy().forward(z, t)[1])[0, 0] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_labels_of_any_whole_type(dtype):
    assert value(LogLikelihood(), t=LABELS.astype(dtype)) == value(LogLikelihood())


def test_wrong_targets_are_named():
    words = r"targets of shape \(3,\) for outputs of .* \(2, 3\); expected whole-number labels \(2,\)"
    with pytest.raises(ShapeError, match=words):
        Quadratic().forward(Z, np.array([0, 1, 2]))


def test_one_example_of_one_output():
    assert value(Quadratic(), np.zeros((1, 1)), np.array([[1.0]])) == pytest.approx(1 / 8)
    assert value(CrossEntropy(), np.zeros((1, 1)), np.array([0])) == pytest.approx(math.log(2))


def test_soft_targets_are_rashids():
    targets = soft_targets(np.array([2, 0]), 3)
    assert_array_equal(targets, np.array([[0.01, 0.01, 0.99], [0.99, 0.01, 0.01]], np.float32))
    assert soft_targets(np.array([], int), 3).shape == (0, 3)
    assert_array_equal(soft_targets([1], 2, 0, 1), [[0, 1]])


@pytest.mark.parametrize("labels", [[3], [-1], [[0, 1]], 2])
def test_soft_targets_refuse_labels_that_are_none(labels):
    with pytest.raises(DataError, match="expected"):
        soft_targets(labels, 3)


@pytest.mark.parametrize("share", [-0.1, 1.0, 2])
def test_a_share_for_all_classes_is_below_1(share):
    with pytest.raises(ConfigError, match=r"got label_smoothing .*, expected 0 to below 1"):
        CrossEntropy(label_smoothing=share)


def test_a_softmax_at_each_place_of_a_picture():
    """The loss of a picture is the sum over its places, each of which could have been an example of its own."""
    rng = np.random.default_rng(0)
    z, t = rng.normal(size=(2, 3, 4, 5)), rng.dirichlet(np.ones(5), size=(2, 3, 4)) * 0.7  # sums need not be 1
    loss, cache = LogLikelihood().forward(z, t)
    alone, alone_cache = LogLikelihood().forward(z.reshape(24, 5), t.reshape(24, 5))
    assert loss == pytest.approx(alone * 12)
    delta = LogLikelihood().backward(cache)
    assert_allclose(delta.reshape(24, 5), LogLikelihood().backward(alone_cache) * 12)
    network = Network([Conv2D(3, 2)], (4, 4, 1), LogLikelihood(), seed=1)
    x, y = rng.normal(size=(4, 4, 4, 1)), rng.dirichlet(np.ones(3), size=(4, 3, 3))
    assert check_gradients(network, x, y).passed
    assert "softmax at each place" in make_plan(network, SGD(0.1))
