"""Compiled once, kept, loaded without numba; and what happens where that cannot be."""

import os
import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest

from digitlab.engine import select, select_engine
from digitlab.engine.fast import FastEngine, Predictor
from digitlab.engine.fast.compiler import build, cache, load
from digitlab.engine.fast.operations import WITH_KERNELS
from digitlab.engine.fast.workspace import kernels_of
from digitlab.engine.select import make_predictor, predict
from digitlab.errors import DataError, EngineError
from digitlab.nn import freeze, mlp
from digitlab.nn.activations import ReLU
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.losses import CrossEntropy, LogLikelihood, MeanSquaredError
from digitlab.nn.network import Dense, Network, Quadratic, Sigmoid
from digitlab.nn.pooling import MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD
from digitlab.optim.regularizers import MaxNorm

from .twins import pixels


@pytest.fixture
def compiled():
    """What `build` would give, without compiling it for every test."""
    load.kernels(WITH_KERNELS)
    files = {name: load._path(name, load.fingerprint()) for name in (load.CORE, *WITH_KERNELS)}
    return lambda names: {name: cache.read(files[name]) for name in names}


def fail(names):
    raise RuntimeError("no compiler today")


def test_where_nothing_compiles_the_reference_engine_trains(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(load, "_loaded", {})
    monkeypatch.setattr(build, "build", fail)
    engine, reason = select_engine("auto", mlp([3, 2]), SGD(0.1))
    assert engine.name == "reference"
    assert "no compiler today" in reason
    with pytest.raises(EngineError, match="no compiler today"):
        select_engine("fast", mlp([3, 2]), SGD(0.1))


def test_a_damaged_file_is_compiled_again(monkeypatch, tmp_path, compiled, caplog):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(build, "build", compiled)
    path = tmp_path / "digitlab" / f"kernels-core-{load.fingerprint()}.bin"
    path.parent.mkdir()
    path.write_bytes(b"0\n{}\nnot machine code")
    monkeypatch.setattr(load, "_loaded", {})
    load.kernels()
    assert [record.message for record in caplog.records if "compiling the kernels" in record.message]
    caplog.clear()
    monkeypatch.setattr(load, "_loaded", {})
    load.kernels()  # from the file this time
    assert not caplog.records


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path, compiled):
    (tmp_path / "digitlab").write_text("a file where the folder should be")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(build, "build", compiled)
    monkeypatch.setattr(load, "_loaded", {})
    assert load.kernels().run("predict", *_nothing()) == 0


def _nothing():
    """A job without operations or examples."""
    from digitlab.engine.fast import layout

    _nothing.job = np.zeros(layout.HEADER_SIZE, np.int64)
    return _nothing.job.ctypes.data, 0


def test_a_warm_start_does_not_import_numba():
    load.kernels()
    code = (
        "import sys; from digitlab.engine.fast.compiler import load; load.kernels(); "
        "assert 'numba' not in sys.modules, 'numba was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_predictions_compile_only_where_that_takes_less_time(monkeypatch, tmp_path, compiled):
    network, x = mlp([3, 2], seed=0), np.ones((5, 3), np.float32)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(load, "_loaded", {})
    monkeypatch.setattr(build, "build", lambda names: pytest.fail("compiled"))
    assert not isinstance(make_predictor(network, examples=1000), Predictor)
    np.testing.assert_array_equal(predict(network, x), network.predict(x))
    monkeypatch.setattr(build, "build", compiled)
    assert isinstance(make_predictor(network, examples=10**12), Predictor)
    assert isinstance(make_predictor(network, examples=1000), Predictor)  # they are compiled now
    np.testing.assert_allclose(predict(network, x), network.predict(x), rtol=1e-5)


def test_readable_predictions_go_through_in_batches(monkeypatch):
    network = Network([Conv2D(4, 3), ReLU(), Flatten(), Dense(3)], (9, 9, 1), LogLikelihood(), seed=0)
    x, seen = np.random.default_rng(0).random((1000, 9, 9), np.float32), []
    whole, forward = network.predict(x), network.forward
    monkeypatch.setenv("DIGITLAB_FAST", "0")
    monkeypatch.setattr(network, "forward", lambda x, **kwargs: seen.append(len(x)) or forward(x, **kwargs))
    monkeypatch.setattr(select, "CACHED", 7 * 7 * 4 * 300)
    np.testing.assert_allclose(make_predictor(network, logits=True)(x), forward(x)[0], rtol=1e-4, atol=1e-5)
    assert seen == [300, 300, 300, 100]
    np.testing.assert_allclose(make_predictor(network)(x), whole, rtol=1e-4, atol=1e-5)


def test_a_network_compiles_what_is_new_to_it(monkeypatch, tmp_path, compiled):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("DIGITLAB_KERNELS", "")
    monkeypatch.setattr(load, "_loaded", {})
    built = []
    monkeypatch.setattr(build, "build", lambda names: built.append(names) or compiled(names))
    for operations in ({"dense", "activation"}, {"dense"}, {"conv", "dense", "pool"}):
        assert set(load.kernels(operations).addresses) == {"core", *operations}
    assert built == [["core", "activation", "dense"], ["conv", "pool"]]
    monkeypatch.setattr(load, "_loaded", {})  # another process, with the same cache
    load.kernels({"pool", "activation"})
    assert len(built) == 2
    monkeypatch.setenv("DIGITLAB_KERNELS", "all")
    load.kernels({"gru"})
    assert {"core", *WITH_KERNELS} == {name for names in built for name in names}
    assert len(built) == 3 and "dense" not in built[2]


@pytest.mark.slow
@pytest.mark.parametrize("cores", [1, 2])
def test_one_process_or_two_compile_the_same_bits(monkeypatch, cores):
    """What a process has translated before does not change the kernels of the next operation."""
    monkeypatch.setattr(build, "available_cores", lambda: cores)
    layers = [Conv2D(5, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(40), ReLU(), Dropout(0.2), Dense(7)]
    networks = [Network(layers, (12, 12, 1), LogLikelihood(), seed=1) for layers in (layers, deepcopy(layers))]
    engines = [FastEngine(network, SGD(0.1), (MaxNorm(1.5),), threads=1) for network in networks]
    names = kernels_of(engines[0].plan)
    assert names == {"pooled_conv", "activation", "large_dense", "dropout", "dense"}
    parts = build.build([load.CORE, *names])
    engines[0].kernels = load.Kernels({name: load.Code(*part) for name, part in parts.items()})
    rng = np.random.default_rng(0)
    x, y, order = pixels(rng, 300, 12, 12, 1), rng.integers(0, 7, 300), rng.integers(0, 300, 2000)
    losses = [engine.train_batches(x, y, order, 100, np.full(20, 0.01)) for engine in engines]
    np.testing.assert_array_equal(losses[0], losses[1])


@pytest.mark.slow
@pytest.mark.parametrize("part", ["first", "second"])
def test_what_stops_either_process_is_said(monkeypatch, tmp_path, part):
    monkeypatch.setattr(build, "available_cores", lambda: 2)
    (tmp_path / "sitecustomize.py").write_text(f"""
import os, sys, llvmlite.binding.targets as t

def emit(*args):
    try:
        os.mkdir({str(tmp_path / "first")!r})
        part = "first"
    except FileExistsError:
        part = "second"
    if part == {part!r}:
        sys.exit("no memory for the {part} one")
    return whole(*args)

whole, t.TargetMachine.emit_object = t.TargetMachine.emit_object, emit
""")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    with pytest.raises(RuntimeError, match=f"no memory for the {part} one"):
        build.build(["dropout", "padding"])


def test_the_predictors_threads_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    network = Network([Conv2D(5, 3), MaxPool2D(2), Sigmoid(), Flatten(), Dense(7)], (9, 9, 1), Quadratic())
    monkeypatch.setattr("digitlab.engine.fast.predictor.WORK_PER_THREAD", 1)
    for n in (2, 33, 64, 150):
        x = rng.integers(0, 256, (n, 9, 9, 1), dtype=np.uint8)
        outputs = []
        for threads in (1, 2, 3):
            monkeypatch.setenv("DIGITLAB_THREADS", str(threads))
            predictor = Predictor(network)
            assert len(predictor._parts(n)) == min(threads, -(-n // 32))
            outputs.append(predictor(x))
            assert (predictor(x[::-1])[::-1] == outputs[-1]).all(), "the same however often, and wherever an image lies"
        for other in outputs:
            np.testing.assert_array_equal(other, outputs[0])


@pytest.mark.parametrize("loss", [Quadratic(), CrossEntropy(), LogLikelihood(), MeanSquaredError()])
def test_the_predictor_is_the_networks_predict(loss):
    rng = np.random.default_rng(0)
    network = Network([Conv2D(5, 3), MaxPool2D(2), Sigmoid(), Flatten(), Dropout(0.5), Dense(7)], (9, 9, 1), loss)
    freeze(network, "0")  # no matter for a prediction
    predictor = Predictor(network)
    for n in (1, 3, 100):
        for x in (rng.integers(0, 256, (n, 9, 9, 1), dtype=np.uint8), rng.random((n, 9, 9, 1), dtype=np.float32)):
            np.testing.assert_allclose(predictor(x), network.predict(x), rtol=1e-4, atol=1e-6)
    with pytest.raises(DataError, match="empty set"):
        predictor(np.zeros((0, 9, 9, 1), np.uint8))
    x = rng.random((2, 81))
    np.testing.assert_allclose(predictor(x), network.predict(x), rtol=1e-4, atol=1e-6)
    other = Network([Conv2D(5, 3), MaxPool2D(2), Sigmoid(), Flatten(), Dense(7)], (9, 9, 1))
    network.load_state({name.replace("4.", "5."): array for name, array in other.state().items()})
    np.testing.assert_allclose(predictor(x), network.predict(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(predictor(x[:1]), network.predict(x[:1]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scaling", ["/255", "0.01-1"])
def test_one_image_gives_what_its_row_in_a_batch_gives(scaling):
    """For one image of bytes, only the pixels that are not zero are read."""
    network = mlp([61, 9, 4], scaling=scaling, seed=2)
    freeze(network, "0.W", np.s_[3:20, ::2])
    predictor = Predictor(network)
    for seed in range(2):
        network.load_state(mlp([61, 9, 4], seed=seed).state())
        x = pixels(np.random.default_rng(seed), 40, 61)
        x[0], x[1] = 0, 255
        for images in (x, x.astype(np.float32) / 300):
            ones = np.concatenate([predictor(images[n : n + 1]) for n in range(len(images))])
            np.testing.assert_allclose(ones, predictor(images), rtol=1e-5, atol=1e-7)
            np.testing.assert_allclose(ones, network.predict(images), rtol=1e-4, atol=1e-6)
