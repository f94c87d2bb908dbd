"""Frozen weights stay, in training, in files and in copies."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import Dense, Network, Tanh, build_network, describe_network, freeze, load_network, mlp, unfreeze

from .plain import numbers, train


def test_frozen_weights_stay_while_the_others_learn(tmp_path):
    net = Network([Dense(5), Tanh(), Dense(3)], 4, dtype="float64")
    freeze(net, "0")
    freeze(net, "2.W", np.s_[:, 1])
    freeze(net, "2.b", [1, 0, 0])
    before = net.copy().state()
    train(net, numbers(30, 4), np.arange(30) % 3, rate=0.5, epochs=3)
    after = net.state()
    for key in ("0.W", "0.b"):
        assert_array_equal(after[key], before[key])
    assert_array_equal(after["2.W"] != before["2.W"], np.tile([True, False, True], (5, 1)))
    assert_array_equal(after["2.b"] != before["2.b"], [False, True, True])

    net.save(tmp_path / "net.safetensors")
    for again in (load_network(tmp_path / "net.safetensors"), net.copy()):
        assert again.parameters()["0.W"].trainable is False
        assert_array_equal(again.parameters()["2.b"].trainable, [False, True, True])
        assert describe_network(again) == describe_network(net)
    unfreeze(net, "0")
    assert list(describe_network(net)["frozen"]) == ["2.W", "2.b"]


def test_freezing_bit_by_bit_adds_up():
    net = Network([Dense(2)], 2)
    freeze(net, "0.b", 0)
    assert describe_network(net)["frozen"] == {"0.b": [1, 0]}
    freeze(net, "0.b", 1)
    assert net.parameters()["0.b"].trainable is False
    assert describe_network(net)["frozen"] == {"0.b": True}


def test_a_description_may_list_names():
    net = build_network({"input_shape": [4], "layers": [{"type": "Dense", "out_features": 2}], "frozen": ["0"]})
    assert [p.trainable for p in net.parameters().values()] == [False, False]


@pytest.mark.parametrize(
    "name, where, error, text",
    [
        ("3", None, ConfigError, "there is no parameter '3'; there are: 0.W, 0.b"),
        ("0.W", np.ones(3), ShapeError, r"mask of shape \(3,\) for 0.W, expected 0 and 1 in shape \(4, 2\)"),
        ("0.b", np.array([2, 0]), ShapeError, "expected 0 and 1"),
        ("0.W", np.s_[:, 7], ShapeError, "0.W has shape"),
    ],
)
def test_freezing_what_is_not_there_is_refused(name, where, error, text):
    with pytest.raises(error, match=text):
        freeze(Network([Dense(2)], 4), name, where)


def test_a_network_on_torch_can_be_frozen_too():
    torch = pytest.importorskip("torch")
    net = Network([Dense(2)], 3).to("torch")
    freeze(net, "0.W", np.s_[:, 0])
    trainable = net.parameters()["0.W"].trainable
    assert isinstance(trainable, torch.Tensor)
    assert trainable.tolist() == [[False, True]] * 3
    assert describe_network(net)["frozen"] == {"0.W": [[1, 0]] * 3}


def test_freezing_a_place_that_one_parameter_lacks_freezes_nothing():
    network = mlp([4, 3], seed=0)
    with pytest.raises(ShapeError, match=r"0\.b has shape"):
        freeze(network, "0", np.s_[:, 1])
    assert all(p.trainable is True for p in network.parameters().values())


@pytest.mark.parametrize("where", [1, False, "yes", [[1, 0], [1]]])
def test_what_a_file_cannot_say_of_frozen_weights(where):
    table = describe_network(mlp([4, 3])) | {"frozen": {"0.W": where}}
    with pytest.raises((ConfigError, ShapeError), match=r"0\.W"):
        build_network(table)
