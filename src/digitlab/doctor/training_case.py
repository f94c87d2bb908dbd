"""A training that has just ended, seen by the doctor: its sets are still there, and it needs no folder."""

from functools import cached_property

from digitlab.doctor.case import Case
from digitlab.nn.io.description import describe_network
from digitlab.nn.network import Network
from digitlab.train.callbacks import EarlyStopping
from digitlab.train.config import RunConfig
from digitlab.train.state import Arrays
from digitlab.train.trainer import Trainer


class TrainingCase(Case):
    """What a Trainer knows at the end of `fit`. `first` holds the weights before training, None where it was resumed.

    `exact` says that the targets are exact values of a function of one number, so that all of it can be learned.
    """

    def __init__(self, trainer: Trainer, first: Arrays | None, *, exact: bool = False) -> None:
        self._start, self._first_weights, self.exact = (trainer, False), first, exact
        self.rows, self.network, self.splits, self.images = trainer.history.rows, trainer.network, None, {}
        self.sets = dict(trainer.sets)
        self.ending = {"diverged": trainer.diverged, "stop_reason": trainer.stop_reason or ""}

    @cached_property
    def config(self) -> RunConfig:  # type: ignore[override]
        """The trainer's settings, as far as the ailments ask for them; "" and 0 for what it lacks."""
        trainer = self.trainer
        same = ("optimizer", "schedule", "regularizers", "batch_size", "shuffle", "monitor", "epochs")
        return RunConfig(
            network=describe_network(self.network),
            early_stop=min((c.patience for c in trainer.callbacks if isinstance(c, EarlyStopping)), default=0),
            class_weights=trainer.class_weights or "",
            **{name: getattr(trainer, name) for name in same},
        )

    @cached_property
    def first(self) -> Network | None:
        """The network before training; None if the training was resumed."""
        return self._with(self._first_weights) if self._first_weights is not None else None

    @cached_property
    def last(self) -> Network:
        """The network after the last epoch."""
        return self._with(self.trainer.last) if self.trainer.last is not None else self.network

    def _with(self, weights: Arrays) -> Network:
        network = self.network.copy()
        network.load_state(weights)
        return network
