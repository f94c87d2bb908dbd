"""Batch normalization and max-pooling in one: `BatchNorm` followed by `MaxPool2D` (stride = size).

Twins: `BatchNorm` in nn/normalization.py, `MaxPool2D` in nn/pooling.py. An activation between them that never falls is
computed behind the pool, on a quarter of the numbers.

Forward   γ/s (x − μ) + β and its maximum in one pass; where it was, and x − μ there, is kept.
Backward  Only a window's maximum has a gradient, so Σ g and Σ g x̂ need a quarter of the numbers. The batch's
          statistics then spread it over all of them, in one pass: ∂L/∂x = γ/s g − (a + b (x − μ)).
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, X_STRIDE, Y_STRIDE, B, X, Y
from digitlab.engine.fast.ops import batch_norm
from digitlab.engine.fast.ops.activation import is_monotone
from digitlab.engine.fast.ops.batch_norm import (
    CHANNELS,
    GRADIENT_SUMS,
    MEAN,
    PIXELS,
    SCALE,
    WIDE,
    column,
    combine_gradient_sums,
    corrections,
    norm_row,
    row_of,
    step_norm,
    take_statistics,
)
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, fma, load, put, splat, store, where
from digitlab.nn.normalization import BatchNorm
from digitlab.nn.pooling import MaxPool2D

LAYERS = (BatchNorm, MaxPool2D)
FUSES = True

WIDTH = column()  # of the picture
POOL = column()
OUT_HEIGHT = column()
OUT_WIDTH = column()
PLACES = column()  # offset of each maximum's number within its window, as a float
CENTRED = column()  # offset of x − μ at each maximum


def plan(builder: PlanBuilder, i: int) -> bool:
    """Takes the pool, and leaves activations between the two, which then follow."""
    layers, shapes, j = builder.layers, builder.shapes, i + 1
    while j < len(layers) and is_monotone(layers[j]):
        j += 1
    pool = layers[j] if j < len(layers) else None
    if not (type(layers[i]) is BatchNorm and type(pool) is MaxPool2D):
        return False
    windows = pool.windows(shapes[j])
    size = windows.kernel[0]
    if (windows.kernel, windows.stride, windows.padded) != ((size, size), windows.kernel, windows.picture) or size == 1:
        return False
    row = norm_row(builder, i, "pooled_norm")
    row[WIDTH], row[POOL], (row[OUT_HEIGHT], row[OUT_WIDTH]) = windows.picture[1], size, windows.count
    builder.take(j)
    builder.add_output(row, math.prod(windows.count) * row[CHANNELS])
    row[PLACES], row[CENTRED] = builder.room(builder.stride), builder.room(builder.stride)
    return True


place = batch_norm.place
begin = batch_norm.begin


@kernel()
def larger(x, mean, scale, shift, number, best, at_best, place):
    """The window's maximum so far, x − μ there and its number, with one pixel more."""
    centred = x - mean
    v = fma(centred, scale, shift)
    more = v > best
    return where(more, v, best), where(more, centred, at_best), where(more, splat(1.0 * number), place)


@kernel()
def forward(share, op):
    """y = the maxima of γ/s (x − μ) + β."""
    take_statistics(share, op)
    channels, pool, line, beta = op[CHANNELS], op[POOL], op[WIDTH] * op[CHANNELS], at(share.params, op[B])
    means, scales, work = row_of(share, op, MEAN), row_of(share, op, SCALE), share.work
    for n in range(share.lo, share.hi):
        for c in range(0, channels, LANES):
            mean, scale, shift = load(means, c), load(scales, c), load(beta, c)
            x, out = at(work, op[X] + n * op[X_STRIDE] + c), n * op[Y_STRIDE] + c
            for py in range(op[OUT_HEIGHT]):
                for px in range(op[OUT_WIDTH]):
                    here = pool * (py * line + px * channels)
                    centred = load(x, here) - mean
                    best, place = fma(centred, scale, shift), splat(0.0)
                    if pool == 2:
                        v = load(x, here + channels)
                        best, centred, place = larger(v, mean, scale, shift, 1, best, centred, place)
                        v = load(x, here + line)
                        best, centred, place = larger(v, mean, scale, shift, 2, best, centred, place)
                        v = load(x, here + line + channels)
                        best, centred, place = larger(v, mean, scale, shift, 3, best, centred, place)
                    else:
                        for q in range(1, pool * pool):
                            v = load(x, here + q // pool * line + q % pool * channels)
                            best, centred, place = larger(v, mean, scale, shift, q, best, centred, place)
                    i = out + (py * op[OUT_WIDTH] + px) * channels
                    put(work, op[Y] + i, best, channels - c)
                    put(work, op[CENTRED] + i, centred, channels - c)
                    put(work, op[PLACES] + i, place, channels - c)


@kernel()
def gradient_sums(share, op):
    """Σ g and Σ g x̂ over the whole batch; elsewhere than at the maxima g is 0."""
    channels, windows, work = op[CHANNELS], op[OUT_HEIGHT] * op[OUT_WIDTH], share.work
    for n in range(share.lo, share.hi):
        g, centred = at(work, op[GY] + n * op[Y_STRIDE]), at(work, op[CENTRED] + n * op[Y_STRIDE])
        out = at(work, op[GRADIENT_SUMS] + n * 2 * op[WIDE])
        for c in range(0, channels, LANES):
            sum_, product = splat(0.0), splat(0.0)
            for p in range(windows):
                v = load(g, p * channels + c)
                sum_, product = sum_ + v, fma(v, load(centred, p * channels + c), product)
            store(out, c, sum_)
            store(out, op[WIDE] + c, product)
    combine_gradient_sums(share, op)


@kernel()
def backward(share, op):
    """∂L/∂x of the normalization, through the pooling."""
    gradient_sums(share, op)
    channels, pool, line, work = op[CHANNELS], op[POOL], op[WIDTH] * op[CHANNELS], share.work
    height, means = op[PIXELS] // op[WIDTH], row_of(share, op, MEAN)
    for n in range(share.lo, share.hi):
        for c in range(0, channels, LANES):
            mean, left = load(means, c), channels - c
            scale, a, b = corrections(share, op, c)
            x, gx = at(work, op[X] + n * op[X_STRIDE] + c), at(work, op[GX] + n * op[X_STRIDE] + c)
            for py in range(op[OUT_HEIGHT]):
                for px in range(op[OUT_WIDTH]):
                    i = n * op[Y_STRIDE] + c + (py * op[OUT_WIDTH] + px) * channels
                    g, place = scale * load(work, op[GY] + i), load(work, op[PLACES] + i)
                    corner = pool * (py * line + px * channels)
                    for q in range(pool * pool):
                        here = corner + q // pool * line + q % pool * channels
                        mine = where(place > q - 0.5, where(place < q + 0.5, g, 0.0), 0.0)
                        put(gx, here, mine - fma(b, load(x, here) - mean, a), left)
                for here in range(py * pool * line, (py + 1) * pool * line, line):
                    correct(x, gx, here + op[OUT_WIDTH] * pool * channels, here + line, channels, mean, a, b, left)
            correct(x, gx, op[OUT_HEIGHT] * pool * line, height * line, channels, mean, a, b, left)


@kernel()
def correct(x, gx, first, last, channels, mean, a, b, left):
    """∂L/∂x of pixels that are in no window."""
    for here in range(first, last, channels):
        put(gx, here, splat(0.0) - fma(b, load(x, here) - mean, a), left)


@kernel()
def step(share, op):
    """Update γ and β."""
    if op[GX] < 0:  # nothing before it learns: there was no way back through it
        gradient_sums(share, op)
    step_norm(share, op)
