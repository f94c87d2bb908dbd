"""The engine that trains in lists of floats, by the books' loops in pure/network.py."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.arrays import Array
from digitlab.engine.base import Losses
from digitlab.errors import ConfigError, EngineError
from digitlab.gradients import Backpropagation, Gradient
from digitlab.nn.network import Network
from digitlab.optim import SGD
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import Regularizer
from digitlab.pure import PureNetwork
from digitlab.pure.arrays import copy_to

OTHERS = "the reference engine can (--engine reference)"


class PureEngine:
    """Plain gradient descent of dense sigmoid layers, some hundred times slower than the compiled engine.

    Raises EngineError, naming the part, for what pure/network.py does not have.
    """

    name = "pure"
    pause_after = 5e6  # weights times examples between two pauses for progress: about a second

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        regularizers: Sequence[Regularizer] = (),
        *,
        gradient: Gradient | None = None,
    ) -> None:
        try:
            PureNetwork.from_network(network)
        except ConfigError as error:
            raise EngineError(f"the pure engine cannot train this: {error}; {OTHERS}") from None
        parts = [part for part in (optimizer, *regularizers) if type(part) is not SGD]
        parts += [gradient] if not isinstance(gradient, Backpropagation | None) else []
        if parts:
            raise EngineError(
                f"the pure engine trains by SGD and backpropagation without regularizers, got {parts[0]!r}; {OTHERS}"
            )
        parameters = network.parameters()
        if any(p.trainable is not True for p in parameters.values()) or len(network.state()) > len(parameters):
            raise EngineError(f"the pure engine cannot train networks with frozen or masked weights; {OTHERS}")
        self.network = network

    def place(self, array: Array) -> Array:
        """See `Engine`: the array itself."""
        return array

    def train_batches(
        self, x: Array, y: Array, order: Any, batch_size: int, learning_rates: Any, weights: Array | None = None
    ) -> Losses:
        """See `Engine`. Raises EngineError for weights of examples or classes."""
        if weights is not None:
            raise EngineError(f"the pure engine cannot weight examples or classes; {OTHERS}")
        network = self.network
        pure = PureNetwork.from_network(network)
        losses = np.empty(math.ceil(len(order) / batch_size))
        for step in range(len(losses)):
            batch = order[step * batch_size : (step + 1) * batch_size]
            targets = network.loss.targets(y[batch], np.zeros((len(batch), pure.sizes[-1])))  # (N, out)
            examples = list(zip(network.prepare(x[batch]).tolist(), targets.tolist()))
            losses[step] = pure.train_batch(examples, float(learning_rates[step]))
            if not math.isfinite(losses[step]):
                losses = losses[: step + 1]
                break
        copy_to(pure, network)
        return losses

    def state(self) -> dict[str, dict[str, Any]]:
        """An empty state for each parameter: plain gradient descent has none."""
        return {name: {} for name in self.network.parameters()}

    def load_state(self, state: dict[str, dict[str, Any]]) -> None:
        """Nothing to load."""
