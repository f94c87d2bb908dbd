"""The default learning rate: the one place that says which one, for an optimizer, a network and a batch size.

`SGD()` leaves the rate open, and whoever trains settles it: `settled(SGD(), network)` is SGD(learning_rate=3.0) for
784–30–10 with the quadratic loss. The figures below were measured on 10,000 images of MNIST, 784–30–10 and larger
networks, one epoch; `tests/train/test_default_rate.py` holds that none of them stays at chance. docs/training.md says
how to choose a better one.
"""

import dataclasses
import math

from digitlab.errors import ConfigError
from digitlab.gradients import Gradient
from digitlab.nn.network import Dense, Layer, Network, Shape
from digitlab.nn.outputs import closing_activation
from digitlab.optim import Optimizer

FEW_INPUTS, VERY_FEW_INPUTS = 100, 10
FOR_FEW_INPUTS = 5  # times an adaptive rate: a step changes each weight by η, and few of them add up in a neuron
FOR_FUNCTIONS = 10  # of very few inputs: such networks are small and have to bend sharply
BATCH = 10  # for smaller batches, whose gradients are noisier, the rate shrinks in proportion


def settled(
    optimizer: Optimizer, network: Network, *, batch_size: int = BATCH, gradient: Gradient | None = None
) -> Optimizer:
    """The optimizer with its learning rate; one that was given stays."""
    if optimizer.learning_rate is not None:
        return optimizer
    rate = default_learning_rate(optimizer, network, batch_size=batch_size, gradient=gradient)
    return dataclasses.replace(optimizer, learning_rate=rate)


def default_learning_rate(
    optimizer: Optimizer, network: Network, *, batch_size: int = BATCH, gradient: Gradient | None = None
) -> float:
    """The rate for this optimizer on this network, to two digits.

    Plain gradient descent follows loss and activation. Momentum μ adds up 1/(1 − μ) steps, so its rate is times 1 − μ;
    less for the quadratic loss, whose sigmoids a few such steps saturate: times (1 − μ)^1.6, for Nesterov's momentum
    (1 − μ)^1.5. An adaptive optimizer measures the gradients itself. An estimate of the gradient along k random
    directions is mostly noise, which only averages out in small steps: times k/(k + 100).
    """
    if optimizer.usual_rate is None:
        kept = 1 - getattr(optimizer, "momentum", 0.0)
        rate = gradient_descent_rate(network) * min(1.0, batch_size / BATCH)
        rate *= kept ** (optimizer.momentum_power if network.loss.saturates else 1)
    else:
        rate = optimizer.usual_rate * adaptive_factor(network)
    if gradient is not None and (directions := gradient.directions_drawn()) is not None:
        rate *= directions / (directions + 100)
    return float(f"{rate:.2g}")


def adaptive_factor(network: Network) -> float:
    """What to multiply an adaptive rate by: dense networks of few inputs are small, and their trainings short."""
    inputs = math.prod(network.input_shape)
    if network.loss.output_range is None and inputs < VERY_FEW_INPUTS:
        return FOR_FUNCTIONS
    dense = all(isinstance(layer, Dense) for layer in learning_layers(network))
    return FOR_FEW_INPUTS if dense and inputs < FEW_INPUTS else 1


def smaller_rate(rate: float, default: float) -> float:
    """What to try after a rate that was too large: the default where that is smaller, else a tenth."""
    return default if default < rate else rate / 10


def larger_rate(rate: float, default: float) -> float:
    """What to try after a rate that was too small: the default where that is larger, else ten times as much."""
    return default if default > rate else rate * 10


def rate_of(optimizer: Optimizer) -> float:
    """Its learning rate. Raises ConfigError while that is open."""
    if optimizer.learning_rate is None:
        raise ConfigError(f"{optimizer!r} has no learning rate yet: give it one, or let a Trainer choose its default")
    return optimizer.learning_rate


def gradient_descent_rate(network: Network) -> float:
    """η of plain gradient descent with batches of 10.

    Sigmoids pass on a quarter of the gradient at most, and take large rates. Networks of tanh, ReLU and the others,
    and those without hidden layers, diverge there. A quadratic loss on sigmoid outputs dies of steps that saturate
    them, the sooner the more neurons feed each output; the mean squared error, whose gradient grows with the error,
    diverges, the sooner likewise.
    """
    loss, inputs, hidden = network.loss, last_inputs(network), hidden_activations(network)
    sigmoid = bool(hidden) and all(map(between_0_and_1, hidden))
    layers = len(learning_layers(network))
    bare = layers < 2  # no hidden layer
    if loss.output_range is None:
        outputs = float(math.prod(network.shapes[-1]))
        closing = closing_activation(network.layers)
        if closing is not None and between_0_and_1(closing):  # the quadratic loss, but for a factor of 2/outputs
            return quadratic_rate(inputs, bare, sigmoid) * outputs / 2
        if not hidden:  # linear
            return 0.02 if bare else min(0.02, 0.5 * outputs / inputs)
        if sigmoid:
            return min(0.3, 20 * outputs / inputs)
        if all(map(bounded, hidden)):
            return min(0.1, 2 * outputs / inputs)
        return min(0.1, 4 * outputs / inputs) / math.pow(max(layers - 2, 1), 1.5)
    if loss.saturates:
        return quadratic_rate(inputs, bare, sigmoid)
    return 0.5 if sigmoid or bare else 0.1


def quadratic_rate(inputs: int, bare: bool, sigmoid: bool) -> float:
    """η for the quadratic loss on sigmoid outputs, each of which sees this many numbers."""
    if bare:
        return 0.5
    rate, width = (3.0, 100) if sigmoid else (0.5, 300)
    return rate * math.pow(min(1.0, width / inputs), 1.5)


def learning_layers(network: Network) -> list[Layer]:
    """The layers that have weights."""
    return [layer for _, layer in network.named_layers() if layer.params]


def last_inputs(network: Network) -> int:
    """How many numbers each output sees."""
    layers = learning_layers(network)
    shape: Shape = next(iter(layers[-1].params.values())).value.shape if layers else (1,)
    return max(math.prod(shape[:-1]), 1)


def hidden_activations(network: Network) -> list[Layer]:
    """The activations before the outputs' own."""
    closing = closing_activation(network.layers)
    return [layer for _, layer in network.named_layers() if layer.activates and layer is not closing]


def between_0_and_1(activation: Layer) -> bool:
    """Whether it takes these values alone, as a sigmoid does."""
    low, high = activation.bounds
    return low >= 0 and high <= 1


def bounded(activation: Layer) -> bool:
    """Whether its values stay between −1 and 1, as those of tanh do."""
    low, high = activation.bounds
    return low >= -1 and high <= 1
