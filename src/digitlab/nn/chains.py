"""Chains of dense layers from their sizes."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.errors import ConfigError
from digitlab.nn.describe import build, separate
from digitlab.nn.dropout import Dropout
from digitlab.nn.initializers import Initializer
from digitlab.nn.network import Activation, Dense, Layer, Loss, Network
from digitlab.nn.scaling import Scaling

__all__ = ["mlp"]


@checked
def mlp(
    sizes: Sequence[int],
    *,
    activation: str | Layer | Sequence[str | Layer] = "sigmoid",
    loss: str | Loss = "quadratic",
    init: str | Initializer | None = None,
    dropout: float = 0.0,
    scaling: str | tuple[float, float] | Scaling | None = None,
    seed: int | np.random.Generator | None = 0,
    dtype: str = "float32",
) -> Network:
    """A chain of dense layers, the books' network: `mlp([784, 30, 10])`.

    sizes        neurons per layer, inputs first, outputs last
    activation   after every layer but the last, whose activation belongs to the loss; several, "relu,tanh" or a list,
                 are those of the hidden layers in order
    loss         "quadratic", "cross-entropy", "log-likelihood", "mean-squared-error"
    init         "large": weights and biases N(0, 1), as Nielsen's chapter 1; "scaled": weights N(0, 1/n_in),
                 biases N(0, 1), as his chapter 3; another initializer: that for the weights, zeros for biases.
                 None: He for the ReLU family, "scaled" for the others
    dropout      probability that a hidden activation is left out in training
    scaling      how pixel bytes (uint8) become numbers: "/255" unless given, "/256", "0.01-1", "none" (nn/scaling.py)

    Raises ConfigError for fewer than two sizes, sizes under 1, and unknown names.
    """
    layers = chain(sizes, activation=activation, init=init, dropout=dropout)
    return Network(layers, int(sizes[0]), build(Loss, loss), scaling=scaling, seed=seed, dtype=dtype)


def chain(
    sizes: Sequence[int], *, activation: Any = "sigmoid", init: str | Initializer | None = None, dropout: float = 0.0
) -> list[Layer]:
    """The layers of `mlp`, not yet in a network."""
    several = isinstance(sizes, Iterable) and not isinstance(sizes, str)
    sizes = list(sizes) if several else sizes
    if not several or len(sizes) < 2 or not all(isinstance(n, int | np.integer) and n > 0 for n in sizes):
        raise ConfigError(f"sizes: got {sizes!r}, expected at least two positive whole numbers, as [784, 30, 10]")
    hidden = activations(activation, len(sizes) - 2)
    layers: list[Layer] = []
    for size, chosen in zip(sizes[1:-1], hidden):
        layers += [Dense(int(size), *initial(init, chosen)), copy.deepcopy(chosen)]
        if dropout:
            layers.append(Dropout(dropout))
    return [*layers, Dense(int(sizes[-1]), *initial(init, hidden[-1]))]


def activations(given: Any, count: int) -> list[Layer]:
    """The activation of each of `count` hidden layers, from one for all, or a list or text of as many.

    Raises ConfigError for another number of them.
    """
    given = separate(given) if isinstance(given, str) else given
    several = [build(Layer, item) for item in (given if isinstance(given, list | tuple) else [given])]
    if len(several) == 1:
        return several * max(count, 1)
    if len(several) != count:
        raise ConfigError(f"activation: got {len(several)}, expected one, or one for each hidden layer: {count}")
    return several


def initial(init: str | Initializer | None, activation: Layer) -> tuple[Initializer, Initializer]:
    """Initializers for weights and biases that go with a choice of `init` (see `mlp`) and an activation."""
    usual = activation.usual_weights if isinstance(activation, Activation) else Activation.usual_weights
    weights = build(Initializer, usual if init is None else init)
    return weights, weights.biases()
