"""An activation at the end, before a loss that has one of its own: refused, with the layer to leave out."""

import json
import logging

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from digitlab.errors import ConfigError
from digitlab.nn import (
    GRU,
    LSTM,
    AveragePool2D,
    BatchNorm,
    Bidirectional,
    Branches,
    Conv2D,
    CrossEntropy,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    LogLikelihood,
    MaxPool2D,
    MeanSquaredError,
    Network,
    PerNeuron,
    Quadratic,
    ReLU,
    Rescale,
    Reshape,
    Residual,
    Sequential,
    Sigmoid,
    SimpleRNN,
    Slice,
    Softmax,
    Step,
    Subnetwork,
    Tanh,
    build_network,
    describe_network,
    load_network,
    mlp,
)
from digitlab.nn.describe import build, members
from digitlab.nn.network import Activation

OWNERS = (Quadratic, CrossEntropy, LogLikelihood)


@pytest.mark.parametrize("loss", OWNERS)
@pytest.mark.parametrize("activation", [cls for cls in members(Activation) if cls is not Linear])
def test_an_activation_before_a_loss_that_owns_one_is_refused(activation, loss):
    text = rf"layer 3, {activation.__name__}\(\): the loss {loss.__name__} .* leave this layer out"
    with pytest.raises(ConfigError, match=text):
        Network([Dense(30), Sigmoid(), Dense(10), activation()], 784, loss())


def test_the_message_tells_a_second_sigmoid_from_another_activation():
    with pytest.raises(ConfigError, match="applies sigmoid itself, so this layer would apply it a second time"):
        Network([Dense(2), Sigmoid()], 3, Quadratic())
    with pytest.raises(ConfigError, match="applies softmax itself, so Sigmoid before it distorts"):
        Network([Dense(2), Sigmoid()], 3, LogLikelihood())


ENDS = {
    "Dropout": [Dense(4), Sigmoid(), Dropout(0.5)],
    "Flatten": [Conv2D(4, 1), ReLU(), MaxPool2D(2), Flatten()],
    "Reshape": [Dense(4), Tanh(), Reshape((2, 2))],
    "Slice": [Dense(8), Tanh(), Slice(indices=[0, 1, 2, 3])],
    "Linear": [Dense(4), Sigmoid(), Linear()],
    "empty chain": [Dense(4), Sigmoid(), Sequential([])],
    "chain": [Sequential([Dense(4), Sequential([Dense(4), Sigmoid()])])],
    "residual": [Dense(4), Residual([Dense(4), ReLU()])],
    "branch": [Branches([[Dense(2)], [Dense(2), Sigmoid()]])],
    "named": [Branches({"a": [Dense(4)], "b": [Dense(4), Sigmoid(), Dropout()]}, merge="sum")],
    "skip": [Dense(2), ReLU(), Branches([[], [Dense(2)]])],
    "per neuron": [Dense(4), PerNeuron(["sigmoid", "linear"], [[0, 1], [2, 3]])],
    "subnetwork": [Subnetwork(mlp([4, 3, 4]), outputs="activations")],
    "inside a subnetwork": [Subnetwork(Network([Dense(4), Tanh()], 4, MeanSquaredError()))],
}


@pytest.mark.parametrize("layers", ENDS.values(), ids=ENDS.keys())
def test_it_is_found_wherever_the_output_comes_from(layers):
    shape = (2, 2, 1) if isinstance(layers[0], Conv2D) else 4
    with pytest.raises(ConfigError, match=r"layer [\w.]+, .*the loss LogLikelihood applies softmax"):
        Network(layers, shape, LogLikelihood())
    Network(layers, shape, MeanSquaredError())
    Network(layers, shape, LogLikelihood(), allow_output_activation=True)


def test_the_place_is_named_in_full():
    with pytest.raises(ConfigError, match=r"layer 1\.left\.1, Sigmoid\(\) in Branches: .* leave this layer out"):
        Network([Dense(4), Branches({"left": [Dense(2), Sigmoid()], "right": [Dense(2)]})], 4)
    with pytest.raises(ConfigError, match=r"layer 0, Subnetwork.*give it outputs='logits'"):
        Network([Subnetwork(mlp([4, 3, 4]), outputs="activations")], 4)


RIGHT = {
    "linear": [Dense(4), Linear()],
    "residual": [Dense(4), ReLU(), Residual([Dense(4), ReLU(), Dense(4)])],
    "sum": [Dense(4), ReLU(), Branches([[], [Dense(4)]], merge="sum")],
    "branches": [Branches([[Dense(2), ReLU(), Dense(2)], [Dense(2)]])],
    "normalized": [Dense(4), ReLU(), BatchNorm()],
    "rescaled": [Dense(4), Tanh(), Rescale(5.0)],
    "averaged": [Conv2D(4, 1), ReLU(), AveragePool2D(2), Flatten()],
}


@pytest.mark.parametrize("layers", RIGHT.values(), ids=RIGHT.keys())
def test_what_is_no_activation_at_the_end_is_taken(layers):
    network = Network(layers, (2, 2, 1) if isinstance(layers[0], Conv2D) else 4, LogLikelihood())
    assert network.shapes[-1] == (4,)


def test_tables_are_held_to_it_and_may_allow_it():
    table = {"input_shape": [4], "layers": [{"type": "Dense", "out_features": 2}, {"type": "sigmoid"}]}
    with pytest.raises(ConfigError, match="allow_output_activation"):
        build_network(table)
    network = build_network({**table, "allow_output_activation": True})
    assert describe_network(network)["allow_output_activation"] is True
    assert describe_network(build_network(describe_network(network))) == describe_network(network)
    with pytest.raises(ConfigError, match="expected true or false"):
        build_network({**table, "allow_output_activation": "yes"})


def test_a_saved_network_that_allows_it_reloads(tmp_path):
    network = Network([Dense(2), Sigmoid()], 4, Quadratic(), seed=3, allow_output_activation=True)
    network.save(tmp_path / "a.safetensors")
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(load_network(tmp_path / "a.safetensors").predict(x), network.predict(x))


def inside(layers):
    return [Subnetwork(Network(layers, 4, Quadratic(), allow_output_activation=True)), Dense(2)]


@pytest.mark.parametrize("wrap", [list, inside])
def test_files_from_before_the_rule_load_with_a_note(wrap, tmp_path, caplog):
    network = Network(wrap([Dense(2), Sigmoid()]), 4, Quadratic(), seed=3, allow_output_activation=True)
    network.save(path := tmp_path / "old.safetensors")
    description = json.dumps({"format": 1, "network": _without_the_key(describe_network(network))})
    save_file(load_file(path), path, metadata={"digitlab": description})
    with caplog.at_level(logging.WARNING, "digitlab"):
        again = load_network(path)
    notes = [record.getMessage() for record in caplog.records]
    notes = [note for note in notes if "has no checksum" not in note]  # given once a process
    assert notes == [f"{path}: its network ends with an activation although its loss has one of its own; it is kept"]
    np.testing.assert_array_equal(again.predict(np.ones((2, 4))), network.predict(np.ones((2, 4))))


def _without_the_key(value):
    if isinstance(value, dict):
        return {key: _without_the_key(item) for key, item in value.items() if key != "allow_output_activation"}
    return [_without_the_key(item) for item in value] if isinstance(value, list) else value


def test_every_activation_says_that_it_is_one():
    assert {cls for cls in members(Layer) if cls.activates} == set(members(Activation)) - {Linear}


@pytest.mark.parametrize(
    "layer", [SimpleRNN(3), LSTM(3), GRU(3), Bidirectional(LSTM(2))], ids=lambda x: type(x).__name__
)
def test_a_recurrent_layer_at_the_end_is_refused_as_tanh_is(layer):
    kind = type(layer).__name__
    with pytest.raises(
        ConfigError, match=rf"layer 0, {kind}.*so {kind} before it distorts the logits; put a Dense layer"
    ):
        Network([layer], (4, 5), LogLikelihood())
    Network([layer], (4, 5), MeanSquaredError())
    Network([layer, Dense(3)], (4, 5), LogLikelihood())


def test_the_step_and_leaky_relu_are_activations_with_their_settings():
    with pytest.raises(ConfigError, match=r"LeakyReLU\(slope=0.2\)"):
        Network([Dense(2), LeakyReLU(0.2)], 3)
    assert build(Layer, "step").activates
    assert Step().activates


def test_softmax_is_known_and_says_that_the_loss_owns_it():
    text = r"the loss owns the softmax: use the loss log-likelihood \(LogLikelihood\)"
    with pytest.raises(ConfigError, match=text):
        Softmax(dim=1)
    for make in (
        lambda: build(Layer, "softmax"),
        lambda: Network([Dense(10), {"type": "Softmax"}], 784),
        lambda: mlp([784, 30, 10], activation="softmax"),
        lambda: PerNeuron(["softmax"], [[0]]),
    ):
        with pytest.raises(ConfigError, match=text):
            make()
