"""What every operation does in a phase of training: kernels that choose by the operation's kind, made from the list.

Each ends in an abort at a kind that has no kernel here, or, where a phase is for some kinds only, in doing nothing.

Where two processes compile (compiler/compile.py), the second takes the kernels of all operations but HERE, and the
first calls those by their symbols.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import os
from types import ModuleType
from typing import Any

from digitlab.engine.fast.compiler.jit import COMPILED, FIRST, PART, covers
from digitlab.engine.fast.layout import AN_OPERATION
from digitlab.engine.fast.operations import OPERATIONS
from digitlab.engine.fast.ops.dispatch import dispatcher
from digitlab.engine.fast.simd import external

HERE = {"activation", "dropout", "sparse_dense", "pool", "padding"}  # half of the work, with the loops around them
ALWAYS = ("forward", "backward", "step")  # phases
OPTIONAL = ("begin", "step_biases", "limit", "finish", "error_to_delta")


def _name(operation: ModuleType) -> str:
    return operation.__name__.rpartition(".")[2]


def _compiled(name: str) -> dict[int, ModuleType]:
    """The operations with a kernel of this name that are compiled, by their codes."""
    return {
        code: operation
        for code, operation in OPERATIONS.items()
        if hasattr(operation, name) and covers(COMPILED, frozenset({operation.KERNEL_SET}))
    }


def elsewhere() -> dict[Any, str]:
    """The kernels that the second process compiles, and the symbol of each: an operation and a phase that it is for."""
    symbols: dict[Any, str] = {}
    for name in ALWAYS + OPTIONAL:
        for operation in _compiled(name).values():
            if _name(operation) not in HERE:
                symbols.setdefault(getattr(operation, name), f"{_name(operation)}.{name}")
    return symbols


_symbols = elsewhere() if os.environ.get(PART) == FIRST else {}


def phase(name: str) -> Any:
    """A kernel (share, op, kind) that calls the operation's own kernel of this name."""
    kernels = {code: getattr(operation, name) for code, operation in _compiled(name).items()}
    kernels = {code: external(_symbols[k]) if k in _symbols else k for code, k in kernels.items()}
    return dispatcher(
        "share, op, code",
        {code: f"kernel_{code}(share, op)" for code in kernels},
        "pass" if name in OPTIONAL else f"unknown(share.header, {AN_OPERATION}, code)",
        **{f"kernel_{code}": function for code, function in kernels.items()},
    )


forward, backward, step = (phase(name) for name in ALWAYS)
begin, step_biases, limit, finish, error_to_delta = (phase(name) for name in OPTIONAL)
