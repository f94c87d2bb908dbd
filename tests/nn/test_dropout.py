"""Dropout: how much is left out, that the sum keeps its size, and that it rests outside of training."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError
from digitlab.nn import Dense, Dropout, Network, load_network
from digitlab.nn.io.files import save_network


def made(rate=0.3, seed=0):
    layer = Dropout(rate)
    layer.init((1000,), np.random.default_rng(seed))
    return layer


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_share_left_out_and_the_expected_value(rate):
    x = np.ones((200, 1000))
    y, _ = made(rate).forward(x, training=True)
    assert set(np.unique(y)) == {0, 1 / (1 - rate)}
    spread = np.sqrt(rate * (1 - rate) / x.size)
    assert abs((y == 0).mean() - rate) < 5 * spread
    assert abs(y.mean() - 1) < 5 * spread / (1 - rate)


def test_outside_of_training_everything_passes():
    x = np.random.default_rng(1).normal(size=(3, 4))
    y, cache = made().forward(x)
    assert y is x
    g = np.ones_like(x)
    assert made().backward(g, cache) is g


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_the_books_form_shrinks_afterwards_instead(rate):
    """The same function with weights 1/(1 − rate) times as large, and gradients 1 − rate times those."""
    x = np.random.default_rng(1).normal(size=(5, 1000))
    book, usual = Dropout(rate, inverted=False), made(rate)
    book.init((1000,), np.random.default_rng(0))
    (y, cache), (z, seen) = book.forward(x, training=True), usual.forward(x, training=True)
    assert_allclose(y, z * (1 - rate))
    assert_allclose(book.backward(np.ones_like(x), cache), usual.backward(np.ones_like(x), seen) * (1 - rate))
    y, cache = book.forward(x)
    assert_allclose(y, x * (1 - rate))
    assert_allclose(book.backward(np.ones_like(x), cache), np.full(x.shape, 1 - rate))


def test_rate_0_passes_everything_in_training_too():
    x = np.ones((3, 4))
    assert_array_equal(made(0.0).forward(x, training=True)[0], x)


def test_the_error_goes_back_where_the_number_passed():
    x = np.random.default_rng(1).normal(size=(5, 40))
    layer = made()
    y, cache = layer.forward(x, training=True)
    grad_x = layer.backward(np.ones_like(x), cache)
    assert_array_equal(grad_x == 0, y == 0)
    assert_allclose(grad_x * x, y)


def test_reproducible_and_different_from_batch_to_batch():
    x, one, two = np.ones((4, 50)), made(seed=3), made(seed=3)
    first = one.forward(x, training=True)[0]
    assert_array_equal(two.forward(x, training=True)[0], first)
    assert not np.array_equal(one.forward(x, training=True)[0], first)
    assert not np.array_equal(made(seed=4).forward(x, training=True)[0], first)


def test_two_layers_of_a_loaded_network_draw_different_masks(tmp_path):
    save_network(
        Network([Dense(50), Dropout(), Dense(50), Dropout(), Dense(2)], 50, seed=0), tmp_path / "n.safetensors"
    )
    for net in (load_network(tmp_path / "n.safetensors"), Network([Dropout(), Dropout()], 50, seed=None)):
        one, two = (layer.rng.random(100) for layer in net.layers if isinstance(layer, Dropout))
        assert not np.array_equal(one, two)


def test_two_layers_of_a_network_draw_different_masks():
    net = Network([Dropout(), Dropout()], 100, seed=0)
    x = np.ones((1, 100), "float32")
    one, two = (layer.forward(x, training=True)[0] for layer in net.layers)
    assert not np.array_equal(one, two)


def test_a_copy_goes_on_with_the_same_masks():
    net = Network([Dense(50), Dropout()], 100, seed=0)
    x = np.ones((2, 100), "float32")
    net.forward(x, training=True)
    twin = net.copy()
    assert_array_equal(twin.forward(x, training=True)[0], net.forward(x, training=True)[0])


def test_the_mask_is_the_same_in_any_precision():
    masks = [made().forward(np.ones((3, 30), dtype), training=True)[0] == 0 for dtype in ("float32", "float64")]
    assert_array_equal(*masks)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, float("nan")])
def test_impossible_rates(rate):
    with pytest.raises(ConfigError, match="expected 0 ≤ rate < 1"):
        Dropout(rate)
