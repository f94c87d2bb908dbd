"""The task that most experiments are made of: train one network, measure it, keep it."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.books.data import MADE_UP, Data
from digitlab.books.experiment import Tasks, Variant
from digitlab.books.task import Log, Task
from digitlab.errors import DivergenceError, ModelFileError
from digitlab.nn import Network, describe_network, mlp
from digitlab.nn.io.building import build_network
from digitlab.optim import SGD
from digitlab.optim.regularizers import L2
from digitlab.train import Callback, RunConfig, Trainer, evaluate, load_checkpoint, save_checkpoint
from digitlab.train.callbacks import duration
from digitlab.train.history import History, Row

CHECKPOINT_SECONDS = 30.0  # short epochs are cheaper to repeat than to save one by one
LONG_HISTORY = 2000  # epochs; longer histories are not stored
# A probe of a dense network is long enough for an epoch to be cut as a whole one is: see train/steps.py, LEAST_WORK.
PROBE_WORK = 2.5e8  # weights times examples
PROBE_PICTURES = 120  # images for convolutions, which cost more for each weight


@dataclass(frozen=True, kw_only=True)
class Training(Task):
    """One network, trained and measured.

    config      all settings of the training (train/config.py); its `data` is not used
    data        the images
    watch       the sets measured after every epoch: "train", "valid", "test"
    snapshots   the epochs after which a copy of the network is kept
    squares     store Σ w² after every epoch, for the book's regularized costs

    The network kept is that of the best validation epoch, if `config.keep` says so and validation is watched.
    """

    config: RunConfig
    data: Data
    watch: tuple[str, ...] = ("valid",)
    snapshots: tuple[int, ...] = ()
    squares: bool = False

    def table(self) -> dict[str, Any]:
        # Defaults are left out, so that a new setting does not change the keys of stored results.
        # If a default changes, the fingerprint changes.
        usual = RunConfig({}).table()
        chosen = {name: value for name, value in self.config.table().items() if value != usual[name]}
        chosen |= {"data": self.data.table(), "watch": list(self.watch)}
        return {**chosen, "snapshots": list(self.snapshots), "squares": self.squares}

    def shrunk(self) -> "Training":
        return self._small(self.data.shrunk(), self.config.seed)

    def probe(self) -> "Training":
        network = build_network(self.config.network, seed=None)
        weights = sum(math.prod(p.value.shape) for p in network.parameters().values())
        pictures = any(len(shape) > 1 for shape in network.shapes)
        images = PROBE_PICTURES if pictures else min(max(int(PROBE_WORK / weights), 250), MADE_UP)
        return self._small(self.data.probe(images), seed=0)

    def _small(self, data: Data, seed: int) -> "Training":
        """Two epochs at most, on other data."""
        epochs = min(self.config.epochs, 2)
        snapshots = tuple(epoch for epoch in self.snapshots if epoch <= epochs)
        return replace(self, config=replace(self.config, epochs=epochs, seed=seed), data=data, snapshots=snapshots)

    def run(self, folder: Path, log: Log) -> dict[str, Any]:
        """Train, or continue from the checkpoint in `folder`; returns history, final accuracies and engine."""
        parts = self.data.load()
        callbacks: list[Callback] = [Lines(self.title, log)]
        if self.squares:
            callbacks.append(WeightSquares())
        trainer = self.config.trainer([*callbacks, Snapshots(folder, self.snapshots), SaveSometimes(folder)])
        checkpoint = folder / "checkpoint.safetensors"
        if checkpoint.is_file():
            try:
                load_checkpoint(trainer, checkpoint)
                log(f"{self.title}: continuing after epoch {len(trainer.history)}")
            except ModelFileError as error:
                log(f"{self.title}: starting again from the first epoch: {error}")
        valid = parts.valid if "valid" in self.watch else None
        diverged = ""
        try:
            trainer.fit(parts.train, valid, parts.test if "test" in self.watch else None, epochs=self.config.epochs)
        except DivergenceError as error:
            diverged = str(error)
        if trainer.interrupted:
            raise KeyboardInterrupt
        final: dict[str, float] = {}
        for name, digits in (("valid", parts.valid), ("test", parts.test)):
            if digits is not None:
                with np.errstate(over="ignore", invalid="ignore"):  # after a divergence, which the notes mention
                    loss, accuracy = evaluate(trainer.network, digits.images, digits.labels)
                final |= {f"{name}_loss": loss, f"{name}_accuracy": accuracy or 0.0}
        trainer.network.save(folder / "network.safetensors")
        checkpoint.unlink(missing_ok=True)
        history = trainer.history
        return {
            "history": columns(history),
            "epochs": len(history),
            "best_epoch": trainer.best.epoch if trainer.best is not None and trainer.keep == "best" else len(history),
            "final": final,
            "examples": len(parts.train),
            "valid_examples": len(parts.valid) if parts.valid is not None else 0,
            "test_examples": len(parts.test),
            "engine": trainer.engine_reason,
            "stopped": "" if diverged else trainer.stop_reason or "",
            "diverged": diverged,
            "seconds": history[-1]["total_seconds"] if len(history) else 0.0,
        }


def training(
    title: str,
    network: Network,
    learning_rate: float,
    *,
    data: Data,
    l2: float = 0.0,
    watch: Sequence[str] = ("valid", "test"),
    snapshots: Sequence[int] = (),
    squares: bool = False,
    **config: Any,
) -> Training:
    """A training of a network with these layers by plain gradient descent; `config`: `epochs`, `seed` and others."""
    chosen = RunConfig(
        network=describe_network(network),
        optimizer=SGD(learning_rate),
        regularizers=(L2(l2),) if l2 else (),
        data={},
        evaluate_train="train" in watch,
        **config,
    )
    return Training(
        title=title, config=chosen, data=data, watch=tuple(watch), snapshots=tuple(snapshots), squares=squares
    )


def book_training(
    variant: Variant,
    title: str,
    *,
    hidden: int | Sequence[int] = 30,
    rate: float = 0.5,
    loss: str = "cross-entropy",
    init: str = "scaled",
    dtype: str = "float32",
    train_size: int = 0,
    valid_size: int = 0,
    epochs: int = 30,
    **settings: Any,
) -> Training:
    """A dense network as network.py and network2.py train it: pixels /256, batches of 10; `settings` of `training`."""
    sizes = [784, *([hidden] if isinstance(hidden, int) else hidden), 10]
    return training(
        f"{title}, {'-'.join(map(str, sizes))}, seed {variant.seed}",
        mlp(sizes, loss=loss, init=init, scaling="/256", seed=None, dtype=dtype),
        rate,
        data=variant.data(train_size=train_size, valid_size=valid_size),
        seed=variant.seed,
        epochs=epochs,
        **settings,
    )


def book_trainings(
    settings: Mapping[str, Mapping[str, Any]], make: Callable[..., Training] = book_training, name: str = "training"
) -> Callable[[Variant], Tasks]:
    """Trainings as the tasks of an experiment: the settings of each by its label, for the function that makes them."""
    return lambda variant: {label: make(variant, f"{name}, {label}", **chosen) for label, chosen in settings.items()}


def columns(history: History) -> dict[str, list[float]]:
    """The measured columns of a history, one list each, to seven digits; {} for very long ones."""
    if not len(history) or len(history) > LONG_HISTORY:
        return {}
    names = [n for n in history[0] if n.endswith(("_accuracy", "_loss")) or n in ("weight_squares", "learning_rate")]
    return {name: [float(f"{value:.7g}") for value in history.column(name)] for name in names}


class Lines(Callback):
    """Prints the progress of a training, at most every `every` seconds."""

    def __init__(self, title: str, log: Log, every: float = 20.0) -> None:
        self.title, self.log, self.every = title, log, every
        self.logged_at = time.monotonic()

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        if time.monotonic() - self.logged_at < self.every:
            return
        self.logged_at = time.monotonic()
        name = "valid_accuracy" if "valid_accuracy" in row else "test_accuracy"
        accuracy = f", {name.partition('_')[0]} {100 * row[name]:.2f} %" if name in row else ""
        left = f", {duration(row['seconds_left'])} left" if row["seconds_left"] else ""
        self.log(f"{self.title}: epoch {row['epoch']}/{trainer.epochs}{accuracy}{left}")


class SaveSometimes(Callback):
    """Saves a checkpoint after an epoch, at most every `CHECKPOINT_SECONDS`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "checkpoint.safetensors"
        self.saved_at = time.monotonic()

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        if time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS:
            save_checkpoint(trainer, self.path)
            self.saved_at = time.monotonic()


class Snapshots(Callback):
    """Keeps the network after chosen epochs: epoch-003.safetensors."""

    def __init__(self, folder: Path, epochs: Sequence[int]) -> None:
        self.folder, self.epochs = folder, set(epochs)

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        if row["epoch"] in self.epochs:
            trainer.network.save(self.folder / f"epoch-{row['epoch']:03}.safetensors")


class WeightSquares(Callback):
    """Adds to each epoch Σ w² over all regularized weights: the book's costs contain ½ λ/n of it."""

    def on_epoch_end(self, trainer: Trainer, row: Row) -> None:
        parameters = trainer.network.parameters().values()
        row["weight_squares"] = math.fsum(
            float(np.sum(np.square(to_numpy(p.value), dtype=np.float64))) for p in parameters if p.regularized
        )
