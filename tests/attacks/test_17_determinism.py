"""The same seed gives the same bits, with any number of BLAS threads where that is said."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from digitlab.engine.threads import sharing_cores
from digitlab.errors import EngineError
from digitlab.nn import mlp
from digitlab.train import Trainer

rng = np.random.default_rng(0)
X, Y = rng.random((300, 60), dtype="float32"), rng.integers(0, 10, 300)


def trained(batch_size, engine="reference", **settings):
    trainer = Trainer(mlp([60, 50, 10], seed=3), "adam", batch_size=batch_size, engine=engine, seed=4, **settings)
    trainer.fit((X, Y), epochs=2)
    return {name: np.array(array) for name, array in trainer.network.state().items()}


@pytest.mark.parametrize("engine", ["reference", pytest.param("fast", marks=pytest.mark.slow), "pure"])
def test_deterministic_with_any_batch_and_network(engine, attempts):
    """Without it, products of this size differ in the last bits between one BLAS thread and two."""
    x, y = rng.random((1200, 256), dtype="float32"), rng.integers(0, 10, 1200)
    if engine == "pure":
        x, y = x[:40, :16], y[:40]
    found, rows = [], []
    for threads in (1, 2, 3, 8):
        with threadpool_limits(threads, "blas"):
            network = mlp([x.shape[1], 99, 10] if engine != "pure" else [16, 5, 10], seed=3)
            trainer = Trainer(network, batch_size=len(x) // 2, engine=engine, evaluate_train=True, deterministic=True)
            history = trainer.fit((x, y), (x[:100], y[:100]), epochs=2)
            rows.append([{name: value for name, value in row.items() if "seconds" not in name} for row in history])
            found.append({name: np.array(array) for name, array in trainer.network.state().items()})
            found[-1]["test"] = np.array(trainer.evaluate((x, y)).loss)
        attempts.count()
    for other, row in zip(found[1:], rows[1:], strict=True):
        assert row == rows[0]
        for name, array in found[0].items():
            np.testing.assert_array_equal(other[name], array)


@pytest.mark.parametrize("engine", ["torch", "torch-compiled", "cupy"])
def test_engines_that_promise_no_bits_are_refused(engine, attempts):
    with pytest.raises(EngineError, match=f"deterministic: the {engine} engine promises no bits"):
        trained(10, engine, deterministic=True)
    attempts.count()


def test_a_blas_whose_threads_cannot_be_limited_is_refused(monkeypatch, attempts):
    monkeypatch.setattr(np, "show_config", lambda mode: {"Build Dependencies": {"blas": {"name": "accelerate"}}})
    with pytest.raises(EngineError, match=r"BLAS \(accelerate\) cannot be limited"):
        trained(10, deterministic=True)
    trained(10, "fast", deterministic=True)  # its kernels use no BLAS
    attempts.count()


@pytest.mark.parametrize("batch_size", [1, 10, 64])
def test_any_number_of_blas_threads(batch_size, attempts):
    """Batches of up to 64 use one BLAS thread (engine/threads.py)."""
    found = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, "blas"):
            found.append(trained(batch_size))
        attempts.count()
    for other in found[1:]:
        for name, array in found[0].items():
            np.testing.assert_array_equal(other[name], array)


def test_large_batches_where_cores_are_shared(attempts):
    """In `train_many`, searches and ensembles every training uses one BLAS thread, whatever the batch."""
    with sharing_cores():
        first = trained(200)
        with threadpool_limits(4, "blas"):
            pass
        second = trained(200)
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array)
    attempts.count()
