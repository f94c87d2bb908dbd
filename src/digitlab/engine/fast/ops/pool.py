"""Pools that no convolution is fused with. Twins: the classes of `LAYERS`."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, N_OUT, X_STRIDE, Y_STRIDE, X, Y
from digitlab.engine.fast.ops.windows import (
    CHANNELS,
    KERNEL,
    KERNEL_WIDTH,
    OUT_HEIGHT,
    OUT_WIDTH,
    add,
    column,
    corner,
    paces,
    windows_row,
)
from digitlab.engine.fast.plan_builder import NoKernel, PlanBuilder
from digitlab.engine.fast.simd import at, clear, load, real, splat, store
from digitlab.nn.pooling import AveragePool2D, GlobalAveragePool, MaxPool2D
from digitlab.nn.windows import Windows

LAYERS = (MaxPool2D, AveragePool2D, GlobalAveragePool)
KERNEL_SET = "conv"

AVERAGES = column()
PART = column()  # float64: 1 / the pixels in a window


def plan(builder: PlanBuilder, i: int) -> bool:
    pool, shape = builder.layers[i], builder.shapes[i]
    if isinstance(pool, GlobalAveragePool):
        whole = shape[0], shape[1]
        windows = Windows(whole, (1, 1), (1, 1), whole, (0, 0), (0, 0))
    else:
        assert isinstance(pool, MaxPool2D | AveragePool2D)
        windows = pool.windows(shape)
    if windows.padded != windows.picture:
        raise NoKernel(f"no kernel for {type(pool).__name__} with padding, layer {builder.names[i]}")
    row = windows_row(builder, "pool", windows, shape[2])
    row[N_OUT], row[AVERAGES], row[PART] = shape[2], int(type(pool) is not MaxPool2D), 1.0 / math.prod(windows.kernel)
    builder.add_output(row, math.prod(windows.count) * shape[2], first_gradient=False)
    return True


@kernel()
def forward(share, op):
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
        if op[AVERAGES]:
            means(op, real(op, PART), x, y)
        else:
            maxima(op, x, y)


@kernel()
def backward(share, op):
    for n in range(share.lo, share.hi):
        gx, gy = at(share.work, op[GX] + n * op[X_STRIDE]), at(share.work, op[GY] + n * op[Y_STRIDE])
        if op[AVERAGES]:
            means_backward(op, real(op, PART), gy, gx)
        else:
            x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
            maxima_backward(op, x, y, gy, gx)


@kernel()
def maxima(op, x, y):
    """One picture: the largest number of each window, channel by channel."""
    channels = op[CHANNELS]
    down, across = paces(op)
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, out = corner(op, p), at(y, p * channels)
        for c in range(channels):
            out[c] = x[start + c]
        for i in range(op[KERNEL]):
            for j in range(op[KERNEL_WIDTH]):
                source = at(x, start + i * down + j * across)
                for c in range(channels):
                    v, best = source[c], out[c]
                    out[c] = v if v > best or v != v else best


@kernel()
def maxima_backward(op, x, y, gy, gx):
    """One picture: g to the pixel that was the maximum, to the first one if several are."""
    channels = op[CHANNELS]
    down, across = paces(op)
    clear(gx, op[X_STRIDE])
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start = corner(op, p)
        for c in range(channels):
            best, here = y[p * channels + c], start + c
            i, j = 0, 0
            while i < op[KERNEL] and x[here + i * down + j * across] != best:
                j += 1
                if j == op[KERNEL_WIDTH]:
                    i, j = i + 1, 0
            if i < op[KERNEL]:  # NaN equals nothing
                gx[here + i * down + j * across] += gy[p * channels + c]


@kernel()
def means(op, part, x, y):
    """One picture: the mean of each window, channel by channel."""
    channels = op[CHANNELS]
    down, across = paces(op)
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start = corner(op, p)
        # Whole vectors: the last one of a pixel runs into the next pixel, which is written afterwards.
        for c in range(0, channels, LANES):
            sum_ = splat(0.0)
            for i in range(op[KERNEL]):
                for j in range(op[KERNEL_WIDTH]):
                    sum_ = sum_ + load(x, start + i * down + j * across + c)
            store(y, p * channels + c, splat(part) * sum_)


@kernel()
def means_backward(op, part, gy, gx):
    """One picture: to every pixel its part of the g of each window it is in."""
    channels = op[CHANNELS]
    down, across = paces(op)
    clear(gx, op[X_STRIDE])
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, source = corner(op, p), at(gy, p * channels)
        for i in range(op[KERNEL]):
            for j in range(op[KERNEL_WIDTH]):
                add(at(gx, start + i * down + j * across), part, source, channels)
