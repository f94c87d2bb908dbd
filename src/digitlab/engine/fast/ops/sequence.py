"""The loop of recurrent layers over the steps, forward and backward, around the arithmetic of each cell.

Twins: `Recurrent.forward` and `Recurrent.backward` in nn/recurrent.py. recurrent.py says what is kept where.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, N_IN, SYNC, THREADS, W_STRIDE, X_STRIDE, Y_STRIDE, X, Y
from digitlab.engine.fast.ops.recurrent import (
    ADDS,
    CELLS,
    FEATURES,
    GATES,
    GATES_STRIDE,
    GC,
    GH,
    GROW,
    KEPT,
    RETURNS_ALL,
    REVERSE,
    ROW_STRIDE,
    ROWS,
    STATE,
    STEPS,
    STRIPS,
    STRIPS_BACK,
    STRIPS_X,
    SUMMED,
    UNITS,
    UNITS_STRIDE,
    Y_FIRST,
    Y_PACE,
    deltas_at,
    pack,
)
from digitlab.engine.fast.simd import at, barrier, clear, ints, load, pack_row, padded, store, strip_product


@kernel()
def rows_at(share, op, s):
    """This thread's rows [x 1 h] of step s."""
    return at(share.work, op[ROWS] + (s * op[KEPT] * share.examples + share.lo) * op[ROW_STRIDE])


@kernel()
def gates_at(share, op, s):
    """This thread's gates of step s, or δ."""
    return at(share.work, op[GATES] + (s * op[KEPT] * share.examples + share.lo) * op[GATES_STRIDE])


@kernel()
def cells_at(share, op, s):
    """This thread's cells of step s."""
    return at(share.work, op[CELLS] + (s * op[KEPT] * share.examples + share.lo) * op[UNITS_STRIDE])


@kernel()
def own(share, offset, stride):
    """This thread's part of an array that has a row for each example."""
    return at(share.work, offset + share.lo * stride)


@kernel()
def copy_exactly(y, x, count):
    """y = x, `count` numbers and no more."""
    whole = count // LANES * LANES
    for i in range(0, whole, LANES):
        store(y, i, load(x, i))
    for i in range(whole, count):
        y[i] = x[i]


@kernel()
def add_exactly(y, x, count):
    """y += x, `count` numbers and no more."""
    whole = count // LANES * LANES
    for i in range(0, whole, LANES):
        store(y, i, load(y, i) + load(x, i))
    for i in range(whole, count):
        y[i] += x[i]


@kernel()
def time(op, s):
    """The place in the sequence of the step that is read as number s."""
    return op[STEPS] - 1 - s if op[REVERSE] else s


@kernel()
def read(share, op, s):
    """x and 1 into the rows of step s; before the first step h is 0."""
    features, t = op[FEATURES], time(op, s)
    for n in range(share.hi - share.lo):
        row = at(rows_at(share, op, s), n * op[ROW_STRIDE])
        copy_exactly(row, at(share.work, op[X] + (share.lo + n) * op[X_STRIDE] + t * features), features)
        row[features] = 1.0
        if s == 0:
            for j in range(op[UNITS]):
                row[features + 1 + j] = 0.0


@kernel()
def pass_on(share, op, s):
    """Copy the new state h to the rows of the next step, and to y."""
    units, last = op[UNITS], s + 1 == op[STEPS]
    y_first = op[Y_FIRST] + (time(op, s) * op[Y_PACE] if op[RETURNS_ALL] else 0)
    for n in range(share.hi - share.lo):
        h = at(own(share, op[STATE], op[UNITS_STRIDE]), n * op[UNITS_STRIDE])
        if not last:
            copy_exactly(at(rows_at(share, op, s + 1), n * op[ROW_STRIDE] + op[FEATURES] + 1), h, units)
        if last or op[RETURNS_ALL]:
            copy_exactly(at(share.work, op[Y] + (share.lo + n) * op[Y_STRIDE] + y_first), h, units)


def forward_with(step):
    """The kernel `forward` of a cell whose `step` (share, op, s) makes its gates and its new state."""

    @kernel()
    def forward(share, op):
        if share.step >= 0:
            threads = share.header[THREADS]
            pack(share, op, share.thread, threads)
            barrier(ints(share.header[SYNC]), threads)
        for s in range(op[STEPS]):
            read(share, op, s)
            step(share, op, s)
            pass_on(share, op, s)

    return forward


@kernel()
def summed_gates(share, op, s):
    """a = [x 1 h] [W; b; U] of step s, for all gates but a GRU's candidate."""
    rows, gates, strips = rows_at(share, op, s), gates_at(share, op, s), at(share.work, op[STRIPS])
    examples = share.hi - share.lo
    strip_product(gates, op[GATES_STRIDE], examples, rows, op[ROW_STRIDE], op[N_IN], strips, op[SUMMED], 0)


@kernel()
def take_gradient(share, op, s):
    """∂L/∂h from above, added to what the next step gave."""
    y_first = op[Y_FIRST] + (time(op, s) * op[Y_PACE] if op[RETURNS_ALL] else 0)
    for n in range(share.hi - share.lo):
        gy = at(share.work, op[GY] + (share.lo + n) * op[Y_STRIDE] + y_first)
        add_exactly(at(own(share, op[GH], op[UNITS_STRIDE]), n * op[UNITS_STRIDE]), gy, op[UNITS])


@kernel()
def back_through_u(share, op, s, adds):
    """∂L/∂h of the step before, δ Uᵀ, by all gates but a GRU's candidate."""
    gh, wide, delta = own(share, op[GH], op[UNITS_STRIDE]), op[UNITS_STRIDE], gates_at(share, op, s)
    back, examples = at(share.work, op[STRIPS_BACK]), share.hi - share.lo
    strip_product(gh, wide, examples, delta, op[GATES_STRIDE], op[SUMMED], back, wide, adds)


@kernel()
def back_to_x(share, op, s):
    """∂L/∂x = δ Wᵀ of step s."""
    features, stride, t, examples = op[FEATURES], padded(op[FEATURES]), time(op, s), share.hi - share.lo
    here, delta, strips = own(share, op[GROW], stride), gates_at(share, op, s), at(share.work, op[STRIPS_X])
    strip_product(here, stride, examples, delta, op[GATES_STRIDE], op[W_STRIDE], strips, stride, 0)
    for n in range(examples):
        gx = at(share.work, op[GX] + (share.lo + n) * op[X_STRIDE] + t * features)
        if op[ADDS]:
            add_exactly(gx, at(here, n * stride), features)
        else:
            copy_exactly(gx, at(here, n * stride), features)


@kernel()
def keep_deltas(share, op, s):
    """δ of step s into strips: the summed gates', a GRU's candidate's, and that of what this is part of."""
    summed, wide, n = op[SUMMED], op[UNITS_STRIDE], op[STEPS] * share.examples
    for i in range(share.hi - share.lo):
        delta, k = at(gates_at(share, op, s), i * op[GATES_STRIDE]), s * share.examples + share.lo + i
        pack_row(deltas_at(share, op, 0), n, k, delta, summed)
        if summed < op[W_STRIDE]:
            pack_row(deltas_at(share, op, summed), n, k, at(delta, summed), wide)
            pack_row(deltas_at(share, op, summed + wide), n, k, at(delta, summed + wide), wide)


def backward_with(step_back):
    """The kernel `backward` of a cell whose `step_back` (share, op, s) makes δ of its gates, and ∂L/∂h before it."""

    @kernel()
    def backward(share, op):
        count = (share.hi - share.lo) * op[UNITS_STRIDE]
        clear(own(share, op[GH], op[UNITS_STRIDE]), count)
        clear(own(share, op[GC], op[UNITS_STRIDE]), count)
        for s in range(op[STEPS] - 1, -1, -1):
            if op[RETURNS_ALL] or s + 1 == op[STEPS]:
                take_gradient(share, op, s)
            step_back(share, op, s)
            keep_deltas(share, op, s)
            if op[GX] >= 0:
                back_to_x(share, op, s)

    return backward
