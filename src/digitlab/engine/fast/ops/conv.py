"""Convolutions that pooled_conv.py does not cover: any stride, any dilation. Twin: `Conv2D` in nn/conv.py.

A convolution is its twin's matrix product, y = R W + b with a window in each row of R, one picture at a time. R itself
is not needed: going forward and for the gradient, the product reads the windows where they lie in the picture, row by
row of the kernel. Only dilation across tears those rows apart, and then R is laid out in the thread's scratch memory.

On the way back of a plain convolution (stride and dilation 1) ∂L/∂x is a convolution, too: of ∂L/∂y with a border of
zeros, by the kernels turned round. Of another one ∂L/∂R is laid out, before each number's windows are added up.

∂L/∂W is summed over BLOCKS of the batch's examples, each by the thread that had them forward and back, whose cache
holds them; then each thread adds up its rows of the blocks. The blocks are the same for any number of threads, and so
is the result. Rows of W and of scratch are padded to whole vectors, rows of y and ∂L/∂y in `work` are not: unless the
filters fill whole vectors they are copied in and out.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math
from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import padding
from digitlab.engine.fast.ops.optimizer import limit_columns, update, update_weights
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
    add_windows,
    column,
    row_length,
    window_rows,
    windows_row,
)
from digitlab.engine.fast.plan import Row, padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import (
    at,
    barrier,
    clear,
    copy,
    floats,
    ints,
    load,
    multiply,
    multiply_transposed,
    put,
    splat,
    store,
    window_tile,
)
from digitlab.engine.fast.simd import padded as whole_vectors
from digitlab.nn.conv import Conv2D

LAYERS = (Conv2D,)
KERNEL_SET = "conv"

PLAIN = column()  # whether stride and dilation are 1
TOP = column()  # the border in the picture, whose gradient nobody asks for, and the picture inside
LEFT = column()
INNER_HEIGHT = column()
INNER_WIDTH = column()
PARTS = column()  # offset of ∂L/∂W and ∂L/∂b of the blocks; 0 if W is large, and threads share out its rows instead

BLOCKS = 8  # of a batch, for the gradient
LARGEST_PART = 1 << 16  # numbers of W up to which each block has a gradient of its own
_window3, _window5 = window_tile(3, 3, 2), window_tile(5, 5, 1)


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the convolution of layer i to the plan; False where the kernels do not support it."""
    conv, shape = builder.layers[i], builder.shapes[i]
    assert isinstance(conv, Conv2D)
    windows, channels, filters = conv.windows(shape), shape[2], conv.filters
    padding.add_border(builder, windows)
    row, n = windows_row(builder, "conv", windows, channels), math.prod(windows.kernel) * channels
    w = builder.slot(f"{builder.names[i]}.W", conv.params["W"], n, filters, padded(n) - n)
    row[N_IN], row[N_OUT], row[W_STRIDE] = n, filters, padded(filters)
    row[PLAIN] = int((windows.stride, windows.dilation) == ((1, 1), (1, 1)))
    (row[TOP], row[LEFT]), (row[INNER_HEIGHT], row[INNER_WIDTH]) = windows.before, windows.picture
    row[PARTS] = int(builder.learning and n * filters <= LARGEST_PART)
    builder.weights(w, conv, row)
    builder.bias((f"{builder.names[i]}.b", conv.params["b"]) if "b" in conv.params else None, filters, row)
    count, (kh, kw) = math.prod(windows.count), windows.kernel
    builder.work += 3 * count * n * filters
    bordered = (windows.count[0] + 2 * kh - 2) * (windows.count[1] + 2 * kw - 2) * padded(filters)
    turned = kh * kw * padded(filters) * padded(channels)
    builder.needs_scratch(
        count * (padded(n) + padded(filters)) + GRADIENT_ROWS * padded(filters) + LANES,
        bordered + turned + windows.picture[1] * padded(channels) + LANES,
    )
    builder.add_output(row, count * filters)
    return True


def place(row: Row, room: Any, batch: int) -> None:
    """Room for the gradients of the blocks."""
    if row[PARTS]:
        row[PARTS] = room(BLOCKS * (row[N_IN] + 1) * row[W_STRIDE])


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
def forward(share, op):
    """y = R W + b, picture by picture."""
    n, stride = row_length(op)
    count, filters, across = op[OUT_HEIGHT] * op[OUT_WIDTH], op[N_OUT], op[W_STRIDE]
    line, pace, width = op[WIDTH] * op[CHANNELS], op[ACROSS] * op[CHANNELS], op[OUT_WIDTH]
    w, bias = at(share.params, op[W]), at(share.params, op[B])
    rows = at(share.scratch, count * across)
    for example in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + example * op[X_STRIDE]), at(share.work, op[Y] + example * op[Y_STRIDE])
        out = y if filters == across else share.scratch
        if op[DILATION_ACROSS] == 1:
            down, segment, length = op[DOWN] * line, op[DILATION_DOWN] * line, op[KERNEL_WIDTH] * op[CHANNELS]
            for i in range(op[OUT_HEIGHT]):
                here, source = at(out, i * width * across), at(x, i * down)
                multiply(here, across, width, source, pace, 1, op[KERNEL], segment, length, w, across, bias, across)
        else:
            window_rows(op, x, rows)
            multiply(out, across, count, rows, stride, 1, 1, 0, n, w, across, bias, across)
        if filters != across:
            for p in range(count):
                for f in range(0, filters, LANES):
                    store(y, p * filters + f, load(out, p * across + f))


@kernel()
def backward(share, op):
    """∂L/∂x: each window's gradient at the pixels that it saw."""
    if op[PLAIN]:
        turned = at(share.scratch, bordered_size(op))
        turn_kernels(op, at(share.params, op[W]), turned)
        clear(share.scratch, bordered_size(op))
        for example in range(share.lo, share.hi):
            gy, gx = at(share.work, op[GY] + example * op[Y_STRIDE]), at(share.work, op[GX] + example * op[X_STRIDE])
            convolve_back(op, gy, share.scratch, turned, at(share.work, 0), gx)
    else:
        add_back(share, op)


@kernel()
def bordered_size(op):
    """Numbers of ∂L/∂y with a border of one kernel less a pixel, and filters in whole vectors."""
    height, width = op[OUT_HEIGHT] + 2 * op[KERNEL] - 2, op[OUT_WIDTH] + 2 * op[KERNEL_WIDTH] - 2
    return height * width * op[W_STRIDE]


@kernel()
def turn_kernels(op, w, turned):
    """W[ky, kx, c, f] as turned[K − 1 − ky, K − 1 − kx, f, c], channels in whole vectors."""
    channels, across, places = op[CHANNELS], op[W_STRIDE], op[KERNEL] * op[KERNEL_WIDTH]
    wide = whole_vectors(channels)
    for k in range(places):
        out = at(turned, (places - 1 - k) * across * wide)
        clear(out, across * wide)
        for c in range(channels):
            row = at(w, (k * channels + c) * across)
            for f in range(op[N_OUT]):
                out[f * wide + c] = row[f]


@kernel()
def convolve_back(op, gy, bordered, turned, zeros, gx):
    """One picture: ∂L/∂x inside its border, from ∂L/∂y and the turned kernels."""
    channels, filters, across, width = op[CHANNELS], op[N_OUT], op[W_STRIDE], op[OUT_WIDTH]
    wide, inner, line = whole_vectors(channels), op[INNER_WIDTH], (width + 2 * op[KERNEL_WIDTH] - 2) * across
    for i in range(op[OUT_HEIGHT]):
        out = at(bordered, (i + op[KERNEL] - 1) * line + (op[KERNEL_WIDTH] - 1) * across)
        if filters == across:
            copy(out, at(gy, i * width * across), width * across)
        else:
            for p in range(width):
                for f in range(0, filters, LANES):
                    put(out, p * across + f, load(gy, (i * width + p) * filters + f), filters - f)
    length, rows = op[KERNEL_WIDTH] * across, at(turned, op[KERNEL] * length_of(op, wide))
    for i in range(op[INNER_HEIGHT]):
        source = at(bordered, (i + op[TOP]) * line + op[LEFT] * across)
        here = at(gx, ((i + op[TOP]) * op[WIDTH] + op[LEFT]) * channels)
        out = here if channels == wide else rows
        multiply(out, wide, inner, source, across, 1, op[KERNEL], line, length, turned, wide, zeros, wide)
        if channels != wide:
            for p in range(inner):
                for c in range(0, channels, LANES):
                    put(here, p * channels + c, load(rows, p * wide + c), channels - c)


@kernel()
def length_of(op, wide):
    """Numbers in one row of the turned kernels."""
    return op[KERNEL_WIDTH] * op[W_STRIDE] * wide


@kernel()
def add_back(share, op):
    """∂L/∂R = g Wᵀ, and ∂L/∂x its sums over the windows that saw each number."""
    stride, count, across = row_length(op)[1], op[OUT_HEIGHT] * op[OUT_WIDTH], op[W_STRIDE]
    rows, wide = share.scratch, at(share.scratch, count * stride)
    for example in range(share.lo, share.hi):
        pad_filters(op, at(share.work, op[GY] + example * op[Y_STRIDE]), wide)
        multiply_transposed(rows, stride, count, wide, across, at(share.params, op[W]), across, stride, across)
        add_windows(op, rows, at(share.work, op[GX] + example * op[X_STRIDE]))


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
        first, last = op[N_IN] * share.thread // threads, op[N_IN] * (share.thread + 1) // threads
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


@kernel()
def step(share, op):
    """This thread's rows of W, one step on, and ∂L/∂b for later."""
    if op[W_NUMBER] < 0 and op[B_NUMBER] < 0:
        return
    g, threads = floats(share.header[GRADIENTS]), share.header[THREADS]
    first, last = op[N_IN] * share.thread // threads, op[N_IN] * (share.thread + 1) // threads
    if op[PARTS] > 0:
        blocks_gradient(share, op)
    else:
        if share.thread == 0 and op[B_NUMBER] >= 0:
            bias_gradient(share, op, 0, share.examples, at(g, op[B]))
        if op[W_NUMBER] > 0:
            gradient(share, op, first, last, 0, share.examples, at(g, op[W]))
    if op[W_NUMBER] > 0:
        here = op[W] + first * op[W_STRIDE]
        update_weights(share, op, here, at(g, here), (last - first) * op[W_STRIDE])


@kernel()
def step_biases(share, op):
    """The biases, when all threads' gradients are complete."""
    if share.thread == 0 and op[B_NUMBER] >= 0:
        update(share, op[B_NUMBER], False, op[B], at(floats(share.header[GRADIENTS]), op[B]), op[W_STRIDE])


limit = limit_columns
