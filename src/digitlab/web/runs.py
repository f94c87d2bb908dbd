"""The runs of a folder as the page shows them: what they differ in, their histories, their errors."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.data import Digits, Splits, load
from digitlab.errors import ConfigError, DigitlabError, quoted
from digitlab.nn.io.loading import load_network
from digitlab.nn.network import Network
from digitlab.parallel.labels import all_settings, varied_settings
from digitlab.run_folders import is_of_images, is_run, runs_in
from digitlab.settings.schema import option_of
from digitlab.train import History, RunConfig
from digitlab.train.columns import unit
from digitlab.train.evaluation import classifies
from digitlab.train.run_list import read_note
from digitlab.web.images import probabilities_of, shown, worst

MOST = 200  # runs in the list, the newest ones
POINTS = 200  # of a curve in the list
IMAGES = 60  # of one cell of the confusion matrix


class Runs:
    """Runs by their names in one folder, those of a group as GROUP/RUN: no name leads out of it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def folders(self) -> list[Path]:
        """The folder of every run, the newest first."""
        groups = [path for path in self.place.glob("*") if path.is_dir() and not path.is_symlink()]
        found = [run for group in groups for run in runs_in(group) if is_run(run)]
        return sorted(found, key=lambda run: (run / "config.toml").stat().st_mtime, reverse=True)

    def name(self, folder: Path) -> str:
        """The run's name on the page: its path in the folder of runs, such as five/seed-0."""
        return folder.relative_to(self.place).as_posix()

    def folder(self, name: Any) -> Path:
        """The folder of a run. Raises ConfigError for a name that is not in the list."""
        known = {self.name(folder): folder for folder in self.folders()}
        if name not in known:
            raise ConfigError(f"there is no run {name!r} in {self.place}")
        return known[name]

    def table(self) -> dict[str, Any]:
        """All runs with what they differ in, their results and their curves; a run that cannot be read says why."""
        read, broken = [], []
        folders = self.folders()
        for folder in folders[:MOST]:
            try:
                read.append((folder, RunConfig.load(folder / "config.toml", run=True), history_of(folder)))
            except (DigitlabError, OSError) as error:
                broken.append({"name": self.name(folder), "error": str(error)})
        differences = varied_settings([config for _, config, _ in read]) if len(read) > 1 else [{}] * len(read)
        rows = [
            summary(folder, config, history) | {"name": self.name(folder), "settings": texts(setting, option_of)}
            for (folder, config, history), setting in zip(read, differences)
        ]
        return {"runs": rows, "broken": broken, "older": max(0, len(folders) - MOST)}

    def run(self, name: Any) -> dict[str, Any]:
        """One run: every setting, the whole history, the command that repeats it."""
        folder = self.folder(name)
        config, history = RunConfig.load(folder / "config.toml", run=True), history_of(folder)
        return summary(folder, config, history) | {
            "name": name,
            "settings": texts(all_settings(config)),
            "rows": history.rows,
            "images": (images := is_of_images(folder)),
            "command": f"digitlab train --from-file {quoted(folder / 'config.toml')}" if images else None,
            "resume": f"digitlab train --run {quoted(folder)} --resume" if images else None,
        }

    def network(self, name: Any) -> Network:
        """The best network of a run so far. Raises ConfigError where there is none yet."""
        path = self.folder(name) / "network.safetensors"
        if not path.is_file():
            raise ConfigError(f"{name}: has no network yet; it is there after the first epoch")
        return load_network(path)

    def confusion(self, name: Any) -> dict[str, Any]:
        """How the network of a run sorts its validation images (test images, where none validate)."""
        digits, probabilities = self.judged(name)
        classes = probabilities.shape[1]
        counts = np.bincount(digits.labels * classes + probabilities.argmax(axis=1), minlength=classes**2)
        return {
            "confusion": counts.reshape(classes, classes).tolist(),
            "names": list(digits.class_names),
            "images": digits.name,
            "failures": worst(probabilities, digits, IMAGES),
        }

    def cell(self, name: Any, true: int, answer: int) -> dict[str, Any]:
        """The images of one cell of the confusion matrix, the surest first."""
        digits, probabilities = self.judged(name)
        chosen = np.flatnonzero((digits.labels == true) & (probabilities.argmax(axis=1) == answer))
        order = chosen[np.argsort(-probabilities[chosen, answer], kind="stable")][:IMAGES] if len(chosen) else chosen
        images = [
            shown(digits.images[i])
            | {"index": int(i), "label": true, "predicted": answer, "confidence": float(probabilities[i, answer])}
            for i in order
        ]
        return {"images": images}

    def judged(self, name: Any) -> "tuple[Digits, Any]":
        """A run's images and their probabilities (N, classes). Raises ConfigError for a network without classes."""
        folder = self.folder(name)
        network = self.network(name)
        if not classifies(network) or not is_of_images(folder):
            raise ConfigError(f"{name}: its network has no classes of images to confuse")
        stamp = (folder / "network.safetensors").stat().st_mtime_ns
        return judged_images(folder, stamp)


@lru_cache(maxsize=4)
def judged_images(folder: Path, stamp: int) -> "tuple[Digits, Any]":
    """Images of a run and the probabilities its network gives them; `stamp` is when the network was written."""
    config = RunConfig.load(folder / "config.toml", run=True)
    splits: Splits = load(**config.data)
    digits = splits.valid if splits.valid is not None else splits.test
    return digits, probabilities_of(load_network(folder / "network.safetensors"), digits)


def history_of(folder: Path) -> History:
    """The history of a run; an empty one before its first epoch has ended."""
    file = folder / "history.jsonl"
    return History.load(file) if file.is_file() else History()


def summary(folder: Path, config: RunConfig, history: History) -> dict[str, Any]:
    """What a line of the list shows."""
    base = {
        "epochs": config.epochs,
        "done": len(history),
        "note": str(read_note(folder)),
        "monitor": None,
        "best": None,
    }
    base["changed"] = max(path.stat().st_mtime for path in folder.iterdir() if path.is_file())
    if not len(history):
        return base
    monitor = history.monitored(config.monitor)
    statistics = history.statistics(monitor)
    values = [float(row[monitor]) for row in history if row.get(monitor) is not None]
    step = -(-len(values) // POINTS)
    return base | {
        "monitor": monitor,
        "best": statistics.best,
        "best_text": unit(monitor).shown(statistics.best),
        "best_epoch": statistics.best_epoch,
        "seconds": sum(history.column("seconds")),
        "curve": values[::step],
    }


def texts(settings: "dict[str, Any]", named: Callable[[str], str] = str) -> dict[str, str]:
    """Settings with their values as text, and their names as `named` writes them."""
    return {named(name): str(value) for name, value in settings.items()}
