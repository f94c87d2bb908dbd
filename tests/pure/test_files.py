"""Networks of lists as files and as arrays, MNIST without NumPy, and the engine that trains in lists."""

import gzip
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlab import L2, SGD, Adam, Trainer
from digitlab.data import load, write_idx
from digitlab.engine import select_engine
from digitlab.errors import ConfigError, EngineError
from digitlab.exporting import export_network
from digitlab.nn import Dense, Network, ReLU, load_network, mlp
from digitlab.pure import PureNetwork, load_mnist
from digitlab.pure.mnist import read_images, read_labels


@pytest.fixture
def small():
    train, valid, _ = load("digits")
    return train.first(60), valid.first(20)


@pytest.mark.parametrize("loss", ["quadratic", "cross-entropy"])
def test_lists_arrays_and_files_give_the_same_outputs(loss, tmp_path):
    pure = PureNetwork([5, 4, 3], loss=loss, seed=2)
    x = [0.1, 0.9, 0.0, 0.4, 0.6]
    pure.save(tmp_path / "net.json")
    again = PureNetwork.load(tmp_path / "net.json")
    assert (again.weights, again.biases, again.loss) == (pure.weights, pure.biases, loss)
    for network in (pure.to_network(), load_network(tmp_path / "net.json")):
        np.testing.assert_allclose(network.predict(np.array([x]))[0], pure.predict(x), rtol=0, atol=1e-6)
    assert PureNetwork.from_network(pure.to_network()).weights == pure.weights


def test_a_file_of_export_is_read(tmp_path):
    network = mlp([6, 4, 3], scaling="/256", dtype="float64", seed=1)
    export_network(network, tmp_path / "net.json", "json")
    x = np.linspace(0, 1, 6)
    assert PureNetwork.load(tmp_path / "net.json").predict(x.tolist()) == pytest.approx(network.predict(x[None])[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected JSON with sizes"),
        ("no", "expected JSON with sizes"),
        ('{"sizes": [1, 1], "weights": [[[1.0]]], "biases": [[[0.0]]], "cost": "Hinge"}', "Hinge"),
        ('{"sizes": [2, 1], "weights": [[[1.0]]], "biases": [[[0.0]]], "cost": "QuadraticCost"}', "shapes"),
    ],
)
def test_other_files_are_refused(text, message, tmp_path):
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        PureNetwork.load(path)


def test_the_loss_is_that_of_the_arrays():
    for loss in ("quadratic", "cross-entropy"):
        pure = PureNetwork([3, 4, 2], loss=loss, seed=5)
        network, x, t = pure.to_network(), [0.2, 0.5, 0.8], [0.0, 1.0]
        logits, _ = network.forward(np.array([x]))
        expected = network.loss.forward(logits, np.array([t]))[0]
        assert pure.loss_of(pure.predict(x), t) == pytest.approx(float(expected), rel=1e-12)
        assert pure.train_batch([(x, t)], 0.1) == pytest.approx(float(expected), rel=1e-12)
    assert pure.loss_of([1.0, 1.0], t) == math.inf and pure.loss_of(t, t) == 0


def test_networks_that_lists_cannot_hold_are_refused():
    for network in (Network([Dense(3), ReLU(), Dense(2)], 4), mlp([4, 3, 2], loss="log-likelihood")):
        with pytest.raises(ConfigError, match=r"PureNetwork: got .*, expected"):
            PureNetwork.from_network(network)


def test_mnist_is_read_with_the_standard_library(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (7, 28, 28), dtype=np.uint8), rng.integers(0, 10, 7).astype(np.uint8)
    for part in ("train", "t10k"):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", labels)
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path))
    train, test = load_mnist(train=5)
    assert len(train) == 5 and len(test) == 7 and [label for _, label in test] == labels.tolist()
    assert train[3][0] == (images[3].ravel() / 256).tolist()


def test_damaged_files_are_named(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    with pytest.raises(ValueError, match=r"has no train-images-idx3-ubyte.gz; .*digitlab data fetch"):
        load_mnist(tmp_path)
    write_idx(path, np.zeros((2, 28, 28), np.uint8))
    with pytest.raises(ValueError, match="begins with 0x803, expected 0x801"):
        read_labels(path)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(ValueError, match="damaged"):
        read_images(path)
    path.write_bytes(gzip.compress((0x803).to_bytes(4, "big") + b"".join(n.to_bytes(4, "big") for n in (1, 2, 2))))
    with pytest.raises(ValueError, match="ends after 0 bytes, expected 4"):
        read_images(path)


def test_it_needs_no_installed_package():
    program = "from digitlab.pure import PureNetwork, load_mnist; PureNetwork([2, 1]).predict([0, 1]); print('done')"
    source = Path(__file__).parents[2] / "src"
    run = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(source)!r}); {program}"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "done\n"


@pytest.mark.parametrize("loss", ["quadratic", "cross-entropy"])
def test_the_engine_trains_as_the_reference_engine_does(loss, small):
    train, valid = small
    histories = []
    for engine in ("pure", "reference"):
        network = mlp([64, 8, 10], loss=loss, dtype="float64", seed=1)
        trainer = Trainer(network, SGD(1.0), engine=engine, seed=2)
        histories.append([(r["train_loss"], r["valid_loss"]) for r in trainer.fit(train, valid, epochs=2)])
        assert engine != "pure" or trainer.engine_reason == "the books' loops over lists of floats, as asked"
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-12)


def test_the_engine_reports_progress_within_an_epoch(small, monkeypatch):
    from digitlab.engine.pure_engine import PureEngine
    from digitlab.train import Callback

    monkeypatch.setattr(PureEngine, "pause_after", 1e4)
    seen = []

    class Watch(Callback):
        def on_batches(self, trainer, done, total):
            seen.append((done, total))

    Trainer(mlp([64, 8, 10]), SGD(1.0), engine="pure", callbacks=[Watch()]).fit(small[0], epochs=1)
    assert seen == [(2, 6), (4, 6), (6, 6)]


@pytest.mark.parametrize(
    ("network", "optimizer", "settings", "message"),
    [
        (mlp([4, 3, 2], activation="relu"), SGD(1.0), {}, r"got ReLU\(\)"),
        (mlp([4, 3, 2]), Adam(0.1), {}, "got Adam"),
        (mlp([4, 3, 2]), SGD(1.0), {"regularizers": [L2(1.0)]}, "got L2"),
        (Network([Dense(3, connections=[[1, 0, 1]] * 4), "sigmoid", Dense(2)], 4), SGD(1.0), {}, "masked"),
    ],
)
def test_what_the_engine_lacks_is_named(network, optimizer, settings, message):
    with pytest.raises(EngineError, match=rf"the pure engine .*{message}.*; the reference engine can"):
        select_engine("pure", network, optimizer, **settings)
