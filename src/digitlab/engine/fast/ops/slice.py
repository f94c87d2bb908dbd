"""Some of an example's numbers, in another order. Twin: `Slice` in nn/slices.py."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import numpy as np

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, N_OUT, X_STRIDE, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, clear, words
from digitlab.nn.slices import Slice

LAYERS = (Slice,)

_column = own_columns()
CHOSEN = _column()  # offset of the numbers' places in x, as int32


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add layer i, the chosen columns of its input, to the plan; False where the kernels do not support it."""
    places = builder.layers[i].places(builder.shapes[i]).ravel()
    row = builder.row("slice")
    row[N_OUT], row[CHOSEN] = places.size, places.astype(np.int32)
    builder.add_output(row, places.size, first_gradient=False)
    return True


@kernel()
def forward(share, op):
    """Copy the chosen columns."""
    chosen = words(at(share.work, op[CHOSEN]))
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
        for j in range(op[N_OUT]):
            y[j] = x[chosen[j]]


@kernel()
def backward(share, op):
    """∂L/∂x is g at the chosen places, and 0 elsewhere."""
    chosen = words(at(share.work, op[CHOSEN]))
    for n in range(share.lo, share.hi):
        gx, gy = at(share.work, op[GX] + n * op[X_STRIDE]), at(share.work, op[GY] + n * op[Y_STRIDE])
        clear(gx, op[X_STRIDE])
        for j in range(op[N_OUT]):
            gx[chosen[j]] = gy[j]
