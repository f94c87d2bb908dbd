"""The readable engine on PyTorch tensors: the same text gives the same losses."""

import numpy as np
import pytest

from digitlab.engine import select_engine
from digitlab.errors import ConfigError, EngineError
from digitlab.nn import BatchNorm, Conv2D, Dense, Dropout, Flatten, LogLikelihood, MaxPool2D, Network, ReLU, mlp
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


def normalized():
    """Layers with state of their own: BatchNorm's running means, a dropout that draws."""
    layers = [Conv2D(4, 3, padding=1), BatchNorm(), ReLU(), MaxPool2D(2), Flatten(), Dropout(0.3), Dense(10)]
    return Network(layers, (8, 8, 1), LogLikelihood(), seed=3)


@pytest.mark.slow
@pytest.mark.parametrize("build", [dense, convolutional, normalized])
@pytest.mark.parametrize("optimizer", [Momentum(0.05), Adam(0.01)])
def test_losses_agree_with_numpy_over_100_steps(build, optimizer):
    losses, states = {}, {}
    for name in ("reference", "torch"):
        engine, _ = select_engine(name, build(), optimizer, [L2(0.1)], examples=400)
        x, y = engine.place(IMAGES), engine.place(LABELS)
        order = np.random.default_rng(1).integers(0, 400, 2 * 803)
        rates = np.linspace(optimizer.learning_rate, 0.5 * optimizer.learning_rate, 101)
        parts = [engine.train_batches(x, y, part, 8, rates) for part in np.split(order, 2)]
        losses[name], states[name] = np.concatenate(parts), engine.state()
    assert len(losses["torch"]) == 202
    np.testing.assert_allclose(losses["torch"], losses["reference"], atol=1e-4)
    assert states["torch"].keys() == states["reference"].keys()
    for parameter, state in states["reference"].items():
        for key, value in state.items():
            assert type(states["torch"][parameter][key]) is type(value)
            np.testing.assert_allclose(states["torch"][parameter][key], value, atol=1e-4)


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


@pytest.mark.slow
def test_the_torch_engine_stops_at_the_first_loss_that_is_not_finite():
    engine, _ = select_engine("torch", convolutional(), Momentum(1e30))
    losses = engine.train_batches(engine.place(IMAGES), engine.place(LABELS), np.arange(400), 8, np.full(50, 1e30))
    assert len(losses) < 50 and np.isfinite(losses[:-1]).all() and not np.isfinite(losses[-1])


def test_weights_that_were_replaced_between_two_calls_are_those_that_train():
    losses = {}
    for name in ("reference", "torch"):
        network = dense()
        engine, _ = select_engine(name, network, Adam(0.01), examples=400)
        x, y, rates = engine.place(IMAGES), engine.place(LABELS), np.full(50, 0.01)
        before = {key: p.value for key, p in dense().parameters().items()}
        engine.train_batches(x, y, np.arange(400), 8, rates)
        network.load_state(before)
        losses[name] = engine.train_batches(x, y, np.arange(400), 8, rates)
    np.testing.assert_allclose(losses["torch"], losses["reference"], atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["torch", "torch-compiled"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # of torch.compile
def test_a_captured_step_computes_what_the_cpu_does(name):
    losses = {}
    for device in ("cpu", "cuda"):
        engine, _ = select_engine(name if device == "cuda" else "torch", convolutional(), Adam(0.01), device=device)
        x, y = engine.place(IMAGES), engine.place(LABELS)
        losses[device] = [engine.train_batches(x, y, np.arange(399), 8, np.full(50, 0.01)) for _ in range(3)]
    np.testing.assert_allclose(losses["cuda"], losses["cpu"], atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_resumed_training_on_a_gpu_draws_the_same_dropout_masks():
    def train(*parts):
        network = normalized()
        for epochs in parts:
            trainer = Trainer(network, Adam(0.01), engine="torch", device="cuda", keep="last")
            trainer.fit((IMAGES, LABELS), epochs=epochs)
        return network.parameters()["6.W"].value

    np.testing.assert_array_equal(train(2), train(2))


@pytest.mark.parametrize("build", [dense, convolutional, normalized])
def test_mixed_precision_computes_products_in_bfloat16(build):
    losses = {}
    for mixed in (False, True):
        network = build()
        engine, reason = select_engine("torch", network, Adam(0.01), examples=400, mixed_precision=mixed)
        x, y = engine.place(IMAGES), engine.place(LABELS)
        order = np.random.default_rng(1).permutation(400)
        losses[mixed] = np.concatenate([engine.train_batches(x, y, order, 40, np.full(10, 0.01)) for _ in range(4)])
        assert ("mixed precision" in reason) == mixed
        assert all(p.value.dtype == torch.float32 for p in network.parameters().values())
        assert all(
            part.dtype == np.float32 for state in engine.state().values() for part in state.values() if np.ndim(part)
        )
    gap = np.abs(losses[True] - losses[False])
    assert gap.max() > 1e-5  # bfloat16 keeps 8 bits of a product's factors
    assert gap.max() < 0.05


@pytest.mark.parametrize("engine", ["auto", "fast", "reference", "pure"])
def test_mixed_precision_needs_a_torch_engine(engine):
    with pytest.raises(ConfigError, match=rf"mixed precision: engine '{engine}' .* \(--engine torch\)"):
        Trainer(dense(), engine=engine, mixed_precision=True).fit((IMAGES, LABELS), epochs=1)
