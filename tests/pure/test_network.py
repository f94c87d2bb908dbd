"""The pure network against worked figures, and against the same network in arrays."""

import numpy as np
import pytest

from digitlab.engine import ReferenceEngine
from digitlab.gradients import PerExample
from digitlab.nn import CrossEntropy, Quadratic, mlp
from digitlab.optim import SGD
from digitlab.pure import PureNetwork, one_hot, sigmoid


def test_sigmoid_by_hand_and_far_out():
    assert sigmoid(0) == 0.5
    assert sigmoid(1000) == 1.0
    assert sigmoid(-1000) == 0.0
    assert sigmoid(2.0) == pytest.approx(0.8807970779778823, rel=1e-15)


def test_one_neuron_by_hand():
    net = PureNetwork([1, 1])
    net.weights, net.biases = [[[0.6]]], [[0.9]]
    # Nielsen ch. 3: input 1, weight .6, bias .9 gives .82; target 0, so δ = a · a(1 − a).
    a = net.predict([1.0])[0]
    assert round(a, 2) == 0.82
    by_weights, by_biases = net.gradient([1.0], [0.0])
    assert by_biases[0][0] == pytest.approx(a * a * (1 - a), rel=1e-14)
    assert by_weights[0][0][0] == by_biases[0][0]


@pytest.mark.parametrize("loss", ["quadratic", "cross-entropy"])
@pytest.mark.parametrize("sizes", [[7, 5, 3], [6, 8, 4, 3]])
def test_pure_per_example_and_vectorised_agree_after_20_updates(loss, sizes):
    rng = np.random.default_rng(3)
    x, labels = rng.random((37, sizes[0])), rng.integers(0, sizes[-1], 37)
    whole = mlp(sizes, loss=loss, init="large", dtype="float64", seed=1)
    single, pure = whole.copy(), PureNetwork.from_network(whole)
    assert isinstance(whole.loss, Quadratic if loss == "quadratic" else CrossEntropy)
    batches = [rng.permutation(37)[:8] for _ in range(20)]
    rates = np.full(1, 1.5)
    vectorised = ReferenceEngine(whole, SGD(1.5))
    per_example = ReferenceEngine(single, SGD(1.5), gradient=PerExample())
    start = whole.parameters()["0.W"].value.copy()
    for batch in batches:
        vectorised.train_batches(x, labels, batch, 8, rates)
        per_example.train_batches(x, labels, batch, 8, rates)
        pure.train_batch([(x[i].tolist(), one_hot(int(labels[i]), sizes[-1])) for i in batch], 1.5)
    assert np.abs(whole.parameters()["0.W"].value - start).max() > 0.01  # they did move
    dense = [layer.params for layer in whole.layers if layer.params]
    for name, p in whole.parameters().items():
        np.testing.assert_allclose(single.parameters()[name].value, p.value, rtol=0, atol=1e-12)
    for params, weights, biases in zip(dense, pure.weights, pure.biases, strict=True):
        np.testing.assert_allclose(np.array(weights).T, params["W"].value, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.array(biases), params["b"].value, rtol=0, atol=1e-12)


def test_learns_a_small_problem():
    examples = [([a, b], [float(a != b)]) for a in (0.0, 1.0) for b in (0.0, 1.0)]  # exclusive or
    net = PureNetwork([2, 4, 1], loss="cross-entropy", seed=1)
    net.train(examples, epochs=1500, batch_size=4, learning_rate=1.0)
    assert [round(net.predict(x)[0]) for x, _ in examples] == [0, 1, 1, 0]


def test_accuracy_counts():
    net = PureNetwork([1, 2])
    net.weights, net.biases = [[[1.0], [-1.0]]], [[0.0, 0.0]]
    assert net.accuracy([([2.0], 0), ([-2.0], 1), ([2.0], 1), ([3.0], 0)]) == 0.75


@pytest.mark.parametrize("sizes", [[3], [3, 0]])
def test_refuses_sizes(sizes):
    with pytest.raises(ValueError, match="at least two"):
        PureNetwork(sizes)


def test_refuses_an_unknown_loss():
    with pytest.raises(ValueError, match="'absolute'"):
        PureNetwork([2, 1], loss="absolute")


def test_what_does_not_fit_is_refused():
    net = PureNetwork([3, 2])
    with pytest.raises(ValueError, match="got 2 numbers, expected 3 inputs"):
        net.predict([1.0, 2.0])
    with pytest.raises(ValueError, match="got 1 numbers, expected 2 targets"):
        net.gradient([1.0, 2.0, 3.0], [1.0])
    with pytest.raises(ValueError, match="examples: got none"):
        net.train([], epochs=1, batch_size=1, learning_rate=1.0)
    with pytest.raises(ValueError, match="examples: got none"):
        net.accuracy([])
    with pytest.raises(ValueError, match="batch_size: got 0"):
        net.train([([1.0, 2.0, 3.0], [1.0, 0.0])], epochs=1, batch_size=0, learning_rate=1.0)
    with pytest.raises(ValueError, match="got the label 10, expected 0 to 9"):
        one_hot(10, 10)
