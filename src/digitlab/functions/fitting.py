"""Fitting a network to a function of one variable, and keeping what it made of it along the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.errors import ConfigError, DataError
from digitlab.functions.expression import Function
from digitlab.nn import Network
from digitlab.optimizers import Adam, OneCycle, Optimizer, Schedule
from digitlab.train import Callback, History, Trainer
from digitlab.train.history import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, Any]
LARGEST = float(np.finfo(np.float32).max)


@dataclass
class Fit:
    """What came of a fit: the curve at some epochs, and how far it is off between the points it learned from.

    grid       (G,) where the curves are taken          target  (G,) the function there
    curves     epoch → (G,) the network's output
    error      mean squared error on 1,000 points that were not learned from, drawn evenly from the same interval
    """

    grid: Array
    target: Array
    points: tuple[Array, Array]
    history: History
    error: float
    curves: "Mapping[int, Array]" = field(default_factory=dict)


def fit_function(
    network: Network,
    function: Function,
    low: float,
    high: float,
    *,
    optimizer: Optimizer | None = None,
    schedule: Schedule | None = None,
    epochs: int = 200,
    batch_size: int = 20,
    points: int = 400,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
) -> Fit:
    """Train a network of one input and one output on evenly spaced points of the function on [low, high].

    Adam with η .01 and one cycle unless told otherwise. 500 random points validate; the error is of 1,000 others.
    Raises ConfigError for an empty interval, DataError where the function is not finite or the network has other
    outputs, ShapeError if it has other inputs.
    """
    if not -LARGEST < low < high < LARGEST:
        raise ConfigError(f"got the interval {low:g} to {high:g}, expected finite ends, the lower one first")
    rng = np.random.default_rng([seed, 1])
    x = np.linspace(low, high, points)
    valid, test = rng.uniform(low, high, 500), rng.uniform(low, high, 1000)
    curves = Curves(np.linspace(low, high, 300), epochs)
    trainer = Trainer(
        network,
        optimizer if optimizer is not None else Adam(0.01),
        schedule=schedule if schedule is not None else OneCycle(),
        batch_size=batch_size,
        callbacks=[curves, *callbacks],
        seed=seed,
    )
    history = trainer.fit(_pairs(function, x), _pairs(function, valid), epochs=epochs)
    if trainer.interrupted:
        raise KeyboardInterrupt
    off = network.predict(_column(test)).ravel() - function(test)
    return Fit(curves.grid, function(curves.grid), (x, function(x)), history, float(np.mean(off**2)), curves.kept)


class Curves(Callback):
    """Keeps the network's curve before training and after some epochs, closer together early on."""

    def __init__(self, grid: Array, epochs: int) -> None:
        self.grid = grid
        self.wanted = {round(epochs**share) for share in (0, 0.25, 0.5, 0.75)} | {epochs}
        self.kept: dict[int, Array] = {}

    def on_fit_start(self, trainer: Trainer) -> None:
        self.kept[0] = self._curve(trainer)

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        if row["epoch"] in self.wanted:
            self.kept[row["epoch"]] = self._curve(trainer)

    def _curve(self, trainer: Trainer) -> Array:
        return np.asarray(trainer.network.predict(_column(self.grid))).ravel()


def _pairs(function: Function, x: Array) -> tuple[Array, Array]:
    y = function(x)
    wrong = ~(np.abs(y) < LARGEST)  # NaN is not below anything
    if wrong.any():
        raise DataError(
            f"the function is {y[wrong][0]:g} at x = {x[wrong][0]:g}, which is no number that float32 holds; "
            "choose an interval without it"
        )
    return _column(x), _column(y)


def _column(values: Array) -> Array:
    return np.asarray(values, dtype=np.float32)[:, None]  # (N, 1)
