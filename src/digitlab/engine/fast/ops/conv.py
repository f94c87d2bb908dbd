"""Convolutions that pooled_conv.py does not cover: any stride, any dilation. Twin: `Conv2D` in nn/conv.py.

A convolution is its twin's matrix product, y = R W + b with a window in each row of R, one picture at a time. R itself
is not needed: going forward and for the gradient, the product reads the windows where they lie in the picture, row by
row of the kernel. Only dilation across tears those rows apart, and then R is laid out in the thread's scratch memory.
On the way back ∂L/∂R is, before each number's windows are added up. Rows of W and of scratch are padded to whole
vectors, rows of y and ∂L/∂y in `work` are not: they are copied in and out.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import padding
from digitlab.engine.fast.ops.optimizer import update, update_weights
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
    row_length,
    window_rows,
    windows_row,
)
from digitlab.engine.fast.plan import padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, clear, floats, load, multiply, multiply_transposed, splat, store
from digitlab.nn.conv import Conv2D

LAYERS = (Conv2D,)
KERNEL_SET = "conv"


def plan(builder: PlanBuilder, i: int) -> bool:
    conv, shape = builder.layers[i], builder.shapes[i]
    assert isinstance(conv, Conv2D)
    windows, channels, filters = conv.windows(shape), shape[2], conv.filters
    padding.add_border(builder, windows)
    row, n = windows_row(builder, "conv", windows, channels), math.prod(windows.kernel) * channels
    w = builder.slot(f"{builder.names[i]}.W", conv.params["W"], n, filters, padded(n) - n)
    row[N_IN], row[N_OUT], row[W_STRIDE] = n, filters, padded(filters)
    builder.weights(w, conv, row)
    builder.bias((f"{builder.names[i]}.b", conv.params["b"]) if "b" in conv.params else None, filters, row)
    count = math.prod(windows.count)
    builder.work += 3 * count * n * filters
    builder.needs_scratch(count * (padded(n) + padded(filters)) + GRADIENT_ROWS * padded(filters) + LANES)
    builder.add_output(row, count * filters)
    return True


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
    out, rows = share.scratch, at(share.scratch, count * across)
    w, bias = at(share.params, op[W]), at(share.params, op[B])
    for example in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + example * op[X_STRIDE]), at(share.work, op[Y] + example * op[Y_STRIDE])
        if op[DILATION_ACROSS] == 1:
            down, segment, length = op[DOWN] * line, op[DILATION_DOWN] * line, op[KERNEL_WIDTH] * op[CHANNELS]
            for i in range(op[OUT_HEIGHT]):
                here, source = at(out, i * width * across), at(x, i * down)
                multiply(here, across, width, source, pace, 1, op[KERNEL], segment, length, w, across, bias, across)
        else:
            window_rows(op, x, rows)
            multiply(out, across, count, rows, stride, 1, 1, 0, n, w, across, bias, across)
        for p in range(count):
            for f in range(0, filters, LANES):
                store(y, p * filters + f, load(out, p * across + f))


@kernel()
def backward(share, op):
    """∂L/∂R = g Wᵀ, and ∂L/∂x its sums over the windows that saw each number."""
    stride, count, across = row_length(op)[1], op[OUT_HEIGHT] * op[OUT_WIDTH], op[W_STRIDE]
    rows, wide = share.scratch, at(share.scratch, count * stride)
    for example in range(share.lo, share.hi):
        pad_filters(op, at(share.work, op[GY] + example * op[Y_STRIDE]), wide)
        multiply_transposed(rows, stride, count, wide, across, at(share.params, op[W]), across, stride, across)
        add_windows(op, rows, at(share.work, op[GX] + example * op[X_STRIDE]))


@kernel()
def gradient(share, op, first, last, g):
    """Rows first … last of ∂L/∂W = Rᵀ g over the whole batch, into g, which begins with row 0."""
    stride, across, zeros = row_length(op)[1], op[W_STRIDE], at(share.work, 0)
    count, width, pace = op[OUT_HEIGHT] * op[OUT_WIDTH], op[OUT_WIDTH], op[ACROSS] * op[CHANNELS]
    line, kernel_row = op[WIDTH] * op[CHANNELS], op[KERNEL_WIDTH] * op[CHANNELS]
    wide, part = share.scratch, at(share.scratch, count * across)
    rows, down = at(part, GRADIENT_ROWS * across), op[DOWN] * line
    clear(at(g, first * across), (last - first) * across)
    for example in range(share.examples):
        picture = at(share.work, op[X] + example * op[X_STRIDE])
        if op[DILATION_ACROSS] > 1:
            window_rows(op, picture, rows)
        pad_filters(op, at(share.work, op[GY] + example * op[Y_STRIDE]), wide)
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
def bias_gradient(share, op, g):
    """∂L/∂b = Σ g over the windows of the whole batch."""
    filters = op[N_OUT]
    for f in range(0, filters, LANES):
        sum_ = splat(0.0)
        for example in range(share.examples):
            for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
                sum_ = sum_ + load(share.work, op[GY] + example * op[Y_STRIDE] + p * filters + f)
        store(g, f, sum_)
    for f in range(filters, op[W_STRIDE]):  # of the next window
        g[f] = 0.0


@kernel()
def step(share, op):
    """This thread's rows of W, one step on, and ∂L/∂b for later."""
    g, threads = floats(share.header[GRADIENTS]), share.header[THREADS]
    first, last = op[N_IN] * share.thread // threads, op[N_IN] * (share.thread + 1) // threads
    if share.thread == 0 and op[B_NUMBER] >= 0:
        bias_gradient(share, op, at(g, op[B]))
    if op[W_NUMBER] > 0:
        gradient(share, op, first, last, at(g, op[W]))
        here = op[W] + first * op[W_STRIDE]
        update_weights(share, op, here, at(g, here), (last - first) * op[W_STRIDE])


@kernel()
def step_biases(share, op):
    """The biases, when all threads' gradients are complete."""
    if share.thread == 0 and op[B_NUMBER] >= 0:
        update(share, op[B_NUMBER], False, op[B], at(floats(share.header[GRADIENTS]), op[B]), op[W_STRIDE])
