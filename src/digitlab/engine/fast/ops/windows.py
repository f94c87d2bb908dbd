"""What windows see, for convolutions and pools that pooled_conv.py does not cover: any stride, any dilation.

Twins: `Conv2D` (nn/conv.py) with `rows_of` and `pictures_of`; `MaxPool2D`, `AveragePool2D`, `GlobalAveragePool`
(nn/pooling.py). Padding is there already (frame.py).

A convolution is its twin's matrix product, y = R W + b with a window in each row of R, one picture at a time. R itself
is not needed: going forward and for the gradient, the product reads the windows where they lie in the picture, row by
row of the kernel. Only dilation across tears those rows apart, and then R is laid out in the thread's scratch memory.
On the way back ∂L/∂R is, before each number's windows are added up. Rows of W and of scratch are padded to whole
vectors, rows of y and ∂L/∂y in `work` are not: they are copied in and out.
"""

# mypy: ignore-errors

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    ACROSS,
    CHANNELS,
    DILATION_ACROSS,
    DILATION_DOWN,
    DOWN,
    FILTER_STRIDE,
    GRADIENT_ROWS,
    KERNEL,
    KERNEL_WIDTH,
    N_OUT,
    OUT_HEIGHT,
    OUT_WIDTH,
    WIDTH,
    X_STRIDE,
    Y_STRIDE,
)
from digitlab.engine.fast.simd.products import multiply, multiply_transposed
from digitlab.engine.fast.simd.vectors import at, clear, fma, load, splat, store


@kernel()
def corner(op, p):
    """Where in a picture window p begins."""
    row, column = p // op[OUT_WIDTH], p % op[OUT_WIDTH]
    return (row * op[DOWN] * op[WIDTH] + column * op[ACROSS]) * op[CHANNELS]


@kernel()
def stretches(op):
    """A window as stretches of consecutive numbers: rows of them, how many in a row, and how long each is.

    Without dilation across, a window's row is one stretch; with it, every pixel is.
    """
    if op[DILATION_ACROSS] == 1:
        return op[KERNEL], 1, op[KERNEL_WIDTH] * op[CHANNELS]
    return op[KERNEL], op[KERNEL_WIDTH], op[CHANNELS]


@kernel()
def paces(op):
    """How far it is in a picture from one row of a window to the next, and from one pixel of it to the next."""
    return op[DILATION_DOWN] * op[WIDTH] * op[CHANNELS], op[DILATION_ACROSS] * op[CHANNELS]


@kernel()
def row_length(op):
    """The numbers that one window sees, and as many when padded."""
    n = op[KERNEL] * op[KERNEL_WIDTH] * op[CHANNELS]
    return n, (n + 7) // 8 * 8


@kernel()
def lay_out(op, x, rows):
    """R: what each window sees as one row, place after place of the kernel."""
    n, stride = row_length(op)
    high, wide, length = stretches(op)
    down, across = paces(op)
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, row = corner(op, p), at(rows, p * stride)
        for i in range(high):
            for j in range(wide):
                source, out = at(x, start + i * down + j * across), at(row, (i * wide + j) * length)
                # Whole vectors; what the last one writes too much is overwritten by what comes after it.
                for c in range(0, length, 8):
                    store(out, c, load(source, c))
        for c in range(n, stride):
            row[c] = 0.0


@kernel()
def gather_back(op, rows, gx):
    """The way back from R: each number's sum over the windows that saw it."""
    stride = row_length(op)[1]
    high, wide, length = stretches(op)
    down, across = paces(op)
    clear(gx, op[X_STRIDE])
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, row = corner(op, p), at(rows, p * stride)
        for i in range(high):
            for j in range(wide):
                add(at(gx, start + i * down + j * across), 1.0, at(row, (i * wide + j) * length), length)


@kernel()
def add(y, factor, x, count):
    """y += factor · x, `count` numbers and no more."""
    whole = count // 8 * 8
    for c in range(0, whole, 8):
        store(y, c, fma(splat(factor), load(x, c), load(y, c)))
    for c in range(whole, count):
        y[c] += factor * x[c]


@kernel()
def widen(op, g, rows):
    """∂L/∂y with every window's filters padded to whole vectors."""
    filters, stride = op[N_OUT], op[FILTER_STRIDE]
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        for f in range(0, filters, 8):
            store(rows, p * stride + f, load(g, p * filters + f))
        for f in range(filters, stride):
            rows[p * stride + f] = 0.0


@kernel()
def windows_forward(op, x, y, w, bias, scratch):
    """One picture: y = R W + b."""
    n, stride = row_length(op)
    count, filters, across = op[OUT_HEIGHT] * op[OUT_WIDTH], op[N_OUT], op[FILTER_STRIDE]
    out, rows = scratch, at(scratch, count * across)
    if op[DILATION_ACROSS] == 1:
        line, pace = op[WIDTH] * op[CHANNELS], op[ACROSS] * op[CHANNELS]
        for i in range(op[OUT_HEIGHT]):
            multiply(
                at(out, i * op[OUT_WIDTH] * across),
                across,
                op[OUT_WIDTH],
                at(x, i * op[DOWN] * line),
                pace,
                1,
                op[KERNEL],
                op[DILATION_DOWN] * line,
                op[KERNEL_WIDTH] * op[CHANNELS],
                w,
                across,
                bias,
                across,
            )
    else:
        lay_out(op, x, rows)
        multiply(out, across, count, rows, stride, 1, 1, 0, n, w, across, bias, across)
    for p in range(count):
        for f in range(0, filters, 8):
            store(y, p * filters + f, load(out, p * across + f))


@kernel()
def windows_backward(op, gx, gy, w, scratch):
    """One picture: ∂L/∂R = g Wᵀ, and ∂L/∂x its sums over the windows that saw each number."""
    stride = row_length(op)[1]
    count, across = op[OUT_HEIGHT] * op[OUT_WIDTH], op[FILTER_STRIDE]
    rows, wide = scratch, at(scratch, count * stride)
    widen(op, gy, wide)
    multiply_transposed(rows, stride, count, wide, across, w, across, stride, across)
    gather_back(op, rows, gx)


@kernel()
def windows_gradient(op, x, gy, examples, first, last, g, zeros, scratch):
    """Rows first … last of ∂L/∂W = Rᵀ g over the whole batch, into g, which begins with row 0."""
    stride, across = row_length(op)[1], op[FILTER_STRIDE]
    count, width, pace = op[OUT_HEIGHT] * op[OUT_WIDTH], op[OUT_WIDTH], op[ACROSS] * op[CHANNELS]
    line, kernel_row = op[WIDTH] * op[CHANNELS], op[KERNEL_WIDTH] * op[CHANNELS]
    wide, part = scratch, at(scratch, count * across)
    rows = at(part, GRADIENT_ROWS * across)
    clear(at(g, first * across), (last - first) * across)
    for example in range(examples):
        picture = at(x, example * op[X_STRIDE])
        if op[DILATION_ACROSS] > 1:
            lay_out(op, picture, rows)
        widen(op, at(gy, example * op[Y_STRIDE]), wide)
        i = first
        while i < last:
            n = min(GRADIENT_ROWS, last - i)
            if op[DILATION_ACROSS] == 1:  # within one row of the kernel, whose windows lie `pace` apart
                place = i % kernel_row
                n = min(n, kernel_row - place)
                source = at(picture, i // kernel_row * op[DILATION_DOWN] * line + place)
                multiply(
                    part,
                    across,
                    n,
                    source,
                    1,
                    pace,
                    op[OUT_HEIGHT],
                    op[DOWN] * line,
                    width,
                    wide,
                    across,
                    zeros,
                    across,
                )
            else:
                multiply(part, across, n, at(rows, i), 1, stride, 1, 0, count, wide, across, zeros, across)
            add(at(g, i * across), 1.0, part, n * across)
            i += n


@kernel()
def windows_bias_gradient(op, gy, examples, g):
    """∂L/∂b = Σ g over the windows of the whole batch."""
    filters = op[N_OUT]
    for f in range(0, filters, 8):
        sum_ = splat(0.0)
        for example in range(examples):
            for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
                sum_ = sum_ + load(gy, example * op[Y_STRIDE] + p * filters + f)
        store(g, f, sum_)
    for f in range(filters, op[FILTER_STRIDE]):  # of the next window
        g[f] = 0.0


@kernel()
def max_pool(op, x, y):
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
def max_pool_backward(op, x, y, gy, gx):
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
def average_pool(op, share, x, y):
    """One picture: the mean of each window, channel by channel; `share` is 1 / the pixels in a window."""
    channels = op[CHANNELS]
    down, across = paces(op)
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start = corner(op, p)
        # Whole vectors: the last one of a pixel runs into the next pixel, which is written afterwards.
        for c in range(0, channels, 8):
            sum_ = splat(0.0)
            for i in range(op[KERNEL]):
                for j in range(op[KERNEL_WIDTH]):
                    sum_ = sum_ + load(x, start + i * down + j * across + c)
            store(y, p * channels + c, splat(share) * sum_)


@kernel()
def average_pool_backward(op, share, gy, gx):
    """One picture: to every pixel its share of the g of each window it is in."""
    channels = op[CHANNELS]
    down, across = paces(op)
    clear(gx, op[X_STRIDE])
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, source = corner(op, p), at(gy, p * channels)
        for i in range(op[KERNEL]):
            for j in range(op[KERNEL_WIDTH]):
                add(at(gx, start + i * down + j * across), share, source, channels)
