"""Layer normalization: each example, or each of its rows, within itself. Twin: `LayerNorm` in nn/normalization.py.

The axes that are normalized together are the last ones, so their numbers are consecutive: an example is a few groups.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.optimizer import update
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, first_lanes, fma, load, put, real, splat, store, total
from digitlab.nn.normalization import LayerNorm

LAYERS = (LayerNorm,)

_column = own_columns()
GROUPS = _column()  # in an example
LENGTH = _column()  # of a group
EPSILON = _column()  # float64
STATISTICS = _column()  # offset of μ and 1/s of each group of an example
STATISTICS_STRIDE = _column()


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the normalization of layer i to the plan; False where the kernels do not support it."""
    layer, shape, row = builder.layers[i], builder.shapes[i], builder.row("layer_norm")
    assert isinstance(layer, LayerNorm)
    length = math.prod(shape if layer.axes is None else shape[-layer.axes :])
    gamma = builder.slot(f"{builder.names[i]}.gamma", layer.params["gamma"], 1, length)
    row[N_IN], row[W_STRIDE] = 1, gamma.stride
    builder.weights(gamma, layer, row)
    builder.bias((f"{builder.names[i]}.beta", layer.params["beta"]), length, row)
    row[LENGTH], row[GROUPS], row[EPSILON] = length, builder.size // length, float(layer.epsilon)
    row[STATISTICS_STRIDE] = 2 * row[GROUPS]
    row[STATISTICS] = builder.room(row[STATISTICS_STRIDE])
    builder.needs_scratch(2 * gamma.stride)
    builder.add_output(row, builder.size)
    return True


@kernel()
def statistics(share, op, n):
    """Where μ and 1/s of example n's groups are."""
    return at(share.work, op[STATISTICS] + n * op[STATISTICS_STRIDE])


@kernel()
def forward(share, op):
    """y = γ (x − μ) / s + β."""
    length, gamma, beta = op[LENGTH], at(share.params, op[W]), at(share.params, op[B])
    for n in range(share.lo, share.hi):
        found = statistics(share, op, n)
        for group in range(op[GROUPS]):
            x = at(share.work, op[X] + n * op[X_STRIDE] + group * length)
            y = at(share.work, op[Y] + n * op[Y_STRIDE] + group * length)
            sum_ = splat(0.0)
            for j in range(0, length, LANES):
                sum_ = sum_ + first_lanes(load(x, j), length - j)
            mean, sum_ = total(sum_) / length, splat(0.0)
            for j in range(0, length, LANES):
                d = first_lanes(load(x, j) - mean, length - j)
                sum_ = fma(d, d, sum_)
            inverse = 1.0 / math.sqrt(total(sum_) / length + real(op, EPSILON))
            found[2 * group], found[2 * group + 1] = mean, inverse
            for j in range(0, length, LANES):
                x_hat = (load(x, j) - mean) * inverse
                put(y, j, fma(x_hat, load(gamma, j), load(beta, j)), length - j)


@kernel()
def backward(share, op):
    """∂L/∂x = (h − mean h − x̂ mean(h x̂)) / s,  h = γ g."""
    length, gamma = op[LENGTH], at(share.params, op[W])
    for n in range(share.lo, share.hi):
        found = statistics(share, op, n)
        for group in range(op[GROUPS]):
            x = at(share.work, op[X] + n * op[X_STRIDE] + group * length)
            gx = at(share.work, op[GX] + n * op[X_STRIDE] + group * length)
            gy = at(share.work, op[GY] + n * op[Y_STRIDE] + group * length)
            mean, inverse = found[2 * group], found[2 * group + 1]
            sum_, product = splat(0.0), splat(0.0)
            for j in range(0, length, LANES):
                h = first_lanes(load(gamma, j) * load(gy, j), length - j)
                sum_, product = sum_ + h, fma(h, (load(x, j) - mean) * inverse, product)
            along_ones, along_x_hat = total(sum_) / length, total(product) / length
            for j in range(0, length, LANES):
                h, x_hat = load(gamma, j) * load(gy, j), (load(x, j) - mean) * inverse
                put(gx, j, (h - along_ones - x_hat * along_x_hat) * inverse, length - j)


@kernel()
def step(share, op):
    """Update this thread's part of γ and β: ∂L/∂γ = Σ g x̂ and ∂L/∂β = Σ g over examples and groups."""
    length, vectors, threads = op[LENGTH], op[W_STRIDE] // LANES, share.header[THREADS]
    first = vectors * share.thread // threads * LANES
    last = vectors * (share.thread + 1) // threads * LANES
    grad_gamma, grad_beta = share.scratch, at(share.scratch, op[W_STRIDE])
    for j in range(first, last, LANES):
        sum_, product = splat(0.0), splat(0.0)
        for n in range(share.examples):
            found = statistics(share, op, n)
            x, gy = at(share.work, op[X] + n * op[X_STRIDE] + j), at(share.work, op[GY] + n * op[Y_STRIDE] + j)
            for group in range(op[GROUPS]):
                g = load(gy, group * length)
                x_hat = (load(x, group * length) - found[2 * group]) * found[2 * group + 1]
                sum_, product = sum_ + g, fma(g, x_hat, product)
        store(grad_gamma, j, first_lanes(product, length - j))
        store(grad_beta, j, first_lanes(sum_, length - j))
    if op[W_NUMBER] > 0:
        update(share, op[W_NUMBER], False, op[W] + first, at(grad_gamma, first), last - first)
    if op[B_NUMBER] >= 0:
        update(share, op[B_NUMBER], False, op[B] + first, at(grad_beta, first), last - first)
