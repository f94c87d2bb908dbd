"""The training loop: epochs over shuffled batches, evaluation, the best parameters kept, and a state to resume from."""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext, suppress
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.data.augment import Augmentation
from digitlab.engine.base import Engine
from digitlab.engine.select import LIBRARIES, make_predictor, select_engine
from digitlab.engine.threads import one_blas_thread, require_one_blas_thread
from digitlab.errors import ConfigError, DivergenceError, EngineError, not_among
from digitlab.gradients import Gradient
from digitlab.nn.describe import build
from digitlab.nn.examples import examples
from digitlab.nn.network import Network
from digitlab.optim import SGD, ConstantRate, Optimizer, Position, Schedule
from digitlab.optim.regularizers import Regularizer
from digitlab.settings.schema import check_settings, settings_of, with_settings
from digitlab.settings.training import TrainingSettings
from digitlab.train import columns
from digitlab.train.callbacks import Callback, checked_callbacks
from digitlab.train.default_rate import default_learning_rate, rate_of, settled
from digitlab.train.evaluation import Evaluation, as_network, classifies, measure
from digitlab.train.fresh import FreshImages
from digitlab.train.history import History, Row
from digitlab.train.state import Arrays, Best, EpochStart, copied
from digitlab.train.steps import check_smallest_batch, divergence_of, observed_gradient, take_steps
from digitlab.train.weighting import checked_class_weights, example_weights

TRAINER = {name: s for name, s in settings_of(TrainingSettings).items() if s.trainer}
# The others are built below
PLAIN = (
    "batch_size",
    "shuffle",
    "engine",
    "device",
    "keep",
    "evaluate_train",
    "mixed_precision",
    "deterministic",
    "seed",
)


@with_settings(TrainingSettings, only=TRAINER)
class Trainer:
    """Trains a Network or the network of a Net; `Trainer(network, SGD(3.0)).fit(train, valid, epochs=30)`.

    The other arguments are settings, declared with bounds and help in settings/training.py. Where a settings file has
    text, the Trainer takes an object, or None for "none": `augment` an Augmentation, `monitor` a column (None: the
    best there is, valid_accuracy first), `class_weights` also {class: weight} or a list. Optimizer, schedule,
    regularizers and gradient may be given by name. The arguments are written out once more here, since editors do not
    see generated ones; a setting without an argument here is taken by its name and becomes an attribute.

    {settings}

    callbacks are called in this order (callbacks.py). The seed is not the network's, which has its own.
    """

    @checked
    def __init__(
        self,
        network: Any,
        optimizer: Optimizer | str | None = None,
        *,
        schedule: Schedule | str | None = None,
        regularizers: Sequence[Regularizer | str] = (),
        batch_size: int = 10,
        augment: Augmentation | None = None,
        class_weights: Any = None,
        shuffle: bool = True,
        engine: str = "auto",
        device: str = "cpu",
        gradient: Gradient | str | None = None,
        monitor: str | None = None,
        keep: str = "best",
        evaluate_train: bool = False,
        mixed_precision: bool = False,
        deterministic: bool = False,
        callbacks: Sequence[Callback] = (),
        seed: int = 0,
        **settings: Any,
    ) -> None:
        given = {name: value for name, value in locals().items() if name in PLAIN}
        further = [name for name in TRAINER if name not in Trainer.__init__.__annotations__]
        if unknown := [name for name in settings if name not in further]:
            raise ConfigError(f"Trainer has no argument {not_among(unknown[0], TRAINER)}")
        check_settings(TrainingSettings, {**given, **settings})
        self.__dict__.update({name: settings.get(name, TRAINER[name].default) for name in further})
        if deterministic and engine in LIBRARIES:
            raise EngineError(f"deterministic: the {engine} engine promises no bits; choose fast, reference or pure")
        self.network: Network = as_network(network)
        self.gradient = build(Gradient, gradient) if gradient is not None else None
        chosen = build(Optimizer, optimizer) if optimizer is not None else SGD()
        self.optimizer = settled(chosen, self.network, batch_size=batch_size, gradient=self.gradient)
        self.schedule = build(Schedule, schedule) if schedule is not None else ConstantRate()
        self.regularizers = tuple(build(Regularizer, regularizer) for regularizer in regularizers)
        self.batch_size = batch_size
        self.augment, self.augment_seed = augment, seed
        self.class_weights = checked_class_weights(class_weights)
        self.shuffle = shuffle
        self.engine_name, self.engine_reason = engine, ""
        self.device = device
        self.monitor = monitor or ""
        self.keep = keep
        self.evaluate_train = evaluate_train
        self.mixed_precision = mixed_precision
        self.deterministic = deterministic
        self.callbacks = checked_callbacks(callbacks)
        self.rng = np.random.default_rng(seed)
        self.history = History()
        self.best: Best | None = None
        self.last: Arrays | None = None  # the last epoch's parameters, while the network holds the best ones
        self.epochs = 0
        self.sets: dict[str, tuple[Any, Any]] = {}  # "train" and what is evaluated, for callbacks, while `fit` runs
        self.data_before: dict[str, Any] | None = None  # the digest of the set that a resumed training learned from
        self.stop_reason: str | None = None
        self.interrupted = False
        self.diverged = False
        self.optimizer_state: dict[str, dict[str, Any]] | None = None
        self._began: EpochStart | None = None  # the epoch under way
        self._started: list[Callback] = []  # those to notify of the end
        self._weights: Any = None  # how much each training example counts; None: all alike
        self._fast = False  # whether the compiled engine trains
        self._logits_of: Callable[[Any], Any] | None = None  # the engine's own way to logits, for evaluation
        self._finite: Arrays | None = None  # the latest parameters known to give a finite loss

    def __repr__(self) -> str:
        done = f"{len(self.history)} epochs done"
        return f"Trainer({self.network!r}, {self.optimizer!r}, batch_size={self.batch_size}): {done}"

    def fit(
        self, train: Any, valid: Any = None, test: Any = None, *, epochs: int = 30, sample_weights: Any = None
    ) -> History:
        """Train until `epochs` epochs are done in all, those before a resume included, and return the history.

        Each set is a Digits, a pair (x, y) or another container of examples (nn/examples.py). The validation set
        chooses the best epoch; the test set, if given, is only watched. Ctrl-C ends training cleanly (`interrupted`).
        `sample_weights` (N,) say how much each training example counts in the loss; None: every one counts 1. A resumed
        training needs them again.
        Raises DivergenceError if the loss is no longer finite, with finite parameters put back (`held` says which);
        DataError or ShapeError for unfit examples.
        """
        settings_of(TrainingSettings)["epochs"].check(epochs)
        x, y = examples(train, self.network, "training set", training=True)
        watched = {
            name: examples(data, self.network, what)
            for name, data, what in (
                ("train", (x, y) if self.evaluate_train else None, "training set"),
                ("valid", valid, "validation set"),
                ("test", test, "test set"),
            )
            if data is not None
        }
        fresh = FreshImages(x, self.augment, self.augment_seed, epochs) if self.augment is not None else None
        names = tuple(getattr(train, "class_names", ()))
        if len(names) == math.prod(self.network.shapes[-1]) and names != tuple(map(str, range(len(names)))):
            self.network.class_names = names
        weights = example_weights(self.class_weights, sample_weights, y, self.network, names)
        self._prepare(x, y, watched, epochs)
        self.sets = {"train": (x, y), **watched}
        engine, self.engine_reason = select_engine(
            self.engine_name,
            self.network,
            self.optimizer,
            self.regularizers,
            examples=x.shape[0],
            gradient=observed_gradient(self),
            rng=self.rng,
            device=self.device,
            mixed_precision=self.mixed_precision,
        )
        if self.deterministic and engine.name != "fast":
            require_one_blas_thread()
        if self.optimizer_state is not None:
            engine.load_state(self.optimizer_state)
        self._fast = engine.name == "fast"
        self._logits_of = self.logits_of(self.network)
        x, y = engine.place(x), engine.place(y)
        self._weights = engine.place(weights) if weights is not None else None
        watched = {name: (engine.place(a), engine.place(b)) for name, (a, b) in watched.items()}
        divergence: DivergenceError | None = None
        try:
            # An overflow is reported as a DivergenceError, not as a warning.
            with (
                one_blas_thread() if self.deterministic else nullcontext(),
                np.errstate(over="ignore", invalid="ignore"),
                fresh or nullcontext(),
            ):
                for callback in self.callbacks:
                    callback.on_fit_start(self)
                    self._started.append(callback)
                while self.stop_reason is None and self.epoch <= self.epochs:
                    self._epoch(engine, x, y, watched, fresh)
        except KeyboardInterrupt:
            self.interrupted = True
            self.stop(f"interrupted in epoch {self.epoch}")
            if self._began is not None:
                self._began.restore(self)
        except DivergenceError as error:
            divergence, self.diverged = error, True
            self.stop(str(error))
        except BaseException as error:  # of a callback: a full disk, a mistake in it
            self.stop(f"{type(error).__name__} in epoch {self.epoch}")
            with suppress(Exception):  # the callbacks can save and tidy up; what one says now is not the cause
                self._finish()
            raise
        self._finish()
        if divergence is not None:
            raise divergence
        return self.history

    def evaluate(self, data: Any, what: str = "test set") -> Evaluation:
        """Loss and accuracy of the network as it is now on another set, computed by the engine that trained it."""
        with one_blas_thread() if self.deterministic else nullcontext():
            return measure(self.network, *examples(data, self.network, what), logits_of=self._logits_of)

    def logits_of(self, network: Network) -> Callable[[Any], Any]:
        """The way to a network's logits by the engine that trains here, whatever else is compiled."""
        return make_predictor(network, logits=True) if self._fast else lambda x: network.forward(x)[0]

    def stop(self, reason: str) -> None:
        """End training after this epoch; the first reason given is kept."""
        self.stop_reason = self.stop_reason or reason

    def best_network(self) -> Network:
        """A copy of the network with the best parameters so far, or as it is if nothing was monitored."""
        network = self.network.copy()
        if self.best is not None:
            network.load_state(self.best.arrays)
        return network

    @property
    def learning_rate(self) -> float:
        """η of the optimizer, before the schedule's factor. A new value holds from the next epoch on."""
        return rate_of(self.optimizer)

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        self.optimizer = dataclasses.replace(self.optimizer, learning_rate=float(rate))

    @property
    def weighs(self) -> bool:
        """Whether some training examples count more than others in the loss."""
        return self._weights is not None

    @property
    def default_rate(self) -> float:
        """The learning rate that this training would have had by default."""
        return default_learning_rate(self.optimizer, self.network, batch_size=self.batch_size, gradient=self.gradient)

    @property
    def epoch(self) -> int:
        """The epoch under way, from 1."""
        return len(self.history) + 1

    @property
    def scores(self) -> list[float]:
        """The monitored column, turned so that larger is better."""
        return [self._score(row) for row in self.history]

    def _score(self, row: Row) -> float:
        return columns.score(self.monitor, float(row[self.monitor]))

    def _epoch(
        self, engine: Engine, x: Any, y: Any, watched: dict[str, tuple[Any, Any]], fresh: FreshImages | None
    ) -> None:
        n = x.shape[0]
        steps = math.ceil(n / self.batch_size)
        self._began = EpochStart(self)
        for callback in self.callbacks:
            callback.on_epoch_start(self)
        order = self.rng.permutation(n) if self.shuffle else np.arange(n)
        position = Position(steps, self.epochs, self.scores)
        first = len(self.history) * steps
        rates = rate_of(self.optimizer) * self.schedule.factors(np.arange(first, first + steps), position)
        began = time.perf_counter()
        if fresh is not None:
            x = engine.place(fresh.of(self.epoch))
        waited = time.perf_counter() - began
        losses, seconds = take_steps(self, engine, x, y, order, rates)

        began = time.perf_counter()
        sizes = np.full(steps, self.batch_size)
        sizes[-1] = n - (steps - 1) * self.batch_size
        row: Row = {"epoch": self.epoch, "train_loss": float(losses @ sizes / n)}
        for name, (a, b) in watched.items():
            loss, accuracy = measure(self.network, a, b, logits_of=self._logits_of)
            row[f"{name}_loss"] = loss
            if accuracy is not None:
                row[f"{name}_accuracy"] = accuracy
        if not all(math.isfinite(value) for value in row.values()):
            raise divergence_of(self, steps, losses, rates[-1], f"the weights of the end of epoch {self.epoch}")
        previous = self.history[-1][self.monitor] if len(self.history) else None
        row["change"] = row[self.monitor] - previous if previous is not None else None
        row["learning_rate"] = float(rates[-1])
        row["seconds"] = seconds + waited  # training waits for its images: that is a part of what it takes
        row["evaluation_seconds"] = time.perf_counter() - began
        row["total_seconds"] = sum(r["seconds"] + r["evaluation_seconds"] for r in [*self.history, row])
        row["seconds_left"] = row["total_seconds"] / self.epoch * (self.epochs - self.epoch)
        state, best, score = engine.state(), self.best, self._score(row)
        if best is None or score > best.score:
            best = Best(row["epoch"], score, copied(self.network))
        rows = [*self.history, row]
        # One after the other without a call between, where Ctrl-C could come: the epoch is done, or it is not.
        self.optimizer_state = state
        self.best = best
        self.history.rows = rows
        if reason := self.schedule.finished(self.scores):
            self.stop(reason)
        for callback in self.callbacks:
            callback.on_epoch_end(self, row)

    def _prepare(self, x: Any, y: Any, watched: dict[str, Any], epochs: int) -> None:
        self.monitor = columns.monitored(self.monitor, watched, classes=classifies(self.network, y))
        if any(layer.sees_batch for _, layer in self.network.named_layers()):
            check_smallest_batch(self, x)
        if any(self.monitor not in row for row in self.history):
            raise ConfigError(f"monitor: the earlier epochs have no {self.monitor!r}; continue with the same sets")
        self.epochs = epochs
        self.stop_reason, self.interrupted, self.diverged = None, False, False
        if self.last is not None:
            self.network.load_state(self.last)
            self.last = None
        if reason := self.schedule.finished(self.scores):
            self.stop(reason)

    def _finish(self) -> None:
        self.network.to("numpy")
        if self.keep == "best" and self.best is not None:
            self.last = copied(self.network)
            self.network.load_state(self.best.arrays)
        with ExitStack() as ends:  # all of them run; an error of one is raised afterwards
            ends.callback(self.sets.clear)
            while self._started:
                ends.callback(self._started.pop().on_fit_end, self)
