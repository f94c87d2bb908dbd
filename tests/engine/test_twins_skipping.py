"""Dense layers that skip inputs that are zero: they train as those do that multiply everything."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitlab.engine.fast import FastEngine, Predictor, planner
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.planner import make_plan
from digitlab.nn import activations as act
from digitlab.nn import freeze
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network
from digitlab.nn.pooling import MaxPool2D
from digitlab.nn.regularizers import L1, L2, MaxNorm
from digitlab.nn.reshaping import Flatten
from digitlab.optimizers import SGD, Adam, Momentum, RMSProp

from .twins import assert_twins, chain, pixels


def choices(*layers):
    """What the plan chose for each dense layer."""
    plan = make_plan(Network([Dense(200), *layers, Dense(100)], 50, LogLikelihood()), SGD(0.1))
    assert not isinstance(plan, str)
    return [row[at.CHOICE] for row in plan.operations if row[at.KIND] == at.DENSE]


def test_it_is_chosen_behind_a_relu_with_dropout_alone():
    assert choices(act.ReLU(), Dropout(0.5)) == [at.ALL_INPUTS, at.SKIP_ZEROS]
    assert choices(act.ReLU(), Dropout(0.15), Dropout(0.15)) == [at.ALL_INPUTS, at.SKIP_ZEROS]
    for layers in ([act.ReLU()], [act.ReLU(), Dropout(0.2)], [act.Tanh(), Dropout(0.5)], [Dropout(0.5)]):
        assert choices(*layers) == [at.ALL_INPUTS, at.ALL_INPUTS]


@pytest.fixture
def always(monkeypatch):
    """Behind every ReLU, with dropout or without, and however small the layer."""
    monkeypatch.setattr(planner, "MOST_KEPT", 1.0)
    monkeypatch.setattr(planner, "LEAST_SKIPPING", 0)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.tuples(st.integers(1, 30), st.integers(1, 150), st.integers(1, 150), st.integers(2, 17)),
    optimizer=st.sampled_from([SGD(0.2), Momentum(0.05, 0.8), RMSProp(0.002), Adam(0.003)]),
    regularizers=st.sampled_from([(), (L2(0.5),), (MaxNorm(0.9),), (L2(0.2), MaxNorm(1.1))]),
    batch_size=st.integers(1, 13),
    threads=st.integers(1, 2),
    seed=st.integers(0, 1000),
)
def test_chains_of_dense_layers(always, sizes, optimizer, regularizers, batch_size, threads, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(40, sizes[0])).astype(np.float32), rng.integers(0, sizes[-1], 40)
    network = chain(sizes, act.ReLU(), LogLikelihood(), seed)
    plan = make_plan(network, optimizer, regularizers)
    assert [row[at.CHOICE] for row in plan.operations if row[at.KIND] == at.DENSE] == [0, 1, 1]
    assert_twins(network, optimizer, regularizers, x, y, batch_size, threads=threads)


def test_behind_a_convolution_with_l1(always):
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 40, 12, 12, 1), rng.integers(0, 7, 40)
    layers = [Conv2D(3, 5), MaxPool2D(2), act.ReLU(), Flatten(), Dropout(0.0), Dense(33), act.ReLU(), Dense(7)]
    network = Network(layers, (12, 12, 1), LogLikelihood(), seed=2)
    assert_twins(network, SGD(0.1), (L1(0.2),), x, y, 6)


def test_with_single_weights_frozen(always):
    rng = np.random.default_rng(2)
    x, y = pixels(rng, 40, 50), rng.integers(0, 7, 40)
    network = chain((50, 24, 12, 7), act.ReLU(), LogLikelihood(), 4)
    freeze(network, "2.W", np.s_[3:20, ::2])
    assert_twins(network, SGD(0.2), (L2(0.5),), x, y, 6)


def dropping(hidden=200):
    layers = [Dense(hidden), act.ReLU(), Dropout(0.5), Dense(hidden), act.ReLU(), Dropout(0.5), Dense(7)]
    return Network(layers, 50, LogLikelihood(), seed=3)


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.001)])
def test_with_dropout_it_trains_as_the_whole_product_does(monkeypatch, optimizer):
    """The same masks for both, since they depend on the seed alone."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 60, 50), rng.integers(0, 7, 60)
    order, results = rng.integers(0, 60, 600), []
    for most in (0.75, 0.0):
        monkeypatch.setattr(planner, "MOST_KEPT", most)
        network = dropping()
        engine = FastEngine(network, optimizer, examples=60, threads=1)
        results.append(engine.train_batches(x, y, order, 6, np.full(100, optimizer.learning_rate)))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-3)


def test_the_same_bits_on_however_many_threads():
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 60, 50), rng.integers(0, 7, 60)
    order, states = rng.integers(0, 60, 300), []
    for threads in (1, 2, 3):
        network = dropping()
        FastEngine(network, SGD(0.1), examples=60, threads=threads).train_batches(x, y, order, 7, np.full(43, 0.1))
        states.append(network.state())
    for state in states[1:]:
        assert all(np.array_equal(state[name], array) for name, array in states[0].items())


def test_predictions_are_those_of_the_readable_network():
    network, x = dropping(), pixels(np.random.default_rng(0), 70, 50)
    np.testing.assert_allclose(Predictor(network)(x), network.predict(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(Predictor(network)(x[:1]), network.predict(x[:1]), rtol=1e-4, atol=1e-6)


def test_a_layer_whose_inputs_are_all_zero_gives_its_biases(always):
    network = Network([Dense(40), act.ReLU(), Dense(7)], 50, LogLikelihood(), seed=1)
    network.layers[0].params["b"].value -= 1e6
    network.layers[2].params["b"].value += np.arange(7, dtype=np.float32)
    x = pixels(np.random.default_rng(0), 5, 50)
    np.testing.assert_allclose(Predictor(network, logits=True)(x), np.tile(np.arange(7), (5, 1)))
