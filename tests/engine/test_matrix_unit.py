"""The matrix unit is used where the processor has one and the system permits it, and nowhere else."""

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest

from digitlab.engine.fast import FastEngine, matrix_unit
from digitlab.engine.fast import layout as at
from digitlab.engine.fast.ops import large
from digitlab.engine.fast.ops.skipping import PACKED
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network
from digitlab.optim import SGD


@pytest.mark.parametrize(
    "system, machine, features, answer, there",
    [
        ("Linux", "x86_64", True, 0, True),
        ("Linux", "x86_64", True, -1, False),
        ("Linux", "x86_64", False, 0, False),
        ("Linux", "aarch64", True, 0, False),
        ("Windows", "AMD64", True, 0, False),
    ],
)
def test_who_has_one(monkeypatch, system, machine, features, answer, there):
    calls = []
    library = SimpleNamespace(syscall=lambda *numbers: calls.append(numbers) or answer)
    monkeypatch.setattr(matrix_unit.platform, "system", lambda: system)
    monkeypatch.setattr(matrix_unit.platform, "machine", lambda: machine)
    monkeypatch.setattr(matrix_unit, "processor_has", lambda *names: features)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert matrix_unit.has_matrix_unit.__wrapped__() == there
    assert calls == ([(158, 0x1023, 18)] if (system, machine, features) == ("Linux", "x86_64", True) else [])


@pytest.mark.parametrize("unit, batch, how", [(True, 40, 2), (False, 40, 1), (True, 32, 0), (False, 32, 0)])
def test_which_products_a_layer_uses(monkeypatch, unit, batch, how):
    monkeypatch.setattr(large, "has_matrix_unit", lambda: unit)
    assert (large.NOT_PACKED, large.IN_VECTORS, large.ON_UNIT)[how] == large.packing(batch)
    if unit and not matrix_unit.has_matrix_unit():
        return
    network = Network([Dense(400), Dense(360)], 784, LogLikelihood())
    engine = FastEngine(network, SGD(0.1))
    x, y = np.zeros((40, 784), np.float32), np.zeros(40, np.int64)
    engine.train_batches(x, y, np.arange(40), batch, np.ones(-(-40 // batch)))
    assert engine.workspace is not None and engine.workspace.arrays[at.OPS][1, PACKED] == how
