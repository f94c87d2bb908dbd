"""Convolutions and pools against their readable twins (twins.py says how closely)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.nn import activations as act
from digitlab.nn.bias import Bias
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.initializers import Normal
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network, Sigmoid
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD, Adam, Momentum
from digitlab.optim.regularizers import L2, MaxNorm

from .twins import assert_twins, pixels

PICTURES = {
    "sigmoid before the pool": lambda: [Conv2D(20, 5), Sigmoid(), MaxPool2D(2)],
    "ReLU after the pool, padding": lambda: [Conv2D(5, 3, padding="same"), MaxPool2D(2), act.ReLU()],
    "two of them": lambda: [
        Conv2D(9, 3),
        act.ReLU(),
        MaxPool2D(2),
        Conv2D(12, (2, 3), padding=1, biases=Normal()),
        MaxPool2D(2),
        act.Tanh(),
    ],
    "channels and filters enough for tiles": lambda: [
        Conv2D(16, 3, padding="same"),
        act.ReLU(),
        MaxPool2D(2),
        Conv2D(24, 3, padding=1, biases=Normal()),
        MaxPool2D(2),
        act.ReLU(),
    ],
    "a pool of 3, biases after it": lambda: [Conv2D(33, (3, 2), biases=None), MaxPool2D(3), Bias(Normal()), act.ELU()],
}


@pytest.mark.parametrize("layers", PICTURES.values(), ids=PICTURES.keys())
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("optimizer", [SGD(0.05), Adam(0.002)])
def test_pictures(layers, channels, optimizer):
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 30, 12, 11, channels), rng.integers(0, 6, 30)
    network = Network([*layers(), Flatten(), Dense(17), Sigmoid(), Dense(6)], (12, 11, channels), LogLikelihood())
    assert_twins(network, optimizer, (L2(0.1), MaxNorm(2.0)), x, y, 7, steps=60, threads=1 + channels // 2)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    height=st.integers(6, 15),
    width=st.integers(6, 15),
    channels=st.integers(1, 4),
    filters=st.tuples(st.integers(1, 35), st.integers(1, 35)),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    padding=st.sampled_from([0, 1, "same"]),
    pool=st.integers(1, 3),
    deep=st.booleans(),
    activation=st.sampled_from([Sigmoid, act.ReLU, act.LeakyReLU, act.Softplus]),
    before=st.booleans(),
    batch_size=st.integers(1, 9),
    threads=st.integers(1, 2),
    seed=st.integers(0, 1000),
)
def test_drawn_pictures(
    height, width, channels, filters, kernel, padding, pool, deep, activation, before, batch_size, threads, seed
):
    rng = np.random.default_rng(seed)
    x, y = pixels(rng, 20, height, width, channels), rng.integers(0, 5, 20)
    layers = []
    for n, p in zip(filters[: 1 + deep], (padding, "same")):
        tail = [activation(), MaxPool2D(pool)] if before else [MaxPool2D(pool), activation()]
        layers += [Conv2D(n, kernel, padding=p), *tail]
        pool = 1  # the second pool leaves the picture as it is
    network = Network([*layers, Flatten(), Dense(5)], (height, width, channels), LogLikelihood(), seed=seed)
    assert_twins(network, SGD(0.01), (), x, y, batch_size, steps=40, threads=threads)


CONNECTIONS = [[1, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
WINDOWS = {
    "strides, dilation, padding": lambda: [
        Conv2D(9, 3, stride=2, biases=Normal()),
        act.ReLU(),
        Conv2D(12, (2, 3), stride=(1, 2), padding=1, dilation=(2, 1)),
        act.Tanh(),
        Flatten(),
    ],
    "an average first, GELU between, pools that overlap": lambda: [
        AveragePool2D(2),
        Conv2D(5, 3, biases=None),
        act.GELU(),
        MaxPool2D(3, stride=1),
        Flatten(),
    ],
    "all the way to one number a channel": lambda: [
        Conv2D(33, 3, padding="same"),
        act.SiLU(),
        AveragePool2D((3, 2), stride=1),
        Conv2D(4, 2),
        GlobalAveragePool(),
    ],
    "channels connected by a mask": lambda: [Conv2D(5, 3, connections=CONNECTIONS), MaxPool2D(2), Sigmoid(), Flatten()],
    "pools with padding": lambda: [
        MaxPool2D(3, stride=2, padding=1),
        Conv2D(5, 3, padding="same"),
        act.Tanh(),
        AveragePool2D((3, 2), stride=(1, 2), padding=(2, 1)),
        AveragePool2D(2, padding="same"),
        MaxPool2D(2, padding="same"),
        Flatten(),
    ],
    "channels and filters enough for tiles": lambda: [
        Conv2D(16, 3),
        act.Tanh(),
        Conv2D(24, 3, padding=1, biases=Normal()),
        act.Tanh(),
        Conv2D(16, 3, padding=(1, 0)),
        AveragePool2D(2),
        Flatten(),
    ],
    "a pool alone": lambda: [MaxPool2D((2, 3)), Flatten()],
    "dropout and an activation before the first weights": lambda: [Dropout(0.0), act.Tanh(), Conv2D(3, 4), Flatten()],
}


@pytest.mark.parametrize("layers", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.parametrize("optimizer", [SGD(0.05), Momentum(0.02, 0.8), Adam(0.002)])
@pytest.mark.parametrize("threads", [1, 2])
def test_windows_of_every_kind(layers, optimizer, threads):
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 30, 12, 11, 2), rng.integers(0, 6, 30)
    network = Network([*layers(), Dense(17), Sigmoid(), Dense(6)], (12, 11, 2), LogLikelihood(), seed=3)
    assert_twins(network, optimizer, (L2(0.1), MaxNorm(1.5)), x, y, 7, steps=60, threads=threads)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    height=st.integers(7, 13),
    width=st.integers(7, 13),
    channels=st.integers(1, 4),
    filters=st.integers(1, 35),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2),
    padding=st.sampled_from([0, 1, "same"]),
    pool=st.sampled_from([MaxPool2D, AveragePool2D]),
    size=st.integers(1, 2),
    step=st.integers(1, 3),
    batch_size=st.integers(1, 9),
    threads=st.integers(1, 2),
    seed=st.integers(0, 1000),
)
def test_drawn_windows(
    height, width, channels, filters, kernel, stride, dilation, padding, pool, size, step, batch_size, threads, seed
):
    rng = np.random.default_rng(seed)
    x, y = pixels(rng, 20, height, width, channels), rng.integers(0, 5, 20)
    conv = Conv2D(filters, kernel, stride=stride, dilation=dilation, padding=padding)
    size = min(size, *conv.windows((height, width, channels)).count)
    layers = [conv, act.GELU(), Conv2D(3, 1), pool(size, stride=step), act.Tanh(), Flatten(), Dense(5)]
    network = Network(layers, (height, width, channels), LogLikelihood(), seed=seed)
    assert_twins(network, SGD(0.02), (), x, y, batch_size, steps=40, threads=threads)


def test_norms_of_convolutions_are_limited():
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 30, 12, 11, 2), rng.integers(0, 6, 30)
    network = Network(
        [Conv2D(5, 3, biases=None), act.Tanh(), Flatten(), Dense(6)], (12, 11, 2), LogLikelihood(), seed=3
    )
    assert_twins(network, SGD(0.05), (MaxNorm(0.5),), x, y, 7, steps=60, threads=2)
    lengths = np.sqrt(np.sum(network.layers[0].params["W"].value ** 2, axis=(0, 1, 2)))
    assert lengths.max() <= 0.5 + 1e-5
