"""What went wrong in a training: `examine("runs/003-784-30-10")` reads a run's folder and names the ailments it finds.

ailment.py        what an ailment is, and a finding with its evidence: a number and a picture
ailments/         one file for each
case.py           what is known of a run: settings, history, networks, data
training_case.py  the same of a training that has just ended, without a folder
measures.py       what the ailments measure; symptoms.py is what they see in the history
examination.py    the examination
callback.py       the examination at the end of a training
fix.py            the settings that a finding advises

The names are loaded when they are first used: a training that goes well needs callback.py alone.
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
