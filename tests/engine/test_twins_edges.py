"""Where rooms of the kernels meet: networks that end in a picture, pictures made by dense layers, many threads."""

import threading

import numpy as np
import pytest

from digitlab.engine.fast import FastEngine, Predictor
from digitlab.errors import EngineError, ShapeError
from digitlab.nn import activations as act
from digitlab.nn import freeze, mlp, unfreeze
from digitlab.nn.conv import Conv2D
from digitlab.nn.losses import CrossEntropy, LogLikelihood, MeanSquaredError
from digitlab.nn.network import Dense, Network, Quadratic, Sigmoid
from digitlab.nn.pooling import GlobalAveragePool, MaxPool2D
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.optim import SGD, Adam, Momentum
from digitlab.optim.regularizers import L2
from digitlab.train import Callback, Trainer, evaluate

from .twins import assert_twins, pixels

ENDS = {
    "a global pool": lambda: [Conv2D(8, 5), act.ReLU(), MaxPool2D(2), Conv2D(10, 3), GlobalAveragePool()],
    "a global pool of many": lambda: [Conv2D(16, 5), act.ReLU(), MaxPool2D(2), Conv2D(10, 3), GlobalAveragePool()],
    # A bias that all outputs share has no gradient behind a softmax: Adam would follow the rounding.
    "a convolution": lambda: [Conv2D(8, 3), act.ReLU(), Conv2D(1, 3, padding="same", biases=None), Flatten()],
    "a pooled convolution": lambda: [Conv2D(3, 3), MaxPool2D(2), Flatten()],
    "an activation on a picture": lambda: [Conv2D(2, 3), act.Tanh(), Flatten()],
}


@pytest.mark.parametrize("layers", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("loss", [LogLikelihood, Quadratic])
@pytest.mark.parametrize("optimizer", [SGD(0.05), Adam(0.002)])
def test_networks_that_end_in_a_picture(layers, loss, optimizer):
    rng = np.random.default_rng(0)
    network = Network(layers(), (13, 12, 1), loss(), seed=1, allow_output_activation=True)
    x, y = pixels(rng, 30, 13, 12, 1), rng.integers(0, network.shapes[-1][0], 30)
    assert_twins(network, optimizer, (L2(0.1),), x, y, 7, steps=60, threads=2)
    np.testing.assert_allclose(Predictor(network)(x), network.predict(x), rtol=1e-4, atol=1e-6)


def test_a_network_that_gives_pictures_back():
    rng = np.random.default_rng(0)
    x = pixels(rng, 30, 10, 9, 1)
    network = Network(
        [Conv2D(8, 3, padding="same"), act.ReLU(), Conv2D(1, 3, padding="same"), Flatten()],
        (10, 9, 1),
        MeanSquaredError(),
        seed=1,
    )
    assert_twins(network, Adam(0.002), (), x, (x.reshape(30, -1) / 255).astype(np.float32), 6, steps=60, threads=2)


def ends_of(make, x, y, optimizer=None, regularizers=(), batch=7, steps=40, rate=0.3):
    """(losses, parameters) after training by 1, 2, 3 and 5 threads, by 2 of them twice."""
    order = np.random.default_rng(2).integers(0, len(x), batch * steps)
    for threads in (1, 2, 2, 3, 5):
        network = make()
        engine = FastEngine(network, optimizer or SGD(rate), regularizers, examples=len(x), threads=threads)
        halves = [
            engine.train_batches(x, y, part, batch, np.full(steps, rate)) for part in np.split(order, [batch * 15])
        ]
        yield np.concatenate(halves), network.state()


def assert_same_bits(ends):
    ends = list(ends)
    assert np.isfinite(ends[0][0]).all()
    for losses, state in ends[1:]:
        np.testing.assert_array_equal(losses, ends[0][0])
        for name, array in ends[0][1].items():
            np.testing.assert_array_equal(state[name], array, err_msg=name)


@pytest.mark.parametrize("strength", [0.0, 3.0, 20.0])
def test_pixels_with_an_offset_give_the_same_bits_on_any_threads(strength):
    """At the larger strengths s leaves its range, and W is folded again and again."""
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 60, 40), rng.integers(0, 7, 60)

    def make():
        return mlp([40, 24, 7], scaling="0.01-1", seed=3)

    assert_same_bits(ends_of(make, x, y, regularizers=(L2(strength),) if strength else ()))
    assert_twins(make(), SGD(0.3), (L2(strength),) if strength else (), x, y, 7, steps=60, threads=3)


@pytest.mark.parametrize(("shape", "filters", "kernel"), [((4, 4, 1), 8, 3), ((2, 4, 1), 64, 1), ((4, 4, 2), 8, 2)])
def test_a_picture_made_by_a_dense_layer(shape, filters, kernel):
    rng = np.random.default_rng(0)
    x, y = rng.random((40, 12)).astype(np.float32), rng.integers(0, 5, 40)

    def make():
        layers = [Dense(int(np.prod(shape))), Sigmoid(), Reshape(shape), Conv2D(filters, kernel), MaxPool2D(1)]
        return Network([*layers, Flatten(), Dense(5)], 12, LogLikelihood(), seed=1)

    assert_same_bits(ends_of(make, x, y, batch=10))
    assert_twins(make(), SGD(0.3), (), x, y, 10, steps=60, threads=3)


@pytest.mark.parametrize("activation", [act.LeakyReLU(-0.5), act.ELU(-0.5), act.LeakyReLU(0.1)])
def test_activations_that_fall_stay_before_the_pool(activation):
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 30, 10, 10, 1), rng.integers(0, 5, 30)
    layers = [Conv2D(6, 3), activation, MaxPool2D(2), Flatten(), Dense(5)]
    assert_twins(Network(layers, (10, 10, 1), LogLikelihood(), seed=1), SGD(0.1), (), x, y, 7, steps=60)


@pytest.mark.parametrize("loss", [CrossEntropy, LogLikelihood, Quadratic, MeanSquaredError])
def test_losses_are_added_in_one_order(loss):
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 80, 30), rng.integers(0, 7, 80)
    assert_same_bits(ends_of(lambda: mlp([30, 9, 7], loss=loss(), seed=3), x, y, batch=37, steps=30))


def test_what_is_not_there_is_not_read():
    x, y = np.ones((6, 4), np.float32), np.zeros(6, np.int64)
    engine = FastEngine(mlp([4, 3], seed=0), SGD(0.1))
    for rates in ([0.1], 0.1, np.ones((3, 1))):
        with pytest.raises(EngineError, match=r"learning rates of shape .* expected one for each of 3 steps"):
            engine.train_batches(x, y, np.arange(6), 2, rates)
    for wrong in (np.zeros(6, np.float32), np.zeros((6, 1, 3), np.float32), np.zeros((6, 2), np.float32)):
        with pytest.raises(EngineError, match=r"targets of shape .* expected whole-number labels \(6,\)"):
            engine.train_batches(x, wrong, np.arange(6), 2, np.ones(3))
    with pytest.raises(EngineError, match="indices from -1 to 5 into 6 examples"):
        engine.train_batches(x, y, np.arange(-1, 6), 2, np.ones(4))


def test_threads_that_cannot_start_leave_no_thread_waiting(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 60, 50), rng.integers(0, 7, 60)
    network = mlp([50, 24, 7], seed=0)
    before, start, begun = network.state(), threading.Thread.start, []

    def refuse(thread):
        if len(begun) == 2:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    engine = FastEngine(network, SGD(0.3), threads=4)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3))
    assert not any(thread.is_alive() for thread in begun)
    assert all(np.array_equal(array, before[name]) for name, array in network.state().items())
    assert len(engine.train_batches(x, y, np.arange(60), 6, np.full(10, 0.3))) == 10


@pytest.mark.parametrize("n", [1, 2, 40])
def test_outputs_have_the_networks_shape(n):
    """Whatever computes them: an autoencoder's outputs are pictures."""
    network = Network([Conv2D(3, 3), act.Tanh()], (6, 7, 1), MeanSquaredError(), seed=1)
    x = np.random.default_rng(0).random((n, 6, 7, 1), dtype=np.float32)
    outputs = Predictor(network)(x)
    assert outputs.shape == (n, 4, 5, 3)
    np.testing.assert_allclose(outputs, network.predict(x), atol=1e-5)


def test_an_autoencoder_is_trained_and_evaluated_by_the_fast_engine():
    rng = np.random.default_rng(0)
    x = rng.random((30, 6, 6, 1), dtype=np.float32)
    network = Network(
        [Conv2D(2, 3, padding="same"), act.ReLU(), Conv2D(1, 3, padding="same")], (6, 6, 1), MeanSquaredError(), seed=1
    )
    trainer = Trainer(network, SGD(0.2), engine="fast")
    history = trainer.fit((x, x), (x, x), epochs=3)
    assert history[-1]["valid_loss"] < history[0]["valid_loss"]
    assert trainer.evaluate((x, x)).loss == pytest.approx(evaluate(network.copy(), x, x).loss, rel=1e-4)


@pytest.mark.parametrize("shape", [(3, 8, 8), (8, 3, 8), (4, 8, 6), (64, 3)])
@pytest.mark.parametrize("n", [1, 5])
def test_numbers_in_another_order_are_refused(shape, n):
    network = Network([Conv2D(2, 3), Flatten(), Dense(3)], (8, 8, 3), seed=1)
    x = np.zeros((n, *shape), np.float32)
    engine = FastEngine(network, SGD(0.1))
    for call in (network.predict, Predictor(network), lambda x: engine.source(x, n)):
        with pytest.raises(ShapeError, match=r"expected \(N, 8, 8, 3\)"):
            call(x)
    assert Predictor(network)(np.zeros((n, 192), np.float32)).shape == (n, 3), "flat numbers have no order to mistake"


@pytest.mark.parametrize("change", [freeze, unfreeze])
def test_what_is_frozen_or_set_free_between_two_epochs(change):
    class Change(Callback):
        def on_epoch_start(self, trainer):
            if trainer.epoch == 2:
                change(trainer.network, "0")

    rng = np.random.default_rng(0)
    x, y = rng.random((50, 20), dtype=np.float32), rng.integers(0, 3, 50)
    ends = []
    for engine in ("reference", "fast"):
        network = mlp([20, 4, 3], activation="relu", seed=1)
        if change is unfreeze:
            freeze(network, "0")
        begin = network.parameters()["0.W"].value.copy()
        Trainer(network, Momentum(0.5), engine=engine, keep="last", callbacks=[Change()]).fit((x, y), epochs=3)
        ends.append(network.parameters()["0.W"].value)
        assert (ends[-1] != begin).any()
    np.testing.assert_allclose(*ends, atol=1e-4)
