"""Weights of single examples: both engines train with them alike, and without them as before."""

import numpy as np
import pytest

from digitlab.engine import ReferenceEngine
from digitlab.engine.fast import FastEngine
from digitlab.errors import EngineError
from digitlab.gradients import CentralDifferences, ComplexStep, PerExample
from digitlab.gradients.rashid import RashidRule
from digitlab.nn import activations as act
from digitlab.nn import mlp
from digitlab.nn.conv import Conv2D
from digitlab.nn.losses import CrossEntropy, LogLikelihood, MeanSquaredError
from digitlab.nn.network import Dense, Network, Quadratic, Sigmoid
from digitlab.nn.pooling import MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD, Adam
from digitlab.optim.regularizers import L2

from .twins import assert_twins, chain, pixels

LOSSES = [Quadratic(), CrossEntropy(0.1), LogLikelihood(), MeanSquaredError(low=0.01, high=0.99)]
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)


def examples(n=60, n_in=50, out=7):
    rng = np.random.default_rng(0)
    weights = rng.choice([0.0, 0.5, 1.0, 3.0], n).astype(np.float32)
    return pixels(rng, n, n_in), rng.integers(0, out, n), rng.random((n, out), dtype=np.float32), weights


@each_loss
@pytest.mark.parametrize("kind", ["labels", "rows"])
@pytest.mark.parametrize(("threads", "optimizer"), [(1, SGD(0.2)), (3, SGD(0.2)), (2, Adam(0.003))])
def test_every_loss_by_labels_and_by_rows(loss, kind, threads, optimizer):
    x, labels, rows, weights = examples()
    network = chain((50, 20, 7), Sigmoid(), loss, 3)
    y = labels if kind == "labels" else rows
    assert_twins(network, optimizer, (L2(0.1),), x, y, 7, threads=threads, weights=weights, rest=3)


def test_rashids_rule():
    x, y, _, weights = examples()
    network = chain((50, 20, 7), Sigmoid(), Quadratic(low=0.01, high=0.99), 1, "0.01-1")
    assert_twins(network, SGD(0.3), (), x, y, 7, threads=2, gradient=RashidRule(), weights=weights)


def test_pictures():
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 40, 12, 12, 1), rng.integers(0, 5, 40)
    layers = [Conv2D(6, 3), act.ReLU(), MaxPool2D(2), Flatten(), Dense(20), act.ReLU(), Dense(5)]
    network = Network(layers, (12, 12, 1), LogLikelihood(), seed=1)
    assert_twins(network, SGD(0.1), (), x, y, 7, steps=60, threads=2, weights=rng.random(40) * 3)


def trained(engine, weights, x, y, order, threads=None, **settings):
    network = mlp([50, 20, 7], loss="cross-entropy", seed=2)
    more = {"threads": threads} if threads else {}
    made = engine(network, SGD(0.3), examples=len(x), **settings, **more)
    losses = made.train_batches(x, y, order, 6, np.full(-(-len(order) // 6), 0.3), weights)
    return losses, network.state()


@pytest.mark.parametrize("engine", [ReferenceEngine, FastEngine])
def test_weights_of_one_change_no_bit(engine):
    x, y, _, _ = examples()
    plain, ones = (trained(engine, weights, x, y, np.arange(60)) for weights in (None, np.ones(60)))
    np.testing.assert_array_equal(plain[0], ones[0])
    for name, array in plain[1].items():
        np.testing.assert_array_equal(ones[1][name], array)


def test_the_same_bits_on_however_many_threads():
    x, y, _, weights = examples()
    first, *others = (trained(FastEngine, weights, x, y, np.arange(60), threads) for threads in (1, 2, 3, 5))
    for losses, state in others:
        np.testing.assert_array_equal(losses, first[0])
        for name, array in first[1].items():
            np.testing.assert_array_equal(state[name], array)


@pytest.mark.parametrize("engine", [ReferenceEngine, FastEngine])
def test_a_weight_of_0_leaves_an_example_out_and_2_takes_it_twice(engine):
    """In one batch of 6, weights of 0 and 2 do what leaving examples out and repeating others does."""
    x, y, _, _ = examples()
    weights = np.ones(60)
    weights[:6] = 0, 2, 1, 1, 2, 0
    weighted = trained(engine, weights, x, y, np.arange(6))
    repeated = trained(engine, None, x, y, np.array([1, 1, 2, 3, 4, 4]))
    np.testing.assert_allclose(weighted[0], repeated[0], rtol=1e-6)
    for name, array in repeated[1].items():
        np.testing.assert_allclose(weighted[1][name], array, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("way", [PerExample(), CentralDifferences(), ComplexStep()], ids=repr)
def test_other_ways_of_taking_the_gradient(way):
    x, y, _, weights = examples(6, 8, 4)
    networks = [mlp([8, 5, 4], loss="cross-entropy", seed=1) for _ in range(2)]
    for network, gradient in zip(networks, (None, way)):
        ReferenceEngine(network, SGD(1.0), gradient=gradient).train_batches(x, y, np.arange(6), 6, [1.0], weights)
    for name, array in networks[0].state().items():
        np.testing.assert_allclose(networks[1].state()[name], array, rtol=1e-4, atol=1e-6)


def test_as_many_weights_as_examples():
    x, y, _, _ = examples()
    for wrong in (np.ones(59), np.ones((60, 1)), 1.0):
        with pytest.raises(EngineError, match=r"got weights of shape .* expected one for each of 60 examples"):
            trained(FastEngine, wrong, x, y, np.arange(60))
