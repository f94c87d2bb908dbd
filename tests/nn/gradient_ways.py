"""Every way of taking the gradient, and a network to take it of."""

import numpy as np

from digitlab.gradients import (
    SPSA,
    Backpropagation,
    CentralDifferences,
    ComplexStep,
    EvolutionStrategies,
    ForwardDifferences,
    ForwardGradient,
    PerExample,
)
from digitlab.nn import mlp

ALL = [
    Backpropagation(),
    PerExample(),
    ForwardDifferences(),
    CentralDifferences(),
    ComplexStep(),
    ForwardGradient(),
    SPSA(),
    EvolutionStrategies(population=4),
]


def network(dtype="float64", **choices):
    return mlp([5, 4, 3], activation="tanh", loss="log-likelihood", seed=3, dtype=dtype, **choices)


def batch(n=6, features=5):
    rng = np.random.default_rng(8)
    return rng.normal(size=(n, features)), rng.integers(0, 3, n)
