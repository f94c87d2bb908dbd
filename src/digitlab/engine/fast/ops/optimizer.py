"""One optimizer step over a stretch of parameters, with L1 and L2.

Twins: `SGD`, `Momentum`, `Nesterov` (optim/sgd.py), `RMSProp`, `Adam`, `AdamW` (optim/adaptive.py),
`L1.gradient`, `L2.gradient`, `MaxNorm.project` (optim/regularizers.py), `ReferenceEngine.update`.
"""

# mypy: ignore-errors

import math

from numba.types import boolean, float64, int64, void

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    ADAM,
    AN_OPTIMIZER,
    BETA_1,
    BETA_2,
    DECOUPLED,
    EPSILON,
    HYPER,
    L1_SHARE,
    L2_SHARE,
    MOMENTUM,
    MU,
    NESTEROV,
    OPTIMIZER,
    PLAIN_SGD,
    RMSPROP,
)
from digitlab.engine.fast.ops.unknown import unknown
from digitlab.engine.fast.simd.vectors import FLOATS, INTS, at, doubles, fma, load, splat, sqrt, store, where_positive


@kernel(void(INTS, float64, int64, boolean, FLOATS, FLOATS, FLOATS, FLOATS, int64))
def update(job, rate, step, regularized, p, s1, s2, g, count):
    """p, s1, s2 after one step along g (overwritten), all `count` long, a multiple of 8; `step` counts from 1."""
    kind, hyper = job[OPTIMIZER], doubles(job[HYPER])
    eta, zero = splat(rate), splat(0.0)
    if regularized and hyper[L2_SHARE] != 0.0:
        l2 = splat(hyper[L2_SHARE])
        for i in range(0, count, 8):
            store(g, i, fma(l2, load(p, i), load(g, i)))
    if regularized and hyper[L1_SHARE] != 0.0:
        l1 = splat(hyper[L1_SHARE])
        for i in range(0, count, 8):
            v = load(p, i)
            sign = where_positive(v, l1, where_positive(zero - v, zero - l1, zero))
            store(g, i, load(g, i) + sign)
    if kind == PLAIN_SGD:
        for i in range(0, count, 8):
            store(p, i, load(p, i) - eta * load(g, i))
    elif kind == MOMENTUM:
        mu = splat(hyper[MU])
        for i in range(0, count, 8):
            v = mu * load(s1, i) - eta * load(g, i)
            store(s1, i, v)
            store(p, i, load(p, i) + v)
    elif kind == NESTEROV:
        mu = splat(hyper[MU])
        for i in range(0, count, 8):
            pull = eta * load(g, i)
            v = mu * load(s1, i) - pull
            store(s1, i, v)
            store(p, i, load(p, i) + mu * v - pull)
    elif kind == RMSPROP:
        rho, rest, epsilon = splat(hyper[BETA_2]), splat(1.0 - hyper[BETA_2]), splat(hyper[EPSILON])
        for i in range(0, count, 8):
            v = load(g, i)
            square = fma(rho, load(s1, i), rest * v * v)
            store(s1, i, square)
            store(p, i, load(p, i) - eta * v / (sqrt(square) + epsilon))
    elif kind == ADAM:
        beta1, beta2, epsilon = splat(hyper[BETA_1]), splat(hyper[BETA_2]), splat(hyper[EPSILON])
        rest1, rest2 = splat(1.0 - hyper[BETA_1]), splat(1.0 - hyper[BETA_2])
        pace = splat(rate / (1.0 - hyper[BETA_1] ** step))
        correction = splat(1.0 / (1.0 - hyper[BETA_2] ** step))
        keep = splat(1.0 - rate * hyper[DECOUPLED])
        for i in range(0, count, 8):
            v = load(g, i)
            mean = fma(beta1, load(s1, i), rest1 * v)
            square = fma(beta2, load(s2, i), rest2 * v * v)
            store(s1, i, mean)
            store(s2, i, square)
            store(p, i, load(p, i) * keep - pace * mean / (sqrt(square * correction) + epsilon))
    else:
        unknown(job, AN_OPTIMIZER, kind)


@kernel()
def limit_norms(limit, p, rows, stride, columns):
    """Every column of p (rows, columns) that is longer than `limit`, scaled back to it."""
    for j in range(columns):
        length = 0.0
        for i in range(rows):
            length += p[i * stride + j] * p[i * stride + j]
        length = math.sqrt(length)
        if length > limit:
            for i in range(rows):
                p[i * stride + j] *= limit / length


@kernel()
def bias_step(job, rate, step, p, s1, s2, b, gy, rows, stride, columns, g):
    """∂L/∂b = Σₙ gₙ and the step along it; g is room for one row."""
    for j in range(0, columns, 8):
        sum_ = splat(0.0)
        for n in range(rows):
            sum_ = sum_ + load(gy, n * stride + j)
        store(g, j, sum_)
    update(job, rate, step, False, at(p, b), at(s1, b), at(s2, b), g, columns)
