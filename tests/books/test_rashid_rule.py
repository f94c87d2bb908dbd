"""Rashid's learning rule: his own lines, what it has in common with the gradient, and that a check catches it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.errors import GradientError
from digitlab.gradients import Backpropagation, Gradient, RashidRule, check_gradients
from digitlab.nn import CrossEntropy, Dense, Network, Quadratic, ReLU, Sigmoid, Zeros, mlp
from digitlab.nn.describe import build
from digitlab.optim import SGD
from digitlab.train import Trainer

everyday = settings(max_examples=25, deadline=None, derandomize=True)


def network(sizes, seed=0, biases=None):
    layers = []
    for size in sizes[1:]:
        layers += [Dense(size, biases=biases), Sigmoid()]
    return Network(layers[:-1], sizes[0], Quadratic(low=0.01, high=0.99), seed=seed, dtype="float64")


def theirs(wih, who, inputs, targets, lr):
    """One call of `train` as the book has it, column vectors and weights (out, in)."""
    sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731  # the book names it so as well
    inputs, targets = inputs.reshape(-1, 1), targets.reshape(-1, 1)
    hidden = sigmoid(wih @ inputs)
    final = sigmoid(who @ hidden)
    output_errors = targets - final
    hidden_errors = who.T @ output_errors
    new_who = who + lr * (output_errors * final * (1 - final)) @ hidden.T
    new_wih = wih + lr * (hidden_errors * hidden * (1 - hidden)) @ inputs.T
    return new_wih, new_who


@given(seed=st.integers(0, 9999), n_in=st.integers(1, 6), hidden=st.integers(1, 6), out=st.integers(2, 5))
@everyday
def test_it_trains_as_the_book_does(seed, n_in, hidden, out):
    rng = np.random.default_rng(seed)
    net = network([n_in, hidden, out], seed)
    x, labels = rng.uniform(0.01, 1, (5, n_in)), rng.integers(0, out, 5)
    wih, who = (p.value.T.copy() for p in net.parameters().values())
    for image, label in zip(x, labels):
        targets = np.full(out, 0.01)
        targets[label] = 0.99
        wih, who = theirs(wih, who, image, targets, 0.3)
    Trainer(net, SGD(0.3), gradient=RashidRule(), batch_size=1, shuffle=False, keep="last").fit((x, labels), epochs=1)
    for p, expected in zip(net.parameters().values(), (wih, who), strict=True):
        np.testing.assert_allclose(p.value.T, expected, rtol=1e-10, atol=1e-12)


@given(seed=st.integers(0, 9999), n=st.integers(1, 7), depth=st.integers(0, 3))
@everyday
def test_the_last_layer_is_exact_and_the_loss_too(seed, n, depth):
    rng = np.random.default_rng(seed)
    net = network([4, *[5] * depth, 3], seed)
    twin = net.copy()
    x, labels = rng.normal(size=(n, 4)), rng.integers(0, 3, n)
    assert RashidRule().gradient(net, x, labels) == Backpropagation().gradient(twin, x, labels)
    pairs = list(zip(net.parameters().values(), twin.parameters().values()))
    np.testing.assert_allclose(pairs[-1][0].grad, pairs[-1][1].grad, rtol=1e-12)
    for mine, right in pairs[:-1]:
        assert np.linalg.norm(mine.grad - right.grad) > 0.1 * np.linalg.norm(right.grad)


def test_by_hand():
    """1-1-2, all weights 1, x = 1, label 0: h = σ(1), o = σ(h) twice, e = (o − .99, o − .01)."""
    net = network([1, 1, 2])
    for p in net.parameters().values():
        p.value = np.ones_like(p.value)
    RashidRule().gradient(net, np.array([[1.0]]), np.array([0]))
    h = 1 / (1 + np.exp(-1))
    o = 1 / (1 + np.exp(-h))
    errors = np.array([o - 0.99, o - 0.01])
    first, second = (p.grad for p in net.parameters().values())
    np.testing.assert_allclose(second[0], errors * o * (1 - o) * h)
    np.testing.assert_allclose(first, [[errors.sum() * h * (1 - h)]])


def test_a_gradient_check_catches_it():
    rng = np.random.default_rng(0)
    net, x, labels = network([6, 5, 3]), rng.normal(size=(8, 6)), rng.integers(0, 3, 8)
    assert check_gradients(net, x, labels).passed
    assert check_gradients(net, x, labels, tested=Backpropagation()).passed
    report = check_gradients(net, x, labels, tested=RashidRule())
    assert not report.passed
    assert {row.name: row.passed for row in report.rows} == {"0.W": False, "2.W": True}
    assert report.rows[0].error > 0.5
    assert "RashidRule" in str(report) and "wrong: 0.W" in str(report)


def test_biases_learn_as_well():
    rng = np.random.default_rng(0)
    net = network([3, 4, 2], biases=Zeros())
    x, labels = rng.normal(size=(6, 3)), rng.integers(0, 2, 6)
    RashidRule().gradient(net, x, labels)
    right = net.copy()
    right.gradient(x, labels)
    np.testing.assert_allclose(net.parameters()["2.b"].grad, right.parameters()["2.b"].grad)
    assert net.parameters()["0.b"].grad.shape == (4,)


@pytest.mark.slow
def test_it_learns():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5))
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    net = network([5, 20, 2], biases=Zeros())
    history = Trainer(net, SGD(0.5), gradient=RashidRule(), batch_size=1, evaluate_train=True).fit(
        (x, labels), epochs=60
    )
    assert history[-1]["train_accuracy"] > 0.9


@pytest.mark.parametrize(
    "net, reason",
    [
        (mlp([3, 4, 2], loss=CrossEntropy()), "quadratic loss"),
        (mlp([3, 4, 2], activation=ReLU()), "layer 1, ReLU"),
        (Network([Dense(3), Dense(2)], 3), "layer 1, Dense"),
        (Network([Dense(3), Sigmoid()], 3, allow_output_activation=True), "a Sigmoid at the end comes twice"),
    ],
)
def test_what_it_does_not_serve(net, reason):
    with pytest.raises(GradientError, match=reason):
        RashidRule().gradient(net, np.zeros((1, 3)), np.zeros(1, int))


def test_it_has_a_name():
    assert build(Gradient, "rashid-rule") == RashidRule()
    assert RashidRule().evaluations(mlp([3, 2])) == 3
