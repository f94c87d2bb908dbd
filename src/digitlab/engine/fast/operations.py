"""All kinds of operation: the files of ops/ that state `LAYERS`.

A file of ops/ that is an operation defines

    LAYERS           the readable layers that it stands for, its twins; () if others plan it
    plan(builder, i) writes the operation of layer i of a chain (PlanBuilder); False if it cannot take that layer
    FUSES            True: it stands for several layers at once, and is asked before others

    forward, backward    kernels (share, op), see layout.py: y from x, and ∂L/∂x from ∂L/∂y
    step                 updates a thread's share of the weights; for operations with weights

and where it needs them

    place(row, room, batch)   asks for memory that depends on the batch
    begin            a kernel that runs when the weights are new: before training, and before predictions
    step_biases      after all threads' steps
    limit            after all threads' steps, if norms are limited
    finish           at the end of a call
    error_to_delta   under Rashid's rule, when the errors have gone back through all weights

So adding a file is all that a new operation needs: planning, compilation and the fingerprints of twins find it here.
Each operation is compiled by itself when a network first needs it (compiler/load.py); the loops call its kernels by
their addresses.
"""

import pkgutil
from importlib import import_module
from types import ModuleType

from digitlab.engine.fast import ops
from digitlab.nn.containers import Sequential
from digitlab.nn.network import Layer
from digitlab.nn.reshaping import Flatten, Reshape

UNCHANGED = (Flatten, Reshape)  # layers that move no number
UNFOLDED = (Sequential,)  # those whose layers are planned in their place
_MODULES = [import_module(f"{ops.__name__}.{info.name}") for info in pkgutil.iter_modules(ops.__path__)]
# By kind: the number of an operation is its place here, from 1, so that 0 is none
OPERATIONS: dict[int, ModuleType] = dict(
    enumerate(sorted((m for m in _MODULES if hasattr(m, "LAYERS")), key=lambda module: module.__name__), start=1)
)
NAMES = {code: module.__name__.rpartition(".")[2] for code, module in OPERATIONS.items()}
CODES = {name: code for code, name in NAMES.items()}
WITH_KERNELS = [name for name, code in CODES.items() if hasattr(OPERATIONS[code], "forward")]  # others only plan
PLANNED = sorted((m for m in OPERATIONS.values() if hasattr(m, "plan")), key=lambda m: not getattr(m, "FUSES", False))
LAYERS: tuple[type[Layer], ...] = tuple(
    dict.fromkeys([*UNCHANGED, *UNFOLDED, *(cls for m in PLANNED for cls in m.LAYERS)])
)
