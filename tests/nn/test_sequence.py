"""A network as the sequence of its layers: add, index, slice, count."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab import Conv2D, Dense, Dropout, Flatten, Net, Network, Sigmoid, Trainer, evaluate, load
from digitlab.errors import ConfigError, ShapeError


def grown():
    network = Network(input_shape=(6, 6, 1), seed=3)
    shown = [repr(network.add(layer)) for layer in (Conv2D(2, 3), "sigmoid", Flatten(), Dropout(), "dense:4")]
    return network, shown


def test_each_added_layer_shows_the_shape_it_leads_to():
    assert grown()[1] == [
        "Conv2D(2, 3): 6×6×1 → 4×4×2",
        "Sigmoid(): 4×4×2 → 4×4×2",
        "Flatten(): 4×4×2 → 32",
        "Dropout(): 32 → 32",
        "Dense(4): 32 → 4",
    ]


def test_a_grown_network_is_that_of_the_list():
    network = grown()[0]
    whole = Network([Conv2D(2, 3), Sigmoid(), Flatten(), Dropout(), Dense(4)], (6, 6, 1), seed=3)
    assert repr(network) == repr(whole)
    for name, array in whole.state().items():
        assert_array_equal(network.state()[name], array)
    x = np.ones((5, 6, 6, 1), np.float32)
    assert_array_equal(network.forward(x, training=True)[0], whole.forward(x, training=True)[0])


def test_layers_by_position_and_by_slice():
    network = grown()[0]
    assert len(network) == 5
    assert [type(layer).__name__ for layer in network] == ["Conv2D", "Sigmoid", "Flatten", "Dropout", "Dense"]
    assert network[-1] is network.layers[4]
    x = np.random.default_rng(0).random((3, 6, 6, 1)).astype(np.float32)
    middle = network[:2].forward(x)[0]
    assert middle.shape == (3, 4, 4, 2)
    assert_allclose(network[2:].forward(middle)[0], network.forward(x)[0])
    network[4].params["b"].value[:] = 7
    assert network[2:][-1].params["b"].value[0] == 7, "weights are shared"
    with pytest.raises(IndexError):
        network[5]
    for wrong in (slice(None, None, 2), slice(3, 3)):
        with pytest.raises(ConfigError, match="expected one or more consecutive layers"):
            network[wrong]


def test_what_does_not_fit_is_not_added():
    network = Network(input_shape=(6, 6, 1))
    with pytest.raises(ShapeError, match="layer 0, "):
        network.add(Dense(3))
    layer = network.add(Flatten()).layer
    with pytest.raises(ConfigError, match="is the same object as layer 0"):
        network.add(layer)
    assert len(network) == 1 == len(network.shapes) - 1


def test_a_network_that_is_not_complete_trains_nothing():
    digits = load("digits").train.first(20)
    network = Network(input_shape=64)
    with pytest.raises(ConfigError, match=r"has no layer yet; add one, as in network.add\(Dense\(10\)\)"):
        Trainer(network, "sgd").fit(digits, epochs=1)
    network.add(Dense(10))
    network.add(Sigmoid())
    with pytest.raises(ConfigError, match="leave this layer out"):
        Trainer(network).fit(digits, epochs=1)
    with pytest.raises(ConfigError, match="expected a list with at least one layer"):
        Network([], 64)


def test_a_net_does_where_a_network_is_expected():
    digits = load("digits").train.first(50)
    net = Net([64, 10])
    Trainer(net, "sgd:1").fit(digits, epochs=1)
    assert evaluate(net, digits) == evaluate(net.network, digits) == net.evaluate(digits)
    assert net.network.predict(digits).shape == (50, 10)
    with pytest.raises(ConfigError, match="network: got list, expected a Network or a Net"):
        evaluate([64, 10], digits)
