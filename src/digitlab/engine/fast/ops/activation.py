"""Activations, forward and backward, over a stretch of memory whose length is a multiple of 8.

Twins: `Sigmoid` in nn/network.py, the classes of nn/activations.py, and `Dropout` in nn/dropout.py.
"""

# mypy: ignore-errors

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    AN_ACTIVATION,
    ELU_,
    GELU_,
    HARD_SIGMOID,
    LEAKY_RELU,
    LINEAR,
    RELU,
    SIGMOID,
    SILU,
    SOFTPLUS,
    TANH,
)
from digitlab.engine.fast.ops.unknown import unknown
from digitlab.engine.fast.simd.maths import exp8, sigmoid8, tanh8, uniform8
from digitlab.engine.fast.simd.vectors import at_least, at_most, fma, load, splat, store, where_positive

ROOT = math.sqrt(2 / math.pi)  # of GELU


@kernel()
def activate(job, code, number, x, y, count):
    """y = f(x); `number` is LeakyReLU's slope or ELU's α."""
    zero, one, half, alpha = splat(0.0), splat(1.0), splat(0.5), splat(number)
    if code == SIGMOID:
        for i in range(0, count, 8):
            store(y, i, sigmoid8(load(x, i)))
    elif code == RELU:
        for i in range(0, count, 8):
            store(y, i, at_least(load(x, i), zero))
    elif code == TANH:
        for i in range(0, count, 8):
            store(y, i, tanh8(load(x, i)))
    elif code == LEAKY_RELU:
        for i in range(0, count, 8):
            v = load(x, i)
            store(y, i, where_positive(v, v, alpha * v))
    elif code == ELU_:
        for i in range(0, count, 8):
            v = load(x, i)
            # (e²ᵗ − 1) = tanh t · (e²ᵗ + 1) keeps the digits that eˣ − 1 loses near 0.
            e = exp8(at_most(v, zero))
            store(y, i, where_positive(v, v, alpha * tanh8(half * v) * (e + one)))
    elif code == GELU_:
        for i in range(0, count, 8):
            v = load(x, i)
            t = tanh8(splat(ROOT) * fma(splat(0.044715) * v * v, v, v))
            store(y, i, half * v * (one + t))
    elif code == SOFTPLUS:
        for i in range(count):
            y[i] = max(x[i], 0.0) + math.log1p(math.exp(-abs(x[i])))
    elif code == SILU:
        for i in range(0, count, 8):
            v = load(x, i)
            store(y, i, v * sigmoid8(v))
    elif code == HARD_SIGMOID:
        for i in range(0, count, 8):
            store(y, i, at_least(at_most(fma(load(x, i), splat(1 / 6), half), one), zero))
    elif code == LINEAR:
        for i in range(0, count, 8):
            store(y, i, load(x, i))
    else:
        unknown(job, AN_ACTIVATION, code)


@kernel()
def activation_backward(job, code, number, x, y, g, count):
    """g ← g f'(x) where it lies; f' is taken from y where that is cheaper, as the twins do."""
    zero, one, half, alpha = splat(0.0), splat(1.0), splat(0.5), splat(number)
    if code == SIGMOID:
        for i in range(0, count, 8):
            v = load(y, i)
            store(g, i, load(g, i) * v * (one - v))
    elif code == RELU:
        for i in range(0, count, 8):
            store(g, i, where_positive(load(y, i), load(g, i), zero))
    elif code == TANH:
        for i in range(0, count, 8):
            v = load(y, i)
            store(g, i, load(g, i) * (one - v * v))
    elif code == LEAKY_RELU:
        for i in range(0, count, 8):
            v = load(g, i)
            store(g, i, where_positive(load(x, i), v, alpha * v))
    elif code == ELU_:
        for i in range(0, count, 8):
            v = load(g, i)
            store(g, i, where_positive(load(x, i), v, v * (load(y, i) + alpha)))
    elif code == GELU_:
        for i in range(0, count, 8):
            v = load(x, i)
            t = tanh8(splat(ROOT) * fma(splat(0.044715) * v * v, v, v))
            slope = splat(ROOT) * fma(splat(3 * 0.044715), v * v, one)
            store(g, i, load(g, i) * (half * (one + t) + half * v * (one - t * t) * slope))
    elif code == SOFTPLUS:
        for i in range(0, count, 8):
            store(g, i, load(g, i) * sigmoid8(load(x, i)))
    elif code == SILU:
        for i in range(0, count, 8):
            v = load(x, i)
            s = sigmoid8(v)
            store(g, i, load(g, i) * s * fma(v, one - s, one))
    elif code == HARD_SIGMOID:
        for i in range(0, count, 8):
            v = load(x, i)
            inside = where_positive(splat(3.0) - v, where_positive(v + splat(3.0), one, zero), zero)
            store(g, i, load(g, i) * inside * splat(1 / 6))
    elif code == LINEAR:
        pass
    else:
        unknown(job, AN_ACTIVATION, code)


@kernel()
def drop(rate, factor, key, counter, x, y, count):
    """y = factor · x m: the mask m is a function of key and place, so backward draws the same one again."""
    # u is a multiple of 2⁻²⁴: above rate − 2⁻²⁵ says u ≥ rate, and rate 0 leaves out nothing.
    scale, zero, bound = splat(factor), splat(0.0), splat(rate - 2.0**-25)
    for i in range(0, count, 8):
        u = uniform8(key, counter + i)
        store(y, i, where_positive(u - bound, load(x, i) * scale, zero))
