"""A large dense layer in large batches: threads share out its columns, and products are packed.

Twin: `Dense` in nn/network.py.

    forward    each thread's columns of y = x W + b for every example
    backward   each thread's columns of ∂L/∂x = g Wᵀ for every example
    step       g packed once by all threads together; then each thread's rows of W, some at a time: ∂L/∂W = xᵀ g

If each thread took its examples through all of W, every thread would read and pack all of W. No sum depends on which
thread does what, so the result does not depend on how many there are.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.optimizer import update_weights
from digitlab.engine.fast.ops.skipping import PACKED
from digitlab.engine.fast.plan import padded as padded_size
from digitlab.engine.fast.simd import (
    STRIP,
    add_packed,
    add_packed_transposed,
    add_strip,
    at,
    barrier,
    clear,
    copy,
    ints,
    pack_columns,
    pack_strip,
    padded,
)

WIDEST_STRIP = 32  # at least STRIP of simd/packed.py, which only the compiler knows
TALL = 64  # rows of W whose gradient is held at once


def room_for_gradient(n_out: int, batch: int) -> int:
    """Floats for the packed ∂L/∂y of a batch."""
    return batch * (padded_size(n_out) + WIDEST_STRIP)


def scratch(n_out: int) -> int:
    """Floats of a thread's own memory: what a product packs, or some packed rows of x and the gradient of these."""
    return WIDEST_STRIP * (DEEP + LANES) + AT_ONCE * DEEP + TALL * padded_size(n_out)


@kernel()
def forward(share, op):
    """y = x W + b."""
    ys, threads = op[Y_STRIDE], share.header[THREADS]
    barrier(ints(share.header[SYNC]), threads)  # until every example's x is there
    first, last = columns_of(share, ys)
    for n in range(share.examples):
        copy(at(share.work, op[Y] + n * ys + first), at(share.params, op[B] + first), last - first)
    y, x, w = at(share.work, op[Y] + first), at(share.work, op[X]), at(share.params, op[W] + first)
    add_packed(y, ys, share.examples, x, op[X_STRIDE], op[N_IN], w, ys, last - first, share.scratch)
    barrier(ints(share.header[SYNC]), threads)


@kernel()
def backward(share, op):
    """∂L/∂x = g Wᵀ."""
    xs, ys, threads = op[X_STRIDE], op[Y_STRIDE], share.header[THREADS]
    barrier(ints(share.header[SYNC]), threads)  # until every example's g is there
    first, last = columns_of(share, padded(op[N_IN]))
    for n in range(share.examples):
        clear(at(share.work, op[GX] + n * xs + first), last - first)
    gx, gy, w = at(share.work, op[GX] + first), at(share.work, op[GY]), at(share.params, op[W] + first * ys)
    add_packed_transposed(gx, xs, share.examples, gy, ys, ys, w, ys, last - first, share.scratch)
    barrier(ints(share.header[SYNC]), threads)


@kernel()
def columns_of(share, columns):
    """This thread's columns, from first to last: whole strips."""
    strips, threads = (columns + STRIP - 1) // STRIP, share.header[THREADS]
    first, last = strips * share.thread // threads * STRIP, strips * (share.thread + 1) // threads * STRIP
    return min(first, columns), min(last, columns)


@kernel()
def step_rows(share, op, first, last):
    """W's rows `first` to `last`, one step on."""
    examples, xs, ys, gy = share.examples, op[X_STRIDE], op[Y_STRIDE], at(share.work, op[GY])
    packed = at(share.work, op[PACKED])
    mine, others = columns_of(share, ys)
    for c in range(mine, others, STRIP):
        pack_strip(at(packed, c * examples), at(gy, c), ys, ys - c, examples)
    barrier(ints(share.header[SYNC]), share.header[THREADS])
    left = at(share.scratch, STRIP * LANES)
    g = at(left, TALL * DEEP)
    for i in range(first, last, TALL):
        rows = min(TALL, last - i)
        clear(g, rows * ys)
        for k in range(0, examples, DEEP):
            deep = min(DEEP, examples - k)
            pack_columns(left, at(share.work, op[X] + k * xs + i), xs, rows, deep)
            for c in range(0, ys, STRIP):
                strip = at(packed, c * examples + k * STRIP)
                add_strip(at(g, c), ys, rows, left, deep, strip, deep, ys - c, share.scratch)
        update_weights(share, op, op[W] + i * ys, g, rows * ys)
