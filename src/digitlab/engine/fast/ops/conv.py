"""Convolutions that pooled_conv.py does not cover: any stride, any dilation. Twin: `Conv2D` in nn/conv.py.

A convolution is its twin's matrix product, y = R W + b with a window in each row of R, one picture at a time. R itself
is not needed: going forward and for the gradient, the product reads the windows where they lie in the picture, row by
row of the kernel. Only dilation across tears those rows apart, and then R is laid out in the thread's scratch memory.

On the way back of a plain convolution (stride and dilation 1) ∂L/∂x is a convolution, too: of ∂L/∂y with a border of
zeros, by the kernels rotated by 180°. With many channels and filters both are computed tile by tile (winograd.py). Of
another convolution ∂L/∂R is laid out, before each number's windows are added up.

Rows of W and of scratch are padded to whole vectors, rows of y and ∂L/∂y in `work` are not: unless the filters fill
whole vectors they are copied in and out.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math
from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import padding, winograd
from digitlab.engine.fast.ops.conv_gradient import BLOCKS, PARTS, bias_gradient, blocks_gradient, gradient, pad_filters
from digitlab.engine.fast.ops.optimizer import limit_columns, update, update_weights
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.ops.windows import (
    ACROSS,
    CHANNELS,
    DILATION_ACROSS,
    DILATION_DOWN,
    DOWN,
    HEIGHT,
    KERNEL,
    KERNEL_WIDTH,
    OUT_HEIGHT,
    OUT_WIDTH,
    WIDTH,
    add_windows,
    column,
    row_length,
    window_rows,
    windows_row,
)
from digitlab.engine.fast.ops.winograd import convolve, transform_kernels
from digitlab.engine.fast.plan import Row, padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, clear, copy, floats, load, multiply, multiply_transposed, put, store
from digitlab.engine.fast.simd import padded as whole_vectors
from digitlab.nn.conv import Conv2D

LAYERS = (Conv2D,)

PLAIN = column()  # whether stride and dilation are 1
TOP = column()  # the border in the picture, whose gradient is not needed, and the picture inside
LEFT = column()
INNER_HEIGHT = column()
INNER_WIDTH = column()
TILED = column()  # whether outputs are computed tile by tile (winograd.py)

LARGEST_PART = 1 << 16  # numbers of W up to which each block has a gradient of its own


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
    row[TILED] = int(winograd.pays(windows, channels, filters))
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
    if row[TILED]:
        tiles = 16 * channels * filters + winograd.scratch(windows, channels, filters)
        builder.needs_scratch(bordered + turned + tiles)
    builder.add_output(row, count * filters)
    return True


def place(row: Row, room: Any, batch: int) -> None:
    """Room for the gradients of the blocks."""
    if row[PARTS]:
        row[PARTS] = room(BLOCKS * (row[N_IN] + 1) * row[W_STRIDE])


@kernel()
def forward(share, op):
    """y = R W + b, picture by picture."""
    if op[TILED]:
        by_tiles(share, op)
        return
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
def by_tiles(share, op):
    """y = R W + b, picture by picture and tile by tile."""
    channels, filters, zeros, u = op[CHANNELS], op[N_OUT], at(share.work, 0), share.scratch
    bias, height, width = at(share.params, op[B]), op[OUT_HEIGHT], op[OUT_WIDTH]
    transform_kernels(at(share.params, op[W]), channels, filters, 0, filters, u)
    room, line, out_line = at(u, 16 * channels * filters), op[WIDTH] * channels, width * filters
    for example in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + example * op[X_STRIDE]), at(share.work, op[Y] + example * op[Y_STRIDE])
        picture = x, line, op[HEIGHT], op[WIDTH], channels
        convolve(picture, u, filters, zeros, bias, (y, out_line, height, width), room)


@kernel()
def backward(share, op):
    """∂L/∂x: each window's gradient at the pixels that it saw."""
    if op[PLAIN]:
        turned, channels, filters = at(share.scratch, bordered_size(op)), op[CHANNELS], op[N_OUT]
        u = at(turned, op[KERNEL] * length_of(op, whole_vectors(channels)))
        turn_kernels(op, at(share.params, op[W]), turned)
        if op[TILED]:
            transform_kernels(turned, filters, channels, 0, channels, u)
        clear(share.scratch, bordered_size(op))
        for example in range(share.lo, share.hi):
            gy, gx = at(share.work, op[GY] + example * op[Y_STRIDE]), at(share.work, op[GX] + example * op[X_STRIDE])
            surround(op, gy, share.scratch)
            if op[TILED]:
                tiles_back(op, share.scratch, u, at(share.work, 0), gx)
            else:
                convolve_back(op, share.scratch, turned, at(share.work, 0), gx)
    else:
        add_back(share, op)


@kernel()
def bordered_size(op):
    """Numbers of ∂L/∂y with a border of one kernel less a pixel, and filters in whole vectors."""
    return (op[OUT_HEIGHT] + 2 * op[KERNEL] - 2) * bordered_width(op) * op[W_STRIDE]


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
def surround(op, gy, bordered):
    """∂L/∂y into its border of zeros."""
    filters, across, width = op[N_OUT], op[W_STRIDE], op[OUT_WIDTH]
    line = bordered_width(op) * across
    for i in range(op[OUT_HEIGHT]):
        out = at(bordered, (i + op[KERNEL] - 1) * line + (op[KERNEL_WIDTH] - 1) * across)
        if filters == across:
            copy(out, at(gy, i * width * across), width * across)
        else:
            for p in range(width):
                for f in range(0, filters, LANES):
                    put(out, p * across + f, load(gy, (i * width + p) * filters + f), filters - f)


@kernel()
def bordered_width(op):
    """Windows in a row of ∂L/∂y with its border."""
    return op[OUT_WIDTH] + 2 * op[KERNEL_WIDTH] - 2


@kernel()
def tiles_back(op, bordered, u, zeros, gx):
    """One picture: ∂L/∂x inside its border, tile by tile, from ∂L/∂y with a border and the transformed kernels."""
    channels, filters, wide = op[CHANNELS], op[N_OUT], bordered_width(op)
    height, width = op[OUT_HEIGHT] + 2 * op[KERNEL] - 2 - op[TOP], wide - op[LEFT]
    source, room = at(bordered, (op[TOP] * wide + op[LEFT]) * filters), at(u, 16 * channels * filters)
    out_line = op[WIDTH] * channels
    out = at(gx, op[TOP] * out_line + op[LEFT] * channels), out_line, op[INNER_HEIGHT], op[INNER_WIDTH]
    convolve((source, wide * filters, height, width, filters), u, channels, zeros, zeros, out, room)


@kernel()
def convolve_back(op, bordered, turned, zeros, gx):
    """One picture: ∂L/∂x inside its border, from ∂L/∂y with a border and the turned kernels."""
    channels, across, inner = op[CHANNELS], op[W_STRIDE], op[INNER_WIDTH]
    wide, line = whole_vectors(channels), bordered_width(op) * across
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
def step(share, op):
    """Update this thread's rows of W, and keep ∂L/∂b for `step_biases`."""
    if op[W_NUMBER] < 0 and op[B_NUMBER] < 0:
        return
    g, (first, last) = floats(share.header[GRADIENTS]), part_of(share, op[N_IN])
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
    """Update the biases, when all threads' gradients are complete."""
    if share.thread == 0 and op[B_NUMBER] >= 0:
        update(share, op[B_NUMBER], False, op[B], at(floats(share.header[GRADIENTS]), op[B]), op[W_STRIDE])


limit = limit_columns
