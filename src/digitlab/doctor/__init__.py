"""What went wrong in a training: `examine("runs/003-784-30-10")` reads a run's folder and names the ailments it finds.

ailment.py     what an ailment is, and a finding with its evidence: a number and a picture
ailments/      one file for each
case.py        what is known of a run: settings, history, networks, data
measures.py    what the ailments measure on it
examine.py     the examination
fix.py         the settings that a finding advises
"""

from digitlab.doctor.ailment import Ailment as Ailment
from digitlab.doctor.ailment import Finding as Finding
from digitlab.doctor.ailments import AILMENTS as AILMENTS
from digitlab.doctor.case import Case as Case
from digitlab.doctor.examine import examine as examine
from digitlab.doctor.fix import fixed_settings as fixed_settings
