"""Where a value has several readers: each has a gradient of its own, and they are added up.

Twins: `Residual.backward` and `Branches.backward` in nn/containers.py. The first reader's gradient is written to where
the value's is; those of the others are added to it, one after another.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from collections.abc import Sequence

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, X_STRIDE
from digitlab.engine.fast.plan import Place
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, load, store
from digitlab.nn.network import Layer

LAYERS = ()

Chain = Sequence[tuple[str, Layer]]  # layers one after another, by name


def plan_ways(builder: PlanBuilder, i: int, ways: Sequence[Chain]) -> list[Place]:
    """Plan several chains that begin with layer i's input; returns where each ends."""
    start = builder.place
    starts = [start]
    for _ in ways[1:]:
        gradient_at = builder.room(start.stride) if start.gradient_at >= 0 else -1
        starts.append(start._replace(gradient_at=gradient_at))
    for place in reversed(starts[1:]) if start.gradient_at >= 0 else ():  # backward goes through them in reverse
        builder.place = start
        row = builder.row("fork")
        builder.place = place
        builder.add(row)
    ends = []
    for way, place in zip(ways, starts):
        builder.place = place
        builder.plan_chain(way, builder.shapes[i], trains=builder.steps[i].trains)
        ends.append(builder.place)
    return ends


@kernel()
def forward(share, op):
    """All readers read x where it is."""


@kernel()
def backward(share, op):
    """∂L/∂x += g."""
    gx, gy, stride = at(share.work, op[GX]), at(share.work, op[GY]), op[X_STRIDE]
    for j in range(share.lo * stride, share.hi * stride, LANES):
        store(gx, j, load(gx, j) + load(gy, j))
