"""The interface of every engine: train a network on many batches, save and load the optimizer's state."""

from typing import Any, Protocol

import numpy as np

from digitlab.arrays import Array

Losses = np.ndarray[Any, np.dtype[np.float64]]


class Engine(Protocol):
    """The interface between the trainer and what computes.

    An engine is made for one network, optimizer and set of regularizers. Between calls the network's parameters
    hold the current values, and may be replaced by others.
    """

    name: str

    def place(self, array: Array) -> Array:
        """A data array where this engine can read it fastest: unchanged, or on the network's device."""
        ...

    def train_batches(
        self, x: Array, y: Array, order: Any, batch_size: int, learning_rates: Any, weights: Array | None = None
    ) -> Losses:
        """One update per batch of `order`, with the learning rate of that step; returns each batch's mean loss.

        x (M, ...) and y (M,) or (M, out) are the whole set, `order` (n,) the indices to visit; the last batch may
        be smaller. `weights` (M,) say how much each example counts; None: all alike. At a loss that is not finite
        it stops before the update: the last number returned is that loss.
        """
        ...

    def state(self) -> dict[str, dict[str, Any]]:
        """The optimizer's state by parameter name, as NumPy arrays and numbers; copies."""
        ...

    def load_state(self, state: dict[str, dict[str, Any]]) -> None:
        """Continue from a state that `state` returned."""
        ...
