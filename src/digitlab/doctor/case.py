"""What is known of a run: its settings, history and networks, and its data if they can be loaded."""

import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.arrays import to_numpy
from digitlab.data import Splits, load
from digitlab.doctor.ailment import Images
from digitlab.doctor.measures import constant_loss, errors_by_layer, similar_pairs
from digitlab.doctor.symptoms import Facts, learned_share
from digitlab.engine.select import predict
from digitlab.errors import ConfigError, DigitlabError, ModelFileError
from digitlab.nn.examples import examples
from digitlab.nn.io.building import build_network
from digitlab.nn.io.files import read_arrays
from digitlab.nn.io.loading import load_network
from digitlab.nn.network import Network
from digitlab.notices import DataWarning
from digitlab.run_folders import NO_RUN
from digitlab.train.config import RunConfig
from digitlab.train.default_rate import rate_of
from digitlab.train.evaluation import as_labels, classifies
from digitlab.train.history import History, Row
from digitlab.train.run import digest, read_ending
from digitlab.train.trainer import Trainer

Array = np.ndarray[Any, Any]
WELL = 0.8  # of the way from guessing to all correct: a training that went well
EXAMPLES, FEWER = 500, 5  # training examples that are looked at; one in so many for gradients, which take longer
RISEN = 1.05  # times its least value: a validation loss that rises
HALF = 0.5  # of the loss of the best constant output: the same, where there are no classes


class Case:
    """A run, seen by the doctor. `Case.of_run(folder)` reads it; measurements are made when they are first asked for.

    config    the run's settings, and `trainer` a fresh trainer of them
    rows      the history
    ending    how the training ended (train/run.py), {} for runs of earlier versions
    first     the network before training, None where its weights came from a file that is gone
    network   the network that was kept: of the best epoch, or the last finite one of a run that diverged
    last      the network of the last epoch
    sets      "train", "valid", "test": (x, y) as the network takes them; {} where the data are gone or have changed
    images    the same as they were loaded, and `splits` all of them
    exact     whether the targets are exact values of a function of one number, so that all of it can be learned
    """

    exact = False

    def __init__(
        self,
        config: RunConfig,
        rows: list[Row],
        network: Network,
        *,
        first: Network | None = None,
        last: Callable[[], Network] | None = None,
        ending: Mapping[str, Any] | None = None,
        splits: Splits | None = None,
    ) -> None:
        self.config, self.rows, self.network, self.ending = config, rows, network, dict(ending or {})
        self._first, self._last = first, last
        self.splits = splits
        self.images, self.sets = self._trusted(splits)

    @classmethod
    def of_run(cls, folder: str | os.PathLike[str], splits: Splits | None = None) -> "Case":
        """The run in a folder, with its data as its settings name them unless they are given.

        Raises ConfigError if the folder holds no run, ModelFileError for a damaged file.
        """
        folder = Path(folder)
        if not (folder / "config.toml").is_file():
            if inside := sorted(path.parent.name for path in folder.glob("*/config.toml")):
                raise ConfigError(f"{folder}: holds several runs; name one of them, such as {folder / inside[0]}")
            raise ConfigError(f"{folder}: {NO_RUN}")
        config = RunConfig.load(folder / "config.toml", run=True)
        history, checkpoint = folder / "history.jsonl", folder / "checkpoint.safetensors"
        rows = History.load(history).rows if history.is_file() else []
        if not (folder / "network.safetensors").is_file():
            raise ConfigError(f"{folder}: the training has not finished an epoch; examine it later")
        ending = read_ending(folder, len(rows))
        try:
            network = load_network(folder / "network.safetensors")
        except ModelFileError:
            if not ending.get("diverged") or rows:
                raise
            network = build_network(config.network, seed=None)  # what was kept is not finite, as it began

        def last_network() -> Network:
            last, saved = network.copy(), read_arrays(checkpoint)
            last.load_state({name: saved[f"network/{name}"] for name in network.state()})
            return last

        last = last_network if checkpoint.is_file() and rows else None
        if splits is None:
            with suppress(DigitlabError, OSError), warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # the doctor says it itself
                splits = load(**config.data)
        return cls(config, rows, network, last=last, ending=ending, splits=splits)

    def _trusted(self, splits: Splits | None) -> tuple[dict[str, Any], dict[str, tuple[Array, Array]]]:
        """The sets that this run was trained on, as far as can be known: what it recorded of them must fit."""
        if splits is None:
            return {}, {}
        images = {name: part for name, part in splits._asdict().items() if part is not None}
        try:
            sets = {name: examples(part, self.network, name) for name, part in images.items()}
        except DigitlabError:
            return {}, {}
        recorded = self.ending.get("sets", {}).get("train")
        if recorded is not None and recorded != digest(*sets["train"]):
            return {}, {}
        return images, sets

    @cached_property
    def _start(self) -> tuple[Trainer, bool]:
        """A fresh trainer of the settings, and whether its network has the first weights."""
        try:
            with np.errstate(over="ignore"):  # first weights may be too large for their type
                return self.config.trainer(), True
        except DigitlabError:  # the file that `start` names
            return replace(self.config, start="").trainer(), False

    @property
    def trainer(self) -> Trainer:
        """A trainer by the run's settings, with a network that has not been trained."""
        return self._start[0]

    @property
    def first(self) -> Network | None:
        """The network before training; None if it began with weights from a file that is gone."""
        if self._first is not None:
            return self._first
        trainer, known = self._start
        return trainer.network if known else None

    @cached_property
    def last(self) -> Network:
        """The network after the last epoch, from the checkpoint; the saved one where there is no checkpoint."""
        return self._last() if self._last else self.network

    @cached_property
    def diverged(self) -> bool:
        """Whether the loss was no longer finite."""
        return bool(self.ending.get("diverged", not self.rows))

    @cached_property
    def rate(self) -> float:
        """The learning rate that the schedule multiplies."""
        return rate_of(self.trainer.optimizer)

    @cached_property
    def probe(self) -> tuple[Array, Array] | None:
        """A few hundred training examples, evenly spread: x (N, ...) prepared for the first layer, and y (N, ...)."""
        if "train" not in self.sets:
            return None
        x, y = self.sets["train"]
        picked = np.unique(np.linspace(0, len(y) - 1, min(len(y), EXAMPLES)).astype(int))
        return to_numpy(self.network.prepare(x[picked])), to_numpy(y[picked])

    @cached_property
    def classes(self) -> int:
        """How many classes the outputs stand for; 0 where they are numbers."""
        y = self.sets["train"][1] if self.sets else None
        return self.network.shapes[-1][0] if classifies(self.network, y) else 0

    def labels(self, name: str) -> Array | None:
        """The labels (N,) of a set; None without that set, or without classes."""
        return to_numpy(as_labels(self.sets[name][1])) if name in self.sets and self.classes else None

    @cached_property
    def watched(self) -> str:
        """The set that the accuracy is of: "valid", or else "train"."""
        return "valid" if self.rows and self.rows[-1].get("valid_accuracy") is not None else "train"

    @cached_property
    def accuracy(self) -> float | None:
        """The accuracy of the last epoch; of the probe where the history has none."""
        row = self.rows[-1] if self.rows else {}
        recorded = row.get("valid_accuracy", row.get("train_accuracy"))
        if recorded is not None or not self.classes or self.probe is None:
            return recorded
        return float(np.mean(np.argmax(self.last.forward(self.probe[0])[0], axis=1) == as_labels(self.probe[1])))

    @cached_property
    def guess(self) -> float | None:
        """The accuracy of always answering the most frequent class of the watched set."""
        if (labels := self.labels(self.watched)) is not None:
            return float(np.bincount(labels).max() / len(labels))
        return 1 / self.classes if self.classes else None

    @cached_property
    def learned(self) -> float | None:
        """How far the accuracy has come from guessing (0) to all correct (1)."""
        if self.accuracy is None or self.guess is None:
            return None
        return learned_share(self.accuracy, self.guess)

    @cached_property
    def constant_loss(self) -> float | None:
        """The least loss that one answer for all inputs can have; None where it is not known."""
        weighted = self.trainer.weighs or self.trainer.class_weights or self.config.sample_weights
        if self.probe is None or weighted:
            return None  # weighted losses are on another scale
        if self.classes and len(np.unique(as_labels(self.probe[1]))) == 1:
            return None  # it would be 0
        return constant_loss(self.network, self.probe[1])

    @cached_property
    def poor(self) -> bool:
        """Whether the training went badly: it failed, or is far from what such networks learn."""
        if self.diverged or not self.rows:
            return True
        if self.learned is not None:
            return self.learned < WELL
        constant = self.constant_loss
        return constant is not None and self.rows[-1]["train_loss"] > HALF * constant

    @cached_property
    def worsened(self) -> bool:
        """Whether the validation loss has risen clearly above its least value."""
        losses = self.column("valid_loss")
        return bool(losses) and losses[-1] > RISEN * min(losses)

    @cached_property
    def steps(self) -> int:
        """Steps done in all."""
        n = len(self.sets["train"][1]) if self.sets else self.ending.get("sets", {}).get("train", {}).get("examples", 0)
        return len(self.rows) * math.ceil(n / self.config.batch_size)

    @cached_property
    def facts(self) -> Facts:
        """The same in the form that symptoms.py reads."""
        labels = self.labels(self.watched)
        return Facts(
            guess=self.guess,
            count=len(labels) if labels is not None else 0,
            accuracy=self.accuracy,
            loss=self.probe_loss,
            constant_loss=self.constant_loss,
        )

    @cached_property
    def probe_loss(self) -> float | None:
        """The loss of the last network on the probe."""
        if self.probe is None:
            return None
        return float(self.last.loss.forward(self.last.forward(self.probe[0])[0], self.probe[1])[0])

    @cached_property
    def guesses(self) -> Array | None:
        """The classes (N,) that the last network gives to the watched set; None without classes or data."""
        if self.watched not in self.sets or not self.classes:
            return None
        guesses: Array = np.argmax(predict(self.last, self.sets[self.watched][0]), axis=1)
        return guesses

    @cached_property
    def neighbours(self) -> tuple[Array, Array]:
        """Positions of some training examples, drawn at random, and those of the most similar one of some others."""
        return similar_pairs(self.sets["train"][0], np.random.default_rng(0))

    def agreement(self, shift: int = 0) -> float:
        """The share of training labels, moved by `shift` places, that the most similar example has, too."""
        labels = self.labels("train")
        assert labels is not None
        moved, (few, similar) = np.roll(labels, -shift), self.neighbours
        return float(np.mean(moved[few] == moved[similar]))

    @cached_property
    def first_errors(self) -> dict[str, float]:
        """The root mean square of ∂L/∂z of each layer with weights before training; {} where it is not known."""
        if self.first is None or self.probe is None:
            return {}
        return errors_by_layer(self.first, *(values[::FEWER] for values in self.probe))

    @property
    def class_names(self) -> Sequence[str]:
        """What the classes are called."""
        known = getattr(self.images.get("train"), "class_names", None) or self.network.class_names
        return known or [str(i) for i in range(self.classes)]

    def pictures(self, title: str, name: str, positions: Any, titles: Sequence[str]) -> Images | None:
        """Images of a set at these positions, each under its title; None where the examples are no images."""
        x = self.images[name].images if name in self.images else self.sets[name][0]
        if x.dtype != np.uint8 or x.ndim < 3:
            return None
        return Images(title, np.asarray(x[positions]), titles)

    def column(self, name: str) -> list[float]:
        """A column of the history, without the epochs that lack it."""
        return [row[name] for row in self.rows if row.get(name) is not None]
