"""A run: one training in a folder of its own, which can be stopped and taken up again.

config.toml               what decides the training (config.py)
history.jsonl             one row per epoch
checkpoint.safetensors    the whole state after the last finished epoch
network.safetensors       the best network
ending.json               why the training ended, and on which sets it was, for `digitlab doctor`
curves.png                drawn from the history by viz/curves.py, where the caller adds that callback
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.errors import ConfigError
from digitlab.files import write_text
from digitlab.train.callbacks import Callback
from digitlab.train.checkpoint import load_checkpoint, save_checkpoint
from digitlab.train.config import RunConfig
from digitlab.train.history import Row
from digitlab.train.trainer import Trainer

ENDING = "ending.json"
PICKED = 100  # examples that a digest covers
CHANGEABLE = ("epochs", "engine", "device")  # by a run that goes on


class SaveRun(Callback):
    """Keep a run folder up to date: after every epoch the checkpoint, the history, and the best network so far.

    With a `config`, its settings are written when training begins.
    """

    def __init__(self, folder: str | os.PathLike[str], config: RunConfig | None = None) -> None:
        self.folder, self.config = Path(folder), config

    def on_fit_start(self, trainer: Trainer) -> None:
        # Only now: a training that could not begin, for want of fitting data, say, leaves no folder behind.
        if self.config is not None:
            self.config.save(self.folder / "config.toml")

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        # The checkpoint comes last: where it is missing or old, resuming repeats an epoch and writes the rest again.
        trainer.history.save(self.folder / "history.jsonl")
        if trainer.best is not None and trainer.best.epoch == row["epoch"]:
            trainer.best_network().save(self.folder / "network.safetensors")
        save_checkpoint(trainer, self.folder / "checkpoint.safetensors")

    def on_fit_end(self, trainer: Trainer) -> None:
        trainer.network.save(self.folder / "network.safetensors")
        facts = {
            "epochs": len(trainer.history),
            "stop_reason": trainer.stop_reason,
            "interrupted": trainer.interrupted,
            "diverged": trainer.diverged,
            "sets": {name: digest(x, y) for name, (x, y) in trainer.sets.items()},
        }
        write_text(self.folder / ENDING, json.dumps(facts, indent=1) + "\n")


def digest(x: Any, y: Any) -> dict[str, Any]:
    """What tells a set from others: how many examples it has, and a hash of a hundred of them, evenly spread."""
    picked = np.unique(np.linspace(0, len(y) - 1, min(len(y), PICKED)).astype(int))
    hashed = hashlib.blake2b(digest_size=8)
    for array in (x, y):
        hashed.update(to_numpy(array)[picked].tobytes())
    return {"examples": len(y), "digest": hashed.hexdigest()}


def start_run(config: RunConfig, folder: str | os.PathLike[str], callbacks: Sequence[Callback] = ()) -> Trainer:
    """A trainer that keeps `folder` up to date, from the moment when `fit` begins.

    Raises ConfigError if a run is there already: nothing is overwritten.
    """
    folder = Path(folder)
    if (folder / "config.toml").exists():
        raise ConfigError(f"{folder}: already holds a run; resume it by resume_run(folder), or choose another folder")
    return config.trainer([SaveRun(folder, config), *callbacks])


def resume_run(
    folder: str | os.PathLike[str],
    callbacks: Sequence[Callback] = (),
    *,
    config: RunConfig | None = None,
    **changes: Any,
) -> tuple[RunConfig, Trainer]:
    """The settings and a trainer that goes on where the run in `folder` was stopped.

    `changes` are settings of CHANGEABLE, such as epochs=60: the others decide what the epochs done so far computed.
    A run stopped before its first epoch ended begins again. Raises ConfigError if there is no run or a setting cannot
    change, ModelFileError if its checkpoint is damaged.
    """
    folder = Path(folder)
    if fixed := [name for name in changes if name not in CHANGEABLE]:
        raise ConfigError(
            f"{folder}: a resumed run keeps its {fixed[0]}; it can change {', '.join(CHANGEABLE)}. "
            f'Start another run from its weights: RunConfig(..., start="{folder}/network.safetensors")'
        )
    if not (folder / "config.toml").is_file():
        raise ConfigError(f"{folder}: no run to resume; expected a folder that start_run has written")
    config = config or RunConfig.load(folder / "config.toml", run=True)
    config = dataclasses.replace(config, **changes) if changes else config
    checkpoint = folder / "checkpoint.safetensors"
    # Where there is a checkpoint, the file that the weights once came from need not be there any more.
    starting = dataclasses.replace(config, start="") if checkpoint.exists() else config
    trainer = starting.trainer([SaveRun(folder), *callbacks])
    if checkpoint.exists():
        load_checkpoint(trainer, checkpoint)
    if config.epochs < len(trainer.history):
        raise ConfigError(
            f"{folder}: has {len(trainer.history)} epochs done, got {config.epochs} as their number; expected more"
        )
    if changes:
        config.save(folder / "config.toml")
    return config, trainer
