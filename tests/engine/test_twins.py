"""Dense kernels against their readable twins (twins.py says how closely), dropout, and what lies between two calls."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.engine import ReferenceEngine
from digitlab.engine.fast import FastEngine, Predictor
from digitlab.gradients.rashid import RashidRule
from digitlab.nn import activations as act
from digitlab.nn.dropout import Dropout
from digitlab.nn.initializers import Normal
from digitlab.nn.losses import CrossEntropy, LogLikelihood, MeanSquaredError
from digitlab.nn.network import Dense, Network, Quadratic, Sigmoid
from digitlab.optim import SGD, Adam, AdamW, Momentum, Nesterov, RMSProp
from digitlab.optim.regularizers import L1, L2, MaxNorm

from .twins import assert_twins, both, chain, pixels

ACTIVATIONS = [
    act.Linear(),
    Sigmoid(),
    act.Tanh(),
    act.ReLU(),
    act.LeakyReLU(0.1),
    act.ELU(0.7),
    act.GELU(),
    act.Softplus(),
    act.SiLU(),
    act.HardSigmoid(),
]
LOSSES = [Quadratic(), CrossEntropy(0.1), LogLikelihood(), LogLikelihood(0.2), MeanSquaredError(low=0.01, high=0.99)]
OPTIMIZERS = [SGD(0.2), Momentum(0.05, 0.8), Nesterov(0.05, 0.8), RMSProp(0.002), Adam(0.003), AdamW(0.003)]
REGULARIZERS = [(), (L2(0.5),), (MaxNorm(0.9),), (L2(0.2), MaxNorm(1.1))]


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 70), *[st.integers(1, 40)] * 2, st.integers(2, 17)),
    activation=st.sampled_from(ACTIVATIONS),
    loss=st.sampled_from(LOSSES),
    optimizer=st.sampled_from(OPTIMIZERS),
    regularizers=st.sampled_from(REGULARIZERS),
    batch_size=st.integers(1, 13),
    scaling=st.sampled_from(["/255", "0.01-1", "/256"]),
    kind=st.sampled_from(["few pixels", "many pixels", "floats", "few floats"]),
    soft=st.booleans(),
    threads=st.integers(1, 2),
    seed=st.integers(0, 1000),
)
def test_chains_of_dense_layers(
    sizes, activation, loss, optimizer, regularizers, batch_size, scaling, kind, soft, threads, seed
):
    rng = np.random.default_rng(seed)
    x = pixels(rng, 40, sizes[0], share=0.9 if kind.startswith("many") else 0.2)
    if kind.endswith("floats"):
        x = x.astype(np.float32) / 255 if kind.startswith("few") else rng.normal(size=x.shape).astype(np.float32)
    y = rng.random((40, sizes[-1]), dtype=np.float32) if soft else rng.integers(0, sizes[-1], 40)
    network = chain(sizes, activation, loss, seed, scaling)
    assert_twins(network, optimizer, regularizers, x, y, batch_size, threads=threads)


def test_the_books_network():
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 300, 784, share=0.19), rng.integers(0, 10, 300)
    network = Network([Dense(30, Normal(), Normal()), Sigmoid(), Dense(10, Normal(), Normal())], 784)
    assert_twins(network, SGD(3.0), (), x, y, batch_size=10)


def test_rashids_network():
    """No biases, single examples, and an offset: no input is zero, and the sparse layer must know it."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 100, 784, share=0.19), rng.integers(0, 10, 100)
    network = Network(
        [Dense(100, biases=None), Sigmoid(), Dense(10, biases=None)],
        784,
        Quadratic(low=0.01, high=0.99),
        scaling="0.01-1",
    )
    assert_twins(network, SGD(0.1), (), x, y, batch_size=1)


@pytest.mark.parametrize("sizes", [(784, 100, 10), (50, 20, 13, 7), (50, 7)])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_rashids_rule(sizes, batch_size):
    """Errors that go back without the later layers' slopes; without a hidden layer it is the true gradient."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 100, sizes[0], share=0.19), rng.integers(0, sizes[-1], 100)
    network = chain(sizes, Sigmoid(), Quadratic(low=0.01, high=0.99), 1, "0.01-1")
    assert_twins(network, SGD(0.3), (L2(0.1),), x, y, batch_size, threads=2, gradient=RashidRule())


def test_a_decay_so_strong_that_the_lazy_scale_is_folded_in():
    """Each step leaves a third of the weights: s leaves its range every few steps."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 50, 60), rng.integers(0, 4, 50)
    for scaling in ("/255", "0.01-1"):
        for threads in (1, 2):
            network = chain((60, 12, 4), Sigmoid(), CrossEntropy(), 3, scaling)
            assert_twins(network, SGD(0.5), (L2(65.0),), x, y, 5, threads=threads)


def test_l1():
    """Near zero the sign of a weight is rounding's choice, so the twins part a little there: fewer steps."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 50, 60), rng.integers(0, 4, 50)
    network = chain((60, 12, 4), act.Tanh(), LogLikelihood(), 3)
    assert_twins(network, SGD(0.1), (L1(0.1),), x, y, 5, steps=20)


def example(seed=0, dropout=0.0):
    rng = np.random.default_rng(seed)
    x, y = pixels(rng, 60, 50), rng.integers(0, 7, 60)
    layers = [Dense(24), Sigmoid(), *([Dropout(dropout)] if dropout is not None else []), Dense(7)]
    return Network(layers, 50, LogLikelihood(), seed=seed), x, y


def train(network, x, y, threads=1, steps=30, optimizer=None, rate=0.3):
    engine = FastEngine(network, optimizer or SGD(rate), examples=len(x), threads=threads)
    order = np.random.default_rng(2).integers(0, len(x), steps * 6)
    return engine.train_batches(x, y, order, 6, np.full(steps, rate))


def test_the_gradient_is_the_one_of_the_mathematics():
    """One step of SGD in float32 against the float64 gradient of the readable network."""
    network, x, y = example(dropout=None)
    exact = Network([Dense(24), Sigmoid(), Dense(7)], 50, LogLikelihood(), dtype="float64", seed=0)
    exact.load_state(network.state())
    exact.gradient(x[:6], y[:6])
    before = {name: p.value.copy() for name, p in network.parameters().items()}
    FastEngine(network, SGD(1.0)).train_batches(x, y, np.arange(6), 6, [1.0])
    for name, p in exact.parameters().items():
        np.testing.assert_allclose(before[name] - network.parameters()[name].value, p.grad, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("optimizer", [SGD(0.3), Adam(0.01)])
@pytest.mark.parametrize("dropout", [None, 0.4])
def test_the_same_bits_whenever_and_on_however_many_threads(optimizer, dropout):
    results = []
    for threads in (1, 1, 2, 3):
        network, x, y = example(dropout=dropout)
        losses = train(network, x, y, threads, optimizer=optimizer, rate=optimizer.learning_rate)
        results.append((losses, network.state()))
    for losses, state in results[1:]:
        assert np.array_equal(losses, results[0][0])
        assert all(np.array_equal(state[name], array) for name, array in results[0][1].items())


def test_dropout_at_rate_0_is_no_dropout():
    (a, x, y), (b, _, _) = example(dropout=0.0), example(dropout=None)
    b.load_state({name.replace("3.", "2."): array for name, array in a.state().items()})
    assert np.array_equal(train(a, x, y), train(b, x, y))


@pytest.mark.parametrize("inverted", [True, False])
def test_dropout_leaves_out_its_share_and_scales_the_rest(inverted):
    """In one step on one example, the weights leading from a neuron that was left out stay as they are."""
    rate, n = 0.3, 4000
    network = Network([Dense(n), Dropout(rate, inverted), Dense(1)], 4, MeanSquaredError(), seed=1)
    ones = np.ones((1, 4), np.float32)
    np.testing.assert_allclose(Predictor(network)(np.ones((2, 4), np.float32))[:1], network.predict(ones), rtol=1e-4)
    hidden = network.layers[0].forward(np.ones((1, 4), np.float32))[0][0]
    before = network.layers[2].params["W"].value[:, 0].copy()
    target = np.float32([[1e6]])  # so far away that the error is the target, whatever is left out
    FastEngine(network, SGD(1e-9)).train_batches(ones, target, [0], 1, [1e-9])
    moved = network.layers[2].params["W"].value[:, 0] - before
    left_out = moved == 0
    assert abs(left_out.mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / n)
    ratio = moved[~left_out] / hidden[~left_out]
    factor = 1 / (1 - rate) if inverted else 1.0
    np.testing.assert_allclose(np.median(ratio), 2e-3 * factor, rtol=0.01)
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=0.05, atol=abs(np.median(ratio)) * 0.05)


def test_dropout_masks_change_from_step_to_step():
    network, x, y = example(dropout=0.5)
    losses = FastEngine(network, SGD(1e-9)).train_batches(x, y, np.zeros(50, int), 1, np.full(50, 1e-9))
    assert len(np.unique(losses)) > 40


def test_learning_goes_on_from_a_loaded_state():
    """Half the steps by one engine, the other half by another: the reference engine, or the fast one again."""
    optimizer = Adam(0.01)
    for first, second in ((FastEngine, FastEngine), (ReferenceEngine, FastEngine), (FastEngine, ReferenceEngine)):
        network, x, y = example(dropout=None)
        straight = network.copy()
        order = np.random.default_rng(2).integers(0, 60, 240)
        rates = np.full(40, 0.01)
        expected = ReferenceEngine(straight, optimizer).train_batches(x, y, order, 6, rates)
        one = first(network, optimizer)
        one.train_batches(x, y, order[:120], 6, rates[:20])
        copy = network.copy()
        other = second(network, optimizer)
        network.load_state(copy.state())
        other.load_state(one.state())
        losses = other.train_batches(x, y, order[120:], 6, rates[20:])
        np.testing.assert_allclose(losses, expected[20:], rtol=1e-4)


def test_parameters_may_be_replaced_between_calls():
    network, x, y = example(dropout=None)
    start = network.copy()
    engine = FastEngine(network, SGD(0.3))
    first = engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3))
    network.load_state(start.state())
    assert np.array_equal(engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3)), first)


def test_divergence_stops_before_the_update():
    for value in (1e25, np.nan):
        network = Network([Dense(5), act.ReLU(), Dense(3)], 4, MeanSquaredError())
        x, y = np.ones((20, 4), np.float32), np.zeros(20, int)
        x[13] = value
        with np.errstate(over="ignore", invalid="ignore"):
            _, _, _, expected, got = both(network, SGD(0.01), (), x, y, np.arange(20), 2)
        assert len(got) == len(expected) == 7
        assert np.isfinite(got[:6]).all() and not np.isfinite(got[6])
        assert all(np.isfinite(p.value).all() for p in network.parameters().values())


def test_the_arrays_handed_out_stay_as_they_are():
    network, x, y = example(dropout=None)
    engine = FastEngine(network, SGD(0.3))
    engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3))
    held = network.parameters()["0.W"].value
    copy = held.copy()
    engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3))
    assert np.array_equal(held, copy)


def test_networks_trained_at_the_same_time_do_not_meet():
    networks = [example(seed) for seed in range(4)]
    alone = [train(network.copy(), x, y) for network, x, y in networks]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: train(*one), networks))
    for a, b in zip(alone, together, strict=True):
        assert np.array_equal(a, b)
