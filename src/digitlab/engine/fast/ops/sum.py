"""Several values added up. Twins: `Residual`, and `Branches` that merge by "sum" or "mean", in nn/containers.py.

There is an operation for each value: the first one writes y, the others add to it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, N_IN, X_STRIDE, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.ops.fork import plan_ways
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, fma, load, real, splat, store
from digitlab.nn.containers import Branches, Residual

LAYERS = (Residual, Branches)

_column = own_columns()
FACTOR = _column()  # float64: of this value in the sum
ADDS = _column()  # whether it is added to what the operation before it wrote


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the sum that layer i needs to the plan; False where the kernels do not support it."""
    layer, name = builder.layers[i], builder.names[i]
    if isinstance(layer, Residual):
        shortcut = [] if layer.projection is None else [(f"{name}.projection", layer.projection)]
        ways = [shortcut, [(f"{name}.{j}", inner) for j, inner in enumerate(layer.layers)]]
    elif layer.merge != "concatenate":
        ways = [[(f"{name}.{key}", chain)] for key, chain in layer.chains.items()]
    else:
        return False
    ends = plan_ways(builder, i, ways)
    joined = builder.new_place(ends[0].size, gradient=any(end.gradient_at >= 0 for end in ends))
    for k, end in enumerate(ends):
        builder.place = end
        row = builder.row("sum")
        row[FACTOR], row[ADDS] = 1.0 / len(ends) if getattr(layer, "merge", "") == "mean" else 1.0, int(k > 0)
        builder.place = joined
        builder.add(row)
    return True


@kernel()
def forward(share, op):
    """Add up the outputs of all parts."""
    factor = splat(real(op, FACTOR))
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
        for j in range(0, op[N_IN], LANES):
            if op[ADDS]:
                store(y, j, fma(factor, load(x, j), load(y, j)))
            else:
                store(y, j, factor * load(x, j))


@kernel()
def backward(share, op):
    """g for every part."""
    factor = splat(real(op, FACTOR))
    for n in range(share.lo, share.hi):
        gx, gy = at(share.work, op[GX] + n * op[X_STRIDE]), at(share.work, op[GY] + n * op[Y_STRIDE])
        for j in range(0, op[N_IN], LANES):
            store(gx, j, factor * load(gy, j))
