"""The textbook step over nn/, on any array library: gradient, regularization, update, batch after batch."""

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.arrays import Array, array_namespace, like, placed_with, to_numpy
from digitlab.engine.base import Losses
from digitlab.engine.threads import blas_threads_for
from digitlab.errors import GradientError
from digitlab.gradients import Backpropagation, Gradient
from digitlab.nn.network import Network, Parameter
from digitlab.nn.targets import given
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import Regularizer


class ReferenceEngine:
    """Training as the books describe it. Every faster engine is tested against it.

    examples     n in the regularizers' λ/n: the size of the training set
    gradient     the gradient method (gradients/); backpropagation by default
    rng          the generator for methods that draw random directions
    """

    name = "reference"

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        regularizers: Sequence[Regularizer] = (),
        *,
        examples: int = 1,
        gradient: Gradient | None = None,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.network = network
        self.optimizer = optimizer
        self.regularizers = tuple(regularizers)
        self.examples = examples
        self.gradient = gradient if gradient is not None else Backpropagation()
        self.rng = rng
        if refusal := self.gradient.unsupported_reason(network):
            raise GradientError(refusal)
        self.states = {name: optimizer.init_state(p.value) for name, p in network.parameters().items()}

    def place(self, array: Array) -> Array:
        """See `Engine`: the array in the library and on the device of the network's parameters."""
        parameters = self.network.parameters()
        if not parameters:
            return array
        return placed_with(next(iter(parameters.values())).value, array)

    def train_batches(
        self, x: Array, y: Array, order: Any, batch_size: int, learning_rates: Any, weights: Array | None = None
    ) -> Losses:
        """See `Engine`."""
        with blas_threads_for(batch_size):
            return self._train_batches(x, y, order, batch_size, learning_rates, weights)

    def _train_batches(
        self, x: Array, y: Array, order: Any, batch_size: int, learning_rates: Any, weights: Array | None
    ) -> Losses:
        xp, parameters = array_namespace(x), self.network.parameters()
        losses, order = np.empty(math.ceil(len(order) / batch_size)), self.place(order)
        for step in range(len(losses)):
            batch = order[step * batch_size : (step + 1) * batch_size]
            x_batch, y_batch = xp.take(x, batch, axis=0), xp.take(y, batch, axis=0)
            own = given(xp.take(weights, batch, axis=0) if weights is not None else None)
            loss = self.gradient.gradient(self.network, x_batch, y_batch, training=True, rng=self.rng, **own)
            losses[step] = float(loss)
            if not math.isfinite(losses[step]):
                return losses[: step + 1]
            for name, p in parameters.items():
                self.update(name, p, float(learning_rates[step]))
        return losses

    def update(self, name: str, p: Parameter, learning_rate: float) -> None:
        """One optimizer step of one parameter, with its regularizers; frozen numbers stay as they are."""
        if p.trainable is False:
            return
        grad, regularizers = p.grad, self.regularizers if p.regularized else ()
        for regularizer in regularizers:
            extra = regularizer.gradient(p.value, self.examples)
            grad = grad if extra is None else grad + extra
        value, self.states[name] = self.optimizer.update(p.value, grad, self.states[name], learning_rate)
        for regularizer in regularizers:
            value = regularizer.project(value)
        p.value = value if p.trainable is True else array_namespace(value).where(p.trainable != 0, value, p.value)

    def state(self) -> dict[str, dict[str, Any]]:
        """See `Engine`."""
        return {
            name: {key: part if isinstance(part, int) else np.array(to_numpy(part)) for key, part in state.items()}
            for name, state in self.states.items()
        }

    def load_state(self, state: dict[str, dict[str, Any]]) -> None:
        """See `Engine`."""
        for name, p in self.network.parameters().items():
            self.states[name] = {
                key: part if isinstance(part, int) else like(copy.copy(part), p.value)
                for key, part in state[name].items()
            }
