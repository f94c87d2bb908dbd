"""Every figure that a docstring works out "By hand", computed by the layer. What others write has its own tests."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from digitlab.nn import (
    ELU,
    GELU,
    CrossEntropy,
    Dense,
    Given,
    HardSigmoid,
    LeakyReLU,
    Linear,
    LogLikelihood,
    MeanSquaredError,
    Network,
    Quadratic,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Step,
    Tanh,
)
from digitlab.nn.bias import Bias
from digitlab.nn.containers import Branches, Residual, Sequential
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.normalization import BatchNorm, LayerNorm
from digitlab.nn.per_neuron import PerNeuron
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.recurrent import GRU, LSTM, SimpleRNN
from digitlab.nn.repeat import Repeat
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.slices import Slice


def through(layer, x, g=None, training=False):
    """The layer in a network of its own, y and ∂L/∂x for one batch."""
    x = np.asarray(x, float)
    layer = Network([layer], x.shape[1:], "mse", dtype="float64").layers[0]
    y, cache = layer.forward(x, training=training)
    grad_x = None if g is None else layer.backward(np.asarray(g, float), cache)
    return layer, y, grad_x


def test_repeat():
    _, y, grad_x = through(Repeat(2), [[1, 2]], [[[1, 2], [3, 4]]])
    assert_allclose(y, [[[1, 2], [1, 2]]])
    assert_allclose(grad_x, [[4, 6]])


def test_dense():
    layer, y, grad_x = through(Dense(1, Given([[3], [4]]), Given([0.5])), [[1, 2]], [[1]])
    assert y == 11.5
    assert_allclose(layer.params["W"].grad, [[1], [2]])
    assert_allclose(layer.params["b"].grad, [1])
    assert_allclose(grad_x, [[3, 4]])


@pytest.mark.parametrize(
    "layer, x, y, slope",
    [
        (Linear(), 3, 3, 1),
        (Sigmoid(), 0, 1 / 2, 1 / 4),
        (Tanh(), 0, 0, 1),
        (ReLU(), 3, 3, 1),
        (ReLU(), -3, 0, 0),
        (LeakyReLU(0.01), -3, -0.03, 0.01),
        (ELU(1.0), -1, -0.6321, 0.3679),
        (GELU(), 0, 0, 1 / 2),
        (Softplus(), 0, 0.6931, 1 / 2),
        (SiLU(), 0, 0, 1 / 2),
        (HardSigmoid(), 0, 1 / 2, 1 / 6),
        (HardSigmoid(), 3, 1, 0),
        (Step(), -0.1, 0, None),
        (Step(), 0, 1, None),
    ],
)
def test_activations(layer, x, y, slope):
    _, got, grad_x = through(layer, [[x]], None if slope is None else [[1]])
    assert got[0, 0] == pytest.approx(y, abs=5e-5)
    if slope is not None:
        assert grad_x[0, 0] == pytest.approx(slope, abs=5e-5)


@pytest.mark.parametrize(
    "loss, z, t, value, delta",
    [
        (Quadratic(), [[0]], [[1]], 1 / 8, [[-1 / 8]]),
        (CrossEntropy(), [[0]], [[1]], math.log(2), [[-1 / 2]]),
        (LogLikelihood(), [[0, 0]], [0], math.log(2), [[-1 / 2, 1 / 2]]),
        (MeanSquaredError(), [[3]], [[1]], 4, [[4]]),
    ],
    ids=["quadratic", "cross-entropy", "log-likelihood", "mean-squared-error"],
)
def test_losses(loss, z, t, value, delta):
    got, cache = loss.forward(np.array(z, float), np.array(t))
    assert got == pytest.approx(value)
    assert_allclose(loss.backward(cache), delta)
    assert round(math.log(2), 4) == 0.6931


def test_bias():
    layer, y, grad_x = through(Bias(Given([10, 20])), [[1, 2]], [[3, 4]])
    assert_allclose(y, [[11, 22]])
    assert_allclose(layer.params["b"].grad, [3, 4])
    assert_allclose(grad_x, [[3, 4]])


def picture(rows):
    return np.array(rows, float)[None, :, :, None]


def test_dropout():
    for inverted, in_training, outside in ((True, [6, 0], [3, 4]), (False, [3, 0], [1.5, 2])):
        layer = Dropout(0.5, inverted)
        layer.rng = SimpleNamespace(random=lambda shape, dtype: np.array([[0.7, 0.2]], dtype))  # m = [1 0]
        y, cache = layer.forward(np.array([[3.0, 4.0]]), training=True)
        assert_allclose(y, [in_training])
        assert_allclose(layer.backward(np.ones((1, 2)), cache), [[2 if inverted else 1, 0]])
        assert_allclose(layer.forward(np.array([[3.0, 4.0]]))[0], [outside])


def test_changes_of_shape():
    square, row = [[[1, 2], [3, 4]]], [[1, 2, 3, 4]]
    for layer, x, y in ((Flatten(), square, row), (Reshape((2, 2)), row, square)):
        _, got, grad_x = through(layer, x, y)
        assert_allclose(got, y)
        assert_allclose(grad_x, x)


def test_conv():
    kernel = Given(np.array([[1, 2], [3, 4]]).reshape(2, 2, 1, 1))
    g = picture([[1, 1], [1, 1]])
    layer, y, grad_x = through(Conv2D(1, 2, weights=kernel), picture([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), g)
    assert_allclose(y, picture([[37, 47], [67, 77]]))
    assert_allclose(layer.params["W"].grad[:, :, 0, 0], [[12, 16], [24, 28]])
    assert_allclose(grad_x, picture([[1, 3, 2], [4, 10, 6], [3, 7, 4]]))


def test_pooling():
    x = picture([[1, 2], [4, 3]])
    _, y, grad_x = through(MaxPool2D(2), x, picture([[5]]))
    assert y == 4
    assert_allclose(grad_x, picture([[0, 0], [5, 0]]))
    for layer, g in ((AveragePool2D(2), picture([[4]])), (GlobalAveragePool(), [[4]])):
        _, y, grad_x = through(layer, x, g)
        assert y == 2.5
        assert_allclose(grad_x, picture([[1, 1], [1, 1]]))


def test_normalization():
    g = np.array([[4.0, 0, 0, 0]])
    layer, y, grad_x = through(BatchNorm(epsilon=0), [[1], [1], [3], [3]], g.T, training=True)
    assert_allclose(y, [[-1], [-1], [1], [1]])
    assert_allclose(layer.buffers["running_mean"], [0.2])
    assert_allclose(layer.buffers["running_var"], [0.9 + 0.1 * 4 / 3])
    assert_allclose([layer.params["gamma"].grad[0], layer.params["beta"].grad[0]], [-4, 4])
    assert_allclose(grad_x, [[2], [-2], [0], [0]])
    layer, y, grad_x = through(LayerNorm(epsilon=0), [[1, 1, 3, 3]], g)
    assert_allclose(y, [[-1, -1, 1, 1]])
    assert_allclose(layer.params["gamma"].grad, [-4, 0, 0, 0])
    assert_allclose(layer.params["beta"].grad, [4, 0, 0, 0])
    assert_allclose(grad_x, [[2, -2, 0, 0]])


def recurrent(layer, x, **values):
    layer = Network([layer], np.shape(x)[1:], "mse", dtype="float64").layers[0]
    for p in layer.params.values():
        p.value[:] = 0
    for name, value in values.items():
        layer.params[name].value[:] = value
    return layer.forward(np.asarray(x, float))[0]


def test_recurrent():
    y = recurrent(SimpleRNN(1, returns="all"), [[[1], [0]]], W=1, U=1)
    assert_allclose(y.ravel(), [0.7616, 0.6420], atol=5e-5)
    b_g = 0.8
    y = recurrent(LSTM(1, returns="all"), [[[5], [6]]], b=[0, 0, b_g, 0])
    assert_allclose(y.ravel(), 0.5 * np.tanh([0.5 * np.tanh(b_g), 0.75 * np.tanh(b_g)]))
    for reset in ("after", "before"):
        y = recurrent(GRU(1, returns="all", reset=reset), [[[5], [6]]], b=[0, 0, b_g])
        assert_allclose(y.ravel(), [0.5 * np.tanh(b_g), 0.75 * np.tanh(b_g)])


@pytest.mark.parametrize(
    "layer, x, y, g, grad_x",
    [
        (Slice(indices=[2, 0]), [5, 6, 7], [7, 5], [1, 2], [2, 0, 1]),
        (Sequential([ReLU(), ReLU()]), [-1, 3], [0, 3], [1, 1], [0, 1]),
        (Residual([ReLU()]), [2, -2], [4, -2], [1, 1], [2, 1]),
        (Branches([[], [ReLU()]]), [-3], [-3, 0], [1, 1], [1]),
        (Branches([[], [ReLU()]], merge="sum"), [-3], [-3], [1], [1]),
        (PerNeuron(["relu", "linear"], [[0], [1]]), [-3, -3], [0, -3], [1, 1], [0, 1]),
    ],
    ids=repr,
)
def test_wiring(layer, x, y, g, grad_x):
    _, got, got_grad = through(layer, [x], [g])
    assert_allclose(got, [y])
    assert_allclose(got_grad, [grad_x])
