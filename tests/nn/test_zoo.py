"""The networks of the books: sizes that the books state, settings, names, and that each one learns."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import (
    ZOO,
    Conv2D,
    Dropout,
    LeakyReLU,
    Network,
    build_named,
    build_network,
    describe_network,
    mlp,
    parse_net,
)
from digitlab.nn.io.summary import count
from digitlab.nn.recipe import fitted
from digitlab.nn.zoo import parse_sizes

each = pytest.mark.parametrize("name", ZOO)


def pictures(name):
    """The first of scikit-learn's digits, 0 to 9, three times as large and with a margin; in colour where needed."""
    images = np.kron(load_digits().images[:10], np.ones((3, 3)))  # (10, 24, 24)
    images = np.pad(images * 15.9, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
    return np.stack([images, images // 2, 255 - images], axis=-1) if name == "colour-conv" else images


@each
def test_every_network_takes_its_pictures_and_learns(name):
    net, x, y = build_named(name, seed=1), pictures(name), np.arange(10)
    settings = ZOO[name].training
    rate = 0.05 if settings.optimizer == "adam" else settings.learning_rate / 10  # plain, full batch
    losses = []
    for _ in range(5):
        losses.append(float(net.gradient(x, y)))
        for p in net.parameters().values():
            p.value = p.value - rate * p.grad
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    assert net.predict(x).shape == (10, 10)
    if ZOO[name].loss == "log-likelihood":
        assert_allclose(net.predict(x).sum(axis=1), 1, rtol=1e-4)


@each
def test_every_network_can_be_written_down(name):
    net = build_named(name, seed=3)
    again = build_network(describe_network(net), seed=3)
    assert repr(again) == repr(net)
    for key, array in net.state().items():
        assert_array_equal(again.state()[key], array)


@each
def test_every_recipe_says_what_it_is_and_how_to_train_it(name):
    recipe = ZOO[name]
    assert 10 < len(recipe.about) < 100
    assert "\n" not in recipe.about
    assert recipe.training.learning_rate > 0
    assert recipe.training.optimizer in ("sgd", "adam")
    assert dataclasses.asdict(recipe.training).keys() >= {"batch_size", "l2", "epochs", "schedule"}


# The numbers of parameters, from the layers' sizes in the books.
COUNTS = {
    "chapter1": 784 * 30 + 30 + 30 * 10 + 10,
    "chapter3": 784 * 100 + 100 + 100 * 10 + 10,
    "shallow": 784 * 100 + 100 + 100 * 10 + 10,
    "basic-conv": 20 * 26 + 20 * 12 * 12 * 100 + 100 + 1010,
    "conv-without-fc": 20 * 26 + 20 * 12 * 12 * 10 + 10,
    "double-conv": 20 * 26 + 40 * (20 * 25 + 1) + 40 * 4 * 4 * 100 + 100 + 1010,
    "double-conv-relu": 20 * 26 + 40 * (20 * 25 + 1) + 40 * 4 * 4 * 100 + 100 + 1010,
    "double-fc": 20 * 26 + 40 * (20 * 25 + 1) + 40 * 4 * 4 * 100 + 100 + 10100 + 1010,
    "double-fc-dropout": 20 * 26 + 40 * (20 * 25 + 1) + 640 * 1000 + 1000 + 1001000 + 10010,
    "lenet5": 156 + 1516 + 48120 + 10164 + 850,  # LeCun et al. 1998: C1, C3, C5, F6; and an output of 10
    "rashid": 784 * 200 + 200 * 10,
    "sprint": 16 * 26 + 32 * (16 * 9 + 1) + 32 * 5 * 5 * 128 + 128 + 1290,
    "sprint-light": 8 * 26 + 32 * (8 * 9 + 1) + 64 * (32 * 9 + 1) + 2 * (8 + 32 + 64) + 64 * 9 * 10 + 10,
    "feedback": 100 * (784 + 100 + 1) + 1010,
    "rows-rnn": 128 * (28 + 128 + 1) + 1290,
    "rows-lstm": 4 * 128 * (28 + 128 + 1) + 1290,
    "rows-gru": 3 * 128 * (28 + 128 + 1) + 128 + 1290,
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_number_of_parameters_is_that_of_the_book(name):
    assert sum(count(layer) for layer in build_named(name).layers) == COUNTS[name]


def test_c3_sees_what_lecuns_table_says():
    conv = build_named("lenet5").layers[3]
    assert isinstance(conv, Conv2D)
    mask = np.asarray(conv.connections)
    assert mask.shape == (6, 16)
    assert mask.sum(axis=0).tolist() == [3] * 6 + [4] * 9 + [6]
    assert mask.sum(axis=1).tolist() == [10] * 6
    assert np.flatnonzero(mask[:, 4]).tolist() == [0, 4, 5]
    assert np.flatnonzero(mask[:, 14]).tolist() == [0, 2, 3, 5]


def test_relu_networks_start_with_he_and_zero_biases():
    P = build_named("sprint", seed=0).parameters()
    assert P["0.W"].value.std() == pytest.approx(np.sqrt(2 / 25), rel=0.1)
    assert all(not p.value.any() for key, p in P.items() if key.endswith("b"))


def test_the_books_convolutions_start_as_in_network3():
    P = build_named("basic-conv", seed=0).parameters()
    assert P["0.W"].value.std() == pytest.approx(np.sqrt(4 / (20 * 25)), rel=0.1)  # pooled: n_out is a quarter
    assert P["4.W"].value.std() == pytest.approx(np.sqrt(1 / 100), rel=0.01)
    assert not P["6.W"].value.any()


def test_dropout_stands_before_each_dense_layer():
    layers = build_named("double-fc-dropout").layers
    assert [i for i, layer in enumerate(layers) if isinstance(layer, Dropout)] == [7, 10, 13]


def test_rashids_network_has_no_biases_and_his_scaling():
    net = build_named("rashid")
    assert list(net.parameters()) == ["0.W", "2.W"]
    assert (net.loss.low, net.loss.high) == (0.01, 0.99)
    assert net.prepare(np.zeros((1, 784), np.uint8)).min() == pytest.approx(0.01)


def test_for_other_images_and_classes():
    net = build_named("basic-conv", input_shape=(8, 8), classes=26)
    assert net.shapes[0] == (8, 8, 1)
    assert net.shapes[-1] == (26,)
    assert build_named("chapter1", input_shape=(8, 8)).shapes[0] == (64,)
    with pytest.raises(ShapeError, match="layer 3"):
        build_named("double-conv", input_shape=(8, 8))
    assert fitted((28, 28, 3), 2) == (28, 84)


def test_a_seed_decides_the_weights():
    one, two, other = (build_named("sprint", seed=seed).parameters()["0.W"].value for seed in (1, 1, 2))
    assert_array_equal(one, two)
    assert (one != other).any()


def test_parse_net_knows_sizes_and_names():
    assert parse_sizes("784-30-10") == [784, 30, 10]
    assert parse_sizes("[784, 30, 10]") == [784, 30, 10]
    assert parse_sizes("784x10") == [784, 10]
    assert parse_sizes("rows-rnn") is None
    assert repr(parse_net("784-30-10", loss="cross-entropy")) == repr(mlp([784, 30, 10], loss="cross-entropy"))
    assert isinstance(parse_net("Basic_Conv", seed=2), Network)


@pytest.mark.parametrize(
    "text, message",
    [
        ("basic-cnv", "unknown network 'basic-cnv' .did you mean 'basic-conv'"),
        ("", "unknown network ''"),
        ("784", "expected at least two positive whole numbers"),
        ("784-0-10", "expected at least two positive whole numbers"),
        ("784-a-10", "unknown network"),
    ],
)
def test_what_is_no_network_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_net(text)


@pytest.mark.parametrize("name", list(ZOO))
def test_colour_serves_wherever_grey_does(name):
    network = build_named(name, input_shape=(28, 28, 3))
    x = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 3), dtype=np.uint8)
    assert network.predict(x).shape == (2, 10)


def test_an_activation_for_each_hidden_layer():
    wanted = ["Dense", "ReLU", "Dense", "LeakyReLU", "Dense"]
    for given in ("relu,leaky-relu:0.1", ["relu", LeakyReLU(0.1)]):
        network = mlp([6, 5, 4, 3], activation=given)
        assert [type(layer).__name__ for layer in network.layers] == wanted
        assert network.layers[3].slope == 0.1
    assert type(network.layers[2].weights).__name__ == "He", "the initial weights are those of each activation"
    with pytest.raises(ConfigError, match="got 2, expected one, or one for each hidden layer: 3"):
        mlp([6, 5, 5, 4, 3], activation="relu,tanh")
