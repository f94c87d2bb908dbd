"""The examination of a run."""

import os
from collections.abc import Iterator

import numpy as np

from digitlab.arguments import checked
from digitlab.data import Splits
from digitlab.doctor.ailment import Finding
from digitlab.doctor.ailments import AILMENTS
from digitlab.doctor.ailments.stopped_too_early import StoppedTooEarly
from digitlab.doctor.case import Case


@checked
def examine(run: "str | os.PathLike[str] | Case", splits: Splits | None = None) -> list[Finding]:
    """What is wrong with a run, the likeliest cause first; [] for a healthy one.

    `examine("runs/003-784-30-10")` reads a run's folder and loads the data that its settings name, unless they are
    given. Raises ConfigError if the folder holds no run.
    """
    return list(_findings(run if isinstance(run, Case) else Case.of_run(run, splits)))


def first_finding(case: Case) -> Finding | None:
    """What every training says at its end: the likeliest cause if it looks ill; None for a healthy one.

    That epochs were few is said only where early stopping ended them: whoever asks for two epochs knows it.
    """
    if not (case.poor or case.worsened or case.exact):
        return None
    few = StoppedTooEarly().name
    return next((found for found in _findings(case) if found.ailment != few or "early_stop" in found.changes), None)


def _findings(case: Case) -> Iterator[Finding]:
    for ailment in AILMENTS:
        with np.errstate(all="ignore"):
            finding = ailment.find(case)
        if finding is not None:
            yield finding
