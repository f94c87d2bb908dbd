"""The doctor at the end of a training: a callback, for trainings with a run's folder or without."""

from typing import TYPE_CHECKING

import numpy as np

from digitlab.doctor.ailment import Diagnosis
from digitlab.train.callbacks import Callback
from digitlab.train.state import Arrays, copied

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer


class Diagnose(Callback):
    """Keeps what the doctor names first as `found`, or None; of a training that diverged its error says enough.

    `exact` says that the targets are exact values of a function of one number, so that all of it can be learned.
    """

    def __init__(self, *, exact: bool = False) -> None:
        self.exact = exact
        self.found: Diagnosis | None = None
        self._first: Arrays | None = None

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Keep the weights before training, which a resumed training no longer has."""
        self._first = None if len(trainer.history) else copied(trainer.network)

    def on_fit_end(self, trainer: "Trainer") -> None:
        self.found = None
        if not trainer.diverged and len(trainer.history) and "train" in trainer.sets:
            from digitlab.doctor.examination import first_finding
            from digitlab.doctor.training_case import TrainingCase

            with np.errstate(all="ignore"):
                finding = first_finding(TrainingCase(trainer, self._first, exact=self.exact))
            self.found = finding.diagnosis if finding is not None else None
        self._first = None
