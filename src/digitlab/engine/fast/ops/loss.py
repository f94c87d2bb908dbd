"""The four losses for one example: its loss, and δ = ∂L/∂logits as the reference gives it, 1/N included.

Twins: `Quadratic` in nn/network.py and the classes of nn/losses.py. Rows are padded to a multiple of 8;
`mask` holds 1 for each output there is and 0 for the padding, which so gets neither loss nor δ.
"""

# mypy: ignore-errors

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import A_LOSS, CROSS_ENTROPY, LOG_LIKELIHOOD, LOSS, MEAN_SQUARED_ERROR, QUADRATIC
from digitlab.engine.fast.ops.unknown import unknown
from digitlab.engine.fast.simd.maths import exp8, sigmoid8
from digitlab.engine.fast.simd.vectors import absolute, at_least, fma, lane, load, splat, store, total


@kernel()
def loss_and_delta(job, z, t, mask, delta, stride, out, examples, weight):
    """Loss of one row of logits z against targets t, both `stride` long; writes δ, which is `weight` times its usual.

    What it returns is the loss without the weight.
    """
    kind, share = job[LOSS], splat(weight / examples)
    sum_ = splat(0.0)
    loss = 0.0
    if kind == QUADRATIC:
        for j in range(0, stride, 8):
            a = sigmoid8(load(z, j))
            error = (a - load(t, j)) * load(mask, j)
            sum_ = fma(error, error, sum_)
            store(delta, j, error * a * (splat(1.0) - a) * share)
        return 0.5 * total(sum_)
    if kind == CROSS_ENTROPY:
        for j in range(0, stride, 8):
            v, goal, there = load(z, j), load(t, j), load(mask, j)
            sum_ = sum_ + (at_least(v, splat(0.0)) - goal * v) * there
            # Σ ln(1 + e^−|z|) as the logarithm of one product: each factor lies between 1 and 2.
            u = fma(exp8(splat(0.0) - absolute(v)), there, splat(1.0))
            product = 1.0
            for k in range(8):
                product *= lane(u, k)
            loss += math.log(product)
            store(delta, j, (sigmoid8(v) - goal) * there * share)
        return loss + total(sum_)
    if kind == LOG_LIKELIHOOD:
        largest = z[0]
        for j in range(1, out):
            if z[j] > largest:
                largest = z[j]
        top, goals = splat(largest), splat(0.0)
        dots = splat(0.0)
        for j in range(0, stride, 8):
            there = load(mask, j)
            v = load(z, j) - top
            e = exp8(v) * there
            goal = load(t, j) * there
            sum_ = sum_ + e
            goals = goals + goal
            dots = fma(goal, v, dots)
            store(delta, j, e)
        partition, weight = total(sum_), total(goals)
        scale = splat(weight / partition)
        for j in range(0, stride, 8):
            store(delta, j, (load(delta, j) * scale - load(t, j) * load(mask, j)) * share)
        return weight * math.log(partition) - total(dots)
    if kind == MEAN_SQUARED_ERROR:
        twice = splat(2.0 * weight / (examples * out))
        for j in range(0, stride, 8):
            error = (load(z, j) - load(t, j)) * load(mask, j)
            sum_ = fma(error, error, sum_)
            store(delta, j, error * twice)
        return total(sum_) / out
    unknown(job, A_LOSS, kind)
    return loss


@kernel()
def raw_error(z, t, mask, error, stride, examples, weight):
    """e = w (σ(z) − t)/N, which Rashid's rule sends back instead of δ. Twin: `RashidRule.gradient`."""
    share = splat(weight / examples)
    for j in range(0, stride, 8):
        store(error, j, (sigmoid8(load(z, j)) - load(t, j)) * load(mask, j) * share)


@kernel()
def delta_of_error(z, delta, stride):
    """δ = e σ'(z) where e lies."""
    for j in range(0, stride, 8):
        a = sigmoid8(load(z, j))
        store(delta, j, load(delta, j) * a * (splat(1.0) - a))


@kernel()
def label_row(label, low, high, t, stride):
    """The targets row of a label: `Loss.targets`, with label smoothing in the two numbers already."""
    rest = splat(low)
    for j in range(0, stride, 8):
        store(t, j, rest)
    t[label] = high


@kernel()
def copy_row(source, t, out):
    """The targets row of an array of targets."""
    for j in range(out):
        t[j] = source[j]
