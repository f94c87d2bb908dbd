"""The large dense layer, whose kernels save work or memory traffic. Twin: `Dense` in nn/network.py.

Behind a ReLU, skipping.py leaves out the zeros; small batches share out the weights among threads (shared.py); and
large batches pack them (large.py). dense.py plans it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import dense, large, shared, skipping, turned
from digitlab.engine.fast.ops.dispatch import unknown
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.ops.skipping import (
    ALL_INPUTS,
    CHOICE,
    FEW,
    LIST_STRIDE,
    LISTS,
    MAY_SKIP,
    PACKED,
    PARTS,
    SKIP_ZEROS,
    TURNED,
)
from digitlab.engine.fast.plan import Row
from digitlab.engine.fast.simd import at, barrier, ints, multiply_large, real, words

LAYERS = ()


def place(row: Row, room: Any, batch: int) -> None:
    """Room for the parts of y, if threads share out the weights."""
    if row[PARTS]:
        row[PARTS] = 0
        if batch <= large.SMALL_BATCH:
            row[LIST_STRIDE] = skipping.list_stride(shared.longest_segment(row[N_IN]))
            row[PARTS] = room(shared.SEGMENTS * batch * row[Y_STRIDE])
    if row[PACKED]:
        row[PACKED] = large.packing(batch)
    if row[MAY_SKIP]:
        row[TURNED] = turned.place(row, room, batch) if row[PACKED] else 0
        row[FEW] = turned.few(row[PACKED], batch) if row[PACKED] else skipping.FEW_LISTED


@kernel()
def forward(share, op):
    """y = x W + b for a thread's examples, all alike or without the zeros."""
    xs, ys, rows, n_in = op[X_STRIDE], op[Y_STRIDE], share.hi - share.lo, op[N_IN]
    x, y = at(share.work, op[X] + share.lo * xs), at(share.work, op[Y] + share.lo * ys)
    w, bias = at(share.params, op[W]), at(share.params, op[B])
    if op[MAY_SKIP] and share.step % skipping.LOOK == 0:
        op[CHOICE] = skipping.choose(share, x, xs, rows, n_in, real(op, FEW))
    if op[PARTS] > 0:
        shared.forward(share, op)
    elif op[CHOICE] == SKIP_ZEROS and op[TURNED] > 0:
        lists = at(share.work, op[LISTS] + share.lo * op[LIST_STRIDE])
        skipping.list_all(x, xs, rows, n_in, lists, op[LIST_STRIDE])
        turned.turn_inputs(share, op)
        lo, hi = large.columns_of(share, ys)
        turned.forward(share, op, lo, hi, bias)
        barrier(ints(share.header[SYNC]), share.header[THREADS])
    elif op[CHOICE] == SKIP_ZEROS:
        lists = at(share.work, op[LISTS] + share.lo * op[LIST_STRIDE])
        skipping.forward(y, ys, x, xs, rows, w, n_in, bias, lists, op[LIST_STRIDE])
    elif op[PACKED] > 0:
        large.forward(share, op)
    elif op[CHOICE] == ALL_INPUTS:
        multiply_large(y, ys, rows, x, xs, n_in, w, ys, bias, ys)
    else:
        unknown(share.header, A_CHOICE, op[CHOICE])


@kernel()
def backward(share, op):
    """∂L/∂x = g Wᵀ."""
    xs, ys, rows = op[X_STRIDE], op[Y_STRIDE], share.hi - share.lo
    if op[PARTS] > 0:
        shared.backward(share, op)
    elif op[CHOICE] == SKIP_ZEROS:
        gx, gy = at(share.work, op[GX] + share.lo * xs), at(share.work, op[GY] + share.lo * ys)
        w, lists = at(share.params, op[W]), at(share.work, op[LISTS] + share.lo * op[LIST_STRIDE])
        skipping.backward(gx, xs, gy, ys, rows, w, op[N_IN], lists, op[LIST_STRIDE], words(share.scratch))
    elif op[PACKED] > 0:
        large.backward(share, op)
    else:
        dense.backward(share, op)


@kernel()
def step(share, op):
    """Update this thread's rows of W, and the biases."""
    first, last = part_of(share, op[N_IN])
    if op[PARTS] > 0:
        first, last = part_of(share, shared.SEGMENTS)
        first, last = shared.first_row(op, first), shared.first_row(op, last)
    if op[W_NUMBER] < 0:
        pass  # frozen
    elif op[CHOICE] == SKIP_ZEROS and op[TURNED] > 0:
        turned.step(share, op, first, last, at(share.work, 0))
    elif op[CHOICE] == SKIP_ZEROS:
        skipping.step(share, op, first, last, at(share.scratch, 2 * share.header[BATCH]), share.scratch)
    elif op[PACKED] > 0:
        large.step(share, op)
    else:
        dense.step_rows(share, op, first, last)
    dense.step_own_biases(share, op)


limit = dense.limit
