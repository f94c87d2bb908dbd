"""Networks that are no chains against their readable twins: branches, shortcuts, slices, layers in containers."""

import copy

import numpy as np
import pytest

from digitlab.engine.fast import FastEngine, Predictor, make_plan
from digitlab.nn import activations as act
from digitlab.nn.bias import Bias
from digitlab.nn.combine import Combine, Rescale
from digitlab.nn.containers import Branches, Residual, Sequential
from digitlab.nn.conv import Conv2D
from digitlab.nn.initializers import Normal
from digitlab.nn.io.freezing import freeze
from digitlab.nn.losses import CrossEntropy, LogLikelihood
from digitlab.nn.network import Dense, Network, Sigmoid
from digitlab.nn.per_neuron import PerNeuron
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.reshaping import Flatten, Reshape
from digitlab.nn.slices import Slice
from digitlab.nn.subnetwork import Subnetwork
from digitlab.optim import SGD, Adam
from digitlab.optim.regularizers import L2

from .twins import assert_twins, pixels


def flat(*layers):
    return Network([*layers, Dense(4)], 30, LogLikelihood(), seed=1)


def pictures(*layers):
    return Network([*layers, Flatten(), Dense(4)], (8, 8, 1), LogLikelihood(), seed=1)


NETWORKS = {
    "shortcut around layers": lambda: flat(Dense(9), Sigmoid(), Residual([Dense(9), act.ReLU(), Dense(9)]), act.Tanh()),
    "shortcut with a projection": lambda: flat(Dense(9), Residual([Dense(5), act.ReLU()], Dense(5)), act.ReLU()),
    "shortcut from the input": lambda: flat(Residual([Dense(30), act.Tanh()])),
    "shortcut at the end": lambda: Network([Dense(4), Residual([Dense(4)])], 30, CrossEntropy(), seed=1),
    "shortcut that begins with an activation": lambda: flat(Dense(9), Residual([act.ELU(), Dense(9)]), act.ReLU()),
    "branches from the input": lambda: flat(Branches([[Dense(7), act.ReLU()], [], [Dense(3), Sigmoid()]])),
    "sum": lambda: flat(Dense(9), act.ReLU(), Branches([[act.Tanh(), Dense(6)], [Dense(6)], [Dense(6)]], "sum")),
    "mean": lambda: flat(Dense(9), Branches({"a": [act.ReLU()], "b": [Sigmoid()], "c": []}, "mean")),
    "nested": lambda: flat(Dense(9), Branches([[Residual([Branches([[Dense(4)], [Dense(5)]])])], [act.ReLU()]])),
    "sequences": lambda: flat(Sequential([Dense(9), Sequential([act.ReLU(), Dense(8)])]), Sequential([]), act.ReLU()),
    "slices": lambda: flat(
        Branches([[Slice(indices=[3, 1, 29, 0, 12])], [Slice(indices=[7, 3]), Dense(3)]]), Sigmoid()
    ),
    "slices of hidden features": lambda: flat(Dense(9), Branches([[Slice(indices=[2, 8, 1])], [Slice(indices=[2])]])),
    "own activations": lambda: flat(Dense(9), PerNeuron(["relu", "tanh", act.LeakyReLU(0.1)], [[0, 8], [[2, 8]], [1]])),
    "bias": lambda: flat(Bias(Normal()), Dense(9, biases=None), Bias(), act.ReLU(), Rescale(0.9, 0.1)),
    "parts of a picture": lambda: pictures(
        Branches([[Slice(rows=(0, 4)), Flatten(), Dense(5)], [Slice(columns=(2, 8)), Conv2D(3, 3), Flatten()]])
    ),
    "residual block": lambda: pictures(
        Conv2D(5, 3, padding=1), act.ReLU(), Residual([Conv2D(5, 3, padding=1), act.ReLU(), Conv2D(5, 3, padding=1)])
    ),
    "fused in a branch": lambda: pictures(
        Branches([[Conv2D(4, 3, padding=1), act.ReLU(), MaxPool2D(2)], [Conv2D(3, 1), AveragePool2D(2)]]), act.ReLU()
    ),
    "dense net": lambda: pictures(
        Branches([[], [Conv2D(3, 3, padding=1), act.ReLU()]]), Branches([[], [Conv2D(2, 3, padding=1)]])
    ),
    "more channels than filters": lambda: pictures(Conv2D(9, 1), Sigmoid(), Conv2D(1, 1), act.Tanh()),
    "channels side by side": lambda: pictures(Branches([[Conv2D(5, 1)], [Conv2D(4, 1)]]), Conv2D(1, 1), act.Tanh()),
    "channels": lambda: pictures(
        Conv2D(6, 3), PerNeuron(["relu", "sigmoid"], [range(4), range(4, 6)]), Bias(), Slice(channels=[5, 0, 1])
    ),
    "pooled places": lambda: Network(
        [Reshape((8, 8, 1)), Branches([[Conv2D(4, 3), act.ReLU()], [Conv2D(4, 3)]], "sum"), GlobalAveragePool()],
        64,
        LogLikelihood(),
    ),
}


def member(seed, **options):
    return Subnetwork(Network([Dense(6), Sigmoid(), Dense(4)], 30, LogLikelihood(), seed=seed), **options)


def ensemble(last, *members):
    return Network([Branches([[one] for one in members]), last], 30, LogLikelihood())


SPECIALISTS = Combine([4, 3], 4, weights=[2, 1], covers=[[], [1, 3]])
NETWORKS |= {
    "subnetwork": lambda: flat(member(1), act.Tanh()),
    "its activations": lambda: flat(member(1, outputs="activations")),
    "its sigmoid": lambda: flat(Dense(5), Subnetwork(Network([Dense(6)], 5, CrossEntropy()), outputs="activations")),
    "frozen": lambda: flat(member(1, frozen=True), Dense(5), act.Tanh()),
    "subnetwork on pictures": lambda: Network(
        [Subnetwork(Network([Conv2D(4, 3), act.ReLU(), MaxPool2D(2), Flatten(), Dense(5)], (8, 8, 1))), Dense(4)], 64
    ),
    "mean of networks": lambda: ensemble(
        Combine([4, 4], 4), member(1, outputs="activations"), member(2, outputs="activations")
    ),
    "votes of networks": lambda: ensemble(
        Combine([4, 4, 4], 4, "vote"), *(member(seed, outputs="activations") for seed in range(3))
    ),
    "specialists": lambda: Network(
        [Branches([[Dense(4), Sigmoid()], [Dense(3), Sigmoid()]]), copy.deepcopy(SPECIALISTS)], 30, LogLikelihood()
    ),
}


def data(network, examples=40):
    rng = np.random.default_rng(0)
    return pixels(rng, examples, *network.input_shape), rng.integers(0, network.shapes[-1][0], examples)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_they_train_alike(make):
    network = make()
    assert_twins(network, SGD(0.1), (L2(0.1),), *data(network), 7, steps=60, threads=2)


@pytest.mark.parametrize("name", ["nested", "fused in a branch", "own activations", "bias"])
def test_the_same_bits_on_any_number_of_threads(name):
    ends = []
    for threads in (1, 2, 3):
        network = NETWORKS[name]()
        engine = FastEngine(network, Adam(0.01), threads=threads)
        losses = engine.train_batches(*data(network), np.arange(40), 8, np.full(5, 0.01))
        ends.append(network.state() | {"losses": losses})
    for end in ends[1:]:
        assert all(np.array_equal(end[key], ends[0][key]) for key in end)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_they_predict_alike(make):
    network = make()
    x, _ = data(network)
    np.testing.assert_allclose(Predictor(network)(x), network.predict(x), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(Predictor(network)(x[:1]), network.predict(x[:1]), rtol=1e-4, atol=1e-6)


def test_names_are_those_of_the_network():
    for make in NETWORKS.values():
        network = make()
        plan = make_plan(network, SGD(0.1))
        assert {slot.name: slot.parameter for slot in plan.slots} == network.parameters()


def test_what_is_frozen_in_a_branch_stays():
    network = NETWORKS["nested"]()
    freeze(network, "1.0.0.0.1.0.W")
    freeze(network, "1.0.0.0.0.0.W", np.s_[0])
    before = {name: p.value.copy() for name, p in network.parameters().items()}
    x, y = data(network)
    FastEngine(network, SGD(0.5), threads=2).train_batches(x, y, np.arange(40), 8, np.full(5, 0.5))
    after = network.parameters()
    assert np.array_equal(after["1.0.0.0.1.0.W"].value, before["1.0.0.0.1.0.W"])
    assert np.array_equal(after["1.0.0.0.0.0.W"].value[0], before["1.0.0.0.0.0.W"][0])
    assert not np.array_equal(after["1.0.0.0.0.0.W"].value[1], before["1.0.0.0.0.0.W"][1])
