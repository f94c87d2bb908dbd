"""Masks: what is not connected has no weight, and the builders connect what they say."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import (
    Conv2D,
    Dense,
    Flatten,
    MeanSquaredError,
    Network,
    all_connections,
    block_connections,
    describe_network,
    load_network,
    local_connections,
    random_connections,
)
from digitlab.optim import SGD
from digitlab.train import Trainer

from .plain import numbers, train


def test_what_is_not_connected_has_no_weight_and_no_gradient():
    mask = random_connections(6, 4, 0.5, 0)
    net = Network([Dense(4, connections=mask)], 6, MeanSquaredError(), dtype="float64")
    off = np.asarray(mask) == 0
    W = net.parameters()["0.W"]
    train(net, numbers(20, 6), numbers(20, 4, seed=1), rate=0.1, epochs=5)
    assert off.any()
    assert not W.value[off].any()
    assert not W.grad[off].any()
    assert W.value[~off].all()
    y = net.forward(numbers(3, 6))[0]
    W.value = np.where(off, 99.0, W.value)  # whatever stands there counts as 0
    assert_array_equal(net.forward(numbers(3, 6))[0], y)


def test_masks_are_shown_in_few_characters_and_kept_in_files(tmp_path):
    net = Network([Dense(30, connections=random_connections(784, 30, 0.1, 0))], 784)
    assert repr(net.layers[0]) == "Dense(30, connections=<2,340 of 23,520>)"
    assert "connections=<2,340 of 23,520>" in net.summary()
    assert "2,370" in net.summary()  # 2,340 weights and 30 biases learn
    net.save(tmp_path / "net.safetensors")
    again = load_network(tmp_path / "net.safetensors")
    assert_array_equal(again.layers[0].buffers["connections"], net.layers[0].buffers["connections"])
    assert again.layers[0].connections == net.layers[0].connections


def test_builders_by_hand():
    assert all_connections(2, 3) == [[1, 1, 1], [1, 1, 1]]
    assert block_connections(4, 2, 2) == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert local_connections((2, 4), 2) == [[1, 0], [1, 0], [0, 1], [0, 1]] * 2
    assert np.sum(local_connections((4, 4, 3), 2), axis=0).tolist() == [12] * 4
    assert np.asarray(local_connections((5, 5), 3, stride=1)).shape == (25, 9)
    assert np.sum(random_connections(10, 4, 0.3, 0), axis=0).tolist() == [3] * 4
    assert random_connections(10, 4, 0.3, 7) == random_connections(10, 4, 0.3, np.random.default_rng(7))


def test_local_fields_are_a_convolution_that_does_not_share_weights():
    conv = Network([Conv2D(1, 2, biases=None), Flatten()], (3, 3, 1), dtype="float64")
    mask = local_connections((3, 3, 1), 2, stride=1)
    dense = Network([Flatten(), Dense(4, biases=None, connections=mask)], (3, 3, 1), dtype="float64")
    kernel = conv.parameters()["0.W"].value.ravel()
    W = np.zeros((9, 4))
    for neuron in range(4):
        W[np.asarray(mask)[:, neuron] == 1, neuron] = kernel
    dense.parameters()["1.W"].value = W
    x = numbers(5, 3, 3, 1)
    assert_allclose(dense.forward(x)[0], conv.forward(x)[0])


@pytest.mark.parametrize(
    "make, error, text",
    [
        (
            lambda: Dense(3, connections=all_connections(5, 3)),
            ShapeError,
            r"layer 0, Dense\(3\): got connections of shape \(5, 3\), expected \(in, out\) = \(4, 3\)",
        ),
        (lambda: Dense(3, connections=[[1, 2], [0, 1]]), ConfigError, "rows of 0 and 1"),
        (lambda: Dense(3, connections=[[1], [0, 1]]), ConfigError, "rows of 0 and 1"),
        (lambda: Dense(3, connections="all"), ConfigError, "rows of 0 and 1"),
        (lambda: Dense(3, connections=random_connections(4, 3, 1.5, 0)), ConfigError, "got share 1.5"),
        (lambda: Dense(3, connections=block_connections(4, 3, 4)), ConfigError, "expected 1 to 3"),
        (lambda: Dense(3, connections=local_connections((2, 2), 3)), ConfigError, "do not fit"),
    ],
)
def test_masks_that_do_not_fit_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        Network([make()], 4)


@pytest.mark.parametrize("way", ["spsa", "evolution-strategies", "forward-gradient", "backpropagation"])
def test_cut_connections_stay_cut_whichever_way_the_gradient_is_taken(way):
    rng, mask = np.random.default_rng(0), [[1, 0], [1, 1], [0, 1]]
    dense = Network([Dense(2, connections=mask)], 3, MeanSquaredError(), seed=0)
    conv = Network([Conv2D(2, 2, connections=[[1, 0]])], (3, 3, 1), MeanSquaredError(), seed=0)
    for network in (dense, conv):
        x, y = (rng.random((8, *shape), dtype=np.float32) for shape in (network.input_shape, network.shapes[-1]))
        Trainer(network, SGD(0.1), gradient=way, keep="last", batch_size=4).fit((x, y), epochs=2)
        layer = network.layers[0]
        cut = np.broadcast_to(layer.buffers["connections"] == 0, layer.params["W"].value.shape)
        assert not layer.params["W"].value[cut].any()
        assert layer.params["W"].value[~cut].all()


def test_masks_in_words_are_those_of_the_functions(tmp_path):
    network = Network([Dense(16, connections="local:7"), Dense(8, connections="block:4"), Dense(4)], 784)
    assert repr(network.layers[0]) == "Dense(16, connections='local:7')"
    assert_array_equal(network.layers[0].buffers["connections"], local_connections((28, 28), 7))
    assert_array_equal(network.layers[1].buffers["connections"], block_connections(16, 8, 4))
    random = Network([Dense(30, connections="random:0.1,5")], 784)
    assert_array_equal(random.layers[0].buffers["connections"], random_connections(784, 30, 0.1, 5))
    table = describe_network(network)
    assert table["layers"][0] == {"type": "Dense", "out_features": 16, "connections": "local:7"}
    network.save(tmp_path / "net.safetensors")
    assert_array_equal(
        load_network(tmp_path / "net.safetensors").layers[0].params["W"].value, network.layers[0].params["W"].value
    )


@pytest.mark.parametrize(
    "words, n_in, error, message",
    [
        ("locl:7", 784, ConfigError, "got 'locl:7', expected random:SHARE, block:BLOCKS, local:SIZE"),
        ("local", 784, ConfigError, "got 'local', expected"),
        ("random:many", 784, ConfigError, "got 'random:many', expected"),
        ("local:7", 785, ConfigError, "785 inputs are no square picture"),
        ("local:7", 784, ShapeError, "has 16 windows, one for each neuron; got 30 neurons"),
        ("random:1.5", 784, ConfigError, "got share 1.5"),
    ],
)
def test_words_that_make_no_mask(words, n_in, error, message):
    with pytest.raises(error, match=message):
        Network([Dense(30, connections=words)], n_in)
