"""A whole network as a table and back."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import CrossEntropy, Dense, Flatten, He, Network, Sigmoid, build_network, describe_network, mlp

TABLE = {
    "input_shape": [4],
    "loss": {"type": "Quadratic"},
    "scaling": "/255",
    "dtype": "float32",
    "layers": [{"type": "Dense", "out_features": 3}, {"type": "Sigmoid"}, {"type": "Dense", "out_features": 2}],
}


def test_a_table_describes_a_network_and_the_network_the_table():
    net = build_network(TABLE)
    assert describe_network(net) == TABLE
    assert repr(net) == "Network([Dense(3), Sigmoid(), Dense(2)], input_shape=(4,), loss=Quadratic())"
    json.dumps(TABLE)


def test_weights_are_those_of_the_same_network_written_in_python():
    one = build_network(TABLE, seed=5)
    two = Network([Dense(3), Sigmoid(), Dense(2)], 4, seed=5)
    for name, p in one.parameters().items():
        assert_array_equal(p.value, two.parameters()[name].value)


@pytest.mark.parametrize(
    "net",
    [
        mlp([4, 3, 2]),
        mlp([4, 3, 2], activation="elu", loss="softmax", init="he", dropout=0.3, scaling="/256", dtype="float64"),
        Network([Flatten(), Dense(2, He(), None)], (2, 2, 1), CrossEntropy(0.1), scaling=(0.5, -1.0)),
    ],
    ids=repr,
)
def test_there_and_back(net):
    description = json.loads(json.dumps(describe_network(net)))
    again = build_network(description)
    assert describe_network(again) == describe_network(net)
    assert repr(again) == repr(net)
    assert again.shapes == net.shapes
    assert again.scaling == net.scaling


def test_what_is_left_out_has_its_default():
    net = build_network({"input_shape": 4, "layers": ["linear"]})
    assert describe_network(net)["loss"] == {"type": "Quadratic"}
    assert net.dtype == "float32"
    assert net.input_shape == (4,)


def test_without_a_seed_weights_wait_to_be_loaded():
    assert not build_network(TABLE, seed=None).parameters()["0.W"].value.any()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"layer": []}, r"a network has no 'layer' \(did you mean 'layers'\?\); it has input_shape, layers"),
        ({"layers": []}, "layers: got .* at least one layer"),
        ({"layers": {"type": "Dense"}}, "expected a list"),
        ({"layers": ["dens"]}, "did you mean 'dense'"),
        ({"input_shape": [0]}, "expected positive whole numbers"),
        ({"input_shape": "784"}, "expected positive whole numbers"),
        ({"input_shape": [2.5]}, "expected positive whole numbers"),
        ({"loss": "hinge"}, "unknown loss 'hinge'"),
        ({"scaling": "/254"}, "unknown scaling"),
        ({"scaling": [1, 2, 3]}, "unknown scaling"),
    ],
)
def test_faults_are_explained(change, message):
    with pytest.raises(ConfigError, match=message):
        build_network(TABLE | change)


@pytest.mark.parametrize("missing", ["input_shape", "layers"])
def test_what_is_missing_is_named(missing):
    with pytest.raises(ConfigError, match=f"needs '{missing}'"):
        build_network({key: value for key, value in TABLE.items() if key != missing})


def test_layers_that_do_not_fit_are_named_with_their_place():
    with pytest.raises(ShapeError, match=r"layer 0, Dense\(3\): got input of shape \(2, 2\).*Flatten"):
        build_network(TABLE | {"input_shape": [2, 2]})


def test_building_does_not_touch_the_table():
    kept = json.dumps(TABLE)
    np.random.default_rng(0)
    build_network(TABLE)
    assert json.dumps(TABLE) == kept
