"""A run: one training in a folder of its own, which can be stopped and taken up again.

config.toml               what decides the training (config.py)
history.jsonl             one row per epoch
checkpoint.safetensors    the whole state after the last finished epoch
network.safetensors       the best network
ending.json               why the training ended, and on which sets it was, for `digitlab doctor`
curves.png                drawn from two epochs or more by viz/curves.py, where the caller adds that callback
"""

import dataclasses
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digitlab.arguments import checked
from digitlab.errors import ConfigError
from digitlab.files import Claim, write_text
from digitlab.train.callbacks import Callback
from digitlab.train.checkpoint import load_checkpoint, save_checkpoint
from digitlab.train.config import RunConfig
from digitlab.train.history import Row
from digitlab.train.state import digest as digest
from digitlab.train.trainer import Trainer

ENDING = "ending.json"
logger = logging.getLogger("digitlab")
CHANGEABLE = ("epochs", "engine", "device", "mixed_precision")  # by a run that goes on


class SaveRun(Callback):
    """Keep a run folder up to date: after every epoch the checkpoint, the history, and the best network so far.

    With a `config`, its settings are written when training begins.
    """

    def __init__(self, folder: str | os.PathLike[str], config: RunConfig | None = None) -> None:
        self.folder, self.config = Path(folder), config
        self.held: Claim | None = None

    def claim(self) -> None:
        """Keep other processes from this folder until training ends. Raises ConfigError if one is training there."""
        self.held = self.held or Claim(self.folder)
        if self.config is not None and (self.folder / "config.toml").exists():
            self.release()
            raise ConfigError(f"{self.folder}: already holds a run, which began a moment ago; choose another folder")

    def on_fit_start(self, trainer: Trainer) -> None:
        """Claim the folder and write `config.toml`; warn if a resumed run has other training images."""
        # Only now: a training that cannot begin, because its data do not fit, for example, leaves no folder behind.
        self.claim()
        try:
            if self.config is not None:
                self.config.save(self.folder / "config.toml")
        except BaseException:
            self.release()  # a callback that could not start is not ended
            raise
        if trainer.data_before not in (None, digest(*trainer.sets["train"])):
            logger.warning(
                "%s: the training set is not the one of the epochs so far; was its file changed?", self.folder
            )

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        """Save the history, the network if this epoch is the best, and the checkpoint, in this order."""
        # The checkpoint comes last: where it is missing or old, resuming repeats an epoch and writes the rest again.
        trainer.history.save(self.folder / "history.jsonl")
        if trainer.best is not None and trainer.best.epoch == row["epoch"]:
            trainer.best_network().save(self.folder / "network.safetensors")
        save_checkpoint(trainer, self.folder / "checkpoint.safetensors")

    def on_fit_end(self, trainer: Trainer) -> None:
        """Save the network and `ending.json`, and release the folder."""
        try:
            trainer.network.save(self.folder / "network.safetensors")
            self.save_ending(trainer)
        finally:
            self.release()

    def save_ending(self, trainer: Trainer) -> None:
        """Write why the training ended."""
        facts = {
            "epochs": len(trainer.history),
            "stop_reason": trainer.stop_reason,
            "interrupted": trainer.interrupted,
            "diverged": trainer.diverged,
            "sets": {name: digest(x, y) for name, (x, y) in trainer.sets.items()},
        }
        write_text(self.folder / ENDING, json.dumps(facts, indent=1) + "\n")

    def release(self) -> None:
        """Let other processes have the folder."""
        if self.held is not None:
            self.held.release()
        self.held = None


def read_ending(folder: Path, epochs: int) -> dict[str, Any]:
    """What a training of so many epochs noted at its end; the sets alone if it went on since, {} if unreadable."""
    try:
        noted = json.loads((folder / ENDING).read_text(encoding="utf-8"))
        return dict(noted) if noted["epochs"] == epochs else {"sets": noted["sets"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@checked
def start_run(config: RunConfig, folder: str | os.PathLike[str], callbacks: Sequence[Callback] = ()) -> Trainer:
    """A trainer that keeps `folder` up to date, from the moment when `fit` begins.

    Raises ConfigError if a run is there already: nothing is overwritten.
    """
    folder = Path(folder)
    if (folder / "config.toml").exists():
        raise ConfigError(f"{folder}: already holds a run; resume it by resume_run(folder), or choose another folder")
    return config.trainer(_saving(SaveRun(folder, config), callbacks))


def _saving(saver: SaveRun, callbacks: Sequence[Callback]) -> list[Callback]:
    return [saver, *callbacks]


@checked
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
        raise ConfigError(f"{folder}: no run to resume; expected a folder that `digitlab train` has written")
    config = config or RunConfig.load(folder / "config.toml", run=True)
    config = dataclasses.replace(config, **changes) if changes else config
    checkpoint = folder / "checkpoint.safetensors"
    # Where there is a checkpoint, the file that the weights once came from need not be there any more.
    starting = dataclasses.replace(config, start="") if checkpoint.exists() else config
    trainer = starting.trainer(_saving(SaveRun(folder), callbacks))
    if checkpoint.exists():
        load_checkpoint(trainer, checkpoint)
    if config.epochs < len(trainer.history):
        raise ConfigError(
            f"{folder}: has {len(trainer.history)} epochs done, got {config.epochs} as their number; expected more"
        )
    if changes:
        config.save(folder / "config.toml")
    return config, trainer
