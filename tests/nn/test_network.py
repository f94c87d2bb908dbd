"""Networks: forward, backward, one step by hand, what they take as input, names, copies, and their errors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError, DataError, ShapeError
from digitlab.nn import (
    CrossEntropy,
    Dense,
    Flatten,
    Given,
    Layer,
    Linear,
    LogLikelihood,
    Loss,
    Network,
    Quadratic,
    ReLU,
    Reshape,
    Sigmoid,
    mlp,
)
from digitlab.nn.containers import Branches, Residual


def sigma(z):
    return 1 / (1 + np.exp(-z))


@pytest.fixture
def by_hand():
    """Two inputs, two sigmoid neurons, one sigmoid output."""
    return Network(
        [Dense(2, Given([[1, -1], [2, 0]]), Given([0.5, 0])), Sigmoid(), Dense(1, Given([[1], [-2]]), Given([0.25]))],
        2,
        Quadratic(),
        dtype="float64",
    )


def test_the_four_equations_of_backpropagation(by_hand):
    """Nielsen ch. 2, written out without a layer: BP1 to BP4 in his indices."""
    x, t = np.array([[0.3, -0.2]]), np.array([[1.0]])
    w2, b2 = np.array([[1.0, 2], [-1, 0]]), np.array([0.5, 0])  # w_jk: neuron k to neuron j
    w3, b3 = np.array([[1.0, -2]]), np.array([0.25])
    a1 = x[0]
    a2 = sigma(w2 @ a1 + b2)
    a3 = sigma(w3 @ a2 + b3)
    delta3 = (a3 - t[0]) * a3 * (1 - a3)  # BP1
    delta2 = (w3.T @ delta3) * a2 * (1 - a2)  # BP2
    loss = by_hand.gradient(x, t)
    grads = {name: p.grad for name, p in by_hand.parameters().items()}
    assert loss == pytest.approx(0.5 * ((a3 - t[0]) ** 2).sum())
    assert_allclose(grads["2.b"], delta3)  # BP3
    assert_allclose(grads["2.W"], np.outer(delta3, a2).T)  # BP4, transposed: our W is (in, out)
    assert_allclose(grads["0.b"], delta2)
    assert_allclose(grads["0.W"], np.outer(delta2, a1).T)


def test_gradients_are_means_over_the_batch(by_hand):
    x, t = np.random.default_rng(0).random((5, 2)), np.random.default_rng(1).random((5, 1))
    alone = []
    for i in range(5):
        by_hand.gradient(x[i : i + 1], t[i : i + 1])
        alone.append(by_hand.parameters()["0.W"].grad)
    by_hand.gradient(x, t)
    assert_allclose(by_hand.parameters()["0.W"].grad, np.mean(alone, axis=0), rtol=1e-13)


def test_gradients_are_assigned_not_added_up(by_hand):
    x, t = np.ones((1, 2)), np.ones((1, 1))
    by_hand.gradient(x, t)
    first = by_hand.parameters()["0.W"].grad.copy()
    by_hand.gradient(x, t)
    assert_array_equal(by_hand.parameters()["0.W"].grad, first)


def test_a_step_against_the_gradient_lowers_the_loss():
    net, rng = mlp([6, 5, 3], loss="log-likelihood", dtype="float64"), np.random.default_rng(0)
    x, t = rng.random((8, 6)), rng.integers(0, 3, 8)
    before = net.gradient(x, t)
    for p in net.parameters().values():
        p.value = p.value - 0.1 * p.grad
    assert net.gradient(x, t) < before


def test_backward_returns_the_gradient_by_the_input(by_hand):
    x = np.array([[0.3, -0.2]])
    logits, caches = by_hand.forward(x)
    grad_x = by_hand.backward(np.ones_like(logits), caches)
    nudged = x + np.array([[1e-6, 0]])
    assert grad_x[0, 0] == pytest.approx((by_hand.forward(nudged)[0] - logits)[0, 0] / 1e-6, rel=1e-5)


def test_predict_is_the_losss_activation(by_hand):
    x = np.random.default_rng(0).random((5, 2))
    assert_allclose(by_hand.predict(x), sigma(by_hand.forward(x)[0]))
    outputs = Network([Linear()], 3, LogLikelihood()).predict(np.ones((2, 3)))
    assert_allclose(outputs, 1 / 3, rtol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
def test_predict_in_batches_is_predict_at_once(by_hand, batch_size):
    x = np.random.default_rng(0).random((5, 2))
    assert_allclose(by_hand.predict(x, batch_size=batch_size), by_hand.predict(x), rtol=1e-14)


# ---- what goes in ----


def test_pixel_bytes_are_scaled_and_numbers_are_not():
    net = Network([Linear()], 2, CrossEntropy())
    bytes_ = np.array([[0, 255]], np.uint8)
    assert_allclose(net.prepare(bytes_), [[0, 1]], rtol=1e-6)
    assert net.prepare(bytes_).dtype == np.float32
    floats = np.array([[0, 255]], np.float32)
    assert net.prepare(floats) is floats
    assert net.prepare(floats.astype("float64")).dtype == np.float32


@pytest.mark.parametrize(
    "scaling, expected", [("/256", 255 / 256), ("0.01-1", 1.0), ("none", 255), ((2.0, -1.0), 509), ([0.5, 0], 127.5)]
)
def test_each_scaling(scaling, expected):
    net = Network([Linear()], 1, scaling=scaling)
    assert net.prepare(np.array([[255]], np.uint8))[0, 0] == pytest.approx(expected)


def test_pictures_are_laid_out_as_the_first_layer_takes_them():
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    flat = Network([Linear()], 12, scaling="none")
    assert_array_equal(flat.prepare(images), images.reshape(2, 12))
    pictures = Network([Linear()], (3, 4, 1), scaling="none")
    assert_array_equal(pictures.prepare(images), images[..., None])
    assert_array_equal(pictures.prepare(images.reshape(2, 12)), images[..., None])


@pytest.mark.parametrize(
    "shape, message",
    [
        ((2, 5), r"got input of shape \(2, 5\), expected \(N, 4\)$"),
        ((4,), r"got input of shape \(4,\).*needs a batch axis: x\[None\]"),
        ((), r"got input of shape \(\)"),
        ((2, 2, 2, 2), r"expected \(N, 4\)"),
    ],
)
def test_input_of_another_size_is_refused(shape, message):
    with pytest.raises(ShapeError, match=message):
        Network([Dense(2)], 4).forward(np.zeros(shape))


def test_an_empty_set_is_refused():
    with pytest.raises(DataError, match="empty set"):
        Network([Dense(2)], 4).forward(np.zeros((0, 4)))
    with pytest.raises(DataError, match="empty set"):
        Network([Dense(2)], 4).predict(np.zeros((0, 4)))


def test_input_of_another_kind_is_refused():
    with pytest.raises(DataError, match="expected pixel bytes"):
        Network([Dense(2)], 4).forward(np.zeros((1, 4), "complex128"))


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint16"])
def test_whole_numbers_are_numbers_unless_they_are_uint8(dtype):
    x = np.array([[0, 1, 1, 0]], dtype)
    assert_array_equal(Network([Linear()], 4).prepare(x), [[0, 1, 1, 0]])


# ---- how it is put together ----


def test_shapes_are_worked_out():
    net = Network([Flatten(), Dense(5), ReLU(), Dense(6), Reshape((3, 2))], (2, 2, 1))
    assert net.shapes == [(2, 2, 1), (4,), (5,), (5,), (6,), (3, 2)]


def test_layers_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"layer 1, Dense\(5\): got input of shape \(2, 2\).*Flatten"):
        Network([ReLU(), Dense(5)], (2, 2))
    with pytest.raises(ShapeError, match=r"layer 2, Reshape\(\(2, 2\)\): got input of shape \(5,\)"):
        Network([Dense(5), ReLU(), Reshape((2, 2))], 4, "mse")


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "10", None])
def test_a_dense_layer_has_at_least_one_neuron(wrong):
    with pytest.raises(ConfigError, match="out_features"):
        Dense(wrong)


def test_a_layer_has_one_place():
    layer = Dense(4)
    with pytest.raises(ConfigError, match="layer 1, Dense"):
        Network([layer, layer], 4)


def test_seeds():
    def weights(seed, *layers):
        return Network(list(layers) or [Dense(3), Dense(2)], 4, seed=seed).parameters()["0.W"].value

    assert_array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))
    assert_array_equal(weights(1), weights(np.random.default_rng(1)))
    # a change in one layer leaves the others' first weights alone
    other = Network([Dense(3), Dense(7)], 4, seed=1)
    assert_array_equal(weights(1), other.parameters()["0.W"].value)


def test_the_global_rng_is_never_touched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (it is the global state that is looked at)
    net = mlp([4, 3, 2], dropout=0.5, seed=None)
    mlp([4, 3, 2], dropout=0.5).gradient(np.ones((2, 4)), np.array([0, 1]), training=True)
    net.forward(np.ones((2, 4)), training=True)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_dtype():
    assert mlp([4, 3, 2]).parameters()["0.W"].value.dtype == np.float32
    net = mlp([4, 3, 2], dtype="float64")
    assert net.predict(np.ones((1, 4), "float32")).dtype == np.float64


def test_biases_do_not_decay_and_weights_do():
    assert {name: p.regularized for name, p in mlp([4, 3, 2]).parameters().items()} == {
        "0.W": True,
        "0.b": False,
        "2.W": True,
        "2.b": False,
    }


def test_names_reach_into_layers():
    net = Network([Residual([Dense(4), ReLU()]), Branches({"a": [Dense(2)], "b": [Dense(1)]})], 4)
    assert list(net.parameters()) == ["0.0.W", "0.0.b", "1.a.0.W", "1.a.0.b", "1.b.0.W", "1.b.0.b"]


def test_a_copy_is_independent():
    net = mlp([4, 3, 2], dropout=0.5)
    twin = net.copy()
    twin.parameters()["0.W"].value[:] = 0
    twin.forward(np.ones((2, 4)), training=True)
    assert net.parameters()["0.W"].value.any()
    assert net.layers[2].rng.bit_generator.state == mlp([4, 3, 2], dropout=0.5).layers[2].rng.bit_generator.state


def test_repr_is_how_one_would_write_it():
    assert repr(mlp([4, 3, 2], init="he")) == (
        "Network([Dense(3, weights=He()), Sigmoid(), Dense(2, weights=He())], input_shape=(4,), loss=Quadratic())"
    )


def test_summary_counts_every_number():
    net = Network([Residual([Dense(4), ReLU()]), Dense(2)], 4)
    lines = net.summary().splitlines()
    assert lines[-1].split() == ["total", str(4 * 4 + 4 + 4 * 2 + 2)]
    assert any("Dense(2)" in line and line.split()[-1] == "10" for line in lines)


def test_connections_hold_their_zeros():
    mask = [[1, 0], [0, 1], [1, 1]]
    net = Network([Dense(2, connections=mask)], 3, dtype="float64")
    W = net.parameters()["0.W"]
    assert_array_equal(W.value == 0, np.array(mask) == 0)
    net.gradient(np.ones((2, 3)), np.ones((2, 2)))
    assert_array_equal(W.grad == 0, np.array(mask) == 0)
    with pytest.raises(ShapeError, match=r"expected \(in, out\) = \(4, 2\)"):
        Network([Dense(2, connections=mask)], 4)


def test_base_classes_say_what_is_missing():
    for call in (
        lambda: Layer().forward(np.ones(1)),
        lambda: Layer().backward(np.ones(1), None),
        lambda: Loss().activation(np.ones(1)),
        lambda: Loss().forward(np.ones(1), np.ones(1)),
        lambda: Loss().backward(None),
    ):
        with pytest.raises(TypeError, match="has no"):
            call()


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"layers": []}, r"layers: got \[\], expected a list with at least one layer"),
        ({"layers": [Dense(2), "relo"]}, r"layer 1: unknown layer 'relo' \(did you mean 'relu'"),
        ({"layers": [[Dense(2)]]}, "layer 0: a layer: got "),
        ({"layers": "relu"}, "layers: got 'relu'"),
        ({"dtype": "float16"}, "dtype: got 'float16', expected 'float32' or 'float64'"),
        ({"input_shape": (4, 0)}, r"input_shape: got \(4, 0\), expected positive whole numbers"),
        ({"input_shape": "784"}, "input_shape: got '784'"),
        ({"input_shape": 2.5}, "input_shape: got 2.5"),
    ],
)
def test_what_no_network_can_be_made_of(settings, words):
    given = {"layers": [Dense(2)], "input_shape": 3} | settings
    with pytest.raises(ConfigError, match=words):
        Network(**given)
