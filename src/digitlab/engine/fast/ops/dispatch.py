"""Kernels that choose between kernels by a code, and report a code that has none.

Every choice ends in `unknown`: a missing code ends the training before its first step, so it never computes wrong
numbers.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import UNKNOWN, UNKNOWN_CODE


@kernel()
def unknown(header, what, code):
    """Note that there is no kernel for `code`; `what` is AN_OPERATION, A_LOSS ... (layout.py). Returns a number."""
    header[UNKNOWN], header[UNKNOWN_CODE] = what, code
    return 0.0


def dispatcher(arguments: str, cases: dict[int, str], otherwise: str, **names: Any) -> Any:
    """A kernel of `arguments`, of which one is named `code`: it runs that case's statement, or else `otherwise`.

    `names` are what the statements mention besides arguments and `unknown`.
    """
    lines = [f"def dispatch({arguments}):"]
    for code, statement in cases.items():
        lines += [f" {'elif' if len(lines) > 1 else 'if'} code == {code}:", f"  {statement}"]
    lines += [" else:" if cases else " if True:", f"  {otherwise}"]
    namespace = {"__name__": __name__, "unknown": unknown, **names}
    exec("\n".join(lines), namespace)
    return kernel()(namespace["dispatch"])
