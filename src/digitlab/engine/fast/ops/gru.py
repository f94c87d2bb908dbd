"""Gated recurrent unit. Twin: `GRU` in nn/recurrent.py; recurrent.py and sequence.py have what all such layers share.

A row of gates holds r, z and n, and with reset="after" what r is multiplied with, hU + v. With reset="before" that is
h, and r h is kept where other cells keep their c.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.ops import recurrent, sequence
from digitlab.engine.fast.ops.recurrent import (
    FEATURES,
    GATES_STRIDE,
    GC,
    GH,
    RESETS_BEFORE,
    ROW_STRIDE,
    STATE,
    STRIPS_BACK,
    SUMMED,
    UNITS,
    UNITS_STRIDE,
)
from digitlab.engine.fast.ops.sequence import cells_at, gates_at, own, rows_at
from digitlab.engine.fast.simd import at, fma, load, sigmoid, store, strip_product, tanh
from digitlab.nn.recurrent import GRU

LAYERS = (GRU,)

plan, place, begin = recurrent.plan, recurrent.place, recurrent.begin
step, limit = recurrent.step, recurrent.limit


@kernel()
def _step(share, op, s):
    """h = z h + (1 − z) n."""
    sequence.summed_gates(share, op, s)
    wide, examples, stride, x_row = op[UNITS_STRIDE], share.hi - share.lo, op[GATES_STRIDE], op[ROW_STRIDE]
    rows, gates, features = rows_at(share, op, s), gates_at(share, op, s), op[FEATURES]
    new, candidate, inner = own(share, op[STATE], wide), at(gates, 2 * wide), at(gates, 3 * wide)
    of_x, of_h = recurrent.candidate_strips(op)
    of_x, of_h = at(share.work, of_x), at(share.work, of_h)
    strip_product(candidate, stride, examples, rows, x_row, features + 1, of_x, wide, 0)
    if not op[RESETS_BEFORE]:  # [1 h] [v; U]
        strip_product(inner, stride, examples, at(rows, features), x_row, 1 + op[UNITS], of_h, wide, 0)
    for n in range(examples):
        a, h = at(gates, n * stride), at(rows, n * x_row + features + 1)
        for u in range(0, wide, LANES):
            r = sigmoid(load(a, u))
            store(a, u, r)
            store(a, wide + u, sigmoid(load(a, wide + u)))
            if op[RESETS_BEFORE]:
                store(cells_at(share, op, s), n * wide + u, r * load(h, u))
            else:
                store(a, 2 * wide + u, fma(r, load(a, 3 * wide + u), load(a, 2 * wide + u)))
    if op[RESETS_BEFORE]:
        strip_product(candidate, stride, examples, cells_at(share, op, s), wide, op[UNITS], of_h, wide, 1)
    for n in range(examples):
        a, h = at(gates, n * stride), at(rows, n * x_row + features + 1)
        for u in range(0, wide, LANES):
            z, candidate_n = load(a, wide + u), tanh(load(a, 2 * wide + u))
            store(a, 2 * wide + u, candidate_n)
            store(new, n * wide + u, fma(z, load(h, u) - candidate_n, candidate_n))


@kernel()
def _step_back(share, op, s):
    """[δ_r δ_z δ_n] in place of the gates, and with reset="after" r δ_n in place of hU + v."""
    wide, examples, stride, x_row = op[UNITS_STRIDE], share.hi - share.lo, op[GATES_STRIDE], op[ROW_STRIDE]
    rows, gates, gh = rows_at(share, op, s), gates_at(share, op, s), own(share, op[GH], wide)
    back, grad_inner = at(share.work, op[STRIPS_BACK] + wide * op[SUMMED]), own(share, op[GC], wide)
    for i in range(examples):
        a, h, g = at(gates, i * stride), at(rows, i * x_row + op[FEATURES] + 1), at(gh, i * wide)
        for u in range(0, wide, LANES):
            r, z, n, grad_h = load(a, u), load(a, wide + u), load(a, 2 * wide + u), load(g, u)
            delta_n = grad_h * (1.0 - z) * (1.0 - n * n)
            store(a, wide + u, grad_h * (load(h, u) - n) * z * (1.0 - z))
            store(a, 2 * wide + u, delta_n)
            store(g, u, grad_h * z)
            if not op[RESETS_BEFORE]:
                store(a, u, delta_n * load(a, 3 * wide + u) * r * (1.0 - r))
                store(a, 3 * wide + u, delta_n * r)
    if op[RESETS_BEFORE]:
        strip_product(grad_inner, wide, examples, at(gates, 2 * wide), stride, wide, back, wide, 0)
        for i in range(examples):
            a, h, g = at(gates, i * stride), at(rows, i * x_row + op[FEATURES] + 1), at(gh, i * wide)
            for u in range(0, wide, LANES):
                r, inner = load(a, u), load(grad_inner, i * wide + u)
                store(a, u, inner * load(h, u) * r * (1.0 - r))
                store(g, u, fma(inner, r, load(g, u)))
    elif s > 0:
        strip_product(gh, wide, examples, at(gates, 3 * wide), stride, wide, back, wide, 1)
    if s > 0:
        sequence.back_through_u(share, op, s, 1)


forward, backward = sequence.forward_with(_step), sequence.backward_with(_step_back)
