"""The same seed gives the same bits, with any number of BLAS threads where that is said."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from digitlab.engine.threads import sharing_cores
from digitlab.nn import mlp
from digitlab.train import Trainer

rng = np.random.default_rng(0)
X, Y = rng.random((300, 60), dtype="float32"), rng.integers(0, 10, 300)


def trained(batch_size, engine="reference"):
    trainer = Trainer(mlp([60, 50, 10], seed=3), "adam", batch_size=batch_size, engine=engine, seed=4)
    trainer.fit((X, Y), epochs=2)
    return {name: np.array(array) for name, array in trainer.network.state().items()}


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
