"""Frozen weights and connection masks: the fast engine leaves alone what the readable one leaves alone."""

import numpy as np
import pytest

from digitlab.engine.fast import FastEngine
from digitlab.nn import activations as act
from digitlab.nn import freeze
from digitlab.nn.conv import Conv2D
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Dense, Network, Sigmoid
from digitlab.nn.pooling import MaxPool2D
from digitlab.nn.reshaping import Flatten
from digitlab.optim import SGD, Adam, AdamW, Momentum
from digitlab.optim.regularizers import L2, MaxNorm

from .twins import assert_twins, chain, pixels

FREEZES = {
    "a layer": [("0", None)],
    "a layer in the middle": [("2", None)],
    "weights only": [("0.W", None), ("2.b", None)],
    "single weights": [("0.W", np.s_[3:20, ::2]), ("2.W", np.s_[1]), ("2.b", np.s_[:5])],
}


@pytest.mark.parametrize("freezes", FREEZES.values(), ids=FREEZES.keys())
@pytest.mark.parametrize("optimizer", [SGD(0.3), Momentum(0.1, 0.5), AdamW(0.003)])
@pytest.mark.parametrize("kind", ["few pixels", "floats"])
def test_frozen_weights_stay_and_the_others_learn(freezes, optimizer, kind):
    rng = np.random.default_rng(2)
    x, y = pixels(rng, 40, 50), rng.integers(0, 7, 40)
    x = x if kind == "few pixels" else rng.normal(size=x.shape).astype(np.float32)
    network = chain((50, 24, 12, 7), Sigmoid(), LogLikelihood(), 4)
    for name, where in freezes:
        freeze(network, name, where)
    assert_twins(network, optimizer, (L2(0.5), MaxNorm(1.0)), x, y, 6, steps=50, threads=2)


def test_a_frozen_convolution_with_biases_that_learn():
    rng = np.random.default_rng(1)
    x, y = pixels(rng, 30, 12, 11, 1), rng.integers(0, 6, 30)
    for frozen in ("0.W", "0.b", "0", "3.W"):
        for where in (None, np.s_[..., ::2]):
            layers = [Conv2D(9, 3), MaxPool2D(2), act.ReLU(), Conv2D(4, 2), Flatten(), Dense(6)]
            network = Network(layers, (12, 11, 1), LogLikelihood(), seed=3)
            freeze(network, frozen, where if "." in frozen else None)
            assert_twins(network, Adam(0.01), (L2(0.1),), x, y, 7, steps=30, threads=2)


def test_connection_masks_of_dense_layers():
    rng = np.random.default_rng(2)
    x, y = pixels(rng, 40, 50), rng.integers(0, 7, 40)
    first, second = rng.integers(0, 2, (50, 24)).tolist(), rng.integers(0, 2, (24, 7)).tolist()
    for optimizer in (SGD(0.3), Adam(0.01)):
        network = Network([Dense(24, connections=first), Sigmoid(), Dense(7, connections=second)], 50, LogLikelihood())
        freeze(network, "2.W", np.s_[:4])
        assert_twins(network, optimizer, (L2(0.5),), x, y, 6, steps=50, threads=2)
        engine = FastEngine(network, optimizer, examples=40)
        engine.train_batches(x, y, np.arange(40), 10, np.full(4, 0.01))
        assert not network.parameters()["0.W"].value[np.array(first) == 0].any()
