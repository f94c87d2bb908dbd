"""Convolution and max-pooling in one: `Conv2D` (stride 1) followed by `MaxPool2D` (stride = size).

Twins: `Conv2D` in nn/conv.py, `MaxPool2D` in nn/pooling.py.

Forward   A few rows of the convolution at a time, which stay in a near cache; pooling then keeps the maximum and where
          it was (maxima.py).
Backward  Of each pool's four pixels three have no gradient, and where a ReLU is off none has. So instead of the dense
          products of the twin, each number g of ∂L/∂y is multiplied with the one window of x that it came from:
          ∂L/∂W[f] += g · window, and ∂L/∂window += g · W[f]: a quarter of the arithmetic, or less.

Weights are kept twice: W[f, ky, (kx, c)], each row padded to whole vectors, is what is learned and what backward
reads; its transpose [(ky, kx, c), f] in `work` is what forward reads, and is written after each step.
`MAXIMA` remembers each maximum as 16 times the place of its window in x, plus its number within the pool.

Most of a digit's picture is blank paper. The first convolution looks where there is ink, row by row (`find_ink`):
elsewhere its output is the bias, and its weights have no gradient.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math
from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import conv, maxima, padding, winograd
from digitlab.engine.fast.ops.activation import is_monotone
from digitlab.engine.fast.ops.collecting import AFTER, collect_rows, list_filters, list_windows
from digitlab.engine.fast.ops.ink import ink_between
from digitlab.engine.fast.ops.maxima import MAXIMA, MAXIMA_STRIDE, POOL, TRANSFORMED, TRANSPOSED
from digitlab.engine.fast.ops.optimizer import limit_norms, update
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.ops.windows import CHANNELS, KERNEL, KERNEL_WIDTH, OUT_HEIGHT, OUT_WIDTH, WIDTH, windows_row
from digitlab.engine.fast.plan import Row, padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, clear, doubles, floats, load, splat, store, words
from digitlab.engine.fast.simd import padded as whole_vectors
from digitlab.nn.bias import Bias
from digitlab.nn.conv import Conv2D
from digitlab.nn.pooling import MaxPool2D

LAYERS = (Conv2D, MaxPool2D, Bias)
FUSES = True

LARGEST_PICTURE = 1 << 20  # 16 times a place in it must be exact in float32
# A chunk of pictures whose gradient is taken at a time: so many input numbers and so many listed ones stay near the
# first-level cache.
CHUNK_INPUTS, CHUNK_ITEMS = 6000, 8000


def plan(builder: PlanBuilder, i: int) -> bool:
    """Takes a convolution with the max-pooling after it: activations that never fall may stand on either side of it.

    A bias behind the pool is taken, too, if the convolution has none.
    """
    layers, shapes = builder.layers, builder.shapes
    layer, j = layers[i], i + 1
    while j < len(layers) and is_monotone(layers[j]):
        j += 1
    pool = layers[j] if j < len(layers) else None
    if not (type(layer) is Conv2D and type(pool) is MaxPool2D):
        return False
    windows, pools, channels = layer.windows(shapes[i]), pool.windows(shapes[j]), shapes[i][2]
    size = pools.kernel[0]
    if (
        (windows.stride, windows.dilation) != ((1, 1), (1, 1))
        or layer.connections is not None
        or not all(isinstance(p.trainable, bool) for p in layer.params.values())
        or (pools.kernel, pools.stride, pools.padded) != ((size, size), pools.kernel, pools.picture)
        or size > 3
        or math.prod(windows.padded) * channels >= LARGEST_PICTURE
    ):
        return False
    padding.add_border(builder, windows)
    bias = (f"{builder.names[i]}.b", layer.params["b"]) if "b" in layer.params else None
    behind = layers[j + 1] if j + 1 < len(layers) and bias is None and j == i + 1 else None
    if type(behind) is Bias and isinstance(behind.params["b"].trainable, bool):
        bias = f"{builder.names[j + 1]}.b", behind.params["b"]
        builder.take(j + 1)
    builder.take(j)
    (kh, kw), filters, pixels = windows.kernel, layer.filters, math.prod(pools.count)
    row = windows_row(builder, "pooled_conv", windows, channels)
    w = builder.slot(f"{builder.names[i]}.W", layer.params["W"], filters * kh, kw * channels)
    w.kernels = (kh, filters)
    row[N_OUT], row[W_STRIDE], row[POOL] = filters, padded(filters), size
    builder.weights(w, layer, row)
    builder.bias(bias, filters, row)
    row[OUT_HEIGHT], row[OUT_WIDTH] = pools.count
    builder.work += 2 * math.prod(windows.count) * kh * kw * channels * filters
    chunk = max(1, min(CHUNK_INPUTS // builder.stride, CHUNK_ITEMS // (pixels * filters)))
    builder.needs_scratch(
        size * size * pools.count[1] * padded(filters) + LANES,
        (2 * filters + 1) * pixels * size * size + 2 * AFTER + LANES,
        (2 * (chunk * pixels + AFTER) + 1) * filters + LANES,
        padded(kw * channels),
    )
    row[TRANSFORMED] = int(size == 2 and winograd.pays(windows, channels, filters))
    if row[TRANSFORMED]:
        builder.needs_scratch(winograd.scratch(windows, channels, filters))
    builder.add_output(row, pixels * filters)
    row[MAXIMA_STRIDE] = builder.stride + padded(2 * windows.padded[0])  # with the ink's reach in each row behind it
    row[MAXIMA] = builder.room(row[MAXIMA_STRIDE])
    return True


def place(row: Row, room: Any, batch: int) -> None:
    """Room for the weights as forward reads them."""
    row[TRANSPOSED] = room(row[KERNEL] * row[KERNEL_WIDTH] * row[CHANNELS] * row[W_STRIDE])
    if row[TRANSFORMED]:
        row[TRANSFORMED] = room(16 * row[CHANNELS] * row[W_STRIDE])


@kernel()
def begin(share, op):
    """This thread's share of the filters into the layout that forward reads, when the weights are new."""
    first, last = part_of(share, op[N_OUT])
    transposed = at(share.work, op[TRANSPOSED])
    write_transposed(op, at(share.params, op[W]), first, last, transposed)
    if op[TRANSFORMED] > 0:
        winograd.transform_kernels(transposed, op[CHANNELS], op[W_STRIDE], first, last, at(share.work, op[TRANSFORMED]))


forward = maxima.forward


@kernel()
def backward(share, op):
    """∂L/∂x, through the activation and the largest value of each window."""
    for n in range(share.lo, share.hi):
        gx, gy = at(share.work, op[GX] + n * op[X_STRIDE]), at(share.work, op[GY] + n * op[Y_STRIDE])
        places = words(at(share.work, op[MAXIMA] + n * op[MAXIMA_STRIDE]))
        picture_backward(op, gx, op[X_STRIDE], gy, places, at(share.params, op[W]), share.scratch)


@kernel()
def picture_backward(op, gx, size, gy, places, w, scratch):
    """One picture: ∂L/∂x, `size` numbers, from ∂L/∂y. Maxima at one place of x are taken together."""
    width, channels, filters, pools = op[WIDTH], op[CHANNELS], op[N_OUT], op[POOL] * op[POOL]
    line, row = width * channels, whole_vectors(op[KERNEL_WIDTH] * channels)
    count = op[OUT_HEIGHT] * op[OUT_WIDTH]
    clear(gx, size)
    # Lists of one picture: for each pool and place in it, which filters had their maximum there, and their g.
    room = count * pools * filters + AFTER
    values, offsets, ends = scratch, words(at(scratch, room)), words(at(scratch, 2 * room))
    for p in range(count):
        here, gs, start = at(places, p * filters), at(gy, p * filters), p * pools * filters
        list_filters(gs, here, filters, pools, values, offsets, at(ends, p * pools), start, op[KERNEL] * row)
    for ky in range(op[KERNEL]):
        for p in range(count):
            corner = (p // op[OUT_WIDTH]) * op[POOL] * line + (p % op[OUT_WIDTH]) * op[POOL] * channels
            for q in range(pools):
                start = (p * pools + q) * filters
                n = ends[p * pools + q] - start
                if n == 0:
                    continue
                here = corner + (q // op[POOL] + ky) * line + (q % op[POOL]) * channels
                collect_rows(
                    at(gx, here), 0, at(values, start), at(offsets, start), n, at(w, ky * row), 0, 1, row // LANES
                )


@kernel()
def chunk_size(x_stride, items):
    """How many pictures to take at a time, of so many numbers and listed items each."""
    return max(1, min(CHUNK_INPUTS // x_stride, CHUNK_ITEMS // items))


@kernel()
def gradient(share, op, first, last, g, g_bias):
    """∂L/∂W of the filters first … last, over the whole batch, and ∂L/∂b."""
    x, x_stride, gy, y_stride = at(share.work, op[X]), op[X_STRIDE], at(share.work, op[GY]), op[Y_STRIDE]
    where_maxima, examples, scratch = words(at(share.work, op[MAXIMA])), share.examples, share.scratch
    n_row = op[KERNEL_WIDTH] * op[CHANNELS]
    width, channels, filters, kernel_height = op[WIDTH], op[CHANNELS], op[N_OUT], op[KERNEL]
    line, row = width * channels, whole_vectors(op[KERNEL_WIDTH] * channels)
    count, mine = op[OUT_HEIGHT] * op[OUT_WIDTH], last - first
    clear(at(g, first * kernel_height * row), mine * kernel_height * row)
    for f in range(first, last, LANES):
        sum_ = splat(0.0)
        for n in range(examples):
            for p in range(count):
                sum_ = sum_ + load(gy, n * y_stride + p * filters + f)
        store(scratch, 0, sum_)
        for k in range(min(LANES, last - f)):
            g_bias[f + k] = scratch[k]
    chunk = min(examples, chunk_size(x_stride, count * filters))
    room = chunk * count + AFTER
    # Windows without ink add nothing, where ink is known; else all rows of pools are one.
    lines, across = (op[OUT_HEIGHT], op[OUT_WIDTH]) if op[GX] < 0 else (1, count)
    values, offsets = scratch, words(at(scratch, room * mine))
    ends = words(at(scratch, 2 * room * mine))
    for start in range(0, examples, chunk):
        for f in range(mine):
            ends[f] = f * room
        for n in range(start, min(start + chunk, examples)):
            places = at(where_maxima, n * op[MAXIMA_STRIDE])
            inked = at(places, y_stride)
            for py in range(lines):
                start_x, end_x = 0, across
                if op[GX] < 0:
                    low, high = ink_between(inked, py * op[POOL], op[POOL] + kernel_height - 1, line)
                    reach = op[POOL] + op[KERNEL_WIDTH] - 2
                    start_x = max(0, low // channels - reach + op[POOL] - 1) // op[POOL]
                    end_x = min(end_x, (high + op[POOL] * channels - 1) // (op[POOL] * channels))
                here = (py * op[OUT_WIDTH] + start_x) * filters + first
                gs, ws = at(gy, n * y_stride + here), at(places, here)
                list_windows(gs, ws, filters, mine, end_x - start_x, values, offsets, ends, (n - start) * x_stride)
        for f in range(mine):
            items = ends[f] - f * room
            out = at(g, (first + f) * kernel_height * row)
            base = at(x, start * x_stride)
            gs, places = at(values, f * room), at(offsets, f * room)
            collect_rows(out, row, gs, places, items, base, line, kernel_height, row // LANES)
    # What was read beyond a window's row is no gradient.
    for i in range(first * kernel_height, last * kernel_height):
        for j in range(n_row, row):
            g[i * row + j] = 0.0


@kernel()
def write_transposed(op, w, first, last, transposed):
    """Filters first … last of W[f, ky, (kx, c)] into the layout that forward reads."""
    n, stride = op[KERNEL_WIDTH] * op[CHANNELS], op[W_STRIDE]
    row = whole_vectors(n)
    for f in range(first, last):
        for ky in range(op[KERNEL]):
            for i in range(n):
                transposed[(ky * n + i) * stride + f] = w[(f * op[KERNEL] + ky) * row + i]


@kernel()
def step(share, op):
    """Update this thread's filters, and transpose them for the next forward pass; keep ∂L/∂b for `step_biases`."""
    if op[W_NUMBER] < 0 and op[B_NUMBER] < 0:
        return
    g, size = floats(share.header[GRADIENTS]), filter_size(op)
    first, last = part_of(share, op[N_OUT])
    gradient(share, op, first, last, at(g, op[W]), at(g, op[B]))
    if op[W_NUMBER] > 0:
        here, count = op[W] + first * size, (last - first) * size
        update(share, op[W_NUMBER], True, here, at(g, here), count)
        limit = doubles(share.header[HYPER])[MAX_NORM]
        if limit > 0.0:
            limit_norms(limit, at(share.params, here), size, 1, last - first, size)
        begin(share, op)


@kernel()
def filter_size(op):
    """Numbers from one filter to the next."""
    return op[KERNEL] * whole_vectors(op[KERNEL_WIDTH] * op[CHANNELS])


step_biases = conv.step_biases
