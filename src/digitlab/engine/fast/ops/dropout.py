"""Dropout. Twin: `Dropout` in nn/dropout.py; its masks come from another generator."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import BATCH, GY, KEY, LANES, X_STRIDE, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, load, real, splat, store, uniform, where
from digitlab.nn.dropout import Dropout

LAYERS = (Dropout,)

_column = own_columns()
RATE = _column()  # float64: the share that is dropped
SCALE = _column()  # float64: the factor of what is kept
NUMBER = _column()  # of the operation: each has masks of its own


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the dropout of layer i to the plan; False where the kernels do not support it."""
    layer = builder.layers[i]
    assert isinstance(layer, Dropout)
    if not builder.trains(i) and layer.inverted:  # keeps all
        return True
    row = builder.row("dropout")
    if builder.trains(i):
        row[RATE], row[SCALE] = float(layer.rate), 1.0 / (1.0 - layer.rate) if layer.inverted else 1.0
    else:
        row[RATE], row[SCALE] = 0.0, 1.0 - layer.rate  # the book's form, which shrinks instead
    row[NUMBER] = len(builder.operations)
    builder.dropouts.append(layer)
    builder.add_elementwise(row)
    return True


@kernel()
def drop(share, op, x, y, stride):
    """y = scale · x m: the mask m is a function of key and place, so backward draws the same one again."""
    # u is a multiple of 2⁻²⁴: above rate − 2⁻²⁵ says u ≥ rate, and rate 0 drops nothing.
    scale, bound = splat(real(op, SCALE)), splat(real(op, RATE) - 2.0**-25)
    key, counter = share.header[KEY] + op[NUMBER], (share.step * share.header[BATCH] + share.lo) * stride
    for i in range(0, (share.hi - share.lo) * stride, LANES):
        u = uniform(key, counter + i)
        store(y, i, where(u - bound > 0.0, load(x, i) * scale, 0.0))


@kernel()
def forward(share, op):
    """Set the dropped activations to 0 and scale the others, for examples lo to hi."""
    stride = op[Y_STRIDE]
    drop(share, op, at(share.work, op[X] + share.lo * op[X_STRIDE]), at(share.work, op[Y] + share.lo * stride), stride)


@kernel()
def backward(share, op):
    """g where the activation was kept, scaled; 0 elsewhere."""
    gy = at(share.work, op[GY] + share.lo * op[Y_STRIDE])
    drop(share, op, gy, gy, op[Y_STRIDE])
