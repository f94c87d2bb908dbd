"""Copies of what a training changes: the network's arrays, and everything that an epoch began with."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.nn.network import Network

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer

Arrays = dict[str, np.ndarray[Any, Any]]
PICKED = 100  # examples that a digest covers


def copied(network: Network) -> Arrays:
    """Copies of the network's parameters and buffers, in NumPy."""
    return {name: np.array(to_numpy(array)) for name, array in network.state().items()}


def is_finite(network: Network) -> bool:
    """Whether every parameter is a finite number."""
    return all(np.isfinite(to_numpy(p.value)).all() for p in network.parameters().values())


def digest(x: Any, y: Any) -> dict[str, Any]:
    """What tells a set from others: how many examples it has, and a hash of a hundred of them, evenly spread,
    and of all targets."""
    picked = np.unique(np.linspace(0, len(y) - 1, min(len(y), PICKED)).astype(int))
    hashed = hashlib.blake2b(digest_size=8)
    for array in (to_numpy(x)[picked], to_numpy(y)):
        hashed.update(array.tobytes())
    return {"examples": len(y), "digest": hashed.hexdigest()}


@dataclass(frozen=True)
class Best:
    """The best parameters so far: at which epoch, how good (larger is better), and what they are."""

    epoch: int
    score: float
    arrays: Arrays


class EpochStart:
    """What an epoch began with: parameters, the states of all random generators, the callbacks' arrays."""

    def __init__(self, trainer: "Trainer") -> None:
        self.epoch, self.arrays = trainer.epoch, copied(trainer.network)
        self.rng_states = [rng.bit_generator.state for rng in self.generators(trainer)]
        self.kept = [callback.arrays() for callback in trainer.callbacks]

    @staticmethod
    def generators(trainer: "Trainer") -> list[np.random.Generator]:
        """The trainer's random generator, and those of the layers that draw."""
        return [trainer.rng, *(x.rng for _, x in trainer.network.named_layers() if x.rng is not None)]

    def restore(self, trainer: "Trainer") -> None:
        """Back to the beginning of an unfinished epoch, so that another `fit` goes on as if it had never begun.

        The first epoch is left as it is: its half is all there is.
        """
        if self.epoch != trainer.epoch or self.epoch == 1:
            return
        trainer.network.load_state(self.arrays)
        for callback, arrays in zip(trainer.callbacks, self.kept):
            callback.load_arrays(arrays)
        for rng, state in zip(self.generators(trainer), self.rng_states):
            rng.bit_generator.state = state
