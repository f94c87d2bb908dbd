"""One training as a job that any worker can do: settings in, history and weights out."""

import os
import socket
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from digitlab.data import Splits
from digitlab.data.loading import choose, open_source
from digitlab.doctor.ailment import Diagnosis
from digitlab.doctor.callback import Diagnose
from digitlab.errors import DigitlabError
from digitlab.nn.network import Network
from digitlab.nn.scaling import InputRange
from digitlab.settings.data import check_data, of_part
from digitlab.train.callbacks import Callback
from digitlab.train.checkpoint import load_checkpoint, save_checkpoint
from digitlab.train.config import RunConfig
from digitlab.train.evaluation import evaluate
from digitlab.train.history import Row
from digitlab.train.run import resume_run
from digitlab.train.state import Arrays, copied

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer

Emit = Callable[[dict[str, Any]], None]
Stopped = Callable[[], bool]
BASE = ("source", *of_part("read", "cut", "mix"))  # what is read; the rest of a data table says what of it to take


class Base(NamedTuple):
    """Sets as they were read: those of `source`, and those of `mix`, if it names any."""

    own: Splits
    other: Splits | None = None


@dataclass(frozen=True)
class TrainingJob:
    """What a worker is to train.

    name         what progress and results call it
    config       the settings; equal settings give equal networks wherever they are trained
    folder       a run folder that the worker keeps up to date, and goes on from; None: nothing is written
    checkpoint   the state to go on from (the bytes of a checkpoint file), where there is no folder
    stop_after   end after this epoch with a checkpoint to go on from, as if interrupted; schedules still see the whole
    test         whether to look at the test set, once, with the network that is kept
    """

    name: str
    config: RunConfig
    folder: str | None = None
    checkpoint: bytes | None = None
    stop_after: int | None = None
    test: bool = False


@dataclass(frozen=True, repr=False)
class TrainingResult:
    """The result of a job. `arrays` are the weights of the network that was kept, `rows` its history.

    `error` is one line where a DigitlabError ended the training (it diverged, say); `interrupted` where it was
    stopped; `finished` where neither is the case and every epoch was done, or a callback decided to stop.
    `diagnosis` says what the doctor names first where it ended without an error and went badly (doctor/callback.py).
    """

    name: str
    config: RunConfig
    rows: list[Row]
    monitor: str = ""
    best_epoch: int | None = None
    arrays: Arrays | None = None
    test: dict[str, float] | None = None
    input_range: InputRange | None = None
    class_names: tuple[str, ...] = ()
    error: str | None = None
    diagnosis: Diagnosis | None = None
    interrupted: bool = False
    finished: bool = True
    stop_reason: str | None = None
    engine: str = ""
    checkpoint: bytes | None = None
    worker: str = ""

    def __repr__(self) -> str:
        """ "TrainingResult('seed=1': 3 epochs)"."""
        state = f"{len(self.rows)} epoch{'s' if len(self.rows) != 1 else ''}"
        return f"TrainingResult({self.name!r}: {state}{', ' + self.error if self.error else ''})"

    @property
    def best_row(self) -> Row | None:
        """The row of the epoch whose network was kept."""
        return self.rows[self.best_epoch - 1] if self.best_epoch else None

    @property
    def averaged(self) -> bool:
        """Whether the network that was kept is an average of weights (train/averaging.py)."""
        return bool(self.rows) and "average_valid_loss" in self.rows[-1]

    @property
    def seconds(self) -> float:
        """Of training alone."""
        return float(sum(row["seconds"] for row in self.rows))

    def network(self) -> Network:
        """The network that was kept."""
        network = self.config.trainer().network
        network.load_state(self.arrays or {})
        network.input_range, network.class_names = self.input_range, self.class_names
        return network


def run_job(
    job: TrainingJob, data: Splits | Base | None = None, emit: Emit | None = None, stopped: Stopped | None = None
) -> TrainingResult:
    """Train as the job says and return the result; a DigitlabError becomes part of the outcome.

    `data` are the sets that `source` and `split` of the settings' data table name, where the caller has them already,
    or with those of `mix`.
    """
    progress, diagnose = JobCallback(job, emit, stopped), Diagnose()
    trainer = None
    try:
        sets = sets_for(job.config.data, data)
        if job.folder is not None:
            _, trainer = resume_run(job.folder, [progress, diagnose], config=job.config)
        else:
            trainer = job.config.trainer([progress, diagnose])
            if job.checkpoint is not None:
                _from_bytes(trainer, job.checkpoint)
        weights = job.config.example_weights()
        trainer.fit(sets.train, sets.valid, epochs=job.config.epochs, sample_weights=weights)
    except DigitlabError as error:
        rows = trainer.history.rows if trainer is not None else []
        return TrainingResult(job.name, job.config, rows, error=str(error), worker=worker_name())
    paused = progress.paused
    finished = not trainer.interrupted and not paused
    best = trainer.best.epoch if trainer.best is not None and trainer.keep == "best" else len(trainer.history) or None
    return TrainingResult(
        job.name,
        job.config,
        trainer.history.rows,
        trainer.monitor,
        best,
        arrays=copied(trainer.network),
        input_range=trainer.network.input_range,
        class_names=trainer.network.class_names,
        test=_test(trainer, sets) if job.test and finished else None,
        interrupted=trainer.interrupted,
        finished=finished,
        diagnosis=diagnose.found if finished else None,
        stop_reason=None if paused else trainer.stop_reason,
        engine=trainer.engine_reason,
        checkpoint=_as_bytes(trainer) if paused else None,
        worker=worker_name(),
    )


class JobCallback(Callback):
    """Reports how far a job is; ends it when `stopped` says so, and after the job's `stop_after` epochs."""

    def __init__(self, job: TrainingJob, emit: Emit | None, stopped: Stopped | None) -> None:
        self.job, self.emit, self.stopped, self.paused = job, emit, stopped, False

    def on_batches(self, trainer: "Trainer", done: int, total: int) -> None:
        if self.stopped is not None and self.stopped():
            raise KeyboardInterrupt  # which the trainer ends cleanly on, with its last whole epoch kept

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        if self.emit is not None:
            self.emit({"name": self.job.name, "epochs": trainer.epochs, "row": row})
        last = row["epoch"] >= trainer.epochs or trainer.stop_reason is not None
        if not last and self.job.stop_after is not None and row["epoch"] >= self.job.stop_after:
            self.paused = True
            trainer.stop(f"to be continued after epoch {row['epoch']}")


def sets_for(table: dict[str, Any], data: Splits | Base | None = None) -> Splits:
    """The sets that a data table names; what is read from disk is read once in each worker. Raises ConfigError."""
    check_data(table)
    base = data if isinstance(data, Base) else base_sets(table, data)
    return choose(*base, **{name: value for name, value in table.items() if name not in BASE})


_reading = threading.Lock()


def base_sets(table: dict[str, Any], own: Splits | None = None) -> Base:
    """What the data table's `source` and `mix` name, read and cut; `own` instead of `source`, if it is there."""
    how = {name: table[name] for name in of_part("read", "cut") if name in table}
    split = {"split": table["split"]} if "split" in table else {}
    with _reading:  # else several threads would read the same files at once
        read = own if own is not None else _read(os.fspath(table.get("source", "auto")), _hashable(how))
        return Base(read, _read(os.fspath(table["mix"]), _hashable(split)) if "mix" in table else None)


def _hashable(table: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in sorted(table.items()))


@lru_cache(maxsize=2)
def _read(source: str, how: tuple[tuple[str, Any], ...]) -> Splits:
    choices = dict(how)
    cut = {name: choices[name] for name in of_part("cut") if name in choices}
    return open_source(source, choices).splits(**cut)


def worker_name() -> str:
    """Where a job ran: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _test(trainer: "Trainer", sets: Splits) -> dict[str, float]:
    loss, accuracy = evaluate(trainer.network, sets.test)
    return {"loss": loss} | ({"accuracy": accuracy} if accuracy is not None else {})


def _as_bytes(trainer: "Trainer") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.safetensors"
        save_checkpoint(trainer, path)
        return path.read_bytes()


def _from_bytes(trainer: "Trainer", checkpoint: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint.safetensors"
        path.write_bytes(checkpoint)
        load_checkpoint(trainer, path)
