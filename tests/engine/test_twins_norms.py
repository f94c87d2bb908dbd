"""Normalization against its readable twins (twins.py says how closely) and against PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.engine import ReferenceEngine
from digitlab.engine.fast import FastEngine, Predictor
from digitlab.errors import ShapeError
from digitlab.nn import activations as act
from digitlab.nn import freeze
from digitlab.nn.conv import Conv2D
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network, Sigmoid
from digitlab.nn.normalization import BatchNorm, LayerNorm
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD, Adam, Momentum
from digitlab.optim.regularizers import L2, MaxNorm

from .test_twins_edges import assert_same_bits, ends_of
from .twins import assert_twins, pixels

SHAPE = (12, 11, 2)


# A layer before a BatchNorm has no biases: their gradient is 0, and Adam would follow the rounding.
def conv(filters, size=3, padding=0, stride=1):
    return Conv2D(filters, size, stride, padding, biases=None)


NORMS = {
    "features": lambda: [Flatten(), Dense(20, biases=None), BatchNorm(), act.ReLU()],
    "features, running values at once": lambda: [Flatten(), Dense(9, biases=None), BatchNorm(1.0, 0.1), Sigmoid()],
    "pictures with a pool": lambda: [
        conv(16, padding=1),
        BatchNorm(),
        act.ReLU(),
        MaxPool2D(2),
        conv(5, padding="same"),
        BatchNorm(0.3),
        Sigmoid(),
        MaxPool2D((3, 2)),
        Flatten(),
    ],
    "the input itself": lambda: [BatchNorm(), conv(20, stride=2), act.GELU(), Flatten()],
    "channels at the end": lambda: [conv(33), BatchNorm(), MaxPool2D(3), act.LeakyReLU(), GlobalAveragePool()],
    "within features": lambda: [Flatten(), Dense(21), LayerNorm(), act.ReLU()],
    "within pixels, rows and pictures": lambda: [
        Conv2D(10, 3, padding=1),
        LayerNorm(),
        act.ReLU(),
        MaxPool2D(2),
        LayerNorm(axes=2, epsilon=0.01),
        Conv2D(5, 3),
        LayerNorm(axes=None),
        Flatten(),
    ],
    "the input within itself": lambda: [LayerNorm(axes=None), AveragePool2D(2), Flatten()],
}


def network_of(layers, seed=3, tail=(17, 6)):
    hidden, out = tail
    return Network([*layers, Dense(hidden), Sigmoid(), Dense(out)], SHAPE, LogLikelihood(), seed=seed)


def data(n=30, seed=1, share=0.3):
    rng = np.random.default_rng(seed)
    return pixels(rng, n, *SHAPE, share=share), rng.integers(0, 6, n)


@pytest.mark.parametrize("layers", NORMS.values(), ids=NORMS.keys())
@pytest.mark.parametrize("optimizer", [SGD(0.05), Momentum(0.02, 0.8), Adam(0.002)])
@pytest.mark.parametrize("threads", [1, 2])
def test_norms(layers, optimizer, threads):
    network = network_of(layers())
    assert_twins(network, optimizer, (L2(0.1), MaxNorm(1.5)), *data(), 7, steps=50, threads=threads)
    x, _ = data(40, seed=2)
    np.testing.assert_allclose(Predictor(network)(x), network.predict(x), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("layers", NORMS.values(), ids=NORMS.keys())
def test_the_same_bits_on_any_threads(layers):
    x, y = data()
    assert_same_bits(ends_of(lambda: network_of(layers()), x, y, Adam(0.002), rate=0.002))


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    filters=st.integers(3, 35),  # of two numbers x̂ is ±1, and ∂L/∂x nothing but rounding
    size=st.integers(2, 3),
    padding=st.sampled_from([0, 1, "same"]),
    stride=st.integers(1, 2),
    norm=st.sampled_from([BatchNorm, LayerNorm, lambda: LayerNorm(axes=2), lambda: LayerNorm(axes=None)]),
    activation=st.sampled_from([act.ReLU, act.Tanh, act.GELU]),
    pool=st.sampled_from([1, 2, 3]),
    before=st.booleans(),
    batch_size=st.integers(5, 9),
    threads=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_drawn_norms(filters, size, padding, stride, norm, activation, pool, before, batch_size, threads, seed):
    tail = [activation(), MaxPool2D(pool)] if before else [MaxPool2D(pool), activation()]
    layers = [conv(filters, size, padding, stride), norm(), *tail, Flatten()]
    x, y = data(20, seed, share=1.0)  # blank windows would be equal but for rounding: either could be a pool's maximum
    assert_twins(network_of(layers, seed), SGD(0.02), (), x, y, batch_size, steps=40, threads=threads)


@pytest.mark.parametrize("frozen", ["gamma", "beta"])
def test_frozen_norms(frozen):
    for single in (False, True):
        network = network_of([conv(5), BatchNorm(), act.ReLU(), LayerNorm(), Flatten()])
        for layer in "13":
            freeze(network, f"{layer}.{frozen}", *([np.s_[:3]] if single else []))
        assert_twins(network, Adam(0.002), (), *data(), 7, steps=50, threads=2)


def test_weights_of_examples():
    x, y = data()
    weights = np.random.default_rng(4).uniform(0, 2, len(x)).astype(np.float32)
    network = network_of([conv(5), BatchNorm(), act.ReLU(), Flatten()])
    assert_twins(network, SGD(0.05), (), x, y, 7, steps=50, threads=2, weights=weights)


def test_batches_of_one_picture_have_statistics_and_those_of_one_row_do_not():
    x, y = data()
    assert_twins(network_of([conv(5), BatchNorm(), act.ReLU(), Flatten()]), SGD(0.02), (), x, y, 1, steps=50)
    network = network_of([Flatten(), Dense(5), BatchNorm()])
    for engine in (FastEngine, ReferenceEngine):
        with pytest.raises(ShapeError, match="got one number per feature"):
            engine(network, SGD(0.1)).train_batches(x, y, np.arange(22), 7, np.full(4, 0.1))


def test_running_values_that_are_replaced_are_noticed():
    x, _ = data()
    network = network_of([conv(5), BatchNorm(), act.ReLU(), Flatten()])
    predictor = Predictor(network)
    before = predictor(x)
    network.layers[1].buffers["running_mean"] = np.full(5, 0.5, np.float32)
    assert np.abs(predictor(x) - before).max() > 1e-3
    np.testing.assert_allclose(predictor(x), network.predict(x), rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_fifty_steps_of_pytorch():
    """BatchNorm, ReLU and pool between padded convolutions, from the same weights on the same batches."""
    torch = pytest.importorskip("torch")
    network = network_of(
        [conv(8, padding=1), BatchNorm(), act.ReLU(), MaxPool2D(2), conv(5, padding=1), BatchNorm(), Flatten()]
    )
    x, y = data(40)
    names, values = zip(*((name, torch.tensor(p.value)) for name, p in network.parameters().items()))
    twin = dict(zip(names, (value.requires_grad_() for value in values)))
    optimizer, rows = torch.optim.SGD(values, lr=0.1), torch.tensor(x / 255.0, dtype=torch.float32)

    def forward(v):
        for layer, norm in (("0", "1"), ("4", "5")):
            v = torch.nn.functional.conv2d(v, twin[f"{layer}.W"].permute(3, 2, 0, 1), padding=1)
            v = torch.nn.functional.batch_norm(v, None, None, twin[f"{norm}.gamma"], twin[f"{norm}.beta"], True)
            v = torch.nn.functional.max_pool2d(torch.relu(v), 2) if layer == "0" else v
        v = torch.sigmoid(v.permute(0, 2, 3, 1).flatten(1) @ twin["7.W"] + twin["7.b"])
        return v @ twin["9.W"] + twin["9.b"]

    order, theirs = np.random.default_rng(6).permutation(np.tile(np.arange(40), 10)), []
    for batch in order.reshape(50, 8):
        loss = torch.nn.functional.cross_entropy(forward(rows[batch].permute(0, 3, 1, 2)), torch.tensor(y[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        theirs.append(loss.item())
    losses = FastEngine(network, SGD(0.1), threads=2).train_batches(x, y, order, 8, np.full(50, 0.1))
    np.testing.assert_allclose(losses, theirs, rtol=1e-3)
    for name, p in network.parameters().items():
        np.testing.assert_allclose(p.value, twin[name].detach().numpy(), rtol=0.01, atol=1e-3, err_msg=name)
