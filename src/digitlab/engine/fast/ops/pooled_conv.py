"""Convolution and max-pooling in one: `Conv2D` (stride 1) followed by `MaxPool2D` (stride = size).

Twins: `Conv2D` in nn/conv.py, `MaxPool2D` in nn/pooling.py.

Forward   A few rows of the convolution at a time, just as many as one row of pools needs, so that they stay in the
          first-level cache; pooling then keeps the maximum and where it was.
Backward  Of each pool's four pixels three have no gradient, and where a ReLU is off none has. So instead of the dense
          products of the twin, each number g of ∂L/∂y meets the one window of x that it came from:
          ∂L/∂W[f] += g · window, and ∂L/∂window += g · W[f]: a quarter of the arithmetic, or less.

Weights are kept twice: W[f, ky, (kx, c)], each row padded to whole vectors, is what is learned and what backward
reads; its transpose [(ky, kx, c), f] in `work` is what forward reads, and is written after each step.
`where` remembers each maximum as 16 times the place of its window in x, plus its number within the pool.

Most of a digit's picture is blank paper. The first convolution looks where there is ink, row by row (`find_ink`):
elsewhere its output is the bias, and its weights have no gradient.
"""

# mypy: ignore-errors

import math

from numba.types import int64 as i64
from numba.types import void

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    CHANNELS,
    CHUNK_INPUTS,
    CHUNK_ITEMS,
    EXTRA,
    FILTER_STRIDE,
    GX,
    HEIGHT,
    KERNEL,
    KERNEL_WIDTH,
    N_OUT,
    OUT_HEIGHT,
    OUT_WIDTH,
    POOL,
    WIDTH,
    Y_STRIDE,
)
from digitlab.engine.fast.simd.products import multiply
from digitlab.engine.fast.simd.tiles import collect
from digitlab.engine.fast.simd.vectors import FLOATS, WORDS, at, load, splat, store, store_whole, where_larger, words

_c1, _c2, _c3, _c4 = collect(1, 1), collect(1, 2), collect(1, 3), collect(1, 4)
_c5, _c6, _c7, _c8 = collect(1, 5), collect(1, 6), collect(1, 7), collect(1, 8)
_r3, _r5 = collect(3, 1), collect(5, 1)


@kernel(void(FLOATS, i64, FLOATS, WORDS, i64, FLOATS, i64, i64, i64))
def collect_rows(y, y_row, values, offsets, count, base, segment, rows, vectors):
    """`collect` for any number of rows and vectors."""
    r = 0
    while r < rows:
        yr, br = at(y, r * y_row), at(base, r * segment)
        if vectors == 1 and rows - r >= 5:
            _r5(yr, y_row, values, offsets, count, br, segment)
            r += 5
            continue
        if vectors == 1 and rows - r >= 3:
            _r3(yr, y_row, values, offsets, count, br, segment)
            r += 3
            continue
        parts = (vectors + 7) // 8
        first = 0
        for part in range(parts):
            n = vectors // parts + (1 if part < vectors % parts else 0)
            yc, bc = at(yr, 8 * first), at(br, 8 * first)
            if n == 1:
                _c1(yc, y_row, values, offsets, count, bc, segment)
            elif n == 2:
                _c2(yc, y_row, values, offsets, count, bc, segment)
            elif n == 3:
                _c3(yc, y_row, values, offsets, count, bc, segment)
            elif n == 4:
                _c4(yc, y_row, values, offsets, count, bc, segment)
            elif n == 5:
                _c5(yc, y_row, values, offsets, count, bc, segment)
            elif n == 6:
                _c6(yc, y_row, values, offsets, count, bc, segment)
            elif n == 7:
                _c7(yc, y_row, values, offsets, count, bc, segment)
            else:
                _c8(yc, y_row, values, offsets, count, bc, segment)
            first += n
        r += 1


@kernel()
def conv_forward(op, x, y, where, w, bias, rows):
    """One picture: y[py, px, f] and `where`; `rows` is room for as many rows of the convolution as a pool is high."""
    width, channels, pool, stride = op[WIDTH], op[CHANNELS], op[POOL], op[FILTER_STRIDE]
    across, line, inked = op[OUT_WIDTH] * pool, width * channels, at(where, op[Y_STRIDE])
    row_size = across * stride
    if op[GX] < 0:
        find_ink(x, op[HEIGHT], line, inked)
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
                copy_vectors(at(out, px * stride), bias, stride)
            for px in range(max(start, end), across):
                copy_vectors(at(out, px * stride), bias, stride)
            multiply(
                at(out, start * stride),
                stride,
                end - start,
                at(source, start * channels),
                channels,
                1,
                op[KERNEL],
                line,
                op[KERNEL_WIDTH] * channels,
                w,
                stride,
                bias,
                stride,
            )
        keep_maxima(op, py, rows, row_size, y, where)


@kernel()
def copy_vectors(y, x, count):
    """y = x, `count` numbers."""
    for i in range(0, count, 8):
        store(y, i, load(x, i))


@kernel()
def find_ink(x, height, line, inked):
    """For every row of a picture, where its first number that is not zero stands, and one past the last."""
    for i in range(height):
        low, high, row = 0, line, at(x, i * line)
        while low < line and row[low] == 0.0:
            low += 1
        while high > low and row[high - 1] == 0.0:
            high -= 1
        inked[2 * i] = low
        inked[2 * i + 1] = high if high > low else 0


@kernel()
def ink_between(inked, first, rows, line):
    """The widest reach of ink in these rows: its beginning and end; the row's length and 0 if there is none."""
    low, high = line, 0
    for i in range(first, first + rows):
        low, high = min(low, inked[2 * i]), max(high, inked[2 * i + 1])
    return low, high


@kernel()
def keep_maxima(op, py, rows, row_size, y, where):
    """One row of pools: of each the maximum, the first one if several are, and where it was."""
    channels, pool, filters, stride = op[CHANNELS], op[POOL], op[N_OUT], op[FILTER_STRIDE]
    line = op[WIDTH] * channels
    right, below = splat(16.0 * channels + 1), splat(16.0 * line + 2)
    across = splat(16.0 * (line + channels) + 3)
    for px in range(op[OUT_WIDTH]):
        out = (py * op[OUT_WIDTH] + px) * filters
        corner = splat(16.0 * (py * pool * line + px * pool * channels))
        # The last vector of a pixel runs into the next pixel, which is written afterwards.
        for f in range(0, filters, 8):
            here = px * pool * stride + f
            best, place = load(rows, here), splat(0.0)
            if pool == 2:
                v = load(rows, here + stride)
                place, best = where_larger(v, best, right, place), where_larger(v, best, v, best)
                v = load(rows, here + row_size)
                place, best = where_larger(v, best, below, place), where_larger(v, best, v, best)
                v = load(rows, here + row_size + stride)
                place, best = where_larger(v, best, across, place), where_larger(v, best, v, best)
            else:
                for dy in range(pool):
                    for dx in range(pool):
                        v = load(rows, here + dy * row_size + dx * stride)
                        spot = splat(16.0 * (dy * line + dx * channels) + dy * pool + dx)
                        place, best = where_larger(v, best, spot, place), where_larger(v, best, v, best)
            store(y, out + f, best)
            store_whole(where, out + f, corner + place)


@kernel()
def conv_backward(op, gx, size, gy, where, w, scratch):
    """One picture: ∂L/∂x, `size` numbers, from ∂L/∂y. Maxima at one place of x are taken together."""
    width, channels, filters, pools = op[WIDTH], op[CHANNELS], op[N_OUT], op[POOL] * op[POOL]
    line, row = width * channels, (op[KERNEL_WIDTH] * channels + 7) // 8 * 8
    count = op[OUT_HEIGHT] * op[OUT_WIDTH]
    for i in range(0, size, 8):
        store(gx, i, splat(0.0))
    # Lists of one picture: for each pool and place in it, which filters had their maximum there, and their g.
    values, offsets = scratch, words(at(scratch, count * pools * filters))
    ends = words(at(scratch, 2 * count * pools * filters))
    for p in range(count):
        for q in range(pools):
            ends[p * pools + q] = (p * pools + q) * filters
        for f in range(filters):
            slot = p * pools + (where[p * filters + f] & 15)
            end = ends[slot]
            g = gy[p * filters + f]
            values[end] = g
            offsets[end] = f * op[KERNEL] * row
            ends[slot] = end + (g != 0.0)
    for ky in range(op[KERNEL]):
        for p in range(count):
            corner = (p // op[OUT_WIDTH]) * op[POOL] * line + (p % op[OUT_WIDTH]) * op[POOL] * channels
            for q in range(pools):
                start = (p * pools + q) * filters
                n = ends[p * pools + q] - start
                if n == 0:
                    continue
                here = corner + (q // op[POOL] + ky) * line + (q % op[POOL]) * channels
                collect_rows(at(gx, here), 0, at(values, start), at(offsets, start), n, at(w, ky * row), 0, 1, row // 8)


@kernel()
def chunk_size(x_stride, items):
    """How many pictures to take at a time, of so many numbers and listed items each."""
    return max(1, min(CHUNK_INPUTS // x_stride, CHUNK_ITEMS // items))


@kernel()
def conv_gradient(op, x, x_stride, gy, y_stride, where, examples, first, last, g, g_bias, scratch):
    """∂L/∂W of the filters first … last, over the whole batch, and ∂L/∂b."""
    n_row = op[KERNEL_WIDTH] * op[CHANNELS]
    width, channels, filters, kernel_height = op[WIDTH], op[CHANNELS], op[N_OUT], op[KERNEL]
    line, row = width * channels, (op[KERNEL_WIDTH] * channels + 7) // 8 * 8
    count, mine = op[OUT_HEIGHT] * op[OUT_WIDTH], last - first
    for i in range(first * kernel_height * row, last * kernel_height * row, 8):
        store(g, i, splat(0.0))
    for f in range(first, last, 8):
        sum_ = splat(0.0)
        for n in range(examples):
            for p in range(count):
                sum_ = sum_ + load(gy, n * y_stride + p * filters + f)
        store(scratch, 0, sum_)
        for k in range(min(8, last - f)):
            g_bias[f + k] = scratch[k]
    chunk = min(examples, chunk_size(x_stride, count * filters))
    room = chunk * count
    values, offsets = scratch, words(at(scratch, room * mine))
    ends = words(at(scratch, 2 * room * mine))
    for start in range(0, examples, chunk):
        for f in range(mine):
            ends[f] = f * room
        for n in range(start, min(start + chunk, examples)):
            places = at(where, n * op[EXTRA])
            inked = at(places, y_stride)
            for py in range(op[OUT_HEIGHT]):
                start_x, end_x = 0, op[OUT_WIDTH]
                if op[GX] < 0:
                    # Windows without ink add nothing.
                    low, high = ink_between(inked, py * op[POOL], op[POOL] + kernel_height - 1, line)
                    reach = op[POOL] + op[KERNEL_WIDTH] - 2
                    start_x = max(0, low // channels - reach + op[POOL] - 1) // op[POOL]
                    end_x = min(end_x, (high + op[POOL] * channels - 1) // (op[POOL] * channels))
                for px in range(start_x, end_x):
                    here = (py * op[OUT_WIDTH] + px) * filters + first
                    gs, ws = at(gy, n * y_stride + here), at(places, here)
                    for f in range(mine):
                        end = ends[f]
                        value = gs[f]
                        values[end] = value
                        offsets[end] = (ws[f] >> 4) + (n - start) * x_stride
                        ends[f] = end + (value != 0.0)
        for f in range(mine):
            items = ends[f] - f * room
            out = at(g, (first + f) * kernel_height * row)
            base = at(x, start * x_stride)
            gs, places = at(values, f * room), at(offsets, f * room)
            collect_rows(out, row, gs, places, items, base, line, kernel_height, row // 8)
    # What was read beyond a window's row is no gradient.
    for i in range(first * kernel_height, last * kernel_height):
        for j in range(n_row, row):
            g[i * row + j] = 0.0


@kernel()
def write_transposed(op, w, first, last, transposed):
    """Filters first … last of W[f, ky, (kx, c)] into the layout that forward reads."""
    n, stride = op[KERNEL_WIDTH] * op[CHANNELS], op[FILTER_STRIDE]
    row = (n + 7) // 8 * 8
    for f in range(first, last):
        for ky in range(op[KERNEL]):
            for i in range(n):
                transposed[(ky * n + i) * stride + f] = w[(f * op[KERNEL] + ky) * row + i]


@kernel()
def limit_filters(limit, w, first, last, size):
    """Filters longer than `limit`, scaled back to it. Twin: `MaxNorm.project` on (kh, kw, C, filters)."""
    for f in range(first, last):
        length = 0.0
        for i in range(size):
            length += w[f * size + i] * w[f * size + i]
        length = math.sqrt(length)
        if length > limit:
            for i in range(size):
                w[f * size + i] *= limit / length
