"""One example or more of everything public in the nn registries; the contract tests run through this table.

A new layer, loss or initializer needs a line here, or `test_everything_has_an_example` fails.
Shapes are small on purpose: the gradient check takes two passes for every number.
"""

import copy
import importlib
import math
import pkgutil
from collections.abc import Iterator

import numpy as np

import digitlab.nn as nn
from digitlab.nn.bias import Bias
from digitlab.nn.bidirectional import Bidirectional
from digitlab.nn.containers import Branches, Residual, Sequential
from digitlab.nn.conv import Conv2D
from digitlab.nn.describe import Described
from digitlab.nn.normalization import BatchNorm, LayerNorm
from digitlab.nn.per_neuron import PerNeuron
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.recurrent import GRU, LSTM, SimpleRNN
from digitlab.nn.slices import Slice
from digitlab.nn.subnetwork import Subnetwork

for module in pkgutil.iter_modules(nn.__path__):  # so that the registries know every class there is
    importlib.import_module(f"digitlab.nn.{module.name}")

# Described, so that a test's seed decides its first weights; a trained one is in tests/nn/test_subnetwork.py.
INNER = {"input_shape": [4], "loss": "log-likelihood", "layers": [nn.Dense(3), nn.Tanh(), nn.Dropout(0.5), nn.Dense(2)]}

MASK = [[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]]

# An instance, and the shape of one example of its input.
LAYERS = [
    (nn.Dense(3), (4,)),
    (nn.Dense(3, biases=None), (4,)),
    (nn.Dense(1, nn.Normal(), nn.Normal()), (1,)),
    (nn.Dense(3, connections=MASK), (4,)),
    (nn.Sigmoid(), (5,)),
    (nn.Sigmoid(), (3, 2, 2)),
    (nn.Linear(), (5,)),
    (nn.Tanh(), (5,)),
    (nn.ReLU(), (5,)),
    (nn.LeakyReLU(), (5,)),
    (nn.LeakyReLU(0.2), (2, 3, 1)),
    (nn.ELU(), (5,)),
    (nn.ELU(0.5), (5,)),
    (nn.GELU(), (5,)),
    (nn.Softplus(), (5,)),
    (nn.SiLU(), (5,)),
    (nn.HardSigmoid(), (5,)),
    (nn.Step(), (5,)),
    (nn.Dropout(0.4), (8,)),
    (nn.Dropout(0.0), (3, 2)),
    (nn.Flatten(), (2, 3, 2)),
    (nn.Flatten(), (4,)),
    (nn.Reshape((3, 2)), (6,)),
    (nn.Reshape((6,)), (3, 2)),
    (nn.Repeat(3), (4,)),
    (nn.Combine([3, 3], 3), (6,)),
    (nn.Combine([3, 3], 3, "vote", [1.0, 2.0]), (6,)),
    (nn.Combine([3, 2, 4], 3, covers=[[0, 2], [1], []]), (9,)),
    (nn.Rescale(2.0, 1.0), (3, 2)),
    (Bias(), (4,)),
    (Bias(nn.Normal()), (3, 2, 2)),
    (Conv2D(2, 2), (4, 3, 2)),
    (Conv2D(2, 3, padding="same"), (4, 3, 1)),
    (Conv2D(3, (2, 3), stride=(2, 1), padding=(1, 0), dilation=(2, 1)), (5, 4, 2)),
    (Conv2D(2, 2, biases=None, connections=[[1, 0], [1, 1]]), (3, 3, 2)),
    (MaxPool2D(2), (4, 4, 2)),
    (MaxPool2D((3, 2), stride=1, padding=1), (4, 3, 2)),
    (AveragePool2D(2), (4, 4, 2)),
    (AveragePool2D((3, 2), stride=1, padding="same"), (4, 3, 2)),
    (GlobalAveragePool(), (3, 2, 4)),
    (BatchNorm(), (4,)),
    (BatchNorm(momentum=0.3), (2, 3, 2)),
    (LayerNorm(), (5,)),
    (LayerNorm(axes=None), (2, 3, 2)),
    (SimpleRNN(3), (4, 2)),
    (SimpleRNN(3, returns="all", reverse=True), (4, 2)),
    (LSTM(3), (4, 2)),
    (LSTM(2, returns="all"), (3, 2)),
    (GRU(3), (4, 2)),
    (GRU(2, reset="before", returns="all"), (3, 2)),
    (Bidirectional(LSTM(2)), (3, 2)),
    (Slice(rows=(1, 3), columns=(0, 2)), (4, 3, 2)),
    (Slice(channels=[2, 0]), (2, 2, 3)),
    (Slice(indices=[3, 0, 5]), (6,)),
    (Sequential([nn.Dense(3), nn.Tanh()]), (4,)),
    (Residual([nn.Dense(4), nn.Tanh(), nn.Dropout(0.3)]), (4,)),
    (Residual([nn.Dense(3), nn.GELU()], projection=nn.Dense(3, biases=None)), (4,)),
    (Branches([[nn.Dense(2), nn.Tanh()], [nn.Dense(3)], []]), (4,)),
    (Branches({"left": [nn.Dense(2)], "right": [nn.Dropout(0.5), nn.Dense(2)]}, merge="mean"), (4,)),
    (Subnetwork(INNER), (2, 2)),
    (Subnetwork(INNER, outputs="activations"), (4,)),
    (Subnetwork(nn.mlp([4, 3, 2], dropout=0.3), outputs="activations"), (4,)),
    (Subnetwork(nn.Network([nn.Dense(3), BatchNorm()], 4, nn.LogLikelihood()), frozen=True), (2, 2)),
    (PerNeuron(["sigmoid", nn.LeakyReLU(0.1)], [[1, 3], [0, 2]]), (4,)),
]

# In training these look at the batch as a whole, so one flat example is none.
WHOLE_BATCH = (BatchNorm,)

LOSSES = [
    nn.Quadratic(),
    nn.CrossEntropy(),
    nn.LogLikelihood(),
    nn.MeanSquaredError(),
    nn.Quadratic(label_smoothing=0.1),
    nn.CrossEntropy(label_smoothing=0.1),
    nn.LogLikelihood(label_smoothing=0.1),
    nn.MeanSquaredError(label_smoothing=0.1),
    nn.Quadratic(low=0.01, high=0.99),
    nn.CrossEntropy(label_smoothing=0.1, low=0.01, high=0.99),
]

INITIALIZERS = [
    nn.Normal(),
    nn.Normal(0.1),
    nn.ScaledNormal(),
    nn.FanOutNormal(),
    nn.FanOutNormal(pool=2),
    nn.Uniform(),
    nn.Uniform(-0.1, 0.3),
    nn.Glorot(),
    nn.He(),
    nn.Orthogonal(),
    nn.Orthogonal(2.0),
    nn.Zeros(),
    nn.Constant(0.5),
    nn.Given(np.arange(12.0).reshape(4, 3)),
]


def public(family: type[Described]) -> set[type[Described]]:
    """The members of a family that the package defines; test files may define some of their own."""
    return {cls for cls in family.registry.values() if cls.__module__.startswith("digitlab.")}


def layer_network(layer: nn.Layer, shape: tuple[int, ...], dtype: str = "float64", seed: int = 1) -> nn.Network:
    """A network of that one layer (a copy: the table's own stays without parameters)."""
    return nn.Network([copy.deepcopy(layer)], shape, nn.MeanSquaredError(), dtype=dtype, seed=seed)


def batch(shape: tuple[int, ...], n: int = 3, dtype: str = "float64", seed: int = 2) -> np.ndarray:
    """Different numbers of both signs in random order.

    They stand apart, and clear of 0, so that no difference steps over a kink: drawn at random, two numbers in a
    pooling window once came to lie 10⁻⁵ apart.
    """
    count = n * math.prod(shape)
    numbers = np.linspace(-3.5, math.sqrt(13), count)  # an irrational end: no point of the grid is 0 or 3
    return np.random.default_rng(seed).permutation(numbers).reshape(n, *shape).astype(dtype)


def inside(layer: nn.Layer) -> Iterator[nn.Layer]:
    """The layer and all layers within it."""
    yield layer
    for child in layer.children().values():
        yield from inside(child)


def parameters(layer: nn.Layer) -> list[nn.Parameter]:
    """Every parameter of a layer, inner layers included."""
    return [p for each in inside(layer) for p in each.params.values()]


def converted(layer: nn.Layer, convert) -> nn.Layer:
    """A copy of the layer whose arrays went through `convert`: to another array library."""
    layer = copy.deepcopy(layer)
    for each in inside(layer):
        for p in each.params.values():
            p.value = convert(p.value)
        for key, buffer in each.buffers.items():
            each.buffers[key] = convert(buffer)
    return layer
