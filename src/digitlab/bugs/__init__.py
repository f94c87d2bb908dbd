"""A zoo of bugs: real mistakes of such programs, each a small patch of one readable network (network.py).

bug.py    what a bug is
zoo/      one file for each
tools.py  what finds them: gradcheck, explain, look, doctor
check.py  whether a program is free of them
"""

from digitlab.bugs.bug import Bug as Bug
from digitlab.bugs.check import Report as Report
from digitlab.bugs.check import check_program as check_program
from digitlab.bugs.zoo import BUGS as BUGS
