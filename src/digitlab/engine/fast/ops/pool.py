"""Pools that nothing is fused with, with any stride and padding. Twins: the classes of `LAYERS`."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, N_OUT, X_STRIDE, Y_STRIDE, X, Y
from digitlab.engine.fast.ops.windows import (
    ACROSS,
    CHANNELS,
    DOWN,
    HEIGHT,
    KERNEL,
    KERNEL_WIDTH,
    OUT_HEIGHT,
    OUT_WIDTH,
    WIDTH,
    add,
    column,
    windows_row,
)
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, clear, load, put, splat, store, where
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.windows import Windows

LAYERS = (MaxPool2D, AveragePool2D, GlobalAveragePool)

AVERAGES = column()
TOP = column()  # of the padding, which windows see nothing of
LEFT = column()


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the pooling of layer i to the plan; False where the kernels do not support it."""
    pool, shape = builder.layers[i], builder.shapes[i]
    if isinstance(pool, GlobalAveragePool):
        whole = shape[0], shape[1]
        windows = Windows(whole, (1, 1), (1, 1), whole, (0, 0), (0, 0))
    else:
        assert isinstance(pool, MaxPool2D | AveragePool2D)
        windows = pool.windows(shape)
    row = windows_row(builder, "pool", windows, shape[2])
    (row[HEIGHT], row[WIDTH]), (row[TOP], row[LEFT]) = windows.picture, windows.before
    row[N_OUT], row[AVERAGES] = shape[2], int(type(pool) is not MaxPool2D)
    builder.add_output(row, math.prod(windows.count) * shape[2], first_gradient=False)
    return True


@kernel()
def forward(share, op):
    """Largest value or mean of each window."""
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
        if op[AVERAGES]:
            means(op, x, y)
        else:
            maxima(op, x, y)


@kernel()
def backward(share, op):
    """g at the largest value of each window, or its mean over the window."""
    for n in range(share.lo, share.hi):
        gx, gy = at(share.work, op[GX] + n * op[X_STRIDE]), at(share.work, op[GY] + n * op[Y_STRIDE])
        if op[AVERAGES]:
            means_backward(op, gy, gx)
        else:
            x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
            maxima_backward(op, x, y, gy, gx)


@kernel()
def pixels_of(op, p):
    """The rows and columns of the picture that window p sees: where they begin, and one past the last."""
    top, left = p // op[OUT_WIDTH] * op[DOWN] - op[TOP], p % op[OUT_WIDTH] * op[ACROSS] - op[LEFT]
    bottom, right = min(op[HEIGHT], top + op[KERNEL]), min(op[WIDTH], left + op[KERNEL_WIDTH])
    return max(0, top), bottom, max(0, left), right


@kernel()
def maxima(op, x, y):
    """One picture: the largest number of each window, channel by channel."""
    channels = op[CHANNELS]
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        top, bottom, left, right = pixels_of(op, p)
        out, first = at(y, p * channels), at(x, (top * op[WIDTH] + left) * channels)
        for c in range(channels):
            out[c] = first[c]
        for i in range(top, bottom):
            for j in range(left, right):
                source = at(x, (i * op[WIDTH] + j) * channels)
                for c in range(channels):
                    v, best = source[c], out[c]
                    out[c] = v if v > best or v != v else best


@kernel()
def maxima_backward(op, x, y, gy, gx):
    """One picture: g to the pixel that was the maximum, to the first one if several are."""
    channels = op[CHANNELS]
    clear(gx, op[X_STRIDE])
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        top, bottom, left, right = pixels_of(op, p)
        for c in range(0, channels, LANES):
            best, g = load(y, p * channels + c), load(gy, p * channels + c)
            for i in range(top, bottom):
                for j in range(left, right):
                    here = (i * op[WIDTH] + j) * channels + c
                    v = load(x, here)  # NaN equals nothing
                    put(gx, here, load(gx, here) + where(v == best, g, 0.0), channels - c)
                    g = where(v == best, 0.0, g)


@kernel()
def means(op, x, y):
    """One picture: the mean of each window, channel by channel."""
    channels = op[CHANNELS]
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        top, bottom, left, right = pixels_of(op, p)
        part = splat(1.0 / ((bottom - top) * (right - left)))
        # Whole vectors: the last one of a pixel runs into the next pixel, which is written afterwards.
        for c in range(0, channels, LANES):
            sum_ = splat(0.0)
            for i in range(top, bottom):
                for j in range(left, right):
                    sum_ = sum_ + load(x, (i * op[WIDTH] + j) * channels + c)
            store(y, p * channels + c, part * sum_)


@kernel()
def means_backward(op, gy, gx):
    """One picture: to every pixel its part of the g of each window it is in."""
    channels = op[CHANNELS]
    clear(gx, op[X_STRIDE])
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        top, bottom, left, right = pixels_of(op, p)
        part, source = 1.0 / ((bottom - top) * (right - left)), at(gy, p * channels)
        for i in range(top, bottom):
            for j in range(left, right):
                add(at(gx, (i * op[WIDTH] + j) * channels), part, source, channels)
