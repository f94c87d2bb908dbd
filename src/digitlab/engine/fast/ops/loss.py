"""The losses for one example: its loss, δ = ∂L/∂logits as the reference gives it (1/N included), and the outputs.

Twins: the classes of `KERNELS`, and `RashidRule.compute`. Rows are padded to whole vectors; `mask` holds 1 for each
output and 0 for the padding, which so gets neither loss nor δ.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math
from typing import Any, NamedTuple

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.dispatch import dispatcher
from digitlab.engine.fast.simd import (
    absolute,
    at,
    doubles,
    exp,
    floats,
    fma,
    ints,
    lane,
    load,
    maximum,
    sigmoid,
    splat,
    store,
    total,
)
from digitlab.nn.losses import CrossEntropy, LogLikelihood, MeanSquaredError
from digitlab.nn.network import Loss, Quadratic

SETTINGS = ("label_smoothing", "low", "high")


class Example(NamedTuple):
    """One example and where its δ goes: rows of `stride` numbers, of which the first `out` count.

    z logits, t targets, mask 1 for a real output and 0 for padding, delta ∂L/∂z; examples is N, weight the example's.
    """

    z: Any  # the row of logits
    t: Any  # the targets
    mask: Any
    delta: Any
    stride: Any
    out: Any
    examples: Any
    weight: Any


@kernel()
def quadratic(e):
    """½ Σ (a − t)² of one example, a = σ(z); δ = (a − t) a (1 − a) · weight/N."""
    sum_, share = splat(0.0), splat(e.weight / e.examples)
    for j in range(0, e.stride, LANES):
        a = sigmoid(load(e.z, j))
        error = (a - load(e.t, j)) * load(e.mask, j)
        sum_ = fma(error, error, sum_)
        store(e.delta, j, error * a * (1.0 - a) * share)
    return 0.5 * total(sum_)


@kernel()
def cross_entropy(e):
    """Σ ln(1 + e^z) − t z of one example; δ = (σ(z) − t) · weight/N."""
    sum_, share, loss = splat(0.0), splat(e.weight / e.examples), 0.0
    for j in range(0, e.stride, LANES):
        v, goal, there = load(e.z, j), load(e.t, j), load(e.mask, j)
        sum_ = sum_ + (maximum(v, 0.0) - goal * v) * there
        # Σ ln(1 + e^−|z|) as the logarithm of one product: each factor lies between 1 and 2.
        u = fma(exp(0.0 - absolute(v)), there, 1.0)
        product = 1.0
        for k in range(LANES):
            product *= lane(u, k)
        loss += math.log(product)
        store(e.delta, j, (sigmoid(v) - goal) * there * share)
    return loss + total(sum_)


@kernel()
def largest(z, out):
    """The largest logit."""
    top = z[0]
    for j in range(1, out):
        if z[j] > top:
            top = z[j]
    return splat(top)


@kernel()
def log_likelihood(e):
    """−Σ t ln softmax(z) of one example; δ = (softmax(z) Σt − t) · weight/N."""
    top, share = largest(e.z, e.out), splat(e.weight / e.examples)
    sum_, goals, dots = splat(0.0), splat(0.0), splat(0.0)
    for j in range(0, e.stride, LANES):
        there = load(e.mask, j)
        v = load(e.z, j) - top
        power = exp(v) * there
        goal = load(e.t, j) * there
        sum_ = sum_ + power
        goals = goals + goal
        dots = fma(goal, v, dots)
        store(e.delta, j, power)
    partition, hoped = total(sum_), total(goals)
    scale = splat(hoped / partition)
    for j in range(0, e.stride, LANES):
        store(e.delta, j, (load(e.delta, j) * scale - load(e.t, j) * load(e.mask, j)) * share)
    return hoped * math.log(partition) - total(dots)


@kernel()
def mean_squared_error(e):
    """Σ (z − t)²/out of one example; δ = 2 (z − t) · weight/(N·out)."""
    sum_, twice = splat(0.0), splat(2.0 * e.weight / (e.examples * e.out))
    for j in range(0, e.stride, LANES):
        error = (load(e.z, j) - load(e.t, j)) * load(e.mask, j)
        sum_ = fma(error, error, sum_)
        store(e.delta, j, error * twice)
    return total(sum_) / e.out


@kernel()
def sigmoid_outputs(z, mask, stride, out):
    """z ← σ(z), in place."""
    for j in range(0, stride, LANES):
        store(z, j, sigmoid(load(z, j)))


@kernel()
def softmax_outputs(z, mask, stride, out):
    """z ← softmax(z), in place; padding becomes 0."""
    top, sum_ = largest(z, out), splat(0.0)
    for j in range(0, stride, LANES):
        power = exp(load(z, j) - top) * load(mask, j)
        store(z, j, power)
        sum_ = sum_ + power
    share = splat(1.0 / total(sum_))
    for j in range(0, stride, LANES):
        store(z, j, load(z, j) * share)


@kernel()
def linear_outputs(z, mask, stride, out):
    """Outputs are the logits."""


# Of each loss its kernel, and that of its output activation
KERNELS: dict[type[Loss], tuple[Any, Any]] = {
    Quadratic: (quadratic, sigmoid_outputs),
    CrossEntropy: (cross_entropy, sigmoid_outputs),
    LogLikelihood: (log_likelihood, softmax_outputs),
    MeanSquaredError: (mean_squared_error, linear_outputs),
}
CODES = {cls: code for code, cls in enumerate(KERNELS)}
_loss_and_delta = dispatcher(
    "header, code, example",
    {code: f"return loss_{code}(example)" for code in CODES.values()},
    f"return unknown(header, {A_LOSS}, code)",
    **{f"loss_{CODES[cls]}": loss for cls, (loss, _) in KERNELS.items()},
)
outputs = dispatcher(  # a row of logits becomes a row of outputs, in place
    "header, code, z, mask, stride, out",
    {code: f"outputs_{code}(z, mask, stride, out)" for code in CODES.values()},
    f"unknown(header, {A_LOSS}, code)",
    **{f"outputs_{CODES[cls]}": function for cls, (_, function) in KERNELS.items()},
)


@kernel()
def losses_and_deltas(share, each):
    """The losses of a thread's examples, and their δ, both times the example's weight, if there are WEIGHTS.

    Targets are labels or rows of numbers.
    """
    header, work, target = share.header, share.work, share.scratch
    out, stride, hyper, mask = header[OUT], header[OUT_STRIDE], doubles(header[HYPER]), at(work, header[LANE_MASK])
    for n in range(share.lo, share.hi):
        if header[TARGETS] == 0:
            low = splat(hyper[LOW])  # label smoothing is in the two numbers already
            for j in range(0, stride, LANES):
                store(target, j, low)
            target[ints(header[LABELS])[share.order[n]]] = hyper[HIGH]
        else:
            row = at(floats(header[TARGETS]), share.order[n] * out)
            for j in range(out):
                target[j] = row[j]
        weight = 1.0
        if header[WEIGHTS] != 0:
            weight = float(floats(header[WEIGHTS])[share.order[n]])
        z, delta = at(work, header[LOGITS] + n * stride), at(work, header[DELTA] + n * stride)
        example = Example(z, target, mask, delta, stride, out, share.examples, weight)
        each[n] = weight * _loss_and_delta(header, header[LOSS], example)
        if header[RULE] == RASHID:
            raw_error(example)


@kernel()
def raw_error(e):
    """e = w (σ(z) − t)/N, which Rashid's rule sends back instead of δ."""
    share = splat(e.weight / e.examples)
    for j in range(0, e.stride, LANES):
        store(e.delta, j, (sigmoid(load(e.z, j)) - load(e.t, j)) * load(e.mask, j) * share)


@kernel()
def errors_to_deltas(share):
    """Rashid's rule: δ = e σ'(z) at the output, in place."""
    header, stride = share.header, share.header[OUT_STRIDE]
    z, delta = at(share.work, header[LOGITS]), at(share.work, header[DELTA])
    for j in range(share.lo * stride, share.hi * stride, LANES):
        a = sigmoid(load(z, j))
        store(delta, j, load(delta, j) * a * (1.0 - a))
