"""Fitting a network to a function of one variable, and keeping the fitted curves of some epochs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from digitlab.arguments import checked
from digitlab.doctor.ailment import Diagnosis
from digitlab.doctor.callback import Diagnose
from digitlab.errors import ConfigError, DataError
from digitlab.functions.expression import Array, Function
from digitlab.functions.run import KeepFit, in_function_units
from digitlab.functions.units import Units, column, units_for
from digitlab.nn import Network
from digitlab.nn.describe import build
from digitlab.nn.io.description import describe_network
from digitlab.nn.scaling import InputRange
from digitlab.notebook_html import notebook_html
from digitlab.optim import Adam, OneCycle, Optimizer, Schedule
from digitlab.train import Callback, History, RunConfig, Trainer
from digitlab.train.history import Row

LARGEST = float(np.finfo(np.float32).max)
KEPT = 60  # networks in a run's folder, more of them early


@dataclass
class Fit:
    """The result of a fit: the curve at some epochs, and the error between the training points.

    grid       (G,) where the curves are taken          target  (G,) the function there
    points     x and y of the training points           curves  epoch → (G,) the network's output
    error      mean squared error on 1,000 other points, drawn uniformly from the same interval
    diagnosis  why the curve was not learned, or None if it was
    """

    grid: Array
    target: Array
    points: tuple[Array, Array]
    history: History
    error: float
    curves: Mapping[int, Array]
    diagnosis: Diagnosis | None

    _repr_html_ = notebook_html


@checked
def fit_function(
    network: Network,
    function: Function,
    low: float,
    high: float,
    *,
    optimizer: Optimizer | str | None = None,
    schedule: Schedule | None = None,
    epochs: int = 200,
    batch_size: int = 20,
    points: int = 400,
    seed: int = 0,
    curves: int = 5,
    callbacks: Sequence[Callback] = (),
    folder: str | os.PathLike[str] | None = None,
) -> Fit:
    """Train a network of one input and one output on evenly spaced points of the function on [low, high].

    The defaults are Adam at its default learning rate and one cycle. 500 random points validate; the error is that of
    1,000 others. The fit keeps the curve before training and those of so many epochs (`curves`, `shown_epochs`). With a
    `folder` it also keeps a run there, as `digitlab train` does, with the networks of up to 60 epochs.
    During training the network uses the units of units.py, and so do `callbacks`; history and curves are in units of
    the function. A network that fits worse than a constant starts with its weights unchanged in those
    units; one that fits better continues from the function that it computes.
    Raises ConfigError for an empty interval, DataError where the function is not finite or the network has other
    outputs, ShapeError if it has other inputs; ConfigError if `folder` already holds a run.
    """
    if not -LARGEST < low < high < LARGEST:
        raise ConfigError(f"got the interval {low:g} to {high:g}, expected finite ends, the lower one first")
    rng = np.random.default_rng([seed, 1])
    x = np.linspace(low, high, points)
    valid, test = rng.uniform(low, high, 500), rng.uniform(low, high, 1000)
    pairs, valid_pairs = _pairs(function, x), _pairs(function, valid)
    units = units_for(network, low, high, pairs[1])
    kept, diagnose = Curves(np.linspace(low, high, 300), epochs, units, curves), Diagnose(exact=True)
    optimizer = build(Optimizer, optimizer) if isinstance(optimizer, str) else optimizer or Adam()
    schedule, interval, keep = schedule or OneCycle(), InputRange(low, high).joined(network.input_range), []
    if folder is not None:
        data = {"source": f"function: {function.__name__} on [{low:g}, {high:g}]"}
        config = RunConfig(
            describe_network(network),
            data,
            optimizer=optimizer,
            schedule=schedule,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
        )
        keep = [KeepFit(folder, config, units, interval, shown_epochs(epochs, KEPT))]
    trainer = Trainer(
        network,
        optimizer,
        schedule=schedule,
        batch_size=batch_size,
        callbacks=[kept, diagnose, *keep, *callbacks],
        seed=seed,
    )
    network.input_range = None  # of other units
    if units != Units() and _error(network, *pairs) < np.var(pairs[1]):
        units.write_in(network)
    try:
        history = trainer.fit(units.columns(*pairs), units.columns(*valid_pairs), epochs=epochs)
    finally:
        units.write_out(network)
        network.input_range = interval
    in_function_units(history.rows, units)
    if trainer.interrupted:
        raise KeyboardInterrupt
    error = _error(network, test, function(test))
    return Fit(kept.grid, function(kept.grid), (x, function(x)), history, error, kept.kept, diagnose.found)


def shown_epochs(epochs: int, most: int = 5) -> set[int]:
    """At most so many epochs of 1 … epochs, more of them early, since a curve then changes most; the last one too."""
    return {round(epochs**share) for share in np.linspace(0, 1, most)} | {epochs}


class Curves(Callback):
    """Keeps the network's curve before training and after some epochs, more of them early."""

    def __init__(self, grid: Array, epochs: int, units: Units, most: int = 5) -> None:
        self.grid, self.units = grid, units
        self.wanted = shown_epochs(epochs) | shown_epochs(epochs, most)
        self.kept: dict[int, Array] = {}

    def on_fit_start(self, trainer: Trainer) -> None:
        self.kept[0] = self.units.curve(trainer.network, self.grid)

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        if row["epoch"] in self.wanted:
            self.kept[row["epoch"]] = self.units.curve(trainer.network, self.grid)


def _pairs(function: Function, x: Array) -> tuple[Array, Array]:
    y = function(x)
    wrong = ~(np.abs(y) < LARGEST)  # NaN is not below anything
    if wrong.any():
        raise DataError(
            f"the function is {y[wrong][0]:g} at x = {x[wrong][0]:g}, which float32 cannot represent; "
            "choose an interval without it"
        )
    return x, y


def _error(network: Network, x: Array, y: Array) -> float:
    """The mean squared error of the network at these points."""
    return float(np.mean((np.asarray(network.predict(column(x)), np.float64).ravel() - y) ** 2))
