"""Net.train: everything that settings/training.py declares, and the books' SGD."""

import dataclasses
import inspect
import numbers
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.doctor.callback import Diagnose
from digitlab.errors import ConfigError, not_among
from digitlab.nn.chains import mlp
from digitlab.nn.describe import build
from digitlab.nn.network import Network
from digitlab.notices import TrainingWarning
from digitlab.optim import Optimizer
from digitlab.settings.schema import settings_of, with_settings
from digitlab.settings.training import ShortSettings, TrainingSettings
from digitlab.synonyms import meant
from digitlab.train import Callback, History, PlainLines, RunConfig
from digitlab.train.callbacks import checked_callbacks
from digitlab.train.columns import score
from digitlab.train.config import with_setting
from digitlab.train.state import Arrays, Best, copied
from digitlab.train.trainer import Trainer
from digitlab.viz.notebook import LiveTable, epoch_display

# What the network, the data and the other arguments of `train` decide.
OWN = ("network", "data", "start", "sample_weights", "epochs", "seed", "learning_rate")
SHORT = settings_of(ShortSettings)
SETTINGS = {name: s for name, s in (settings_of(TrainingSettings) | SHORT).items() if name not in OWN}


class Training:
    """What a Net does with examples: learn from them."""

    network: Network
    history: History
    usual: dict[str, Any]  # the training settings that go with a network of the zoo
    seed: int
    last: "tuple[Arrays, Arrays] | None"  # the weights that the last training left, and those of its last epoch

    @with_settings(TrainingSettings, ShortSettings, only=SETTINGS)
    def train(
        self,
        data: Any = None,
        learning_rate: float | None = None,
        *,
        epochs: int = 1,
        valid: Any = None,
        test: Any = None,
        sample_weights: Any = None,
        callbacks: Sequence[Callback] = (),
        verbose: int = 1,
        **settings: Any,
    ) -> History:
        """Train on Digits, a pair (x, y), a list of (x, y) examples or any other container (docs/data.md).

        `net.train(train, 0.5, epochs=30, l2=5, optimizer="adam", valid=valid)` prints a line per epoch, and in a
        notebook it shows curves and a table that are updated; with `verbose=0` it prints nothing. Training continues
        from the present weights. Returns the history of this call; `net.history` holds that of all calls.

        With a validation set, the Net holds the best network of all calls so far, and the next call continues from
        the weights of the last epoch. Without one it holds the weights of the last epoch (`keep` chooses). The test
        set is only measured. `sample_weights` (N,) say how much each example counts in the training loss.
        Without a `learning_rate`, the default for loss, activation, optimizer and batch size is used: 3.0 for
        Net([784, 30, 10]). The other settings are those of `digitlab train` and of a settings file:

        {settings}

        Warns (TrainingWarning) if the training went badly, with what the doctor names first. Raises ConfigError for
        unknown or unfit settings, DivergenceError if the loss is no longer finite.
        """
        config = _config(self.network, self.usual, learning_rate, settings, seed=self.seed + len(self.history))
        if "keep" not in settings:
            config = dataclasses.replace(config, keep="last" if valid is None else "best")
        diagnose, earlier = Diagnose(), EarlierBest(self.last if len(self.history) else None)
        after: list[Callback] = [diagnose]
        callbacks = checked_callbacks(callbacks)
        if verbose and not any(isinstance(callback, PlainLines | LiveTable) for callback in callbacks):
            after.append(epoch_display())
        before = [earlier] if len(self.history) else []
        trainer = config.trainer([*before, *callbacks, *after], network=self.network)
        try:
            trainer.fit(data, valid, test, epochs=epochs, sample_weights=sample_weights)
        finally:  # the epochs before an error, too: the network holds what was learned in them
            first = len(self.history)
            self.history.rows += [{**row, "epoch": first + row["epoch"]} for row in trainer.history]
            self.last = (copied(self.network), trainer.last) if trainer.last is not None else None
        if trainer.interrupted:
            raise KeyboardInterrupt  # with what was learned until then kept
        if diagnose.found is not None:
            warnings.warn(str(diagnose.found), TrainingWarning, stacklevel=2)
        return trainer.history

    def SGD(
        self,
        training_data: Any,
        epochs: int,
        mini_batch_size: int,
        eta: float,
        lmbda: Any = 0.0,
        evaluation_data: Any = None,
        *,
        test_data: Any = None,
        early_stopping_n: int = 0,
        monitor_evaluation_cost: bool = False,
        monitor_evaluation_accuracy: bool = False,
        monitor_training_cost: bool = False,
        monitor_training_accuracy: bool = False,
    ) -> History:
        """The call of Nielsen's network.py and network2.py, with their names and order of arguments.

        The same as `train(training_data, eta, epochs=epochs, batch_size=mini_batch_size, l2=lmbda,
        valid=evaluation_data, test=test_data, early_stop=early_stopping_n, evaluate_train=…, keep="last")`.
        The four lists that network2 returns are columns of the history: "valid_loss", "valid_accuracy", "train_loss",
        "train_accuracy". Accuracies are shares and not counts; losses leave the regularization out.
        """
        if not isinstance(lmbda, numbers.Real):  # network.py has the test data in fifth place
            lmbda, test_data = 0.0, lmbda
        return self.train(
            training_data,
            eta,
            epochs=epochs,
            batch_size=mini_batch_size,
            l2=lmbda or None,
            valid=evaluation_data,
            test=test_data,
            early_stop=early_stopping_n,
            evaluate_train=monitor_training_cost or monitor_training_accuracy,
            keep="last",
        )


class EarlierBest(Callback):
    """The network before this training competes with its epochs for the best, on the same validation or test set.

    `last` holds the weights that the training before left, and those of its last epoch, from which this one continues
    unless the network was changed in between.
    """

    def __init__(self, last: "tuple[Arrays, Arrays] | None") -> None:
        self.last = last

    def on_fit_start(self, trainer: Trainer) -> None:
        """Evaluate the network as the best so far; if it is unchanged, continue from the last epoch's weights."""
        part, _, measure = trainer.monitor.partition("_")
        if trainer.keep != "best" or part not in ("valid", "test"):
            return
        present = copied(trainer.network)
        found = getattr(trainer.evaluate(trainer.sets[part]), measure)
        trainer.best = Best(0, score(trainer.monitor, found), present)
        if self.last is not None and all(np.array_equal(present[name], left) for name, left in self.last[0].items()):
            trainer.network.load_state(self.last[1])


def _config(
    network: Network, usual: Mapping[str, Any], learning_rate: float | None, given: Mapping[str, Any], *, seed: int
) -> RunConfig:
    """The settings of one call of `train`, over those that go with the network. Raises ConfigError."""
    table = dict(usual)
    for name, value in given.items():
        if name not in SETTINGS:
            raise ConfigError(_unknown(name))
        if value is None:
            continue
        if name in SHORT:
            SHORT[name].check(value)
        table = with_setting(table, name, getattr(value, "spec", value) if name == "augment" else value)
    optimizer = build(Optimizer, table.get("optimizer", "sgd"))
    if learning_rate is not None:
        SHORT["learning_rate"].check(learning_rate)
        optimizer = dataclasses.replace(optimizer, learning_rate=float(learning_rate))
    elif usual and {"batch_size", "gradient"} & given.keys() and "optimizer" not in given:
        optimizer = dataclasses.replace(optimizer, learning_rate=None)  # the rate of the zoo goes with its batch size
    return RunConfig(**{**table, "network": network, "optimizer": optimizer, "seed": seed})


def _unknown(name: str) -> str:
    """What to say of an argument that `train` does not have."""
    arguments = [*inspect.signature(Training.train).parameters][1:]
    made = inspect.signature(mlp).parameters
    if name in made or (meant(name, made) and not meant(name, arguments)):
        return f"train has no setting {name!r}; it belongs to the network: Net(sizes, {meant(name, made) or name}=...)"
    return f"train has no setting {not_among(name, arguments)}"
