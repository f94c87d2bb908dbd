"""The readable engine on PyTorch tensors: the same text gives the same losses."""

import numpy as np
import pytest

from digitlab.engine import select_engine
from digitlab.errors import EngineError
from digitlab.nn import Conv2D, Dense, Flatten, LogLikelihood, MaxPool2D, Network, ReLU, mlp
from digitlab.optim import Adam, Momentum
from digitlab.optim.regularizers import L2
from digitlab.train import Trainer

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.integers(0, 256, (400, 8, 8), dtype=np.uint8), RNG.integers(0, 10, 400)


def dense():
    return mlp([64, 20, 10], loss="cross-entropy", seed=3)


def convolutional():
    layers = [Conv2D(4, 3), MaxPool2D(2), ReLU(), Flatten(), Dense(10)]
    return Network(layers, (8, 8, 1), LogLikelihood(), seed=3)


@pytest.mark.parametrize("build", [dense, convolutional])
@pytest.mark.parametrize("optimizer", [Momentum(0.05), Adam(0.01)])
def test_losses_agree_with_numpy_over_100_steps(build, optimizer):
    losses = {}
    for name in ("reference", "torch"):
        engine, _ = select_engine(name, build(), optimizer, [L2(0.1)], examples=400)
        x, y = engine.place(IMAGES), engine.place(LABELS)
        order = np.random.default_rng(1).integers(0, 400, 800)
        losses[name] = engine.train_batches(x, y, order, 8, np.full(100, optimizer.learning_rate))
    assert len(losses["torch"]) == 100
    np.testing.assert_allclose(losses["torch"], losses["reference"], atol=1e-4)


def test_a_trainer_brings_the_network_back_to_numpy():
    network = dense()
    before = network.parameters()["0.W"].value.copy()
    trainer = Trainer(network, Momentum(0.1), engine="torch")
    history = trainer.fit((IMAGES[:300], LABELS[:300]), (IMAGES[300:], LABELS[300:]), epochs=2)
    assert "PyTorch" in trainer.engine_reason
    assert len(history) == 2
    value = network.parameters()["0.W"].value
    assert isinstance(value, np.ndarray)
    assert value.dtype == np.float32
    assert np.abs(value - before).max() > 0
    assert network.predict(IMAGES[:3]).shape == (3, 10)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there_is_said_in_a_sentence():
    with pytest.raises(EngineError, match="torch cannot use the device 'cuda' here"):
        select_engine("torch", dense(), Momentum(0.1), device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_a_gpu_the_losses_are_those_of_numpy():
    losses = {}
    for name, device in (("reference", "cpu"), ("torch", "cuda")):
        engine, _ = select_engine(name, convolutional(), Adam(0.01), device=device)
        x, y = engine.place(IMAGES), engine.place(LABELS)
        losses[name] = engine.train_batches(x, y, np.arange(400), 4, np.full(100, 0.01))
    np.testing.assert_allclose(losses["torch"], losses["reference"], atol=1e-4)
