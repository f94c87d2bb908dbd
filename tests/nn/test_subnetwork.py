"""Networks within networks."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import (
    Branches,
    CrossEntropy,
    Dense,
    Dropout,
    LogLikelihood,
    Network,
    Subnetwork,
    Tanh,
    build_network,
    describe_network,
    freeze,
    load_network,
    mlp,
    unfreeze,
)

from .plain import numbers, train


def test_a_subnetwork_computes_what_its_network_does():
    inner = mlp([4, 5, 3], loss="log-likelihood", seed=1, dtype="float64")
    x = numbers(6, 4)
    assert_array_equal(Network([Subnetwork(inner)], 4, dtype="float64").forward(x)[0], inner.forward(x)[0])
    net = Network([Subnetwork(inner, outputs="activations"), Dense(2)], (2, 2), dtype="float64")
    assert_array_equal(net.layers[0].forward(x.reshape(6, 2, 2))[0], inner.predict(x))
    before = inner.copy().state()
    train(net, x.reshape(6, 2, 2), np.arange(6) % 2, rate=1.0, epochs=2)
    for key, array in inner.state().items():
        assert_array_equal(array, before[key], err_msg="the layer works on a copy")
    assert (net.parameters()["0.0.W"].value != before["0.W"]).any()


@pytest.mark.parametrize("frozen", [False, True])
def test_a_trained_subnetwork_is_saved_in_the_same_file(tmp_path, frozen):
    inner = Network([Dense(5), Tanh(), Dropout(0.5), Dense(3)], 4, CrossEntropy(), seed=3)
    freeze(inner, "0.b")
    inner.save(tmp_path / "inner.safetensors")
    net = Network([Subnetwork(tmp_path / "inner.safetensors", frozen=frozen), Dense(2)], 4, LogLikelihood(), seed=4)
    assert_array_equal(net.parameters()["0.0.W"].value, inner.parameters()["0.W"].value)
    train(net, numbers(8, 4), np.arange(8) % 2, rate=0.5, epochs=2)
    assert (net.parameters()["0.3.W"].value == inner.parameters()["3.W"].value).all() == frozen
    assert_array_equal(net.parameters()["0.0.b"].value, inner.parameters()["0.b"].value)
    net.save(tmp_path / "net.safetensors")
    (tmp_path / "inner.safetensors").unlink()
    again = load_network(tmp_path / "net.safetensors")
    assert again.layers[0].frozen == frozen
    assert {key: p.trainable for key, p in again.parameters().items()} == {
        key: p.trainable for key, p in net.parameters().items()
    }
    assert_array_equal(again.predict(numbers(8, 4)), net.predict(numbers(8, 4)))
    assert describe_network(again) == describe_network(net)
    unfreeze(again, "0.0.b")
    rebuilt = build_network(json.loads(json.dumps(describe_network(again))))
    assert rebuilt.parameters()["0.0.b"].trainable is not frozen


def test_dropout_rests_in_a_frozen_subnetwork():
    inner = Network([Dropout(0.5)], 50, seed=1)
    for frozen in (False, True):
        net = Network([Subnetwork(inner, frozen=frozen)], 50)
        y, _ = net.forward(np.ones((2, 50), np.float32), training=True)
        assert (y == 1).all() == frozen


def test_the_same_network_may_be_taken_twice():
    inner = mlp([4, 3])
    net = Network([Branches([[Subnetwork(inner)], [Subnetwork(inner)]], merge="mean")], 4)
    x = numbers(2, 4)
    assert_allclose(net.forward(x)[0], inner.forward(x)[0], rtol=1e-6)


def test_a_subnetwork_follows_the_outer_dtype():
    net = Network([Subnetwork(mlp([4, 3])), Dense(2)], 4, dtype="float64")
    assert {p.value.dtype for p in net.parameters().values()} == {np.dtype("float64")}


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: Subnetwork(mlp([5, 3])), ShapeError, r"layer 0, Subnetwork\(<5 → Dense>\): got input of shape \(4,\)"),
        (lambda: Subnetwork(mlp([4, 3]), outputs="labels"), ConfigError, "outputs='labels'"),
        (lambda: Subnetwork(Dense(3)), ConfigError, "expected a network, its file or its description"),
    ],
)
def test_subnetworks_that_do_not_fit_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        Network([make()], 4)


def test_each_place_and_seed_has_its_own_rng():
    inner = Network([Dense(6), Dropout(0.5), Dense(4)], 5, seed=0)

    def masks(seed):
        network = Network([Branches([[Subnetwork(inner)], [Subnetwork(inner)]], merge="sum")], 5, seed=seed)
        layers = [layer for _, layer in network.named_layers() if layer.rng is not None]
        assert len(layers) == 2
        return [layer.rng.random(8).tolist() for layer in layers]

    assert masks(1)[0] != masks(1)[1], "two branches leave out different neurons"
    assert masks(1) != masks(2)
    assert masks(1) == masks(1)


def test_a_description_of_another_dtype_round_trips():
    inner = Network([Dense(3)], 5, seed=0, dtype="float64")
    outer = Network([Subnetwork(inner), Dense(2)], 5, seed=1)
    table = describe_network(outer)
    assert describe_network(build_network(table)) == table
