"""Batch normalization of features or, channel by channel, of pictures. Twin: `BatchNorm` in nn/normalization.py.

In training mean and variance are those of the whole batch, which no thread has alone. Each thread takes them of its
examples, one by one; after a barrier every thread combines all of them, in one order:

    μ = Σₙ μₙ / N      σ² = (Σₙ Mₙ + P Σₙ (μₙ − μ)²) / (N P),   Mₙ = Σ (x − μₙ)² over the P pixels of example n

(Chan et al. 1983). So the result does not depend on the number of threads, and no large numbers cancel. On the way
back Σ g and Σ g x̂ are combined likewise. Features are pictures of one pixel: μₙ is x itself.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math
from functools import partial
from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.optimizer import update
from digitlab.engine.fast.plan import Row, padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, barrier, fma, ints, load, put, real, splat, sqrt, store
from digitlab.nn.network import Shape
from digitlab.nn.normalization import BatchNorm

LAYERS = (BatchNorm,)

column = own_columns()
CHANNELS = column()
WIDE = column()  # channels in whole vectors
PIXELS = column()
TRAINS = column()  # whether it takes the batch's statistics, and not the running ones
EPSILON = column()  # float64
MOMENTUM = column()  # float64
RUNNING_MEAN = column()  # offsets in `params`
RUNNING_VAR = column()
MOMENTS = column()  # offset of μₙ and Mₙ of each example
GRADIENT_SUMS = column()  # offset of Σ g and Σ g (x − μ) of each example
BATCH_STATISTICS = column()  # offset of what follows, a row of channels each
_row = numbers()
MEAN, INVERSE, SCALE, SUM_G, SUM_G_X_HAT = _row(), _row(), _row(), _row(), _row()  # μ, 1/s, γ/s, Σ g, Σ g x̂
ROWS = _row()


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add batch normalization, layer i, to the plan; False where the kernels do not support it."""
    builder.add_output(norm_row(builder, i, "batch_norm"), builder.size)
    return True


def norm_row(builder: PlanBuilder, i: int, kind: str) -> Row:
    """A new operation that normalizes what the last one wrote."""
    layer, shape, row = builder.layers[i], builder.shapes[i], builder.row(kind)
    assert isinstance(layer, BatchNorm)
    channels = shape[-1]
    gamma = builder.slot(f"{builder.names[i]}.gamma", layer.params["gamma"], 1, channels)
    row[N_IN], row[W_STRIDE] = 1, gamma.stride
    builder.weights(gamma, layer, row)
    builder.bias((f"{builder.names[i]}.beta", layer.params["beta"]), channels, row)
    row[CHANNELS], row[WIDE], row[PIXELS] = channels, padded(channels), builder.size // channels
    row[EPSILON], row[MOMENTUM] = float(layer.epsilon), float(layer.momentum)
    row[RUNNING_MEAN], row[RUNNING_VAR] = builder.buffer(layer, "running_mean"), builder.buffer(layer, "running_var")
    row[TRAINS] = int(builder.trains(i))
    if builder.learning and row[PIXELS] > 1:
        row[MOMENTS], row[GRADIENT_SUMS] = builder.room(2 * row[WIDE]), builder.room(2 * row[WIDE])
    if builder.trains(i):
        builder.batch_checks.append(partial(check_batch, layer, shape))
    return row


def check_batch(layer: BatchNorm, shape: Shape, examples: int) -> None:
    """Raises ShapeError for a batch that is too small to learn from."""
    layer.check_count(examples * math.prod(shape[:-1]))


def place(row: Row, room: Any, batch: int) -> None:
    """Room for the statistics of a batch."""
    row[BATCH_STATISTICS] = room(ROWS * row[WIDE])


@kernel()
def row_of(share, op, which):
    """One row of the batch's statistics."""
    return at(share.work, op[BATCH_STATISTICS] + which * op[WIDE])


@kernel()
def second(c, channels):
    """The distance from the vector of channels at c to the next one; 0 if there is none: it is then computed twice.

    Two vectors at a time fill a cache line.
    """
    return LANES if c + LANES < channels else 0


# The statistics of the forward pass


@kernel()
def moments(op, x, out):
    """μₙ and Mₙ of one example."""
    pixels, channels = op[PIXELS], op[CHANNELS]
    for c in range(0, channels, 2 * LANES):
        d = second(c, channels)
        s0, s1, t0, t1 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for p in range(0, pixels - 1, 2):
            here = p * channels + c
            s0, t0 = s0 + load(x, here), t0 + load(x, here + d)
            s1, t1 = s1 + load(x, here + channels), t1 + load(x, here + channels + d)
        if pixels % 2 == 1:
            here = (pixels - 1) * channels + c
            s0, t0 = s0 + load(x, here), t0 + load(x, here + d)
        s, t = (s0 + s1) / pixels, (t0 + t1) / pixels
        store(out, c, s)
        store(out, c + d, t)
        s0, s1, t0, t1 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for p in range(0, pixels - 1, 2):
            here = p * channels + c
            u, v = load(x, here) - s, load(x, here + d) - t
            s0, t0 = fma(u, u, s0), fma(v, v, t0)
            u, v = load(x, here + channels) - s, load(x, here + channels + d) - t
            s1, t1 = fma(u, u, s1), fma(v, v, t1)
        if pixels % 2 == 1:
            here = (pixels - 1) * channels + c
            u, v = load(x, here) - s, load(x, here + d) - t
            s0, t0 = fma(u, u, s0), fma(v, v, t0)
        store(out, op[WIDE] + c, s0 + s1)
        store(out, op[WIDE] + c + d, t0 + t1)


@kernel()
def batch_statistics(share, op):
    """μ, 1/s and γ/s of the whole batch, from all threads' moments; thread 0 updates the running values."""
    pixels, examples, wide = op[PIXELS], share.examples, op[WIDE]
    each = at(share.work, op[X] if pixels == 1 else op[MOMENTS])
    pace = op[X_STRIDE] if pixels == 1 else 2 * wide
    count, new = examples * pixels, real(op, MOMENTUM)
    running_mean, running_var = at(share.params, op[RUNNING_MEAN]), at(share.params, op[RUNNING_VAR])
    for c in range(0, wide, LANES):
        sum_ = splat(0.0)
        for n in range(examples):
            sum_ = sum_ + load(each, n * pace + c)
        mean, sum_ = sum_ / examples, splat(0.0)
        for n in range(examples):
            d = load(each, n * pace + c) - mean
            sum_ = fma(d, d, sum_)
        if pixels > 1:
            sum_ = sum_ * pixels
            for n in range(examples):
                sum_ = sum_ + load(each, n * pace + wide + c)
        variance = sum_ / count
        set_statistics(share, op, c, mean, variance)
        if share.thread == 0:
            store(running_mean, c, (1.0 - new) * load(running_mean, c) + new * mean)
            whole = variance * (count / (count - 1))
            store(running_var, c, (1.0 - new) * load(running_var, c) + new * whole)


@kernel()
def set_statistics(share, op, c, mean, variance):
    """μ, 1/s and γ/s of eight channels; 0 behind the last channel."""
    inverse = 1.0 / sqrt(variance + real(op, EPSILON))
    store(row_of(share, op, MEAN), c, mean)
    store(row_of(share, op, INVERSE), c, inverse)
    store(row_of(share, op, SCALE), c, load(share.params, op[W] + c) * inverse)
    if c + LANES > op[CHANNELS]:
        for which in range(SCALE + 1):
            row = row_of(share, op, which)
            for k in range(op[CHANNELS], op[WIDE]):
                row[k] = 0.0


@kernel()
def begin(share, op):
    """Where no batch is learned from, use the running mean and variance."""
    if not op[TRAINS]:
        for c in range(0, op[WIDE], LANES):
            mean, variance = load(share.params, op[RUNNING_MEAN] + c), load(share.params, op[RUNNING_VAR] + c)
            set_statistics(share, op, c, mean, variance)


@kernel()
def take_statistics(share, op):
    """In training compute the batch's statistics, with the barrier that they need."""
    if share.step >= 0 and not op[TRAINS] and op[W_NUMBER] > 0:
        begin(share, op)  # γ is new
    if op[TRAINS]:
        if op[PIXELS] > 1:
            for n in range(share.lo, share.hi):
                x, out = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[MOMENTS] + n * 2 * op[WIDE])
                moments(op, x, out)
        barrier(ints(share.header[SYNC]), share.header[THREADS])
        batch_statistics(share, op)


@kernel()
def forward(share, op):
    """y = γ/s (x − μ) + β."""
    take_statistics(share, op)
    pixels, channels, beta = op[PIXELS], op[CHANNELS], at(share.params, op[B])
    means, scales = row_of(share, op, MEAN), row_of(share, op, SCALE)
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
        for c in range(0, channels, 2 * LANES):
            d = second(c, channels)
            mean, scale, shift = load(means, c), load(scales, c), load(beta, c)
            mean2, scale2, shift2 = load(means, c + d), load(scales, c + d), load(beta, c + d)
            for p in range(pixels):
                here = p * channels + c
                put(y, here, fma(load(x, here) - mean, scale, shift), channels - c)
                put(y, here + d, fma(load(x, here + d) - mean2, scale2, shift2), channels - c - d)


# The way back


@kernel()
def gradient_sums(op, x, g, means, out):
    """Σ g and Σ g (x − μ) over one example's pixels."""
    pixels, channels = op[PIXELS], op[CHANNELS]
    for c in range(0, channels, 2 * LANES):
        d = second(c, channels)
        mean, mean2 = load(means, c), load(means, c + d)
        s, t, u, v = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for p in range(pixels):
            here = p * channels + c
            a, b = load(g, here), load(g, here + d)
            s, t = s + a, t + b
            u, v = fma(a, load(x, here) - mean, u), fma(b, load(x, here + d) - mean2, v)
        store(out, c, s)
        store(out, c + d, t)
        store(out, op[WIDE] + c, u)
        store(out, op[WIDE] + c + d, v)


@kernel()
def batch_gradient_sums(share, op):
    """Σ g and Σ g x̂ over the whole batch: ∂L/∂β and ∂L/∂γ. With the barrier that they need."""
    wide, work, means = op[WIDE], share.work, row_of(share, op, MEAN)
    if op[PIXELS] > 1:
        for n in range(share.lo, share.hi):
            x, g = at(work, op[X] + n * op[X_STRIDE]), at(work, op[GY] + n * op[Y_STRIDE])
            gradient_sums(op, x, g, means, at(work, op[GRADIENT_SUMS] + n * 2 * wide))
    combine_gradient_sums(share, op)


@kernel()
def combine_gradient_sums(share, op):
    """Σ g and Σ g x̂ over the whole batch, from those of its examples."""
    pixels, wide, work = op[PIXELS], op[WIDE], share.work
    means, inverses = row_of(share, op, MEAN), row_of(share, op, INVERSE)
    barrier(ints(share.header[SYNC]), share.header[THREADS])
    for c in range(0, wide, LANES):
        mean, sum_, product = load(means, c), splat(0.0), splat(0.0)
        if pixels > 1:
            for n in range(share.examples):
                here = op[GRADIENT_SUMS] + n * 2 * wide + c
                sum_, product = sum_ + load(work, here), product + load(work, here + wide)
        else:
            for n in range(share.examples):
                g = load(work, op[GY] + n * op[Y_STRIDE] + c)
                sum_, product = sum_ + g, fma(g, load(work, op[X] + n * op[X_STRIDE] + c) - mean, product)
        store(row_of(share, op, SUM_G), c, sum_)
        store(row_of(share, op, SUM_G_X_HAT), c, product * load(inverses, c))


@kernel()
def corrections(share, op, c):
    """Of eight channels γ/s, and a and b of ∂L/∂x = γ/s g − (a + b (x − μ)): what the batch's statistics take away."""
    scale, count = load(row_of(share, op, SCALE), c), share.examples * op[PIXELS]
    if not op[TRAINS]:
        return scale, splat(0.0), splat(0.0)
    a = scale * load(row_of(share, op, SUM_G), c) / count
    b = scale * load(row_of(share, op, SUM_G_X_HAT), c) * load(row_of(share, op, INVERSE), c) / count
    return scale, a, b


@kernel()
def backward(share, op):
    """∂L/∂x = γ/s (g − mean g − x̂ mean(g x̂)); with the running statistics γ/s g."""
    batch_gradient_sums(share, op)
    pixels, channels, means = op[PIXELS], op[CHANNELS], row_of(share, op, MEAN)
    for c in range(0, channels, 2 * LANES):
        d = second(c, channels)
        scale, a, b = corrections(share, op, c)
        scale2, a2, b2 = corrections(share, op, c + d)
        mean, mean2 = load(means, c), load(means, c + d)
        for n in range(share.lo, share.hi):
            x, g = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[GY] + n * op[Y_STRIDE])
            gx = at(share.work, op[GX] + n * op[X_STRIDE])
            for p in range(pixels):
                here = p * channels + c
                away = fma(b, load(x, here) - mean, a)
                away2 = fma(b2, load(x, here + d) - mean2, a2)
                put(gx, here, scale * load(g, here) - away, channels - c)
                put(gx, here + d, scale2 * load(g, here + d) - away2, channels - c - d)


@kernel()
def step(share, op):
    """Update γ and β."""
    if op[GX] < 0:  # nothing before it learns: there was no way back through it
        batch_gradient_sums(share, op)
    step_norm(share, op)


@kernel()
def step_norm(share, op):
    """Update γ and β by the sums over the batch."""
    if share.thread == 0:
        if op[W_NUMBER] > 0:
            update(share, op[W_NUMBER], False, op[W], row_of(share, op, SUM_G_X_HAT), op[WIDE])
        if op[B_NUMBER] >= 0:
            update(share, op[B_NUMBER], False, op[B], row_of(share, op, SUM_G), op[WIDE])
