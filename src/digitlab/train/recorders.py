"""Callbacks that keep more of a training than its history: the answers to every image, the gradients, the networks.

They write into the run folder after every epoch, before the checkpoint does: a run that was killed in between has
one epoch too many here, which a resume drops, and never one too few.

predictions.npz    epochs (E,), predictions uint8 (E, N), labels uint8 (N,), part: "valid" or "test", checksum
gradients.jsonl    a row per epoch, the first before training: {"epoch": 0, "0.W": ‖∂L/∂W‖, "0.b": ...}
epochs/            the network after every epoch, 0000.safetensors before training
"""

import hashlib
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import to_numpy
from digitlab.data.formats.npz import read_members
from digitlab.engine.select import predict
from digitlab.errors import ConfigError, DataError, ModelFileError, in_brief
from digitlab.files import atomic_write, require_suffix
from digitlab.nn.io.loading import load_network
from digitlab.nn.network import Network
from digitlab.run_folders import NO_RUN, is_run
from digitlab.train.callbacks import Callback
from digitlab.train.history import History, Row

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer

Array = np.ndarray[Any, Any]
PREDICTIONS, GRADIENTS, NETWORKS = "predictions.npz", "gradients.jsonl", "epochs"


class Recorded(NamedTuple):
    """What the network answered to each image of a set after each epoch."""

    epochs: Array  # int64 (E,), ascending
    predictions: Array  # uint8 (E, N): the largest output's class
    labels: Array  # uint8 (N,)
    part: str  # which set: "valid" or "test"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Recorded":
        """Read predictions.npz, without pickle. Raises ModelFileError if it is missing, damaged or something else."""
        if not Path(path).is_file():
            raise ModelFileError(f"{path}: no such file; `digitlab train --record` writes it into the run's folder")
        try:
            with zipfile.ZipFile(path) as archive:
                old = "checksum.npy" not in archive.namelist() and len(archive.namelist()) == len(cls._fields)
            found = read_members(path, cls._fields if old else (*cls._fields, "checksum"))
        except (OSError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
            raise ModelFileError(
                f"{path}: cannot be read ({in_brief(error)}); expected a file that `train --record` writes"
            ) from None
        arrays = cls(found["epochs"], found["predictions"], found["labels"], str(found["part"]))
        if not old and str(found["checksum"]) != arrays.checksum():
            raise ModelFileError(f"{path}: its content differs from its checksum; the file is damaged")
        if arrays.predictions.shape != (len(arrays.epochs), len(arrays.labels)) or arrays.predictions.dtype != np.uint8:
            raise ModelFileError(
                f"{path}: got predictions of {arrays.predictions.dtype} {arrays.predictions.shape}, expected uint8 "
                f"({len(arrays.epochs)}, {len(arrays.labels)}): one per epoch and label"
            )
        return arrays

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one .npz file, atomically; ConfigError for the suffix of another format."""
        require_suffix(path, "recorded predictions", ".npz")
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                epochs=self.epochs,
                predictions=self.predictions,
                labels=self.labels,
                part=np.array(self.part),
                checksum=np.array(self.checksum()),
            )

    def checksum(self) -> str:
        """SHA-256 of the content."""
        content = hashlib.sha256(self.part.encode())
        for array in self[:3]:
            content.update(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return content.hexdigest()


class RecordPredictions(Callback):
    """Keep what the network answers to these images after every epoch: `RecordPredictions(folder, images, labels)`.

    images (N, ...) as the network takes them, labels integers (N,). Raises DataError if they do not belong together.
    """

    @checked
    def __init__(self, folder: str | os.PathLike[str], images: Array, labels: Array, *, part: str = "valid") -> None:
        labels = np.asarray(labels)
        if len(images) != len(labels) or labels.ndim != 1 or not len(labels):
            raise DataError(f"RecordPredictions: got {len(images)} images with labels of shape {labels.shape}")
        if labels.min() < 0 or labels.max() > 255:
            raise DataError(
                f"RecordPredictions: got labels from {labels.min()} to {labels.max()}, expected 0 to 255, kept as bytes"
            )
        self.path = Path(folder) / PREDICTIONS
        self.images, self.labels, self.part = images, labels.astype(np.uint8), part
        self.epochs: list[int] = []
        self.rows: list[Array] = []

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Continue the file of a resumed run.

        Raises ConfigError unless the network has 2 to 256 classes, ModelFileError for a file on other images.
        """
        outputs = trainer.network.shapes[-1]
        if len(outputs) != 1 or not 1 < outputs[0] <= 256:
            raise ConfigError(f"recording predictions needs 2 to 256 classes; this network's output is {outputs}")
        self.epochs, self.rows = [], []
        if not len(trainer.history) or not self.path.is_file():
            self.save()  # a run that ends before its first epoch does is recorded when it is resumed
            return
        before = Recorded.load(self.path)
        if before.part != self.part or not np.array_equal(before.labels, self.labels):
            raise ModelFileError(
                f"{self.path}: was recorded on other images; move it away, or resume with the same data"
            )
        kept = before.epochs <= len(trainer.history)
        self.epochs, self.rows = before.epochs[kept].tolist(), list(before.predictions[kept])

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        """Add the epoch's predictions and rewrite the file."""
        guesses = np.argmax(predict(_in_numpy(trainer.network), self.images), axis=1)  # (N,)
        self.epochs.append(row["epoch"])
        self.rows.append(guesses.astype(np.uint8))
        self.save()

    def save(self) -> None:
        """Write what there is so far."""
        rows = np.array(self.rows, np.uint8).reshape(-1, len(self.labels))  # (E, N)
        Recorded(np.array(self.epochs, np.int64), rows, self.labels, self.part).save(self.path)


class RecordGradients(Callback):
    """Keep ‖∂L/∂p‖ of every parameter p before training and after every epoch, L the loss over x, y.

    x (N, ...) and y (N,) are the same examples every time, so that a change is the network's; the first thousand of the
    training set are usual (Nielsen ch. 5, "What's causing the vanishing gradient problem?").
    """

    @checked
    def __init__(self, folder: str | os.PathLike[str], x: Array, y: Array) -> None:
        self.path = Path(folder) / GRADIENTS
        self.x, self.y = x, y
        self.rows: list[Row] = []

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Continue the file of a resumed run, or record the norms before training as those of epoch 0."""
        done = len(trainer.history)
        if done and self.path.is_file():
            self.rows = [row for row in History.load(self.path) if row["epoch"] <= done]
        else:
            self.rows = [] if done else [{"epoch": 0, **gradient_norms(trainer.network, self.x, self.y)}]

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        """Add the norms of the epoch and rewrite the file."""
        self.rows.append({"epoch": row["epoch"], **gradient_norms(trainer.network, self.x, self.y)})
        History(self.rows).save(self.path)


class RecordNetworks(Callback):
    """Keep the network before training and after every epoch, each as a file: `RecordNetworks(folder)`."""

    @checked
    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder) / NETWORKS

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Delete files of epochs that the history does not have; save the network before training as epoch 0."""
        done = len(trainer.history)
        for file in _network_files(self.folder):
            if int(file.stem) > done or not done:
                file.unlink()
        if not done:
            self._save(trainer, 0)

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        self._save(trainer, row["epoch"])

    def _save(self, trainer: "Trainer", epoch: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        _in_numpy(trainer.network).save(self.folder / f"{epoch:04d}.safetensors")


@checked
def recorded_networks(folder: str | os.PathLike[str], most: int | None = None) -> dict[int, Network]:
    """The networks that RecordNetworks kept in a run's folder, by epoch; at most so many, more of them early.

    Raises ModelFileError if there are none.
    """
    files = _network_files(Path(folder) / NETWORKS)
    if not files and not is_run(Path(folder)):
        raise ModelFileError(f"{folder}: {NO_RUN}")
    if not files:
        raise ModelFileError(
            f"{folder}: has no network of each epoch; `digitlab train --record` keeps them, and with --resume "
            "those of the epochs to come"
        )
    if most is not None and len(files) > most:
        chosen = (len(files) - 1) * (np.arange(most) / (most - 1)) ** 1.5 if most > 1 else [len(files) - 1]
        files = [files[i] for i in dict.fromkeys(np.round(chosen).astype(int).tolist())]
    return {int(file.stem): load_network(file) for file in files}


def _network_files(folder: Path) -> list[Path]:
    """The recorded networks in the order of their epochs."""
    return sorted((f for f in folder.glob("*.safetensors") if f.stem.isdecimal()), key=lambda file: int(file.stem))


def gradient_norms(network: Network, x: Array, y: Array) -> dict[str, float]:
    """‖∂L/∂p‖ (Euclidean, over all of p's numbers) of the mean loss over x, y, by the parameter's name.

    The network stays as it is: a copy runs backward, as outside of training.
    """
    twin = _in_numpy(network)
    twin.gradient(x, y)
    return {name: float(np.linalg.norm(to_numpy(p.grad))) for name, p in twin.parameters().items()}


def _in_numpy(network: Network) -> Network:
    """A copy on NumPy: the trainer's own may live on a device and holds gradients that an engine may yet use."""
    return network.copy().to("numpy")
