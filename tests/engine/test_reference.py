"""The reference engine: the textbook's step by hand, what is left over, what is frozen, and what it hands over."""

import copy
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.engine import ReferenceEngine
from digitlab.errors import GradientError
from digitlab.nn import Dense, Given, MeanSquaredError, Network, Step, freeze, mlp
from digitlab.optim import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp
from digitlab.optim.regularizers import L1, L2, MaxNorm

OPTIMIZERS = [SGD(0.1), Momentum(0.1), Nesterov(0.1), RMSProp(0.01), Adam(0.01), AdamW(0.01)]


def one_neuron(w=2.0, b=1.0, dtype="float64"):
    """y = w x + b with the loss (y − t)²."""
    layer = Dense(1, Given([[w]]), Given([b]))
    return Network([layer], 1, MeanSquaredError(), dtype=dtype)


def some_data(n, inputs, outputs, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, inputs)), rng.integers(0, outputs, n)


def values(network):
    return {name: np.array(p.value) for name, p in network.parameters().items()}


def test_one_step_of_one_neuron_by_hand():
    network = one_neuron()
    engine = ReferenceEngine(network, SGD(0.1))
    losses = engine.train_batches(np.array([[3.0]]), np.array([[5.0]]), np.array([0]), 1, [0.1])
    # y = 7, error 2, loss 4, δ = 4: ∂L/∂w = 12, ∂L/∂b = 4.
    assert_array_equal(losses, [4.0])
    assert_allclose(network.parameters()["0.W"].value, [[2.0 - 1.2]])
    assert_allclose(network.parameters()["0.b"].value, [1.0 - 0.4])


def test_one_sigmoid_neuron_by_hand():
    network = Network([Dense(1, Given([[0.6]]), Given([0.9]))], 1, dtype="float64")  # Nielsen ch. 3, his first picture
    ReferenceEngine(network, SGD(0.15)).train_batches(np.array([[1.0]]), np.array([[0.0]]), np.array([0]), 1, [0.15])
    a = 1 / (1 + math.exp(-1.5))
    delta = a * a * (1 - a)
    assert_allclose(network.parameters()["0.W"].value, [[0.6 - 0.15 * delta]])
    assert_allclose(network.parameters()["0.b"].value, [0.9 - 0.15 * delta])


def test_leftover_examples_make_a_smaller_last_batch():
    x, t = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]), np.zeros((5, 1))
    network = one_neuron(w=1.0, b=0.0)
    losses = ReferenceEngine(network, SGD(1e-9)).train_batches(x, t, np.arange(5), 2, [1e-9] * 3)
    assert_allclose(losses, [(1 + 4) / 2, (9 + 16) / 2, 25], rtol=1e-6)


def test_batches_follow_the_order_given():
    x, t = np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1))
    losses = ReferenceEngine(one_neuron(1.0, 0.0), SGD(1e-9)).train_batches(x, t, np.array([2, 0]), 1, [1e-9] * 2)
    assert_allclose(losses, [9, 1], rtol=1e-6)


def test_every_step_has_its_own_rate():
    x, t = np.ones((2, 1)), np.zeros((2, 1))
    network = one_neuron(1.0, 0.0)
    ReferenceEngine(network, SGD(1.0)).train_batches(x, t, np.arange(2), 1, [0.0, 0.1])
    assert_allclose(network.parameters()["0.W"].value, [[1 - 0.1 * 2]])


def test_a_loss_that_is_not_finite_stops_before_the_update():
    x = np.array([[1.0], [math.inf], [1.0]])
    network = one_neuron()
    engine = ReferenceEngine(network, Momentum(0.1))
    with np.errstate(all="ignore"):
        losses = engine.train_batches(x, np.zeros((3, 1)), np.arange(3), 1, [0.1] * 3)
    assert len(losses) == 2
    assert np.isfinite(losses[0])
    assert not np.isfinite(losses[1])
    once = one_neuron()
    ReferenceEngine(once, Momentum(0.1)).train_batches(x, np.zeros((3, 1)), np.arange(1), 1, [0.1])
    assert_array_equal(network.parameters()["0.W"].value, once.parameters()["0.W"].value)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_frozen_parameters_stay_and_the_others_learn(optimizer):
    x, y = some_data(20, 4, 3)
    network = mlp([4, 5, 3], dtype="float64")
    freeze(network, "0")
    before = values(network)
    engine = ReferenceEngine(network, optimizer, [L2(1.0), MaxNorm(0.01)], examples=20)
    engine.train_batches(x, y, np.arange(20), 5, [0.1] * 4)
    after = values(network)
    assert [name for name in before if np.array_equal(before[name], after[name])] == ["0.W", "0.b"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_frozen_numbers_stay_and_the_others_learn(optimizer):
    x, y = some_data(20, 4, 3)
    network = mlp([4, 5, 3], dtype="float64")
    freeze(network, "0.W", np.s_[:, 2])
    before = values(network)["0.W"]
    engine = ReferenceEngine(network, optimizer, [L2(1.0), MaxNorm(0.01)], examples=20)
    engine.train_batches(x, y, np.arange(20), 5, [0.1] * 4)
    same = values(network)["0.W"] == before
    assert_array_equal(same, np.broadcast_to(np.arange(5) == 2, (4, 5)))


def test_regularizers_pull_at_weights_and_not_at_biases():
    x, t = np.zeros((1, 1)), np.ones((1, 1))  # no input, and the output is right: the loss has no gradient
    network = one_neuron(w=3.0, b=1.0)
    ReferenceEngine(network, SGD(0.5), [L2(5.0)], examples=50).train_batches(x, t, np.array([0]), 1, [0.5])
    assert_allclose(network.parameters()["0.W"].value, [[3.0 - 0.5 * 0.3]])
    assert_array_equal(network.parameters()["0.b"].value, [1.0])
    network = one_neuron(w=-3.0, b=1.0)
    both = [L1(5.0), L2(5.0), MaxNorm(1.0)]
    ReferenceEngine(network, SGD(0.5), both[:2], examples=50).train_batches(x, t, np.array([0]), 1, [0.5])
    assert_allclose(network.parameters()["0.W"].value, [[-3.0 + 0.5 * (0.1 + 0.3)]])
    ReferenceEngine(network, SGD(0.5), both, examples=50).train_batches(x, t, np.array([0]), 1, [0.5])
    assert_allclose(network.parameters()["0.W"].value, [[-1.0]])
    assert_array_equal(network.parameters()["0.b"].value, [1.0])


def test_a_step_with_l2_is_one_down_the_regularized_loss():
    x, y = some_data(6, 3, 2)
    network, plain = (mlp([3, 4, 2], dtype="float64", seed=1) for _ in range(2))
    ReferenceEngine(network, SGD(0.3), [L2(2.0)], examples=6).train_batches(x, y, np.arange(6), 6, [0.3])
    plain.gradient(x, y)
    for name, p in plain.parameters().items():
        shrink = 1 - 0.3 * 2.0 / 6 if name.endswith("W") else 1  # Nielsen ch. 3, eq. 93
        assert_allclose(network.parameters()[name].value, shrink * p.value - 0.3 * p.grad, rtol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_going_on_from_a_state_equals_never_stopping(optimizer):
    x, y = some_data(30, 4, 3)
    order = np.random.default_rng(3).permutation(30)
    straight, first = (mlp([4, 5, 3], seed=7) for _ in range(2))
    ReferenceEngine(straight, optimizer).train_batches(x, y, order, 5, [0.1] * 6)
    engine = ReferenceEngine(first, optimizer)
    engine.train_batches(x, y, order[:15], 5, [0.1] * 3)
    state, second = engine.state(), first.copy()
    kept = copy.deepcopy(state)
    engine.train_batches(x, y, order[15:], 5, [0.1] * 3)
    for name, parts in state.items():  # what was handed over is a copy
        for key, part in parts.items():
            assert_array_equal(part, kept[name][key])
            assert isinstance(part, np.ndarray | int)
    other = ReferenceEngine(second, optimizer)
    other.load_state(state)
    other.train_batches(x, y, order[15:], 5, [0.1] * 3)
    for network in (first, second):
        for name, p in network.parameters().items():
            assert_array_equal(p.value, straight.parameters()[name].value, err_msg=name)


def test_a_network_that_cannot_be_learned_backward_is_refused():
    with pytest.raises(GradientError, match=r"layer 1, Step\(.*\): has no derivative to propagate back; use"):
        ReferenceEngine(Network([Dense(3), Step(), Dense(2)], 4), SGD(0.1))


def test_place_leaves_numpy_alone():
    x = np.ones((2, 4), dtype=np.uint8)
    assert ReferenceEngine(mlp([4, 2]), SGD(0.1)).place(x) is x


def test_dropout_is_on_in_training():
    x, y = some_data(40, 6, 3)
    network = mlp([6, 50, 3], dropout=0.5)
    streams = [layer.rng for _, layer in network.named_layers() if layer.rng is not None]
    before = [rng.bit_generator.state for rng in streams]
    ReferenceEngine(network, SGD(0.1)).train_batches(x, y, np.arange(40), 10, [0.1] * 4)
    assert [rng.bit_generator.state for rng in streams] != before
