"""Callbacks: hooks that the trainer calls, and the everyday callbacks made of them.

The trainer itself never prints, saves, plots or decides to stop; callbacks do. One that decides reads the scores
so far and keeps no memory of its own, so it needs nothing from a checkpoint to go on after an interruption.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.arguments import checked
from digitlab.errors import ConfigError
from digitlab.train import columns
from digitlab.train.history import Row

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer


class Callback:
    """Base: eight hooks, each doing nothing.

    A hook may read everything on the trainer, call `trainer.stop(reason)` and set `trainer.learning_rate`, which holds
    from the next epoch on. docs/python.md has three examples.
    """

    def __repr__(self) -> str:
        """The class with its settings, as far as they are numbers, texts or paths: `EarlyStopping(patience=10)`."""
        plain = {
            k: v for k, v in vars(self).items() if not k.startswith("_") and isinstance(v, int | float | str | Path)
        }
        shown = (f"{name}={str(value) if isinstance(value, Path) else value!r}" for name, value in plain.items())
        return f"{type(self).__name__}({', '.join(shown)})"

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Training is about to begin, or to go on after a resume."""

    def on_epoch_start(self, trainer: "Trainer") -> None:
        """Epoch `trainer.epoch` (from 1) is about to begin."""

    def steps_at_once(self, trainer: "Trainer", usual: int) -> int:
        """How many steps to take until `on_batches` is called next; the least that a callback says is taken.

        A callback may wait here: that is how a training pauses.
        """
        return usual

    def on_batches(self, trainer: "Trainer", done: int, total: int) -> None:
        """`done` of this epoch's `total` steps are behind us; called up to 25 times an epoch."""

    def on_batch(self, trainer: "Trainer", step: int, loss: float) -> None:
        """Step `step` (from 1) of the epoch is done; `loss` is the mean loss of its batch, before the step.

        A callback that defines this makes the training pause after every step, which takes time.
        """

    def on_gradient(self, trainer: "Trainer") -> None:
        """∂L/∂p of the batch is in `p.grad` of each of `trainer.network.parameters()`, and the step comes next.

        It may be changed. Only the readable engines call this, so a callback that defines it excludes compiled kernels.
        """

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        """The epoch's row is complete and part of `trainer.history`."""

    def on_fit_end(self, trainer: "Trainer") -> None:
        """Training has ended, for whatever reason; the network holds the parameters that will be returned.

        Not called if `on_fit_start` of this callback raised, or was not reached.
        """

    def arrays(self) -> dict[str, Any]:
        """What a checkpoint must hold of this callback, by name, for the few that collect something; else {}."""
        return {}

    def load_arrays(self, arrays: dict[str, Any]) -> None:
        """Restore what `arrays` returned."""


def checked_callbacks(given: Any) -> list[Callback]:
    """The callbacks as a list; ConfigError for anything else, such as a class in place of an object."""
    callbacks = list(given) if isinstance(given, Iterable) else [given]
    if wrong := [each for each in callbacks if not isinstance(each, Callback)]:
        raise ConfigError(f"callbacks: got {wrong[0]!r}, expected a list of callbacks such as [EarlyStopping(10)]")
    if callbacks and not isinstance(given, Iterable):
        raise ConfigError(f"callbacks: got {given!r}, expected a list: [{given!r}]")
    return callbacks


def having(callbacks: Iterable[Callback], hook: str) -> list[Callback]:
    """The callbacks whose class defines this hook."""
    return [callback for callback in callbacks if getattr(type(callback), hook) is not getattr(Callback, hook)]


class EarlyStopping(Callback):
    """Stop when the monitored score has not improved for `patience` epochs ("no improvement in n", Nielsen ch. 3)."""

    @checked
    def __init__(self, patience: int = 10) -> None:
        if patience < 1:
            raise ConfigError(f"EarlyStopping: got patience {patience}, expected at least 1 epoch")
        self.patience = patience

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Stop a resumed training at once if it had no improvement for `patience` epochs."""
        self.judge(trainer)

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        self.judge(trainer)

    def judge(self, trainer: "Trainer") -> None:
        """Stop the trainer if its scores say so."""
        scores = trainer.scores
        if scores and len(scores) - 1 - scores.index(max(scores)) >= self.patience:
            trainer.stop(f"no improvement of {trainer.monitor} in {self.patience} epochs")


class TargetReached(Callback):
    """Stop once the monitored column is as good as `target`: an accuracy at least, a loss at most."""

    @checked
    def __init__(self, target: float) -> None:
        self.target = target

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Stop a resumed training at once if an earlier epoch reached the target."""
        if any(self.reached(trainer, row) for row in trainer.history):
            self.stop(trainer)

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        if self.reached(trainer, row):
            self.stop(trainer)

    def reached(self, trainer: "Trainer", row: Row) -> bool:
        """Whether this epoch is good enough."""
        return columns.score(trainer.monitor, row[trainer.monitor]) >= columns.score(trainer.monitor, self.target)

    def stop(self, trainer: "Trainer") -> None:
        """Stop the trainer and say why."""
        trainer.stop(f"{trainer.monitor} reached {self.target:g}")


class PlainLines(Callback):
    """One line an epoch through `sink`, without colour or cursor movement: what a pipe or a log file wants."""

    def __init__(self, sink: Callable[[str], None] = print) -> None:
        self.sink = sink

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        self.sink(epoch_line(row, trainer.epochs, trainer.monitor))

    def on_fit_end(self, trainer: "Trainer") -> None:
        if trainer.stop_reason and not trainer.diverged:  # a divergence is shown as an error
            self.sink(f"stopped: {trainer.stop_reason}")


def epoch_line(row: Row, epochs: int, monitor: str = "valid_accuracy") -> str:
    """An epoch's row as one line of text; columns that the row lacks are left out. The change is of `monitor`."""
    parts = [f"epoch {row['epoch']:>{len(str(epochs))}}/{epochs}", f"loss {row['train_loss']:.4f}"]
    for name in ("train", "valid", "test"):
        accuracy, loss = f"{name}_accuracy", f"{name}_loss"
        if row.get(accuracy) is not None:
            parts.append(f"{name} {columns.unit(accuracy).shown(row[accuracy])}")
        if loss in row and (loss == monitor or (name != "train" and row.get(accuracy) is None)):
            parts.append(f"{name} loss {columns.unit(loss).shown(row[loss])}" if name != "train" else "")
        if monitor in (accuracy, loss) and row.get("change") is not None:  # behind the figure whose change it is
            scale, _, digits = columns.unit(monitor)
            parts.append(f"({scale * row['change']:+.{digits}f})")
    parts.append(f"{row['seconds']:.2f} s")
    if row.get("seconds_left"):
        parts.append(f"{duration(row['seconds_left'])} left")
    return "  ".join(filter(None, parts))


def duration(seconds: float) -> str:
    """Seconds as a person says them: "45 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
