"""Batch normalization of features or, channel by channel, of pictures. Twin: `BatchNorm` in nn/normalization.py."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, X_STRIDE, Y_STRIDE, B, X, Y
from digitlab.engine.fast.ops import batch_statistics
from digitlab.engine.fast.ops.batch_statistics import (
    CHANNELS,
    GRADIENT_SUMS,
    MEAN,
    PIXELS,
    SCALE,
    WIDE,
    combine_gradient_sums,
    corrections,
    norm_row,
    row_of,
    second,
    step_norm,
    take_statistics,
)
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, fma, load, put, splat, store
from digitlab.nn.normalization import BatchNorm

LAYERS = (BatchNorm,)


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add batch normalization, layer i, to the plan; False where the kernels do not support it."""
    builder.add_output(norm_row(builder, i, "batch_norm"), builder.size)
    return True


place = batch_statistics.place
begin = batch_statistics.begin


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
    """γ and β, one step on."""
    if op[GX] < 0:  # nothing before it learns: there was no way back through it
        batch_gradient_sums(share, op)
    step_norm(share, op)
