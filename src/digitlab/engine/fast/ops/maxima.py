"""Forward of pooled_conv.py: the largest value of each pool of a convolution, and where it was.

Two ways: row by row of the windows, or, with many channels and filters, tile by tile (winograd.py): a pool of 2 is one
tile.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.ink import find_ink, ink_between
from digitlab.engine.fast.ops.windows import (
    CHANNELS,
    HEIGHT,
    KERNEL,
    KERNEL_WIDTH,
    OUT_HEIGHT,
    OUT_WIDTH,
    WIDTH,
    column,
)
from digitlab.engine.fast.ops.winograd import outputs, products, rows_at_once, scratch_pixels
from digitlab.engine.fast.simd import at, copy, load, multiply, splat, store, store_whole, where, words

POOL = column()
TRANSPOSED = column()  # offset of the weights as forward reads them
TRANSFORMED = column()  # and as tiles do; 0 without tiles
MAXIMA = column()  # offset of `where`
MAXIMA_STRIDE = column()


@kernel()
def forward(share, op):
    """Convolution, pooling and activation of each window in one pass."""
    bias, line = at(share.params, op[B]), op[WIDTH] * op[CHANNELS]
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
        maxima = words(at(share.work, op[MAXIMA] + n * op[MAXIMA_STRIDE]))
        if op[GX] < 0:
            find_ink(x, op[HEIGHT], line, at(maxima, op[Y_STRIDE]))
        if op[TRANSFORMED] > 0:
            by_tiles(op, x, y, maxima, at(share.work, op[TRANSFORMED]), bias, at(share.work, 0), share.scratch)
        else:
            by_rows(op, x, y, maxima, at(share.work, op[TRANSPOSED]), bias, share.scratch)


@kernel()
def by_tiles(op, x, y, maxima, u, bias, zeros, scratch):
    """One picture of pools of 2, with the weights as winograd.py transforms them."""
    width, channels, filters, across = op[WIDTH], op[CHANNELS], op[N_OUT], op[OUT_WIDTH]
    line, rows = width * channels, rows_at_once(across)
    m = at(scratch, scratch_pixels(across, channels))
    for first in range(0, op[OUT_HEIGHT], rows):
        down = min(rows, op[OUT_HEIGHT] - first)
        picture = x, line, op[HEIGHT], width, channels
        pace = products(picture, u, filters, zeros, bias, first, down, across, scratch, m)
        for t in range(down * across):
            py, px = first + t // across, t % across
            out, corner = (py * across + px) * filters, splat(16.0 * (2 * py * line + 2 * px * channels))
            for f in range(0, filters, LANES):
                best, place = largest(*outputs(at(m, t * filters + f), pace), channels, line)
                store(y, out + f, best)
                store_whole(maxima, out + f, corner + place)


@kernel()
def largest(a, b, c, d, channels, line):
    """The largest of a pool's four numbers, the first one if several are, and where it is, as `MAXIMA` says it."""
    place, best = where(b > a, splat(16.0 * channels + 1), splat(0.0)), where(b > a, b, a)
    place, best = where(c > best, splat(16.0 * line + 2), place), where(c > best, c, best)
    place, best = where(d > best, splat(16.0 * (line + channels) + 3), place), where(d > best, d, best)
    return best, place


@kernel()
def by_rows(op, x, y, maxima, w, bias, rows):
    """One picture: y[py, px, f] and `maxima`; `rows` is room for as many rows of the convolution as a pool is high."""
    width, channels, pool, stride = op[WIDTH], op[CHANNELS], op[POOL], op[W_STRIDE]
    across, line, inked = op[OUT_WIDTH] * pool, width * channels, at(maxima, op[Y_STRIDE])
    row_size, length = across * stride, op[KERNEL_WIDTH] * channels
    for py in range(op[OUT_HEIGHT]):
        for dy in range(pool):
            start, end = 0, across
            if op[GX] < 0:
                low, high = ink_between(inked, py * pool + dy, op[KERNEL], line)
                # Whole tiles of 4 windows; `high` is 0 where there is no ink.
                start = max(0, low // channels - op[KERNEL_WIDTH] + 1) // 4 * 4
                end = min(across, ((high + channels - 1) // channels + 3) // 4 * 4)
            out, source = at(rows, dy * row_size), at(x, (py * pool + dy) * line)
            for px in range(min(start, across)):
                copy(at(out, px * stride), bias, stride)
            for px in range(max(start, end), across):
                copy(at(out, px * stride), bias, stride)
            here, left = at(out, start * stride), at(source, start * channels)
            multiply(here, stride, end - start, left, channels, 1, op[KERNEL], line, length, w, stride, bias, stride)
        keep_maxima(op, py, rows, row_size, y, maxima)


@kernel()
def keep_maxima(op, py, rows, row_size, y, maxima):
    """One row of pools: of each the maximum, the first one if several are, and where it was."""
    channels, pool, filters, stride = op[CHANNELS], op[POOL], op[N_OUT], op[W_STRIDE]
    line = op[WIDTH] * channels
    for px in range(op[OUT_WIDTH]):
        out = (py * op[OUT_WIDTH] + px) * filters
        corner = splat(16.0 * (py * pool * line + px * pool * channels))
        # The last vector of a pixel runs into the next pixel, which is written afterwards.
        for f in range(0, filters, LANES):
            here = px * pool * stride + f
            if pool == 2:
                four = load(rows, here), load(rows, here + stride), load(rows, here + row_size)
                best, place = largest(*four, load(rows, here + row_size + stride), channels, line)
            else:
                best, place = load(rows, here), splat(0.0)
                for dy in range(pool):
                    for dx in range(pool):
                        v = load(rows, here + dy * row_size + dx * stride)
                        spot = splat(16.0 * (dy * line + dx * channels) + dy * pool + dx)
                        place, best = where(v > best, spot, place), where(v > best, v, best)
            store(y, out + f, best)
            store_whole(maxima, out + f, corner + place)
