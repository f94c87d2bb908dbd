"""The gradient and step of a large dense layer on the processor's matrix unit (simd/matrix_unit.py).

Twin: `Dense` in nn/network.py.

As in large.py, each thread has some columns of W, and takes them a block at a time: their columns of g stay while all
rows of W pass by.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.optimizer import update_weights
from digitlab.engine.fast.simd import (
    add_step_blocks,
    at,
    begin_matrices,
    blocks_of,
    clear,
    end_matrices,
    split_columns,
    split_rows_turned,
)

NEAR = 1 << 18  # floats of split columns of g: half a second-level cache


def scratch(batch: int) -> int:
    """Floats of a thread's own memory for batches of up to this size."""
    rows_of_x = -(-batch // SIDE) * BLOCK_FLOATS
    return SIDE * SIDE + rows_of_x + max(NEAR, rows_of_x) * (1 + 2 * SIDE * SIDE // BLOCK_FLOATS)


@kernel()
def step_columns(share, op, first, last):
    """Columns `first` to `last` of W, one step on along ∂L/∂W = xᵀ g."""
    examples, rows, xs, ys = share.examples, op[N_IN], op[X_STRIDE], op[Y_STRIDE]
    x, gy, w = at(share.work, op[X]), at(share.work, op[GY]), at(share.params, op[W])
    blocks, room = blocks_of(examples), share.scratch
    size = blocks * BLOCK_FLOATS
    wide = max(SIDE, NEAR // size * SIDE)
    left = at(room, SIDE * SIDE)
    right = at(left, size)
    g = at(right, wide // SIDE * size)
    # Each product fetches a part of what the step needs, W and the optimizer's state, and of the next rows' x.
    lines = (SIDE + blocks - 1) // blocks
    second = (share.header[STATE_1] - share.header[PARAMS]) // 4 if share.header[STATE_1] != 0 else 0
    third = (share.header[STATE_2] - share.header[PARAMS]) // 4 if share.header[STATE_2] != 0 else 0
    begin_matrices()
    for start in range(first, last, wide):
        columns = min(wide, last - start)
        strips = blocks_of(columns)
        x_lines = (SIDE + strips - 1) // strips
        for c in range(0, columns, SIDE):
            for k in range(blocks):
                place = at(right, c // SIDE * size + k * BLOCK_FLOATS)
                source = at(gy, k * SIDE * ys + start + c)
                split_columns(place, source, ys, examples - k * SIDE, columns - c, room)
        for i in range(0, rows, SIDE):
            high, here = min(SIDE, rows - i), i * ys + start
            for k in range(blocks):
                source = at(x, k * SIDE * xs + i)
                split_rows_turned(at(left, k * BLOCK_FLOATS), source, xs, high, examples - k * SIDE, room)
            clear(g, high * columns)
            for c in range(0, columns, SIDE):
                strip, ahead, pace = at(right, c // SIDE * size), at(w, here + c), lines * ys
                also = at(x, c // SIDE * blocks * x_lines * xs + i + SIDE)
                add_step_blocks(
                    at(g, c), columns, high, columns - c, left, strip, blocks, room,
                    ahead, pace, lines, ys, second, third, also, x_lines, xs,
                )  # fmt: skip
            for r in range(high):
                update_weights(share, op, op[W] + here + r * ys, at(g, r * columns), columns)
    end_matrices()
