"""What every operation does in a phase of training: kernels that choose by the operation's kind, made from the list.

Each ends in an abort at a kind that has no kernel here, or, where a phase is for some kinds only, in doing nothing.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from typing import Any

from digitlab.engine.fast.compiler.jit import COMPILED, covers
from digitlab.engine.fast.layout import AN_OPERATION
from digitlab.engine.fast.operations import OPERATIONS
from digitlab.engine.fast.ops.dispatch import dispatcher


def phase(name: str, *, optional: bool = False) -> Any:
    """A kernel (share, op, kind) that calls the operation's own kernel of this name."""
    kernels = {
        code: getattr(operation, name)
        for code, operation in OPERATIONS.items()
        if hasattr(operation, name) and covers(COMPILED, frozenset({operation.KERNEL_SET}))
    }
    return dispatcher(
        "share, op, code",
        {code: f"kernel_{code}(share, op)" for code in kernels},
        "pass" if optional else f"unknown(share.header, {AN_OPERATION}, code)",
        **{f"kernel_{code}": function for code, function in kernels.items()},
    )


forward, backward, step = phase("forward"), phase("backward"), phase("step")
begin, step_biases = phase("begin", optional=True), phase("step_biases", optional=True)
limit, finish = phase("limit", optional=True), phase("finish", optional=True)
error_to_delta = phase("error_to_delta", optional=True)
