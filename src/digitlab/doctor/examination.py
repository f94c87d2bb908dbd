"""The examination of a run."""

import os

import numpy as np

from digitlab.data import Splits
from digitlab.doctor.ailment import Finding
from digitlab.doctor.ailments import AILMENTS
from digitlab.doctor.case import Case


def examine(run: "str | os.PathLike[str] | Case", splits: Splits | None = None) -> list[Finding]:
    """What is wrong with a run, the likeliest cause first; [] for a healthy one.

    `examine("runs/003-784-30-10")` reads a run's folder and loads the data that its settings name, unless they are
    given. Raises ConfigError if the folder holds no run.
    """
    case = run if isinstance(run, Case) else Case.of_run(run, splits)
    with np.errstate(all="ignore"):
        found = [ailment.find(case) for ailment in AILMENTS]
    return [finding for finding in found if finding is not None]
