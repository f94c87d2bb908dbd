"""The gradient of a convolution's weights and biases, and their sums over all threads' examples. Twin: conv.py's.

∂L/∂W is summed over BLOCKS of the batch's examples, each by the thread that had them forward and back, whose cache
holds them; then each thread adds up its rows of the blocks. The blocks are the same for any number of threads, and so
is the result.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.ops.windows import (
    ACROSS,
    CHANNELS,
    DILATION_ACROSS,
    DILATION_DOWN,
    DOWN,
    KERNEL,
    KERNEL_WIDTH,
    OUT_HEIGHT,
    OUT_WIDTH,
    WIDTH,
    add,
    column,
    row_length,
    window_rows,
)
from digitlab.engine.fast.simd import at, barrier, clear, floats, ints, load, multiply, splat, store, window_tile

PARTS = column()  # offset of ∂L/∂W and ∂L/∂b of the blocks; 0 if W is large, and threads share out its rows instead

BLOCKS = 8  # of a batch
_window3, _window5 = window_tile(3, 3, 2), window_tile(5, 5, 1)


@kernel()
def pad_filters(op, g, rows):
    """∂L/∂y with every window's filters padded to whole vectors."""
    filters, stride = op[N_OUT], op[W_STRIDE]
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        for f in range(0, filters, LANES):
            store(rows, p * stride + f, load(g, p * filters + f))
        for f in range(filters, stride):
            rows[p * stride + f] = 0.0


@kernel()
def gradient(share, op, first, last, start, end, g):
    """Rows first … last of ∂L/∂W = Rᵀ g over the examples start … end, into g, which begins with row 0."""
    stride, across, zeros = row_length(op)[1], op[W_STRIDE], at(share.work, 0)
    count, width, pace = op[OUT_HEIGHT] * op[OUT_WIDTH], op[OUT_WIDTH], op[ACROSS] * op[CHANNELS]
    line, kernel_row = op[WIDTH] * op[CHANNELS], op[KERNEL_WIDTH] * op[CHANNELS]
    padded_g, part = share.scratch, at(share.scratch, count * across)
    rows, down, size = at(part, GRADIENT_ROWS * across), op[DOWN] * line, op[KERNEL]
    square = op[CHANNELS] == 1 and op[DILATION_DOWN] == 1 and op[DILATION_ACROSS] == 1 and size == op[KERNEL_WIDTH]
    clear(at(g, first * across), (last - first) * across)
    for example in range(start, end):
        picture, wide = at(share.work, op[X] + example * op[X_STRIDE]), at(share.work, op[GY] + example * op[Y_STRIDE])
        if op[DILATION_ACROSS] > 1:
            window_rows(op, picture, rows)
        if op[N_OUT] != across:
            pad_filters(op, wide, padded_g)
            wide = padded_g
        if square and last - first == op[N_IN] and (size == 5 or (size == 3 and across % (2 * LANES) == 0)):
            for f in range(0, across, LANES if size == 5 else 2 * LANES):
                out, w = at(g, f), at(wide, f)
                if size == 5:
                    _window5(out, across, picture, line, pace, op[OUT_HEIGHT], down, width, w, across)
                else:
                    _window3(out, across, picture, line, pace, op[OUT_HEIGHT], down, width, w, across)
            continue
        i = first
        while i < last:
            n = min(GRADIENT_ROWS, last - i)
            if op[DILATION_ACROSS] == 1:  # within one row of the kernel, whose windows lie `pace` apart
                place = i % kernel_row
                n = min(n, kernel_row - place)
                source = at(picture, i // kernel_row * op[DILATION_DOWN] * line + place)
                multiply(part, across, n, source, 1, pace, op[OUT_HEIGHT], down, width, wide, across, zeros, across)
            else:
                multiply(part, across, n, at(rows, i), 1, stride, 1, 0, count, wide, across, zeros, across)
            add(at(g, i * across), 1.0, part, n * across)
            i += n


@kernel()
def bias_gradient(share, op, start, end, g):
    """∂L/∂b = Σ g over the windows of the examples start … end."""
    filters = op[N_OUT]
    for f in range(0, filters, LANES):
        even, odd = splat(0.0), splat(0.0)
        for example in range(start, end):
            gy, windows = at(share.work, op[GY] + example * op[Y_STRIDE] + f), op[OUT_HEIGHT] * op[OUT_WIDTH]
            for p in range(0, windows - 1, 2):
                even, odd = even + load(gy, p * filters), odd + load(gy, (p + 1) * filters)
            if windows % 2 == 1:
                even = even + load(gy, (windows - 1) * filters)
        store(g, f, even + odd)
    for f in range(filters, op[W_STRIDE]):  # of the next window
        g[f] = 0.0


@kernel()
def blocks_gradient(share, op):
    """∂L/∂W and ∂L/∂b of this thread's blocks; then, when all are there, the sums of this thread's rows of ∂L/∂W."""
    g, threads, size, across = floats(share.header[GRADIENTS]), share.header[THREADS], op[N_IN] + 1, op[W_STRIDE]
    for q in range(BLOCKS * share.thread // threads, BLOCKS * (share.thread + 1) // threads):
        start, end = share.examples * q // BLOCKS, share.examples * (q + 1) // BLOCKS
        part = at(share.work, op[PARTS] + q * size * across)
        if op[W_NUMBER] > 0:
            gradient(share, op, 0, op[N_IN], start, end, part)
        if op[B_NUMBER] >= 0:
            bias_gradient(share, op, start, end, at(part, op[N_IN] * across))
    barrier(ints(share.header[SYNC]), threads)
    if op[W_NUMBER] > 0:
        first, last = part_of(share, op[N_IN])
        add_blocks(share, op, first, last, at(g, op[W] + first * across))
    if share.thread == 0 and op[B_NUMBER] >= 0:
        add_blocks(share, op, op[N_IN], size, at(g, op[B]))


@kernel()
def add_blocks(share, op, first, last, g):
    """g = the sums over the blocks of rows first … last."""
    part, pace = at(share.work, op[PARTS] + first * op[W_STRIDE]), (op[N_IN] + 1) * op[W_STRIDE]
    for i in range(0, (last - first) * op[W_STRIDE], LANES):
        sum_ = load(part, i)
        for q in range(1, BLOCKS):
            sum_ = sum_ + load(part, q * pace + i)
        store(g, i, sum_)
