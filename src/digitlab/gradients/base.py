"""The base class of gradient methods, and the two that go backward: a batch at once, or one example at a time."""

import math
from dataclasses import dataclass

import numpy as np

from digitlab.arrays import Array
from digitlab.errors import GradientError
from digitlab.gradients.batch import Batch
from digitlab.nn.describe import Described
from digitlab.nn.network import Layer, Network
from digitlab.nn.targets import given

__all__ = ["Backpropagation", "Gradient", "PerExample"]


class Gradient(Described):
    """A method of computing ∂L/∂θ, θ all parameters of a network and L its loss on a batch.

    Costs are counted in forward passes of the whole network over the batch. A backward pass counts as two:
    where a forward pass has one matrix product, x W, it has two, xᵀ g and g Wᵀ.
    """

    def gradient(
        self,
        network: Network,
        x: Array,
        targets: Array,
        *,
        training: bool = False,
        rng: np.random.Generator | None = None,
        weights: Array | None = None,
    ) -> Array:
        """Assign every parameter's grad and return the loss of the batch.

        x, targets   inputs (N, ...) and labels (N,), or targets of the outputs' shape
        training     whether it is a training pass, with dropout
        rng          the generator of methods that draw at random
        weights      how much each example counts, (N,); None: all alike

        Raises GradientError if a layer is not supported.
        """
        return self.compute(network, Batch(x, targets, training, rng, weights))

    def compute(self, network: Network, batch: Batch) -> Array:
        """What `gradient` does, with its other arguments as one `Batch`: the method that a subclass defines."""
        raise TypeError(f"{type(self).__name__} has no gradient")

    def evaluations(self, network: Network) -> int:
        """What one gradient costs, in forward passes of the whole network over the batch."""
        raise TypeError(f"{type(self).__name__} does not define its cost")

    def directions_drawn(self) -> int | None:
        """How many random directions an estimate follows; None for a method that gives the whole gradient."""
        return None

    def unsupported_reason(self, network: Network) -> str | None:
        """None if the network is supported, else a sentence: which layer is not, and why."""
        return None

    def require(self, network: Network) -> None:
        """Raise GradientError with the `unsupported_reason`, if there is one."""
        if refusal := self.unsupported_reason(network):
            raise GradientError(refusal)


@dataclass(frozen=True, repr=False)
class Backpropagation(Gradient):
    """The chain rule from the loss back to the first layer, the whole batch at once: what trains.

    Formula    δ = ∂L/∂z of a layer from that of the layer after it, by each layer's `backward` (network.py)
    Cost       3 forward passes, however many parameters there are
    Error      round-off only
    Source     Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors"; Nielsen ch. 2

    Refuses layers without a backward pass, such as Step.
    """

    aliases = ("backprop",)

    def compute(self, network: Network, batch: Batch) -> Array:
        try:
            return network.gradient(batch.x, batch.targets, training=batch.training, **given(batch.weights))
        except GradientError:
            self.require(network)  # names the layer; not checked before, since that costs as much as a small layer
            raise

    def evaluations(self, network: Network) -> int:
        return 3

    def unsupported_reason(self, network: Network) -> str | None:
        """Names the first layer without a derivative."""
        for name, layer in network.named_layers():
            if not layer.differentiable or type(layer).backward is Layer.backward:
                return (
                    f"layer {name}, {layer!r}: has no derivative to propagate back; "
                    "use Sigmoid() in its place, or a method that needs only the loss (SPSA, EvolutionStrategies)"
                )
        return None


class PerExample(Backpropagation):
    """Backpropagation one example after another, added up to the batch's mean, as the book's first program does.

    Formula    ∂L/∂θ = 1/N Σₙ ∂Lₙ/∂θ
    Cost       3 forward passes as well, but in N small pieces: the same arithmetic, without what matrices save
    Error      round-off only
    Source     Nielsen ch. 1, network.py, `update_mini_batch`

    Layers that let the examples of a batch see each other (batch normalization) make the loss of a batch
    another thing than the mean of its examples' losses; they are refused.
    """

    def compute(self, network: Network, batch: Batch) -> Array:
        self.require(network)
        n, parameters = batch.x.shape[0], network.parameters()
        loss, sums = 0.0, dict.fromkeys(parameters, 0.0)
        for i in range(n):
            x, targets = batch.x[i : i + 1, ...], batch.targets[i : i + 1, ...]
            weights = given(batch.weights[i : i + 1] if batch.weights is not None else None)
            loss = loss + network.gradient(x, targets, training=batch.training, **weights)
            for key, p in parameters.items():
                sums[key] = sums[key] + p.grad
        for key, p in parameters.items():
            p.grad = sums[key] / n
        return loss / n

    def unsupported_reason(self, network: Network) -> str | None:
        """Names also the first layer that needs the whole batch, such as BatchNorm."""
        for name, layer in network.named_layers():
            if layer.sees_batch:
                return (
                    f"layer {name}, {layer!r}: needs the whole batch in training, not single examples; "
                    "use Backpropagation()"
                )
        return super().unsupported_reason(network)


def learned_numbers(network: Network) -> int:
    """P: how many numbers the network learns, and so how many partial derivatives its gradient has."""
    return sum(math.prod(p.value.shape) for p in network.parameters().values())
