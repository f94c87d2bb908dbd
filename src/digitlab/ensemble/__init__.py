"""Several networks as one: made differently, combined, and measured by what the combination gains.

combining.py  networks in, one network out, that every command and `load_network` take like any other
making.py     settings for members that differ: seeds, bagging, shares, specialists, parts of the image, snapshots
report.py     accuracy of the members and of the whole, diversity, which errors remain
"""

from digitlab.ensemble.combining import WAYS, combine, members
from digitlab.ensemble.making import KINDS, Snapshots, member_configs, snapshot_networks
from digitlab.ensemble.report import Diversity, Gain, diversity, doubts, gain

__all__ = [
    "KINDS",
    "WAYS",
    "Diversity",
    "Gain",
    "Snapshots",
    "combine",
    "diversity",
    "doubts",
    "gain",
    "member_configs",
    "members",
    "snapshot_networks",
]
