"""Whether this process may use the processor's matrix unit (Intel AMX); Linux grants it on request."""

import ctypes
import platform
from functools import cache

from digitlab.engine.fast.compiler.jit import UNIT_FEATURES, processor_has

_ARCH_PRCTL, _REQUEST, _TILES = 158, 0x1023, 18  # a system call, ARCH_REQ_XCOMP_PERM, and the feature XTILEDATA


@cache
def has_matrix_unit() -> bool:
    """Whether the processor has one and the system lets this process use it, also in threads that start later."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64") or not processor_has(*UNIT_FEATURES):
        return False
    return bool(ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST, _TILES) == 0)
