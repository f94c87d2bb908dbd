"""The gradient and step of a large dense layer on the processor's matrix unit (simd/matrix_unit.py).

Twin: `Dense` in nn/network.py.

As in large.py, each thread has some columns of W, and takes them a block at a time: their columns of g stay while all
rows of W pass by.

The first layer reads pixels unscaled: a byte is one bfloat16 number, so that half the products serve. Its sums, x W and
xᵀ g, are scaled instead.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.optimizer import update_weights
from digitlab.engine.fast.simd import (
    add_blocks,
    add_on_unit,
    add_pixel_blocks,
    add_pixels_on_unit,
    at,
    begin_matrices,
    blocks_of,
    clear,
    copy,
    doubles,
    end_matrices,
    fma,
    ints,
    load,
    splat,
    split_columns,
    split_rows_turned,
    store,
)

NEAR = 1 << 18  # floats of split columns of g: half a second-level cache


def scratch(batch: int) -> int:
    """Floats of a thread's own memory for batches of up to this size."""
    rows_of_x = -(-batch // SIDE) * BLOCK_FLOATS
    return SIDE * SIDE + rows_of_x + max(NEAR, rows_of_x) * (1 + 2 * SIDE * SIDE // BLOCK_FLOATS)


@kernel()
def reads_pixels(share, op):
    """Whether the inputs are pixels that have not been scaled."""
    return share.header[INPUT] == UNSCALED_BYTE_ROWS and op[X] == ints(share.header[OPS])[X]


@kernel()
def scale(x, factor, count):
    """x ← factor x, `count` numbers, a multiple of LANES."""
    f = splat(factor)
    for i in range(0, count, LANES):
        store(x, i, f * load(x, i))


@kernel()
def forward_columns(share, op, first, last):
    """Columns `first` to `last` of y = x W + b."""
    xs, ys, columns, room = op[X_STRIDE], op[Y_STRIDE], last - first, share.scratch
    y, x, w = at(share.work, op[Y] + first), at(share.work, op[X]), at(share.params, op[W] + first)
    bias = at(share.params, op[B] + first)
    pixels, f = reads_pixels(share, op), splat(doubles(share.header[HYPER])[FACTOR])
    if not pixels:
        for n in range(share.examples):
            copy(at(y, n * ys), bias, columns)
        add_on_unit(y, ys, share.examples, x, xs, op[N_IN], w, ys, columns, room)
        return
    for n in range(share.examples):
        clear(at(y, n * ys), columns)
    add_pixels_on_unit(y, ys, share.examples, x, xs, op[N_IN], w, ys, columns, room)
    for n in range(share.examples):
        for j in range(0, columns, LANES):
            store(y, n * ys + j, fma(f, load(y, n * ys + j), load(bias, j)))


@kernel()
def step_columns(share, op, first, last):
    """Update columns `first` to `last` of W along ∂L/∂W = xᵀ g."""
    examples, rows, xs, ys = share.examples, op[N_IN], op[X_STRIDE], op[Y_STRIDE]
    x, gy = at(share.work, op[X]), at(share.work, op[GY])
    blocks, room = blocks_of(examples), share.scratch
    size = blocks * BLOCK_FLOATS
    wide = max(SIDE, NEAR // size * SIDE)
    left = at(room, SIDE * SIDE)
    right = at(left, size)
    g = at(right, wide // SIDE * size)
    pixels, factor = reads_pixels(share, op), doubles(share.header[HYPER])[FACTOR]
    begin_matrices()
    for start in range(first, last, wide):
        columns = min(wide, last - start)
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
                to, strip, left_columns = at(g, c), at(right, c // SIDE * size), columns - c
                if pixels:
                    add_pixel_blocks(to, columns, high, left_columns, left, strip, blocks, room, left, 0, 0, 0)
                else:
                    add_blocks(to, columns, high, left_columns, left, strip, blocks, room, left, 0, 0, 0)
            if pixels:
                scale(g, factor, high * columns)
            for r in range(high):
                update_weights(share, op, op[W] + here + r * ys, at(g, r * columns), columns)
    end_matrices()
