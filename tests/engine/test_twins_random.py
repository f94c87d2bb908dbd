"""Random graphs of layers against their readable twins: 50 steps, any number of threads, predictions, and state."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from digitlab.engine import ReferenceEngine
from digitlab.engine.fast import FastEngine, Predictor
from digitlab.nn import activations as act
from digitlab.nn.bias import Bias
from digitlab.nn.bidirectional import Bidirectional
from digitlab.nn.combine import Rescale
from digitlab.nn.containers import Branches, Residual, Sequential
from digitlab.nn.conv import Conv2D
from digitlab.nn.dropout import Dropout
from digitlab.nn.initializers import Normal
from digitlab.nn.losses import CrossEntropy, LogLikelihood
from digitlab.nn.masks import random_connections
from digitlab.nn.network import Dense, Layer, Network, Parameter, Sigmoid
from digitlab.nn.normalization import BatchNorm, LayerNorm
from digitlab.nn.per_neuron import PerNeuron
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.recurrent import GRU, LSTM, SimpleRNN
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.slices import Slice
from digitlab.nn.subnetwork import Subnetwork
from digitlab.optim import SGD, Momentum
from digitlab.optim.regularizers import L2

from .twins import assert_twins, pixels


class Swell(Layer):
    """y = s tanh(x), a layer of one's own."""

    def init(self, input_shape, rng, *, dtype="float32"):
        self.params["s"] = Parameter(np.ones(input_shape[-1:], dtype), regularized=False)

    def forward(self, x, *, training=False):
        y = np.tanh(x)
        return self.params["s"].value * y, y

    def backward(self, grad_y, cache):
        self.params["s"].grad = (grad_y * cache).sum(tuple(range(grad_y.ndim - 1)))
        return self.params["s"].value * grad_y * (1 - cache * cache)


@pytest.fixture(autouse=True, scope="module")
def forget():
    yield
    del Layer.registry["swell"]


ACTIVATIONS = [Sigmoid, act.Tanh, act.ReLU, act.ELU, act.SiLU, act.Softplus]


def same_shape(draw, shape):
    """A layer that keeps the shape."""
    channels = shape[-1]
    kinds = ["activation", "activation", "bias", "rescale", "swell", "per neuron", "layer norm", "dropout"]
    kind = draw(st.sampled_from([*kinds, "batch norm", "dense"] if len(shape) != 2 else kinds))
    if kind == "activation":
        return draw(st.sampled_from(ACTIVATIONS))()
    if kind == "per neuron":
        first = draw(st.integers(0, channels - 1))
        groups = [[*range(first), *range(first + 1, channels)], [first]]
        return PerNeuron(["tanh", "relu"], groups) if channels > 1 else act.Tanh()
    if kind == "dense":
        padding = draw(st.sampled_from([1, "same"]))
        return Dense(channels) if len(shape) == 1 else Conv2D(channels, 3, padding=padding)
    return {
        "bias": lambda: Bias(Normal(0.1)),
        "rescale": lambda: Rescale(0.9, 0.1),
        "swell": Swell,
        "layer norm": LayerNorm,
        "batch norm": BatchNorm,
        "dropout": lambda: Dropout(0.0),
    }[kind]()


def a_container(draw, shape, depth):
    """Layers side by side or around a shortcut."""
    kind = draw(st.sampled_from(["residual", "projection", "sequence", "sum", "mean", "concatenate", "subnetwork"]))
    if kind == "sequence":
        return Sequential(chain(draw, shape, depth - 1))
    if kind == "subnetwork" and len(shape) == 1:
        return Subnetwork(Network([*chain(draw, shape, depth - 1), Dense(shape[0])], shape, "mse", seed=3))
    if kind == "residual":
        return Residual([same_shape(draw, shape) for _ in range(draw(st.integers(0, 3)))])
    if kind == "projection" and len(shape) == 1:
        return Residual([*chain(draw, shape, depth - 1), Dense(5)], Dense(5))
    if kind in ("sum", "mean"):
        some = st.integers(0, 2)
        return Branches(
            [[same_shape(draw, shape) for _ in range(draw(some))] for _ in range(draw(st.integers(1, 3)))], kind
        )
    if len(shape) == 1:
        return Branches([chain(draw, shape, depth - 1) for _ in range(draw(st.integers(1, 3)))])
    return Branches([[same_shape(draw, shape)], [], [same_shape(draw, shape)]])


def a_layer(draw, shape, depth):
    """Any layer that takes this shape."""
    kinds = ["same", "same", "other", "other", *(["container"] * 3 if depth else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "same":
        return same_shape(draw, shape)
    if kind == "container":
        return a_container(draw, shape, depth)
    if len(shape) == 1:
        n = shape[0]
        return draw(
            st.sampled_from(
                [
                    Dense(draw(st.integers(1, 20))),
                    Dense(6, biases=None, connections=random_connections(n, 6, 0.5, 0)),
                    Slice(indices=draw(st.permutations(range(n)))[: max(1, n // 2)]),
                    *([Reshape((n // 2, 2))] if n % 2 == 0 else []),
                ]
            )
        )
    if len(shape) == 2:
        own = draw(st.sampled_from([SimpleRNN, LSTM, GRU]))(5)
        return draw(st.sampled_from([own, Bidirectional(own), Flatten()]))
    height, width, channels = shape
    small = [Flatten(), GlobalAveragePool(), Conv2D(draw(st.integers(1, 9)), 1)]
    if min(height, width) >= 4:
        stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, 1))
        small += [
            Conv2D(draw(st.integers(1, 9)), 3, stride=stride, padding=padding),
            MaxPool2D(2),
            MaxPool2D(3, stride=2, padding=1),
            AveragePool2D(2, padding=padding),
            Slice(rows=(1, 4)),
            Slice(channels=draw(st.permutations(range(channels)))[: max(1, channels // 2)]),
        ]
    return draw(st.sampled_from(small))


def chain(draw, shape, depth):
    """A few layers one after another."""
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        layers.append(a_layer(draw, shape, depth))
        shape = layers[-1].output_shape(shape)
    if len(shape) > 1:
        layers.append(Flatten())
    return layers


@st.composite
def networks(draw):
    shape = draw(st.sampled_from([(12,), (9,), (6, 6, 1), (7, 5, 2), (4, 3)]))
    layers, here = [], shape
    for _ in range(draw(st.integers(2, 5))):
        layers.append(a_layer(draw, here, 2))
        here = layers[-1].output_shape(here)
    if len(here) > 1:
        layers.append(Flatten())
    loss = draw(st.sampled_from([LogLikelihood, CrossEntropy]))()
    return Network([*layers, Dense(4)], shape, loss, seed=draw(st.integers(0, 99)))


def magnifies_rounding(network, optimizer, x, y):
    """Whether the readable engine itself ends elsewhere when all weights begin a ten-millionth apart."""
    losses = []
    for nudge in (0, 1e-7):
        own, rng = network.copy(), np.random.default_rng(1)
        for p in own.parameters().values():
            p.value = (p.value * (1 + nudge * rng.normal(size=p.value.shape))).astype(np.float32)
        order = np.random.default_rng(5).integers(0, len(x), 400)
        rates = np.full(50, optimizer.learning_rate)
        losses.append(ReferenceEngine(own, optimizer).train_batches(x, y, order, 8, rates))
    return not np.allclose(*losses, rtol=2e-4, atol=2e-5)


def check(network, optimizer, regularizers):
    rng = np.random.default_rng(0)
    x, y = pixels(rng, 32, *network.input_shape, share=0.8), rng.integers(0, 4, 32)
    if math.prod(network.input_shape) % 2:
        x = rng.normal(size=x.shape).astype(np.float32)
    assume(not magnifies_rounding(network, optimizer, x, y))
    ends = []
    for threads in (1, 2, 3):
        own = network.copy()
        engine = FastEngine(own, optimizer, regularizers, examples=32, threads=threads)
        losses = engine.train_batches(x, y, np.arange(32), 8, np.full(4, 0.01))
        ends.append(own.state() | {"losses": losses})
    for end in ends[1:]:
        assert all(np.array_equal(end[key], ends[0][key], equal_nan=True) for key in end)
    np.testing.assert_allclose(Predictor(network)(x), network.predict(x), rtol=1e-3, atol=1e-5)
    # The second engine goes on where the first one ended.
    rates, mixed, straight = np.full(2, 0.01), network.copy(), network.copy()
    expected = ReferenceEngine(straight, optimizer).train_batches(x, y, np.arange(32), 8, np.full(4, 0.01))
    for first, second in ((FastEngine, ReferenceEngine), (ReferenceEngine, FastEngine)):
        mixed = network.copy()
        one, other = first(mixed, optimizer), None
        one.train_batches(x, y, np.arange(16), 8, rates)
        other = second(mixed, optimizer)
        other.load_state(one.state())
        got = other.train_batches(x, y, np.arange(16, 32), 8, rates)
        np.testing.assert_allclose(got, expected[2:], rtol=1e-3, atol=1e-4)
    assert_twins(network, optimizer, regularizers, x, y, 8, steps=50, threads=2, tolerance=0.02, rest=0)


DRAWN = {
    "network": networks(),
    "optimizer": st.sampled_from([SGD(0.02), Momentum(0.005)]),  # Adam makes steps of rounding where a gradient is 0
    "regularizers": st.sampled_from([(), (L2(0.1),)]),
}
OPTIONS = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck), "database": None}


@settings(max_examples=5, **OPTIONS)
@given(**DRAWN)
def test_a_few_random_graphs(network, optimizer, regularizers):
    check(network, optimizer, regularizers)


@pytest.mark.slow
@settings(max_examples=40, **OPTIONS)
@given(**DRAWN)
def test_many_random_graphs(network, optimizer, regularizers):
    check(network, optimizer, regularizers)
