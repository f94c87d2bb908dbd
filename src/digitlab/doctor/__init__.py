"""What went wrong in a training: `examine("runs/003-784-30-10")` reads a run's folder and names the ailments it finds.

ailment.py      what an ailment is, and a finding with its evidence: a number and a picture
ailments/       one file for each
case.py         what is known of a run: settings, history, networks, data
measures.py     what the ailments measure on it
examination.py  the examination
fix.py          the settings that a finding advises
diagnosis.py    the same in short, for trainings without a folder: why nothing was learned, by symptoms.py and probe.py

The names are loaded when they are first used: a training needs probe.py alone.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitlab.doctor.ailment import Ailment as Ailment
    from digitlab.doctor.ailment import Finding as Finding
    from digitlab.doctor.ailments import AILMENTS as AILMENTS
    from digitlab.doctor.case import Case as Case
    from digitlab.doctor.examination import examine as examine
    from digitlab.doctor.fix import fixed_settings as fixed_settings

_HOMES = {
    "AILMENTS": "ailments",
    "Ailment": "ailment",
    "Case": "case",
    "Finding": "ailment",
    "examine": "examination",
    "fixed_settings": "fix",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'digitlab.doctor' has no attribute {name!r}")
    return getattr(importlib.import_module(f"digitlab.doctor.{_HOMES[name]}"), name)
