"""What a kernel does with a code that it does not know: it says so in the job, and the training stops.

Every choice between kernels ends in `else: unknown(...)`. A code that is missing from one of them, after something new
was added, so ends the training before its first step, and never trains to wrong numbers.
"""

# mypy: ignore-errors

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import UNKNOWN, UNKNOWN_CODE


@kernel()
def unknown(job, what, code):
    """Note that there is no kernel for `code`; `what` is AN_OPERATION, A_LOSS ... (layout.py)."""
    job[UNKNOWN], job[UNKNOWN_CODE] = what, code
