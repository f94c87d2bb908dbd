"""The folder of a fit: a run that `digitlab runs`, `compare` and `animate` and the page show like any other.

It holds config.toml, history.jsonl, network.safetensors and epochs/, all in units of the function.
"""

import os
from collections.abc import Set
from pathlib import Path

from digitlab.errors import ConfigError
from digitlab.functions.units import Units
from digitlab.nn import Network
from digitlab.nn.scaling import InputRange
from digitlab.train import Callback, History, RunConfig, Trainer
from digitlab.train.history import Row
from digitlab.train.recorders import NETWORKS

LOSSES = ("train_loss", "valid_loss", "change")  # of a history, in units of the function squared


class KeepFit(Callback):
    """Keep a fit's run folder up to date, with the networks before training and after the epochs in `kept`.

    Raises ConfigError when training begins if the folder already holds a run.
    """

    def __init__(
        self, folder: str | os.PathLike[str], config: RunConfig, units: Units, interval: InputRange, kept: Set[int]
    ) -> None:
        self.folder, self.config = Path(folder), config
        self.units, self.interval, self.kept = units, interval, kept

    def on_fit_start(self, trainer: Trainer) -> None:
        """Save the settings and the network before training. Raises ConfigError if the folder already holds a run."""
        if (self.folder / "config.toml").exists():
            raise ConfigError(f"{self.folder}: already holds a run; choose another folder")
        self.config.save(self.folder / "config.toml")
        (self.folder / NETWORKS).mkdir()
        self.save(trainer.network, f"{NETWORKS}/0000")

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        """Save the history in the units of the function, and the network if the epoch is in `kept`."""
        in_function_units([dict(row) for row in trainer.history], self.units).save(self.folder / "history.jsonl")
        if row["epoch"] in self.kept:
            self.save(trainer.network, f"{NETWORKS}/{row['epoch']:04d}")

    def on_fit_end(self, trainer: Trainer) -> None:
        self.save(trainer.network, "network")

    def save(self, network: Network, name: str) -> None:
        """Write a network of x and y."""
        network = network.copy().to("numpy")
        self.units.write_out(network)
        network.input_range = self.interval
        network.save(self.folder / f"{name}.safetensors")


def in_function_units(rows: list[Row], units: Units) -> History:
    """The history of these rows, whose losses were those of v, changed to those of y."""
    for row in rows:
        row.update({name: row[name] * units.spread**2 for name in LOSSES if row.get(name) is not None})
    return History(rows)
