"""The same straight line for every number. Twin: `Rescale` in nn/combine.py."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GY, LANES, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, load, real, splat, store
from digitlab.nn.combine import Rescale

LAYERS = (Rescale,)

_column = own_columns()
FACTOR = _column()  # float64
OFFSET = _column()  # float64


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add layer i, a factor and an offset, to the plan; False where the kernels do not support it."""
    layer, row = builder.layers[i], builder.row("rescale")
    row[FACTOR], row[OFFSET] = float(layer.factor), float(layer.offset)
    builder.add_elementwise(row)
    return True


@kernel()
def forward(share, op):
    """y = a x + b."""
    factor, offset = splat(real(op, FACTOR)), splat(real(op, OFFSET))
    x, y = at(share.work, op[X]), at(share.work, op[Y])
    for j in range(share.lo * op[Y_STRIDE], share.hi * op[Y_STRIDE], LANES):
        store(y, j, load(x, j) * factor + offset)


@kernel()
def backward(share, op):
    """∂L/∂x = a g."""
    factor, g = splat(real(op, FACTOR)), at(share.work, op[GY])
    for j in range(share.lo * op[Y_STRIDE], share.hi * op[Y_STRIDE], LANES):
        store(g, j, load(g, j) * factor)
