"""A parameter of a layer that runs as readable code: the update by the gradient that the layer has assigned.

Twin: `ReferenceEngine.update`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import numpy as np

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GRADIENTS, GX, KIND, N_IN, N_OUT, W_NUMBER, W_STRIDE, W, X, own_columns
from digitlab.engine.fast.ops.optimizer import limit_columns, update
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.plan import Row, Slot
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, floats
from digitlab.nn.network import Parameter

LAYERS = ()

_column = own_columns()
REGULARIZED = _column()


def add(builder: PlanBuilder, name: str, p: Parameter) -> Slot:
    """Add the operation of a parameter; the last axis counts its columns."""
    *rest, columns = p.value.shape or (1,)
    slot, row = builder.slot(name, p, int(np.prod(rest)), columns), Row()
    row[KIND], row[X], row[GX], row[REGULARIZED] = builder.codes["parameter"], -1, -1, int(p.regularized)
    row[N_IN], row[N_OUT], row[W_STRIDE] = slot.rows, slot.columns, slot.stride
    builder.weights(slot, None, row)
    builder.operations.append(row)
    return slot


@kernel()
def forward(share, op):
    """The layer's own."""


@kernel()
def backward(share, op):
    """The layer's own."""


@kernel()
def step(share, op):
    """Update this thread's rows."""
    stride, (first, last) = op[W_STRIDE], part_of(share, op[N_IN])
    if op[W_NUMBER] > 0:
        here = op[W] + first * stride
        g = at(floats(share.header[GRADIENTS]), here)
        update(share, op[W_NUMBER], op[REGULARIZED] != 0, here, g, (last - first) * stride)


@kernel()
def limit(share, op):
    """Shorten columns of regularized weights that are longer than their limit."""
    if op[REGULARIZED]:
        limit_columns(share, op)
