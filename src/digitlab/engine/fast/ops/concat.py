"""Several values side by side along the last axis. Twin: `Branches` that concatenate, in nn/containers.py.

There is an operation for each value.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, X_STRIDE, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.ops.fork import plan_ways
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at
from digitlab.nn.containers import Branches

LAYERS = (Branches,)

_column = own_columns()
PLACES = _column()  # pixels, or 1 for features
WIDTH = _column()  # numbers of this value at each place
JOINED = _column()  # numbers of all values there
START = _column()  # where this value's numbers begin among them


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the outputs of layer i's parts side by side to the plan; False where the kernels do not support it."""
    layer, name = builder.layers[i], builder.names[i]
    if layer.merge != "concatenate":
        return False
    ends = plan_ways(builder, i, [[(f"{name}.{key}", chain)] for key, chain in layer.chains.items()])
    places = math.prod(layer.output_shape(builder.shapes[i])[:-1])
    size = sum(end.size for end in ends)
    joined, start = builder.new_place(size, gradient=any(end.gradient_at >= 0 for end in ends)), 0
    for end in ends:
        builder.place = end
        row = builder.row("concat")
        row[PLACES], row[WIDTH], row[JOINED], row[START] = places, end.size // places, size // places, start
        builder.place = joined
        builder.add(row)
        start += end.size // places
    return True


@kernel()
def forward(share, op):
    """Copy the columns of every part, for examples lo to hi."""
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE] + op[START])
        for p in range(op[PLACES]):
            for c in range(op[WIDTH]):
                y[p * op[JOINED] + c] = x[p * op[WIDTH] + c]


@kernel()
def backward(share, op):
    """Each part's columns of g."""
    for n in range(share.lo, share.hi):
        gx, gy = at(share.work, op[GX] + n * op[X_STRIDE]), at(share.work, op[GY] + n * op[Y_STRIDE] + op[START])
        for p in range(op[PLACES]):
            for c in range(op[WIDTH]):
                gx[p * op[WIDTH] + c] = gy[p * op[JOINED] + c]
