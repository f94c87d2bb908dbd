"""Layers of layers: chains, shortcuts, branches, an activation for each neuron; one place for each layer."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import (
    Branches,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    LogLikelihood,
    Network,
    PerNeuron,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Sigmoid,
    Slice,
    Subnetwork,
    Tanh,
    block_connections,
    build_network,
    describe_network,
    freeze,
    mlp,
    quadrants,
    random_connections,
)
from digitlab.nn.describe import build, describe

from .plain import numbers, train

DOCS = Path(__file__).parents[2] / "docs"

# Sequential, Residual


def test_residual_by_hand():
    layer = Residual([ReLU()])
    y, cache = layer.forward(np.array([[2.0, -2.0]]))
    assert_array_equal(y, [[4, -2]])
    assert_array_equal(layer.backward(np.ones((1, 2)), cache), [[2, 1]])


def test_sequential_by_hand():
    layer = Sequential([ReLU(), "relu"])
    y, cache = layer.forward(np.array([[-1.0, 3.0]]))
    assert_array_equal(y, [[0, 3]])
    assert_array_equal(layer.backward(np.ones((1, 2)), cache), [[0, 1]])


def test_a_sequential_computes_what_its_layers_do_in_a_network():
    flat = Network([Dense(4), Tanh(), Dense(3)], 5, seed=1)
    wrapped = Network([Sequential([Dense(4), Tanh()]), Dense(3)], 5, seed=2)
    assert list(wrapped.parameters()) == ["0.0.W", "0.0.b", "1.W", "1.b"]
    wrapped.load_state(dict(zip(wrapped.state(), flat.state().values())))
    x, y = numbers(6, 5), np.arange(6) % 3
    assert flat.gradient(x, y) == wrapped.gradient(x, y)
    for mine, theirs in zip(wrapped.parameters().values(), flat.parameters().values(), strict=True):
        assert_array_equal(mine.grad, theirs.grad)


def test_a_residual_whose_layers_give_nothing_passes_all_on():
    net = Network([Residual([Dense(3), Tanh(), Dense(3)])], 3, seed=None, dtype="float64")  # all weights 0
    x = numbers(2, 3)
    assert_array_equal(net.forward(x)[0], x)


def test_residual_with_a_projection_changes_shape():
    net = Network([Residual([Dense(4), Tanh()], projection=Dense(4, biases=None))], 3, "mse")
    assert net.shapes[-1] == (4,)
    assert list(net.parameters()) == ["0.0.W", "0.0.b", "0.projection.W"]


def test_residual_of_unequal_shapes_says_what_would_help():
    text = r"layer 0, Residual: the layers give shape \(4,\), the shortcut \(3,\).*projection="
    with pytest.raises(ShapeError, match=text):
        Network([Residual([Dense(4)])], 3)


def test_an_error_inside_names_the_way_to_it():
    with pytest.raises(ShapeError, match=r"layer 1, branch up: layer 1 in Sequential: Dense\(3\): got input of shape"):
        Network([Reshape((2, 2)), Branches({"up": [ReLU(), Dense(3)]})], 4)


def test_a_stack_of_residuals_trains_where_a_plain_stack_has_no_gradient():
    digits = load_digits()
    x, y = (digits.data / 16).astype(np.float32), digits.target
    first = {}
    for wrap in (Residual, Sequential):
        blocks = [wrap([Dense(16, connections=block_connections(16, 16, 4)), Sigmoid()]) for _ in range(12)]
        net = Network([Dense(16), *blocks, Dense(10)], 64, LogLikelihood(), seed=0)
        net.gradient(x[:100], y[:100])
        first[wrap] = np.abs(net.parameters()["0.W"].grad).max()
    assert first[Residual] > 1e5 * first[Sequential]


# Branches


def test_branches_by_hand():
    layer = Branches([[], [ReLU()]])
    y, cache = layer.forward(np.array([[-3.0]]))
    assert_array_equal(y, [[-3, 0]])
    assert_array_equal(layer.backward(np.ones((1, 2)), cache), [[1]])
    layer = Branches([[], [ReLU()]], merge="sum")
    y, cache = layer.forward(np.array([[-3.0]]))
    assert_array_equal(y, [[-3]])
    assert_array_equal(layer.backward(np.ones((1, 1)), cache), [[1]])
    layer = Branches([[], [ReLU()]], merge="mean")
    y, cache = layer.forward(np.array([[4.0]]))
    assert_array_equal(y, [[4]])
    assert_array_equal(layer.backward(np.ones((1, 1)), cache), [[1]])


def test_branches_beside_each_other_are_the_dense_layer_they_make_up():
    net = Network([Branches({"a": [Dense(2)], "b": [Dense(3)]})], 4, dtype="float64")
    P = net.parameters()
    assert list(P) == ["0.a.0.W", "0.a.0.b", "0.b.0.W", "0.b.0.b"]
    x = numbers(5, 4)
    W = np.concatenate([P["0.a.0.W"].value, P["0.b.0.W"].value], axis=1)
    b = np.concatenate([P["0.a.0.b"].value, P["0.b.0.b"].value])
    assert_allclose(net.forward(x)[0], x @ W + b)


def test_branches_of_pictures_join_their_channels():
    net = Network([Branches([[], [Conv2D(2, 3, padding=1), ReLU()], [Conv2D(4, 1)]])], (5, 5, 3), "mse")
    assert net.shapes[-1] == (5, 5, 9)


def test_each_branch_has_its_own_rng():
    one = Network([Branches([[Dense(2)], [Dense(3)]])], 4, seed=5)
    two = Network([Branches([[Dense(7), ReLU(), Dense(2)], [Dense(3)]])], 4, seed=5)
    assert_array_equal(one.parameters()["0.1.0.W"].value, two.parameters()["0.1.0.W"].value)


@pytest.mark.parametrize(
    "layer, error, text",
    [
        (lambda: Branches([[Dense(2)], [Dense(3)]], merge="sum"), ShapeError, r"0: \(2,\), 1: \(3,\); to sum them"),
        (lambda: Branches([[Reshape((2, 2))], [Dense(3)]]), ShapeError, r"0: \(2, 2\), 1: \(3,\).*Flatten"),
        (lambda: Branches([]), ConfigError, "expected lists of layers"),
        (lambda: Branches([Dense(2), Dense(3)]), ConfigError, "expected lists of layers"),
        (lambda: Branches([[Dense(2)]], merge="product"), ConfigError, "merge='product', expected one of concatenate"),
    ],
)
def test_branches_that_cannot_be_merged_are_refused(layer, error, text):
    with pytest.raises(error, match=text):
        Network([layer()], 4)


# PerNeuron


def test_per_neuron_by_hand():
    layer = PerNeuron(["relu", "linear"], [[0], [1]])
    y, cache = layer.forward(np.array([[-3.0, -3.0]]))
    assert_array_equal(y, [[0, -3]])
    assert_array_equal(layer.backward(np.ones((1, 2)), cache), [[0, 1]])


def test_per_neuron_gives_each_neuron_its_own_activation():
    layer = PerNeuron(["sigmoid", LeakyReLU(0.1), "tanh"], [[3, [0, 2]], [4], [2]])
    assert layer.output_shape((5,)) == (5,)
    x = numbers(6, 5)
    y, _ = layer.forward(x)
    for columns, activation in [([0, 1, 3], Sigmoid()), ([4], LeakyReLU(0.1)), ([2], Tanh())]:
        assert_array_equal(y[:, columns], activation.forward(x[:, columns])[0])


def test_per_neuron_on_a_picture_goes_by_channel():
    layer = PerNeuron(["relu", "tanh"], [[0, 2], [1]])
    x = numbers(2, 3, 3, 3)
    assert_array_equal(layer.forward(x)[0][..., 1], np.tanh(x[..., 1]))


def test_per_neuron_is_written_in_ranges():
    layer = PerNeuron(["sigmoid", "relu"], [range(15), range(15, 30)])
    assert repr(layer) == "PerNeuron([Sigmoid(), ReLU()], [[[0, 15]], [[15, 30]]])"


@pytest.mark.parametrize(
    "make, error, text",
    [
        (lambda: PerNeuron(["sigmoid", "relu"], [[0, 1], [1, 2, 3]]), ConfigError, "neuron 1 is in two places"),
        (lambda: PerNeuron(["sigmoid"], [[0, 1, 2]]), ShapeError, "got 4 neurons, of which neuron 3 has no activation"),
        (lambda: PerNeuron(["sigmoid"], [range(5)]), ShapeError, "neuron 4 does not exist"),
        (lambda: PerNeuron(["sigmod"], [range(4)]), ConfigError, "unknown layer 'sigmod' .did you mean 'sigmoid'"),
        (lambda: PerNeuron(["relu"], [range(2), range(2, 4)]), ConfigError, "1 activations and 2 groups"),
        (lambda: PerNeuron(["relu"], [["all"]]), ConfigError, "expected neuron numbers and"),
        (lambda: PerNeuron(["relu"], [3]), ConfigError, "expected neuron numbers and"),
        (lambda: PerNeuron([Dense(3)], [range(4)]), ShapeError, "changes the shape; expected an activation"),
    ],
)
def test_groups_that_do_not_cover_the_neurons_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        Network([Dense(4), make()], 3)


# Every layer has one place


def test_a_layer_in_two_places_is_refused():
    relu = ReLU()
    with pytest.raises(ConfigError, match="layer 2, ReLU: is the same object as layer 0; make a new ReLU"):
        Network([relu, Dense(2), relu], 4)
    shared = Dense(3)
    with pytest.raises(ConfigError, match=r"layer 0\.1\.0, Dense: is the same object as layer 0\.0\.0"):
        Network([Branches([[shared], [shared]])], 4)


def test_a_cycle_is_refused():
    block = Residual([Linear()])
    block.layers.append(block)
    with pytest.raises(ConfigError, match=r"layer 0\.1, Residual: contains itself"):
        Network([block], 4)
    branches = Branches({"a": [Linear()]})
    branches.chains["a"].layers.append(Sequential([branches]))
    with pytest.raises(ConfigError, match="contains itself"):
        Network([branches], 4)


def test_mlp_takes_one_activation_for_many_layers():
    net = mlp([4, 3, 3, 2], activation=LeakyReLU(0.3))
    assert repr(net.layers[3]) == "LeakyReLU(slope=0.3)"
    assert net.layers[1] is not net.layers[3]


# Written down


WIRED = {
    "mask": lambda: Dense(3, connections=random_connections(16, 3, 0.5, 0)),
    "residual": lambda: Residual([Dense(16), Tanh()], projection=Dense(16)),
    "branches": lambda: Branches([[Slice(indices=[0, 5]), Dense(2)], []]),
    "named branches": lambda: Branches({"left": [Dense(2)], "right": [Dense(2)]}, merge="mean"),
    "per neuron": lambda: PerNeuron(["sigmoid", LeakyReLU(0.2)], [[3, [4, 16]], [[0, 3]]]),
    "subnetwork": lambda: Subnetwork(Network([Residual([Dense(16)]), Dense(2)], 16), frozen=True),
}


@pytest.mark.parametrize("make", WIRED.values(), ids=WIRED.keys())
def test_everything_goes_through_toml(make):
    net = Network([make(), Dense(2)], 16, seed=1)
    freeze(net, "1.b", [1, 0])
    text = tomli_w.dumps(describe_network(net))
    again = build_network(tomllib.loads(text), seed=1)
    assert describe_network(again) == describe_network(net)
    assert repr(again) == repr(net)
    assert describe(build(Layer, describe(net.layers[0]))) == describe(net.layers[0])


def test_a_summary_of_branches_has_a_row_for_each_layer():
    branches = {f"part{i}": [part, Flatten(), Dense(5)] for i, part in enumerate(quadrants((8, 8)))}
    net = Network([Branches(branches)], (8, 8))
    text = net.summary()
    assert "0.part0.2" in text
    assert max(map(len, text.splitlines())) < 100
    assert "340" in text


def test_four_networks_one_for_each_quadrant():
    """Four small networks, none of which sees what another sees, trained together with a dense layer on top."""
    digits = load_digits()
    x, y = (digits.images / 16).astype(np.float32), digits.target
    order = np.random.default_rng(0).permutation(len(x))
    learn, test = order[:1400], order[1400:]
    names = ["upper left", "upper right", "lower left", "lower right"]
    branches = {name: [part, Flatten(), Dense(12), Tanh()] for name, part in zip(names, quadrants((8, 8)))}
    net = Network([Branches(branches), Dense(10)], (8, 8), LogLikelihood(), seed=0)
    train(net, x[learn], y[learn], rate=0.2, epochs=40)
    assert (net.predict(x[test]).argmax(axis=1) == y[test]).mean() > 0.9


@pytest.mark.parametrize("page", ["wiring.md", "recurrent.md"])
def test_the_pages_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), names)


@pytest.mark.parametrize("key", ["", "a.0", "type"])
def test_branches_whose_names_would_be_mistaken(key):
    with pytest.raises(ConfigError, match="whose keys"):
        Branches({"a": [Dense(3)], key: [Dense(3)]})


@pytest.mark.parametrize(
    "description, words",
    [
        ({"type": "Reshape", "shape": [-28, -28]}, "Reshape: got shape"),
        ({"type": "Reshape", "shape": "28x28"}, "Reshape: got shape '28x28'"),
        ({"type": "Reshape", "shape": [28.0, 28.0]}, "positive whole numbers"),
        ({"type": "PerNeuron", "activations": "relu", "neurons": [[0]]}, "PerNeuron: got activations 'relu'"),
        ({"type": "PerNeuron", "activations": ["relu"], "neurons": 3}, "PerNeuron: got neurons 3"),
        ({"type": "PerNeuron", "activations": ["sigmod"], "neurons": [[0]]}, "PerNeuron, activations: unknown layer"),
        ({"type": "Sequential", "layers": 5}, "Sequential: got layers 5"),
        ({"type": "Residual", "layers": [{"type": "Dense"}]}, "Residual, layers: Dense needs 'out_features'"),
        ({"type": "Combine", "sizes": "ab", "classes": 10}, "Combine: got sizes 'ab'"),
        ({"type": "Combine", "sizes": 20, "classes": 10}, "Combine: got sizes 20"),
        ({"type": "Combine", "sizes": [10], "classes": 10, "weights": "a"}, "Combine: got weights 'a'"),
        ({"type": "Combine", "sizes": [10], "classes": -10}, "Combine: got -10 classes"),
        ({"type": "Combine", "sizes": [10], "classes": 10, "covers": [3]}, "Combine: got covers 3"),
        (
            {"type": "Dense", "out_features": 3, "weights": {"type": "Uniform", "low": 1, "high": -1}},
            "Dense, weights: Uniform: got 1 to -1",
        ),
        ({"type": "Dense", "out_features": 3, "weights": {"type": "FanOutNormal", "pool": 0}}, "FanOutNormal: got"),
    ],
)
def test_an_invalid_table_is_reported_in_a_line_with_its_layer(description, words):
    table = {"input_shape": [784], "layers": [{"type": "ReLU"}, description]}
    with pytest.raises(ConfigError, match=words) as raised:
        build_network(table)
    assert str(raised.value).startswith("layer 1: ")
