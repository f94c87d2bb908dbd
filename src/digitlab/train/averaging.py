"""Averages of a network's weights over a training: often better than any of the networks they are averages of.

An averaging is a choice in the settings of a run and a callback in one. It adds `average_valid_loss` and
`average_valid_accuracy` to each epoch's row, and when training ends, the network becomes the average. The sums over
weights stand in the checkpoint, so a resumed training gives the same average.
"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.errors import ConfigError
from digitlab.nn.describe import Described, describe
from digitlab.nn.network import Network
from digitlab.nn.normalization import BatchNorm
from digitlab.train.callbacks import Callback
from digitlab.train.evaluation import measure
from digitlab.train.history import Row
from digitlab.train.state import Arrays, copied

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer


@dataclass(eq=False, repr=False)
class Averaging(Described, Callback):
    """Base: what SWA and EMA share. A fresh copy serves each training, since it collects the average."""

    average: Arrays = field(init=False, default_factory=dict)  # the parameters' average, by name; float64
    count: int = field(init=False, default=0)  # how many networks went into it

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Averaging) and describe(self) == describe(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def on_fit_end(self, trainer: "Trainer") -> None:
        """Give the network the averaged weights; `trainer.last` keeps those from which a resumed training continues."""
        if not self.count:
            return
        if trainer.last is None:
            trainer.last = copied(trainer.network)
        trainer.network.load_state(self.network(trainer).state())

    def network(self, trainer: "Trainer") -> Network:
        """A copy of the trainer's network with the average of its parameters.

        The means and variances of BatchNorm belong to the weights they were measured with, so they are measured again.
        """
        network = trainer.network.copy().to("numpy")
        network.load_state({**network.state(), **self.average})
        if "train" in trainer.sets:
            measure_batch_norm(network, to_numpy(trainer.sets["train"][0]), max(trainer.batch_size, 100))
        return network

    def evaluate(self, trainer: "Trainer", row: Row) -> None:
        """Add to an epoch's row how good the average is on the validation set."""
        if self.count and "valid" in trainer.sets:
            network = self.network(trainer)
            valid = map(to_numpy, trainer.sets["valid"])
            loss, accuracy = measure(network, *valid, logits_of=trainer.logits_of(network))
            row["average_valid_loss"] = loss
            if accuracy is not None:
                row["average_valid_accuracy"] = accuracy

    def arrays(self) -> Arrays:
        return {"count": np.array([self.count]), **self.average} if self.count else {}

    def load_arrays(self, arrays: Arrays) -> None:
        self.average = {name: array for name, array in arrays.items() if name != "count"}
        self.count = int(arrays["count"][0]) if "count" in arrays else 0

    def add(self, trainer: "Trainer", share: float) -> None:
        """average ← (1 − share) average + share w."""
        weights = {name: to_numpy(p.value).astype(np.float64) for name, p in trainer.network.parameters().items()}
        if not self.count:
            self.average = weights
        else:
            self.average = {name: a + share * (weights[name] - a) for name, a in self.average.items()}
        self.count += 1


@dataclass(eq=False, repr=False)
class NoAveraging(Averaging):
    """The network as it was trained."""

    aliases = ("none",)


@dataclass(eq=False, repr=False)
class StochasticWeightAveraging(Averaging):
    """SWA: the mean of the weights at the end of each epoch of the last part of training, w̄ ← (n w̄ + w)/(n + 1).

    start    after which share of the epochs it begins: .75, the last quarter; of all, with a goal that was raised

    Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization", algorithm 1, with one
    network an epoch. They keep the learning rate high or cyclic meanwhile: constant, or the schedule "cyclic".
    By hand: 1, 2 and 6 give 1, 1.5 and 3.
    """

    aliases = ("swa",)
    start: float = 0.75

    def __post_init__(self) -> None:
        if not 0 <= self.start < 1:
            raise ConfigError(f"SWA: got start {self.start}, expected a share of the epochs, 0 ≤ start < 1")

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        """Add the weights to the mean if the last part has begun; add the mean's validation score to the row."""
        first = math.floor(self.start * trainer.epochs) + 1
        if self.count > max(0, row["epoch"] - first):  # a goal that was raised has its last part later: begin again
            self.count, self.average = 0, {}
        if row["epoch"] >= first:
            self.add(trainer, 1 / (self.count + 1))
        self.evaluate(trainer, row)


@dataclass(eq=False, repr=False)
class ExponentialMovingAverage(Averaging):
    """EMA: w̄ ← β w̄ + (1 − β) w, up to 25 times an epoch (whenever `on_batches` is called).

    decay    β; the average reaches back over about 1/(1 − β) of those times. While there were fewer, it is the mean of
             all: β is at most n/(n + 1) after n of them.

    Polyak & Juditsky 1992 average all weights; for networks see Tarvainen & Valpola 2017, "Mean teachers", eq. 2.
    By hand: β = .5 and the weights 1, 3, 7 give 1, 2, 4.5.
    """

    aliases = ("ema",)
    decay: float = 0.98

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise ConfigError(f"EMA: got decay {self.decay}, expected 0 ≤ decay < 1")

    def on_batches(self, trainer: "Trainer", done: int, total: int) -> None:
        self.add(trainer, max(1 - self.decay, 1 / (self.count + 1)))

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        self.evaluate(trainer, row)


def measure_batch_norm(network: Network, x: Any, batch_size: int = 100) -> None:
    """Set every BatchNorm's running mean and variance to what they are over x: the mean over its batches."""
    layers = [layer for _, layer in network.named_layers() if isinstance(layer, BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    try:
        # A last batch of one example has no variance; it goes with the one before.
        starts = list(range(0, max(len(x) - 1, 1), batch_size))
        for i, start in enumerate(starts):
            for layer in layers:
                layer.momentum = 1 / (i + 1)
            network.forward(x[start : start + batch_size if i + 1 < len(starts) else len(x)], training=True)
    finally:
        for layer, momentum in zip(layers, momenta):
            layer.momentum = momentum
