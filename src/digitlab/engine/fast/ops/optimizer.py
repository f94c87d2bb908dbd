"""The optimizers: one step over a stretch of parameters, with L1, L2 and the limit on norms.

Twins: the classes of `KERNELS`, `L1.gradient`, `L2.gradient`, `MaxNorm.project` (optim/regularizers.py), and
`ReferenceEngine.update`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math
from collections.abc import Callable
from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.dispatch import dispatcher
from digitlab.engine.fast.ops.masks import cut
from digitlab.engine.fast.simd import at, doubles, floats, fma, ints, load, splat, sqrt, store, where
from digitlab.optim.adaptive import Adam, AdamW, RMSProp
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import L1, L2, MaxNorm, Regularizer
from digitlab.optim.sgd import SGD, Momentum, Nesterov

REGULARIZERS: tuple[type[Regularizer], ...] = (L1, L2, MaxNorm)

# Where the kernels look for each setting. An optimizer with one that is missing here has no kernel.
SETTINGS = {
    "momentum": MU,
    "beta1": BETA_1,
    "beta2": BETA_2,
    "decay": BETA_2,
    "epsilon": EPSILON,
    "weight_decay": DECOUPLED,
}


@kernel()
def sgd(hyper, rate, step, p, s1, s2, g, count):
    """p ← p − η g, for `count` numbers; s1 and s2 are the optimizer's state."""
    eta = splat(rate)
    for i in range(0, count, LANES):
        store(p, i, load(p, i) - eta * load(g, i))


@kernel()
def momentum(hyper, rate, step, p, s1, s2, g, count):
    """v ← μ v − η g, p ← p + v; s1 holds v."""
    mu, eta = splat(hyper[MU]), splat(rate)
    for i in range(0, count, LANES):
        v = mu * load(s1, i) - eta * load(g, i)
        store(s1, i, v)
        store(p, i, load(p, i) + v)


@kernel()
def nesterov(hyper, rate, step, p, s1, s2, g, count):
    """v ← μ v − η g, p ← p + μ v − η g; s1 holds v."""
    mu, eta = splat(hyper[MU]), splat(rate)
    for i in range(0, count, LANES):
        pull = eta * load(g, i)
        v = mu * load(s1, i) - pull
        store(s1, i, v)
        store(p, i, load(p, i) + mu * v - pull)


@kernel()
def rmsprop(hyper, rate, step, p, s1, s2, g, count):
    """s ← ρ s + (1 − ρ) g², p ← p − η g/(√s + ε); s1 holds s."""
    eta, rho, rest = splat(rate), splat(hyper[BETA_2]), splat(1.0 - hyper[BETA_2])
    epsilon = splat(hyper[EPSILON])
    for i in range(0, count, LANES):
        v = load(g, i)
        square = fma(rho, load(s1, i), rest * v * v)
        store(s1, i, square)
        store(p, i, load(p, i) - eta * v / (sqrt(square) + epsilon))


@kernel()
def adam(hyper, rate, step, p, s1, s2, g, count):
    """Adam's and AdamW's step, with the corrected means; s1 holds m, s2 holds v."""
    beta1, beta2, epsilon = splat(hyper[BETA_1]), splat(hyper[BETA_2]), splat(hyper[EPSILON])
    rest1, rest2 = splat(1.0 - hyper[BETA_1]), splat(1.0 - hyper[BETA_2])
    pace = splat(rate / (1.0 - hyper[BETA_1] ** step))
    correction = splat(1.0 / (1.0 - hyper[BETA_2] ** step))
    keep = splat(1.0 - rate * hyper[DECOUPLED])
    for i in range(0, count, LANES):
        v = load(g, i)
        mean = fma(beta1, load(s1, i), rest1 * v)
        square = fma(beta2, load(s2, i), rest2 * v * v)
        store(s1, i, mean)
        store(s2, i, square)
        store(p, i, load(p, i) * keep - pace * mean / (sqrt(square * correction) + epsilon))


KERNELS: dict[type[Optimizer], Callable[..., Any]] = {
    SGD: sgd,
    Momentum: momentum,
    Nesterov: nesterov,
    RMSProp: rmsprop,
    Adam: adam,
    AdamW: adam,
}
_KERNELS = list(dict.fromkeys(KERNELS.values()))
CODES = {cls: _KERNELS.index(function) for cls, function in KERNELS.items()}
PLAIN = CODES[SGD]
_step = dispatcher(
    "header, code, hyper, rate, step, p, s1, s2, g, count",
    {code: f"step_{code}(hyper, rate, step, p, s1, s2, g, count)" for code in range(len(_KERNELS))},
    f"unknown(header, {AN_OPTIMIZER}, code)",
    **{f"step_{code}": function for code, function in enumerate(_KERNELS)},
)


@kernel()
def update(share, number, regularized, first, g, count):
    """The parameters from offset `first` on, `count` of them, a multiple of LANES, one step along g (overwritten).

    `number` is the parameter's: its place in the vector of step counts.
    """
    header, hyper = share.header, doubles(share.header[HYPER])
    p, s1, s2 = at(share.params, first), at(floats(header[STATE_1]), first), at(floats(header[STATE_2]), first)
    if regularized and hyper[L2_SHARE] != 0.0:
        l2 = splat(hyper[L2_SHARE])
        for i in range(0, count, LANES):
            store(g, i, fma(l2, load(p, i), load(g, i)))
    if regularized and hyper[L1_SHARE] != 0.0:
        l1 = splat(hyper[L1_SHARE])
        for i in range(0, count, LANES):
            v = load(p, i)
            store(g, i, load(g, i) + where(v > 0.0, l1, where(v < 0.0, 0.0 - l1, 0.0)))
    _step(header, header[OPTIMIZER], hyper, share.rate, ints(header[UPDATES])[number], p, s1, s2, g, count)


@kernel()
def update_weights(share, op, first, g, count):
    """`update` of weights, without the gradients of those that are not connected."""
    if op[MASKED]:
        cut(g, at(floats(share.header[MASKS]), first), count)
    update(share, op[W_NUMBER], True, first, g, count)


@kernel()
def update_biases(share, op, gy, rows, stride, columns, g):
    """∂L/∂b = Σₙ gₙ and the step along it; g is room for one row."""
    for j in range(0, columns, LANES):
        sum_ = splat(0.0)
        for n in range(rows):
            sum_ = sum_ + load(gy, n * stride + j)
        store(g, j, sum_)
    update(share, op[B_NUMBER], False, op[B], g, columns)


@kernel()
def is_plain(share, op):
    """Whether a step is gradient descent with at most L2, so that it needs no gradient in memory."""
    return share.header[OPTIMIZER] == PLAIN and doubles(share.header[HYPER])[L1_SHARE] == 0.0 and not op[MASKED]


@kernel()
def limit_norms(limit, p, rows, stride, columns, pace):
    """Every column of p (rows, columns) that is longer than `limit`, scaled back to it; columns lie `pace` apart."""
    for j in range(columns):
        column, length = at(p, j * pace), 0.0
        for i in range(rows):
            length += column[i * stride] * column[i * stride]
        length = math.sqrt(length)
        if length > limit:
            for i in range(rows):
                column[i * stride] *= limit / length


@kernel()
def limit_columns(share, op):
    """`limit_norms` of weights (N_IN, N_OUT), when all threads' steps are complete."""
    if share.thread == 0 and op[W_NUMBER] > 0:
        limit = doubles(share.header[HYPER])[MAX_NORM]
        limit_norms(limit, at(share.params, op[W]), op[N_IN], op[W_STRIDE], op[N_OUT], 1)
