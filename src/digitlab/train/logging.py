"""Callbacks that log a training for other programs: a CSV file, TensorBoard, MLflow.

Each writes the epoch's row as it is (train_loss, valid_accuracy ...). Epochs count from 1.
"""

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.arguments import checked
from digitlab.errors import ConfigError
from digitlab.files import atomic_write
from digitlab.train.callbacks import Callback
from digitlab.train.history import Row

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer


class CsvLog(Callback):
    """The history as a table, a row per epoch; rewritten after every epoch, so that a resumed training completes it.

    A column that an epoch lacks, such as the first epoch's change, is empty.
    """

    @checked
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        names = list(dict.fromkeys(name for row in trainer.history for name in row))
        with atomic_write(self.path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, names)
            table.writeheader()
            table.writerows(trainer.history)


class TensorBoardLog(Callback):
    """The numbers of every epoch as scalars in an event file in `folder`, for TensorBoard.

    Needs tensorboardX: pip install 'digitlab[tensorboard]'. Raises ConfigError without it.
    """

    @checked
    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ConfigError(
                "TensorBoardLog: tensorboardX is not installed; install it: pip install 'digitlab[tensorboard]'"
            ) from None
        self.folder, self._writer_class = Path(folder), SummaryWriter
        self._writer: Any = None

    def on_fit_start(self, trainer: "Trainer") -> None:
        self._writer = self._writer_class(str(self.folder))

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        for name, value in _numbers(row).items():
            self._writer.add_scalar(name, value, row["epoch"])

    def on_fit_end(self, trainer: "Trainer") -> None:
        self._writer.close()


class MLflowLog(Callback):
    """The numbers of every epoch as metrics of an MLflow run, and the settings given here as its parameters.

    Logs into the active run, or else into a new one, which ends with the training. Needs MLflow: pip install
    'digitlab[mlflow]'. Raises ConfigError without it.
    """

    @checked
    def __init__(self, **parameters: Any) -> None:
        try:
            import mlflow
        except ImportError:
            raise ConfigError(
                "MLflowLog: MLflow is not installed; install it: pip install 'digitlab[mlflow]'"
            ) from None
        self.parameters, self._mlflow, self._own = parameters, mlflow, False

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Log the settings, in a new run unless one is active."""
        self._own = self._mlflow.active_run() is None
        if self._own:
            self._mlflow.start_run()
        try:
            self._mlflow.log_params(self.parameters)
        except BaseException:
            self.on_fit_end(trainer)  # the trainer ends only what has started
            raise

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        self._mlflow.log_metrics(_numbers(row), step=row["epoch"])

    def on_fit_end(self, trainer: "Trainer") -> None:
        if self._own:
            self._mlflow.end_run()


def _numbers(row: Row) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if name != "epoch" and value is not None}
