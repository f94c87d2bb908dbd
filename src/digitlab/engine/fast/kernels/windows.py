"""What windows see, for convolutions and pools that pooled_conv.py does not cover: any stride, any dilation.

Twins: `Conv2D` (nn/conv.py) with `rows_of` and `pictures_of`; `MaxPool2D`, `AveragePool2D`, `GlobalAveragePool`
(nn/pooling.py). Padding is there already (frame.py).

A convolution is its twin's matrix product, one picture at a time: the windows' rows R are laid out in the thread's
scratch memory, both going forward and for the gradient, so that nothing as large as R is kept for a batch.
Rows of R are padded to whole vectors, rows of y and ∂L/∂y in `work` are not: they are copied in and out.
"""

# mypy: ignore-errors

from digitlab.engine.fast.kernels.jit import kernel
from digitlab.engine.fast.kernels.products import multiply, multiply_transposed
from digitlab.engine.fast.kernels.simd import at, load, splat, store
from digitlab.engine.fast.layout import (
    ACROSS,
    CHANNELS,
    DILATION_ACROSS,
    DILATION_DOWN,
    DOWN,
    FILTER_STRIDE,
    KERNEL,
    KERNEL_WIDTH,
    N_OUT,
    OUT_HEIGHT,
    OUT_WIDTH,
    WIDTH,
    X_STRIDE,
    Y_STRIDE,
)

ROWS = 16  # of W whose gradient is held at once, as in dense.py


@kernel()
def corner(op, p):
    """Where in a picture window p begins."""
    row, column = p // op[OUT_WIDTH], p % op[OUT_WIDTH]
    return (row * op[DOWN] * op[WIDTH] + column * op[ACROSS]) * op[CHANNELS]


@kernel()
def place(op, k):
    """How far from a window's beginning the k-th place of the kernel is."""
    row, column = k // op[KERNEL_WIDTH], k % op[KERNEL_WIDTH]
    return (row * op[DILATION_DOWN] * op[WIDTH] + column * op[DILATION_ACROSS]) * op[CHANNELS]


@kernel()
def row_length(op):
    """The numbers that one window sees, and as many when padded."""
    n = op[KERNEL] * op[KERNEL_WIDTH] * op[CHANNELS]
    return n, (n + 7) // 8 * 8


@kernel()
def lay_out(op, x, rows):
    """R: what each window sees as one row, place after place of the kernel."""
    n, stride = row_length(op)
    channels, places = op[CHANNELS], op[KERNEL] * op[KERNEL_WIDTH]
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, row = corner(op, p), at(rows, p * stride)
        for k in range(places):
            source, out = at(x, start + place(op, k)), at(row, k * channels)
            for c in range(channels):
                out[c] = source[c]
        for i in range(n, stride):
            row[i] = 0.0


@kernel()
def widen(op, g, rows):
    """∂L/∂y with every window's filters padded to whole vectors."""
    filters, stride = op[N_OUT], op[FILTER_STRIDE]
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        for f in range(filters):
            rows[p * stride + f] = g[p * filters + f]
        for f in range(filters, stride):
            rows[p * stride + f] = 0.0


@kernel()
def windows_forward(op, x, y, w, bias, scratch):
    """One picture: y = R W + b."""
    n, stride = row_length(op)
    count, filters, across = op[OUT_HEIGHT] * op[OUT_WIDTH], op[N_OUT], op[FILTER_STRIDE]
    rows, out = scratch, at(scratch, count * stride)
    lay_out(op, x, rows)
    multiply(out, across, count, rows, stride, 1, 1, 0, n, w, across, bias, across)
    for p in range(count):
        for f in range(filters):
            y[p * filters + f] = out[p * across + f]


@kernel()
def windows_backward(op, gx, gy, w, scratch):
    """One picture: ∂L/∂R = g Wᵀ, and ∂L/∂x its sums over the windows that saw each number."""
    stride = row_length(op)[1]
    count, across, channels = op[OUT_HEIGHT] * op[OUT_WIDTH], op[FILTER_STRIDE], op[CHANNELS]
    rows, wide = scratch, at(scratch, count * stride)
    widen(op, gy, wide)
    multiply_transposed(rows, stride, count, wide, across, w, across, stride, across)
    for i in range(0, op[X_STRIDE], 8):
        store(gx, i, splat(0.0))
    for p in range(count):
        start, row = corner(op, p), at(rows, p * stride)
        for k in range(op[KERNEL] * op[KERNEL_WIDTH]):
            out, source = at(gx, start + place(op, k)), at(row, k * channels)
            for c in range(channels):
                out[c] += source[c]


@kernel()
def windows_gradient(op, x, gy, examples, first, last, g, zeros, scratch):
    """Rows first … last of ∂L/∂W = Rᵀ g over the whole batch, into g, which begins with row 0."""
    stride, across = row_length(op)[1], op[FILTER_STRIDE]
    count = op[OUT_HEIGHT] * op[OUT_WIDTH]
    rows, wide = scratch, at(scratch, count * stride)
    part = at(wide, count * across)
    for i in range(first * across, last * across, 8):
        store(g, i, splat(0.0))
    for example in range(examples):
        lay_out(op, at(x, example * op[X_STRIDE]), rows)
        widen(op, at(gy, example * op[Y_STRIDE]), wide)
        for i in range(first, last, ROWS):
            n = min(ROWS, last - i)
            multiply(part, across, n, at(rows, i), 1, stride, 1, 0, count, wide, across, zeros, across)
            for j in range(0, n * across, 8):
                store(g, i * across + j, load(g, i * across + j) + load(part, j))


@kernel()
def windows_bias_gradient(op, gy, examples, g):
    """∂L/∂b = Σ g over the windows of the whole batch."""
    filters = op[N_OUT]
    for f in range(op[FILTER_STRIDE]):
        g[f] = 0.0
    for example in range(examples):
        for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
            here = example * op[Y_STRIDE] + p * filters
            for f in range(filters):
                g[f] += gy[here + f]


@kernel()
def max_pool(op, x, y):
    """One picture: the largest number of each window, channel by channel."""
    channels = op[CHANNELS]
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, out = corner(op, p), at(y, p * channels)
        for c in range(channels):
            out[c] = x[start + c]
        for k in range(1, op[KERNEL] * op[KERNEL_WIDTH]):
            source = at(x, start + place(op, k))
            for c in range(channels):
                v, best = source[c], out[c]
                out[c] = v if v > best or v != v else best


@kernel()
def max_pool_backward(op, x, y, gy, gx):
    """One picture: g to the pixel that was the maximum, to the first one if several are."""
    channels, places = op[CHANNELS], op[KERNEL] * op[KERNEL_WIDTH]
    for i in range(0, op[X_STRIDE], 8):
        store(gx, i, splat(0.0))
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start = corner(op, p)
        for c in range(channels):
            best = y[p * channels + c]
            for k in range(places):
                here = start + place(op, k) + c
                if x[here] == best:
                    gx[here] += gy[p * channels + c]
                    break


@kernel()
def average_pool(op, share, x, y):
    """One picture: the mean of each window, channel by channel; `share` is 1 / the pixels in a window."""
    channels = op[CHANNELS]
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, out = corner(op, p), at(y, p * channels)
        for c in range(channels):
            out[c] = x[start + c]
        for k in range(1, op[KERNEL] * op[KERNEL_WIDTH]):
            source = at(x, start + place(op, k))
            for c in range(channels):
                out[c] += source[c]
        for c in range(channels):
            out[c] *= share


@kernel()
def average_pool_backward(op, share, gy, gx):
    """One picture: to every pixel its share of the g of each window it is in."""
    channels = op[CHANNELS]
    for i in range(0, op[X_STRIDE], 8):
        store(gx, i, splat(0.0))
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, source = corner(op, p), at(gy, p * channels)
        for k in range(op[KERNEL] * op[KERNEL_WIDTH]):
            out = at(gx, start + place(op, k))
            for c in range(channels):
                out[c] += share * source[c]
