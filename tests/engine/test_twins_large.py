"""Dense layers that skip inputs that are zero, or whose weights threads share out: they train as the others do."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.engine.fast import FastEngine, Predictor, engine
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.operations import CODES
from digitlab.engine.fast.ops import dense
from digitlab.engine.fast.ops.skipping import ALL_INPUTS, CHOICE, MAY_SKIP, PARTS, SKIP_ZEROS
from digitlab.engine.fast.planner import make_plan
from digitlab.nn import activations as act
from digitlab.nn import freeze
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network
from digitlab.nn.pooling import MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD, Adam, Momentum, RMSProp
from digitlab.optim.regularizers import L1, L2, MaxNorm

from .twins import assert_twins, chain, pixels

DENSE = CODES["dense"], CODES["large_dense"]


@contextmanager
def forced(skip: bool, share: bool) -> Iterator[None]:
    """Every dense layer behind a ReLU skips zeros, or none does; every dense layer is shared out, or none."""

    def made(*args, **options):
        plan = make_plan(*args, **options)
        for row in plan.operations:
            if row[at.KIND] == CODES["dense"] and row[MAY_SKIP]:
                row[MAY_SKIP], row[CHOICE] = 0, SKIP_ZEROS if skip else ALL_INPUTS
        return plan

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "LEAST_SKIPPING", 0)
        patch.setattr(dense, "LEAST_SHARED", 0 if share else 1 << 60)
        patch.setattr(engine, "make_plan", made)
        yield


WAYS = pytest.mark.parametrize(("skip", "share"), [(True, False), (False, True), (True, True)])


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 30), st.integers(1, 150), st.integers(1, 150), st.integers(2, 17)),
    optimizer=st.sampled_from([SGD(0.2), Momentum(0.05, 0.8), RMSProp(0.002), Adam(0.003)]),
    regularizers=st.sampled_from([(), (L2(0.5),), (MaxNorm(0.9),), (L2(0.2), MaxNorm(1.1))]),
    batch_size=st.integers(1, 13),
    threads=st.integers(1, 3),
    skip=st.booleans(),
    share=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_chains_of_dense_layers(sizes, optimizer, regularizers, batch_size, threads, skip, share, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(40, sizes[0])).astype(np.float32), rng.integers(0, sizes[-1], 40)
    with forced(skip, share):
        assert_twins(
            chain(sizes, act.ReLU(), LogLikelihood(), seed), optimizer, regularizers, x, y, batch_size, threads=threads
        )


@WAYS
def test_behind_a_convolution_with_l1(skip, share):
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 40, 12, 12, 1), rng.integers(0, 7, 40)
    layers = [Conv2D(3, 5), MaxPool2D(2), act.ReLU(), Flatten(), Dropout(0.0), Dense(33), act.ReLU(), Dense(7)]
    with forced(skip, share):
        network = Network(layers, (12, 12, 1), LogLikelihood(), seed=2)
        assert_twins(network, SGD(0.1), (L1(0.2),), x, y, 6, threads=2)


@WAYS
def test_with_single_weights_frozen(skip, share):
    rng = np.random.default_rng(2)
    x, y = pixels(rng, 40, 50), rng.integers(0, 7, 40)
    network = chain((50, 24, 12, 7), act.ReLU(), LogLikelihood(), 4)
    freeze(network, "2.W", np.s_[3:20, ::2])
    with forced(skip, share):
        assert_twins(network, SGD(0.2), (L2(0.5),), x, y, 6, threads=2)


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.001)])
@pytest.mark.parametrize("batch_size", [70, 523])
def test_products_that_are_cut_into_blocks(optimizer, batch_size):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(600, 530)).astype(np.float32), rng.integers(0, 7, 600)
    network = chain((530, 300, 270, 7), act.Tanh(), LogLikelihood(), 5)
    assert_twins(network, optimizer, (L2(0.5),), x, y, batch_size, steps=8, threads=2)


def test_blocks_leave_every_sum_as_it_was():
    """An example's outputs are the same bits in batches large enough for products in blocks, and in smaller ones."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(120, 530)).astype(np.float32), rng.integers(0, 7, 120)
    losses = []
    for batch in (120, 40):
        network = chain((530, 300, 270, 7), act.Tanh(), LogLikelihood(), 5)
        fast = FastEngine(network, SGD(0.1), examples=120, threads=1)
        losses.append(np.mean(fast.train_batches(x, y, np.arange(120), batch, np.zeros(120 // batch))))
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def dropping(hidden=200):
    layers = [Dense(hidden), act.ReLU(), Dropout(0.5), Dense(hidden), act.ReLU(), Dropout(0.5), Dense(7)]
    return Network(layers, 50, LogLikelihood(), seed=3)


@WAYS
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.001)])
def test_with_dropout_it_trains_as_the_whole_product_does(skip, share, optimizer):
    """The same masks for both, since they depend on the seed alone."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 60, 50), rng.integers(0, 7, 60)
    order, results = rng.integers(0, 60, 600), []
    for way in ((skip, share), (False, False)):
        with forced(*way):
            fast = FastEngine(dropping(), optimizer, examples=60, threads=2)
            results.append(fast.train_batches(x, y, order, 6, np.full(100, optimizer.learning_rate)))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("kept", [0.5, 1.0])
def test_the_same_bits_on_however_many_threads(monkeypatch, share, kept):
    """With the choice left to the layers, which count the batch's zeros together."""
    monkeypatch.setattr(dense, "LEAST_SHARED", 0 if share else 1 << 60)
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 60, 50), rng.integers(0, 7, 60)
    order, states = rng.integers(0, 60, 700), []
    for threads in (1, 2, 3, 5):
        network = dropping()
        for layer in network.layers:
            if isinstance(layer, Dropout):
                layer.rate = 1 - kept
        FastEngine(network, SGD(0.1), examples=60, threads=threads).train_batches(x, y, order, 7, np.full(100, 0.1))
        states.append(network.state())
    for state in states[1:]:
        assert all(np.array_equal(state[name], array) for name, array in states[0].items())


def test_the_choice_is_one_for_the_whole_batch():
    """Two examples of seven have all neurons on, the others none; the thread that has these two must not differ."""
    rng = np.random.default_rng(0)
    x = np.repeat([1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0], 50).reshape(7, 50).astype(np.float32)
    y, order, states = rng.integers(0, 7, 7), np.tile(np.arange(7), 30), []
    weights = np.abs(rng.normal(size=(50, 200))).astype(np.float32)
    for threads in (1, 2):
        network = Network([Dense(200), act.ReLU(), Dense(40), act.ReLU(), Dense(7)], 50, LogLikelihood(), seed=3)
        network.layers[0].params["W"].value = weights.copy()
        fast = FastEngine(network, SGD(0.01), examples=7, threads=threads)
        fast.train_batches(x, y, order, 7, np.full(30, 0.01))
        assert fast.workspace.arrays[at.OPS][2, CHOICE] == SKIP_ZEROS
        states.append(network.state())
    assert all(np.array_equal(states[1][name], array) for name, array in states[0].items())


def choices(bias, *layers):
    """What each dense layer chose, when the hidden neurons' inputs lie around `bias`."""
    network = Network([Dense(200), *layers, Dense(100)], 50, LogLikelihood(), seed=1)
    network.layers[0].params["b"].value += bias
    fast = FastEngine(network, SGD(0.0001), examples=60, threads=1)
    x = np.random.default_rng(0).normal(size=(60, 50)).astype(np.float32)
    fast.train_batches(x, np.zeros(60, int), np.arange(60), 10, np.full(6, 0.0001))
    return [row[CHOICE] for row in fast.workspace.arrays[at.OPS] if row[at.KIND] in DENSE]


def test_a_layer_skips_zeros_if_few_inputs_are_not_zero():
    few, many = [ALL_INPUTS, SKIP_ZEROS], [ALL_INPUTS, ALL_INPUTS]
    assert choices(-1.0, act.ReLU()) == few
    assert choices(+1.0, act.ReLU()) == many
    assert choices(+1.0, act.ReLU(), Dropout(0.8)) == few
    # Others have slopes at 0: the gradient of an input that is zero is asked for.
    assert choices(0.0, Dropout(0.8)) == many
    assert choices(0.0, act.Tanh(), Dropout(0.8)) == many


def test_weights_are_shared_out_in_small_batches_of_large_layers():
    for hidden, batch, shared in ((30, 10, False), (800, 10, True), (800, 200, False)):
        network = Network([Dense(hidden), act.ReLU(), Dense(800)], 50, LogLikelihood(), seed=1)
        fast = FastEngine(network, SGD(0.1), examples=200, threads=1)
        fast.train_batches(np.zeros((200, 50), np.uint8), np.zeros(200, int), np.arange(200), batch, np.zeros(20))
        assert [row[PARTS] > 0 for row in fast.workspace.arrays[at.OPS] if row[at.KIND] in DENSE] == [shared]


def test_predictions_are_those_of_the_readable_network():
    network, x = dropping(800), pixels(np.random.default_rng(0), 70, 50)
    np.testing.assert_allclose(Predictor(network)(x), network.predict(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(Predictor(network)(x[:1]), network.predict(x[:1]), rtol=1e-4, atol=1e-6)
