"""A large dense layer in large batches: threads share out its columns, and products are packed or on a matrix unit.

Twin: `Dense` in nn/network.py.

    forward    each thread's columns of y = x W + b for every example
    backward   each thread's columns of ∂L/∂x = g Wᵀ for every example
    step       each thread's columns of W, a block at a time: ∂L/∂W = xᵀ g, and the step along it

If each thread took its examples through all of W, every thread would read and pack all of W. No sum depends on which
thread does what, so the result does not depend on how many there are.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import MATRIX_UNIT, kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.matrix_unit import has_matrix_unit
from digitlab.engine.fast.ops import on_unit
from digitlab.engine.fast.ops.optimizer import update_weights
from digitlab.engine.fast.ops.skipping import PACKED
from digitlab.engine.fast.simd import (
    EVERY_STEP,
    STRIP,
    add_on_unit_transposed,
    add_packed,
    add_packed_transposed,
    add_step_strip,
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

SMALL_BATCH = 32  # examples up to which nothing is packed
WIDEST_STRIP = 32  # at least STRIP of simd/packed.py, which only the compiler knows
TALL = 32  # rows of W whose gradient is held at once
LARGEST_BATCH = AT_ONCE * DEEP // TALL  # examples for whose packed columns of x there is room
_how = numbers()
NOT_PACKED, IN_VECTORS, ON_UNIT = _how(), _how(), _how()


def packs(batch: int) -> bool:
    """Whether packing pays for batches of this size, and its memory is enough for them."""
    return SMALL_BATCH < batch <= LARGEST_BATCH


def packing(batch: int) -> int:
    """How products are computed in batches of this size."""
    return (ON_UNIT if has_matrix_unit() else IN_VECTORS) if packs(batch) else NOT_PACKED


def scratch() -> int:
    """Floats of a thread's own memory: a tile, what a product packs, and the gradient of some rows of W."""
    return max(WIDEST_STRIP * (DEEP + 2 * LANES) + 3 * AT_ONCE * DEEP, on_unit.scratch(LARGEST_BATCH))


@kernel()
def forward(share, op):
    """y = x W + b."""
    ys, threads = op[Y_STRIDE], share.header[THREADS]
    barrier(ints(share.header[SYNC]), threads)  # until every example's x is there
    first, last = columns_of(share, ys)
    if MATRIX_UNIT and op[PACKED] == ON_UNIT:
        on_unit.forward_columns(share, op, first, last)
    else:
        y, x, w = at(share.work, op[Y] + first), at(share.work, op[X]), at(share.params, op[W] + first)
        for n in range(share.examples):
            copy(at(y, n * ys), at(share.params, op[B] + first), last - first)
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
    if MATRIX_UNIT and op[PACKED] == ON_UNIT:
        add_on_unit_transposed(gx, xs, share.examples, gy, ys, ys, w, ys, last - first, share.scratch)
    else:
        add_packed_transposed(gx, xs, share.examples, gy, ys, ys, w, ys, last - first, share.scratch)
    barrier(ints(share.header[SYNC]), threads)


@kernel()
def columns_of(share, columns):
    """This thread's columns, from first to last: whole strips."""
    strips, threads = (columns + STRIP - 1) // STRIP, share.header[THREADS]
    first, last = strips * share.thread // threads * STRIP, strips * (share.thread + 1) // threads * STRIP
    return min(first, columns), min(last, columns)


@kernel()
def step(share, op):
    """Update this thread's columns of W."""
    first, last = columns_of(share, op[Y_STRIDE])
    if MATRIX_UNIT and op[PACKED] == ON_UNIT:
        on_unit.step_columns(share, op, first, last)
    else:
        step_columns(share, op, first, last)


@kernel()
def step_columns(share, op, first, last):
    """Update columns `first` to `last` of W.

    W is cut in blocks for which everything that is needed fits the second-level cache: columns of g that stay while
    all rows of W pass by, and some rows at a time. While their gradient is computed, these rows and their part of the
    optimizer's state are fetched.
    """
    examples, ys, gy = share.examples, op[Y_STRIDE], at(share.work, op[GY])
    wide, near = AT_ONCE * DEEP // max(examples, TALL) // STRIP * STRIP, min(examples, EVERY_STEP * LANES)
    packed = at(share.scratch, STRIP * LANES)
    left, g = at(packed, AT_ONCE * DEEP + STRIP), at(packed, 2 * AT_ONCE * DEEP + STRIP)
    second = (share.header[STATE_1] - share.header[PARAMS]) // 4 if share.header[STATE_1] != 0 else 0
    third = (share.header[STATE_2] - share.header[PARAMS]) // 4 if share.header[STATE_2] != 0 else 0
    for start in range(first, last, wide):
        columns = min(wide, last - start)
        for c in range(0, columns, STRIP):
            pack_strip(at(packed, c * examples), at(gy, start + c), ys, columns - c, examples)
        for i in range(0, op[N_IN], TALL):
            rows, w = min(TALL, op[N_IN] - i), op[W] + i * ys + start
            pack_columns(left, at(share.work, op[X] + i), op[X_STRIDE], rows, examples)
            clear(g, rows * columns)
            for c in range(0, columns, STRIP):
                strip, to, here, part = at(packed, c * examples), at(g, c), at(share.params, w + c), columns - c
                add_step_strip(
                    to, columns, rows, left, examples, strip, near, part, share.scratch, here, ys, ys, second, third
                )
                rest, deep = at(left, near * LANES), examples - near
                strip = at(strip, near * STRIP)
                add_strip(to, columns, rows, rest, examples, strip, deep, part, share.scratch, strip, 0, 0, 0, 0)
            for r in range(rows):
                update_weights(share, op, w + r * ys, at(g, r * columns), columns)
