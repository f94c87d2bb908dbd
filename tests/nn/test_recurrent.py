"""Recurrent layers: worked examples, PyTorch, time, and what they say to shapes that do not fit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import GRU, LSTM, Bidirectional, Dense, LogLikelihood, Network, Reshape, SimpleRNN

LAYERS = [SimpleRNN(3), LSTM(3), GRU(3), GRU(3, reset="before"), Bidirectional(GRU(3))]
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


def ready(layer, shape, seed=0, dtype="float64"):
    """The layer with random parameters, biases too, so that no term is 0 by chance."""
    rng = np.random.default_rng(seed)
    layer.init(shape, rng, dtype=dtype)
    for each in [layer, *layer.children().values()]:
        for p in each.params.values():
            p.value = rng.normal(0, 0.6, p.value.shape).astype(dtype)
    return layer


def gradients(layer, x, grad_y):
    y, cache = layer.forward(x)
    grad_x = layer.backward(grad_y, cache)
    return y, grad_x, {key: p.grad for key, p in layer.params.items()}


# By hand


def test_simple_rnn_by_hand():
    layer = SimpleRNN(1, returns="all")
    layer.init((2, 1), None, dtype="float64")
    layer.params["W"].value[:] = layer.params["U"].value[:] = 1
    y, cache = layer.forward(np.array([[[1.0], [0.0]]]))
    h0 = math.tanh(1)
    h1 = math.tanh(h0)
    assert_allclose(y[0, :, 0], [h0, h1])
    assert_allclose(y[0, :, 0], [0.7616, 0.6420], atol=5e-5)
    # δ₁ = 1 − h₁², then δ₀ = δ₁ U (1 − h₀²): only the last state was asked for
    grad_x = layer.backward(np.array([[[0.0], [1.0]]]), cache)
    d1 = 1 - h1 * h1
    d0 = d1 * (1 - h0 * h0)
    assert_allclose(grad_x[0, :, 0], [d0, d1])
    assert_allclose(layer.params["W"].grad, [[1 * d0 + 0 * d1]])
    assert_allclose(layer.params["U"].grad, [[h0 * d1]])
    assert_allclose(layer.params["b"].grad, [d0 + d1])


def test_lstm_by_hand():
    layer = LSTM(1, returns="all")
    layer.init((2, 1), None, dtype="float64")
    layer.params["b"].value[:] = [0, 0, 0.8, 0]
    y, _ = layer.forward(np.zeros((1, 2, 1)))
    t = math.tanh(0.8)
    assert_allclose(y[0, :, 0], [math.tanh(t / 2) / 2, math.tanh(3 * t / 4) / 2])


@pytest.mark.parametrize("reset", ["after", "before"])
def test_gru_by_hand(reset):
    layer = GRU(1, returns="all", reset=reset)
    layer.init((2, 1), None, dtype="float64")
    layer.params["b"].value[:] = [0, 0, 0.8]
    y, _ = layer.forward(np.zeros((1, 2, 1)))
    assert_allclose(y[0, :, 0], [math.tanh(0.8) / 2, math.tanh(0.8) * 3 / 4])


def test_bidirectional_by_hand():
    layer = Bidirectional(SimpleRNN(2))
    ready(layer, (3, 1))
    for key, p in layer.layer.params.items():
        layer.backward_layer.params[key].value = p.value
    y, _ = layer.forward(np.array([[[1.0], [2.0], [1.0]]]))  # the same from both ends
    assert_allclose(y[:, :2], y[:, 2:])


# PyTorch. Its weight_ih (gates·H, F) is Wᵀ and its weight_hh is Uᵀ; its gates stand in our order: i f g o, r z n.
# It adds two biases where one would do; only GRU's candidate needs both, since r multiplies the second (our v).


def torch_twin(layer, features, torch, dtype, directions=1):
    kind = type(layer).__name__.removeprefix("Simple")
    twin = getattr(torch.nn, kind)(features, layer.units, batch_first=True, bidirectional=directions == 2)
    return twin.to(getattr(torch, dtype))


def copy_to_torch(layer, twin, torch, suffix=""):
    H, P = layer.units, {key: torch.asarray(p.value) for key, p in layer.params.items()}
    second = torch.linspace(-0.5, 0.5, P["b"].shape[0], dtype=P["b"].dtype)  # how a sum is split does not matter ...
    if "v" in P:
        second[2 * H :] = P["v"]
    first = P["b"] - second
    if "v" in P:
        first[2 * H :] = P["b"][2 * H :]  # ... but for GRU's candidate
    with torch.no_grad():
        for name, value in [("weight_ih", P["W"].T), ("weight_hh", P["U"].T), ("bias_ih", first), ("bias_hh", second)]:
            getattr(twin, f"{name}_l0{suffix}").copy_(value)


def check_gradients_of(layer, twin, tolerance, suffix=""):
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    grads = {name: getattr(twin, f"{name}_l0{suffix}").grad for name in names}
    assert_allclose(layer.params["W"].grad, grads["weight_ih"].T, rtol=tolerance, atol=tolerance)
    assert_allclose(layer.params["U"].grad, grads["weight_hh"].T, rtol=tolerance, atol=tolerance)
    assert_allclose(layer.params["b"].grad, grads["bias_ih"], rtol=tolerance, atol=tolerance)
    if "v" in layer.params:
        candidate = slice(2 * layer.units, None)
        assert_allclose(layer.params["v"].grad, grads["bias_hh"][candidate], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(deadline=None, max_examples=25)
@given(
    n=st.integers(1, 4),
    steps=st.integers(1, 6),
    features=st.integers(1, 5),
    units=st.integers(1, 5),
    returns=st.sampled_from(["last", "all"]),
    seed=st.integers(0, 1000),
)
def test_agrees_with_pytorch(kind, dtype, n, steps, features, units, returns, seed):
    torch, tolerance = pytest.importorskip("torch"), TOLERANCE[dtype]
    layer = ready(kind(units, returns=returns), (steps, features), seed, dtype)
    twin = torch_twin(layer, features, torch, dtype)
    copy_to_torch(layer, twin, torch)
    rng = np.random.default_rng(seed + 1)
    x = rng.normal(size=(n, steps, features)).astype(dtype)
    leaf = torch.tensor(x, requires_grad=True)
    states, _ = twin(leaf)
    expected = states if returns == "all" else states[:, -1]
    grad_y = rng.normal(size=tuple(expected.shape)).astype(dtype)
    expected.backward(torch.asarray(grad_y))
    y, grad_x, _ = gradients(layer, x, grad_y)
    assert y.dtype == grad_x.dtype == np.dtype(dtype)
    assert_allclose(y, expected.detach(), rtol=tolerance, atol=tolerance)
    assert_allclose(grad_x, leaf.grad, rtol=tolerance, atol=tolerance)
    check_gradients_of(layer, twin, tolerance)


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
@pytest.mark.parametrize("returns", ["last", "all"])
def test_bidirectional_agrees_with_pytorch(kind, returns):
    torch = pytest.importorskip("torch")
    layer = ready(Bidirectional(kind(3, returns=returns)), (4, 2))
    twin = torch_twin(layer.layer, 2, torch, "float64", directions=2)
    copy_to_torch(layer.layer, twin, torch)
    copy_to_torch(layer.backward_layer, twin, torch, "_reverse")
    x = np.random.default_rng(1).normal(size=(3, 4, 2))
    leaf = torch.tensor(x, requires_grad=True)
    states, _ = twin(leaf)
    # the last state of the reader from the right is the one it has at step 0
    expected = states if returns == "all" else torch.cat([states[:, -1, :3], states[:, 0, 3:]], dim=1)
    expected.backward(torch.ones_like(expected))
    y, grad_x, _ = gradients(layer, x, np.ones(tuple(expected.shape)))
    assert_allclose(y, expected.detach(), atol=1e-10)
    assert_allclose(grad_x, leaf.grad, atol=1e-10)
    check_gradients_of(layer.layer, twin, 1e-10)
    check_gradients_of(layer.backward_layer, twin, 1e-10, "_reverse")


# Time


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_reverse_is_the_same_layer_on_the_reversed_sequence(kind):
    ahead, back = ready(kind(3, returns="all"), (5, 2)), ready(kind(3, returns="all", reverse=True), (5, 2))
    x, g = np.random.default_rng(1).normal(size=(2, 5, 2)), np.random.default_rng(2).normal(size=(2, 5, 3))
    y, grad_x, grads = gradients(ahead, x, g)
    y_back, grad_x_back, grads_back = gradients(back, x[:, ::-1], g[:, ::-1])
    assert_allclose(y_back, y[:, ::-1])
    assert_allclose(grad_x_back, grad_x[:, ::-1])
    for key in grads:
        assert_allclose(grads_back[key], grads[key])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_last_is_the_end_of_all(kind, reverse):
    last, every = (ready(kind(3, returns=r, reverse=reverse), (4, 2)) for r in ("last", "all"))
    x = np.random.default_rng(1).normal(size=(2, 4, 2))
    assert_array_equal(last.forward(x)[0], every.forward(x)[0][:, 0 if reverse else -1])


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_a_cache_serves_twice(layer):
    layer = ready(layer, (4, 2))
    x = np.random.default_rng(1).normal(size=(2, 4, 2))
    y, cache = layer.forward(x)
    assert_array_equal(layer.backward(y, cache), layer.backward(y, cache))


def test_the_steps_see_only_the_past():
    layer = ready(LSTM(3, returns="all"), (5, 2))
    x = np.random.default_rng(1).normal(size=(1, 5, 2))
    other = x.copy()
    other[:, 3] += 1
    y, z = layer.forward(x)[0], layer.forward(other)[0]
    assert_array_equal(y[:, :3], z[:, :3])
    assert np.abs(y[:, 3:] - z[:, 3:]).min() > 0


def test_an_open_forget_gate_carries_the_error_over_a_hundred_steps():
    """Why there are LSTMs: along the cells nothing is lost, where the simple layer's error has vanished."""
    sizes = {}
    for layer in (LSTM(4, forget_bias=20.0), SimpleRNN(4)):
        layer.init((100, 2), np.random.default_rng(0), dtype="float64")
        if isinstance(layer, SimpleRNN):
            layer.params["U"].value *= 0.5
        y, cache = layer.forward(np.random.default_rng(1).normal(size=(3, 100, 2)))
        sizes[type(layer)] = np.abs(layer.backward(np.ones_like(y), cache)[:, 0]).max()
    assert sizes[LSTM] > 1e-4 > 1e-20 > sizes[SimpleRNN]


def test_they_learn_to_remember_the_first_step():
    """A flag at the first of 12 steps, noise after it: the last state has to tell which flag it was."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 64)
    x = rng.normal(0, 0.3, (64, 12, 1))
    x[:, 0, 0] = 2.0 * labels - 1
    net = Network([LSTM(8), Dense(2)], (12, 1), LogLikelihood(), dtype="float64", seed=1)
    for _ in range(60):
        net.gradient(x, labels)
        for p in net.parameters().values():
            p.value = p.value - 0.5 * p.grad
    assert (net.predict(x).argmax(axis=1) == labels).all()


# Choices, first values, errors


def test_they_stack():
    net = Network([LSTM(4, returns="all"), Bidirectional(GRU(3, returns="all")), SimpleRNN(2), Dense(2)], (5, 3))
    assert net.shapes == [(5, 3), (5, 4), (5, 6), (2,), (2,)]
    assert "1.forward.U" in net.parameters()
    assert "1.backward.U" in net.parameters()


def test_a_new_lstm_begins_by_remembering():
    layer = LSTM(3)
    layer.init((4, 2), np.random.default_rng(0))
    assert_array_equal(layer.params["b"].value, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    layer = LSTM(3, forget_bias=0.0)
    layer.init((4, 2), np.random.default_rng(0))
    assert not layer.params["b"].value.any()


def test_recurrent_weights_begin_orthogonal_in_each_gate():
    layer = GRU(4)
    layer.init((3, 5), np.random.default_rng(0), dtype="float64")
    for gate in range(3):
        U = layer.params["U"].value[:, 4 * gate : 4 * gate + 4]
        assert_allclose(U @ U.T, np.eye(4), atol=1e-12)


def test_the_two_readers_start_with_different_weights():
    layer = Bidirectional(SimpleRNN(3))
    layer.init((4, 2), np.random.default_rng(0))
    assert (layer.layer.params["W"].value != layer.backward_layer.params["W"].value).all()


def test_biases_do_not_decay():
    layer = GRU(2)
    layer.init((3, 2), np.random.default_rng(0))
    assert {key: p.regularized for key, p in layer.params.items()} == {"W": True, "U": True, "b": False, "v": False}


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize(
    "shape, mend",
    [
        ((784,), r"Reshape\(\(28, 28\)\)"),
        ((28, 28, 1), r"Reshape\(\(28, 28\)\)"),
        ((28, 28, 3), r"Reshape\(\(28, 84\)\)"),
    ],
)
def test_pictures_are_refused_with_the_reshape_that_helps(layer, shape, mend):
    with pytest.raises(ShapeError, match=rf"layer 0, .*got input of shape .*expected \(steps, features\).*{mend}"):
        Network([layer], shape)


def test_a_colour_picture_is_read_row_by_row():
    net = Network([Reshape((28, 84)), SimpleRNN(5), Dense(10)], (28, 28, 3))
    assert net.predict(np.zeros((2, 28, 28, 3), np.uint8)).shape == (2, 10)


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: LSTM(3, returns="first"), "LSTM: got returns='first', expected 'last' or 'all'"),
        (lambda: SimpleRNN(0), "SimpleRNN: got 0 units"),
        (lambda: GRU(3, reset="never"), "GRU: got reset='never', expected 'after' or 'before'"),
        (lambda: Bidirectional(Dense(3)), r"Bidirectional: got Dense\(3\), expected a recurrent layer"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, text):
    with pytest.raises(ConfigError, match=text):
        make()
