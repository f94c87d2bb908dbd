"""Large dense layers in large batches, whose products are packed: they train as the others do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.engine.fast import FastEngine, layout, workspace
from digitlab.engine.fast.matrix_unit import has_matrix_unit
from digitlab.engine.fast.ops import dense, large, turned
from digitlab.engine.fast.ops.skipping import ALL_INPUTS, CHOICE, PACKED, SKIP_ZEROS, TURNED
from digitlab.engine.fast.pixel_lists import PixelLists
from digitlab.nn import activations as act
from digitlab.nn import mlp
from digitlab.nn.dropout import Dropout
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network
from digitlab.optim import SGD, Adam, Momentum
from digitlab.optim.regularizers import L2, MaxNorm

from .twins import assert_twins, chain, pixels

UNIT = pytest.param(True, id="unit", marks=pytest.mark.skipif(not has_matrix_unit(), reason="no matrix unit here"))
BOTH = [UNIT, pytest.param(False, id="vectors")]


@pytest.fixture(params=BOTH)
def packed(request, monkeypatch):
    """Every layer with at least 32 outputs packs its products, whatever the batch; on the matrix unit, and without."""
    monkeypatch.setattr(dense, "LEAST_PACKED", 0)
    monkeypatch.setattr(large, "SMALL_BATCH", 0)
    monkeypatch.setattr(large, "has_matrix_unit", lambda: request.param)


def data(features: int, examples: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(examples, features)).astype(np.float32), rng.integers(0, classes, examples)


@pytest.mark.slow
@pytest.mark.parametrize("unit", BOTH)
@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 300), st.integers(32, 150), st.integers(32, 150), st.integers(2, 40)),
    optimizer=st.sampled_from([SGD(0.05), Momentum(0.02, 0.8), Adam(0.003)]),
    regularizers=st.sampled_from([(), (L2(0.5),), (L2(0.2), MaxNorm(1.1))]),
    batch_size=st.integers(5, 40),
    threads=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_chains_of_dense_layers(unit, sizes, optimizer, regularizers, batch_size, threads, seed):
    x, y = data(sizes[0], 40, sizes[-1], seed)
    network = chain(sizes, act.Tanh(), LogLikelihood(), seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "LEAST_PACKED", 0)
        patch.setattr(large, "SMALL_BATCH", 0)
        patch.setattr(large, "has_matrix_unit", lambda: unit)
        assert_twins(network, optimizer, regularizers, x, y, batch_size, steps=20, threads=threads)


def test_sums_longer_than_one_packing_and_uneven_sizes(packed):
    x, y = data(530, 300, 9, 1)
    network = chain((530, 67, 45, 9), act.ReLU(), LogLikelihood(), 3)
    assert_twins(network, Adam(0.003), (L2(0.3),), x, y, 290, steps=20, threads=2)


def test_more_columns_than_one_block_of_the_step(packed):
    batch, outputs = 290, 1000
    assert outputs > large.AT_ONCE * large.DEEP // batch  # columns of g that are packed at once
    x, y = data(45, 300, 9, 4)
    network = chain((45, outputs, 9), act.ReLU(), LogLikelihood(), 3)
    assert_twins(network, Adam(0.003), (L2(0.3),), x, y, batch, steps=6, threads=1)


def test_a_batch_that_is_too_large_to_pack(packed, monkeypatch):
    x, y = data(40, 60, 9, 1)
    for largest, packs in ((60, True), (59, False)):
        monkeypatch.setattr(large, "LARGEST_BATCH", largest)
        network = chain((40, 33, 9), act.Tanh(), LogLikelihood(), 3)
        engine = FastEngine(network, Adam(0.003))
        engine.train_batches(x, y, np.arange(60), 60, np.full(1, 0.003))
        assert engine.workspace is not None and bool(engine.workspace.arrays[layout.OPS][0, PACKED]) == packs
        assert_twins(network, Adam(0.003), (), x, y, 60, steps=5, threads=2)


def test_pictures_are_lists_of_pixels_or_whole_rows(packed, monkeypatch):
    """The matrix unit takes whole rows from LEAST_WHOLE weights on, vectors where more than half is not zero."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 80, 64), rng.integers(0, 9, 80)
    for least, lists in ((64 * 40, False), (64 * 40 + 1, True)):
        monkeypatch.setattr(workspace, "LEAST_WHOLE", least)
        network = chain((64, 40, 9), act.ReLU(), LogLikelihood(), 3)
        listed = lists or not large.has_matrix_unit()
        assert isinstance(FastEngine(network, Adam(0.003)).source(x, 40), PixelLists) == listed
        assert not isinstance(FastEngine(network, Adam(0.003)).source(255 - x, 40), PixelLists)
        assert_twins(network, Adam(0.003), (L2(0.3),), x, y, 40, steps=10, threads=2)


@pytest.mark.parametrize("scaling", ["/255", "0.01-1"])
def test_pixels_in_whole_rows(packed, monkeypatch, scaling):
    """The matrix unit reads bytes unscaled, where the scaling has no offset; any number of threads gives the same."""
    monkeypatch.setattr(workspace, "LEAST_WHOLE", 0)
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 80, 150, share=0.7), rng.integers(0, 9, 80)
    results = []
    for threads in (1, 2, 3):
        network = mlp([150, 100, 9], scaling=scaling, seed=3)
        engine = FastEngine(network, Adam(0.003), (L2(0.3),), threads=threads)
        results.append(engine.train_batches(x, y, np.arange(80), 40, np.full(2, 0.003)))
        assert engine.workspace is not None
        unscaled = large.has_matrix_unit() and scaling == "/255"
        code = layout.UNSCALED_BYTE_ROWS if unscaled else layout.BYTE_ROWS
        assert engine.workspace.header[layout.INPUT] == code
        results.append(network.predict(x))
    assert all(np.array_equal(result, results[k % 2]) for k, result in enumerate(results))
    for images in (x, x.astype(np.float32)):
        assert_twins(mlp([150, 100, 9], scaling=scaling, seed=3), Adam(0.003), (L2(0.3),), images, y, 40, 10, threads=2)


def test_another_batch_size_reads_the_same_pictures_otherwise(packed, monkeypatch):
    monkeypatch.setattr(workspace, "LEAST_WHOLE", 0)
    monkeypatch.setattr(large, "SMALL_BATCH", 32)
    x = pixels(np.random.default_rng(0), 80, 64)
    engine = FastEngine(chain((64, 40, 9), act.ReLU(), LogLikelihood(), 3), Adam(0.003))
    kinds = [isinstance(engine.source(x, batch), PixelLists) for batch in (10, 40, 10)]
    assert kinds == [True, not large.has_matrix_unit(), True]


@pytest.mark.parametrize("scaling", ["/255", "0.01-1"])
@pytest.mark.parametrize(("features", "columns", "batch"), [(150, 100, 40), (70, 1100, 290)])
@pytest.mark.parametrize("optimizer", [SGD(0.05), Adam(0.003)])
def test_lists_turned_round(packed, monkeypatch, scaling, features, columns, batch, optimizer):
    """Lists of each pixel's examples, for all columns at once or for some at a time; on any number of threads."""
    monkeypatch.setattr(workspace, "LEAST_WHOLE", 1 << 60)
    rng, results = np.random.default_rng(0), []
    x, y = pixels(rng, 300, features), rng.integers(0, 9, 300)
    x[:, :5], x[::3, 5:7] = 0, 255  # pixels that are never on, and some that often are
    for threads in (1, 2, 3):
        network = mlp([features, columns, 9], scaling=scaling, seed=3)
        engine = FastEngine(network, optimizer, (L2(0.3),), threads=threads)
        losses = engine.train_batches(x, y, np.arange(300), batch, np.full(-(-300 // batch), optimizer.learning_rate))
        assert engine.workspace is not None and engine.workspace.arrays[layout.OPS][0, TURNED] > 0
        results.append((losses, network.state()))
    for losses, state in results[1:]:
        assert np.array_equal(losses, results[0][0])
        assert all(np.array_equal(state[name], array) for name, array in results[0][1].items())
    network = mlp([features, columns, 9], scaling=scaling, seed=3)
    assert_twins(network, optimizer, (L2(0.3), MaxNorm(1.5)), x, y, batch, steps=10, threads=2)


def behind_relus(features: int, *sizes: int, dropout: float = 0.3) -> Network:
    layers = [layer for n in sizes[:-1] for layer in (Dense(n), act.ReLU(), Dropout(dropout))]
    return Network([*layers, Dense(sizes[-1])], features, LogLikelihood(), seed=3)


@pytest.fixture(params=[2.0, 0.0], ids=["turned", "whole"])
def few(request, packed, monkeypatch):
    """Packed layers behind a ReLU turn lists of their inputs round, or multiply all inputs."""
    monkeypatch.setattr(dense, "LEAST_SKIPPING", 0)
    monkeypatch.setattr(turned, "few", lambda packed, batch: request.param)
    return request.param


@pytest.mark.parametrize(("sizes", "batch"), [((67, 45, 9), 40), ((150, 100, 70, 9), 300), ((45, 1100, 40), 290)])
@pytest.mark.parametrize("optimizer", [SGD(0.05), Adam(0.003)])
def test_lists_of_inputs_turned_round(few, sizes, batch, optimizer):
    """More examples than one block of lists, columns for which the step takes several turns, any number of threads."""
    x, y = data(20, 600, sizes[-1], 5)
    x[:, 0] = 1.0
    results = []
    for threads in (1, 2, 3):
        network = behind_relus(20, *sizes)
        network.layers[0].params["W"].value[0, :3] = -50.0, 50.0, 0.0  # outputs that are always 0, and that never are
        engine = FastEngine(network, optimizer, (L2(0.3),), threads=threads)
        losses = engine.train_batches(x, y, np.arange(600), batch, np.full(-(-600 // batch), optimizer.learning_rate))
        assert engine.workspace is not None
        rows = [row for row in engine.workspace.arrays[layout.OPS] if row[TURNED] > 0]
        assert {int(row[CHOICE]) for row in rows} == {SKIP_ZEROS if few else ALL_INPUTS}
        results.append((losses, network.state()))
    for losses, state in results[1:]:
        assert np.array_equal(losses, results[0][0])
        assert all(np.array_equal(state[name], array) for name, array in results[0][1].items())
    assert_twins(behind_relus(20, *sizes, dropout=0.0), optimizer, (L2(0.3), MaxNorm(1.5)), x, y, batch, 10, threads=2)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    sizes=st.tuples(st.integers(1, 200), st.integers(32, 150), st.integers(2, 40)),
    optimizer=st.sampled_from([SGD(0.05), Momentum(0.02, 0.8), Adam(0.003)]),
    batch_size=st.integers(5, 150),
    threads=st.integers(1, 3),
)
def test_chains_that_turn_lists_of_inputs_round(sizes, optimizer, batch_size, threads):
    x, y = data(20, 150, sizes[-1], 7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "LEAST_PACKED", 0)
        patch.setattr(dense, "LEAST_SKIPPING", 0)
        patch.setattr(large, "SMALL_BATCH", 0)
        patch.setattr(turned, "few", lambda packed, batch: 2.0)
        network = chain((20, *sizes), act.ReLU(), LogLikelihood(), 3)
        assert_twins(network, optimizer, (L2(0.5),), x, y, batch_size, steps=20, threads=threads)


def wide() -> Network:
    layers = [Dense(390), act.ReLU(), Dropout(0.3), Dense(391), act.ReLU(), Dense(7)]
    return Network(layers, 90, LogLikelihood(), seed=5)


@pytest.mark.parametrize("unit", BOTH)
def test_any_number_of_threads_gives_the_same_bits(unit, monkeypatch):
    monkeypatch.setattr(large, "has_matrix_unit", lambda: unit)
    x, y = data(90, 128, 7, 2)
    results = []
    for threads in (1, 2, 3):
        network = wide()
        engine = FastEngine(network, Adam(0.003), threads=threads)
        losses = engine.train_batches(x, y, np.tile(np.arange(128), 3), 48, np.full(8, 0.003))
        assert engine.workspace is not None and engine.workspace.threads == threads
        assert [bool(row.get(PACKED)) for row in engine.plan.operations if PACKED in row] == [False, True, False]
        results.append((losses, {name: p.value for name, p in network.parameters().items()}))
    for losses, values in results[1:]:
        assert np.array_equal(losses, results[0][0])
        assert all(np.array_equal(values[name], results[0][1][name]) for name in values)


@pytest.mark.skipif(not has_matrix_unit(), reason="no matrix unit here")
def test_the_matrix_unit_is_as_exact_as_vectors(packed, monkeypatch):
    """Against the readable step in float64: the errors of ∂L/∂W, and of ∂L/∂b behind it, which saw y and ∂L/∂x."""
    x, y = data(300, 64, 40, 6)
    x *= np.float32(10.0) ** np.random.default_rng(1).integers(-3, 4, x.shape[1])  # inputs of very different sizes
    exact = Network([Dense(96), act.Tanh(), Dense(40)], 300, LogLikelihood(), dtype="float64", seed=2)
    state = {name: p.value.astype(np.float32) for name, p in exact.parameters().items()}
    exact.load_state({name: value.astype(np.float64) for name, value in state.items()})
    errors = {}
    for unit in (True, False):
        monkeypatch.setattr(large, "has_matrix_unit", lambda unit=unit: unit)
        network = Network([Dense(96), act.Tanh(), Dense(40)], 300, LogLikelihood())
        network.load_state(state)
        FastEngine(network, SGD(1.0)).train_batches(x, y, np.arange(64), 64, np.ones(1))
        exact.gradient(x.astype(np.float64), y)
        for name, p in exact.parameters().items():
            wrong = network.parameters()[name].value - (state[name].astype(np.float64) - p.grad)
            errors[name, unit] = np.sqrt((wrong**2).mean())
    for name in state:
        assert errors[name, True] <= 1.2 * errors[name, False], name
