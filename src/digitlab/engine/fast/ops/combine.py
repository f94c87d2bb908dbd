"""The outputs of several networks made into one answer. Twin: `Combine` in nn/combine.py."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

import numpy as np

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, N_OUT, X_STRIDE, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.plan import padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, real, words
from digitlab.nn.combine import Combine

LAYERS = (Combine,)

_column = own_columns()
NETWORKS = _column()
ENDS = _column()  # offset of where each network's outputs end, as int32
CLASSES = _column()  # offset of the class that each output stands for, as int32; -1: none
SHARES = _column()  # offset of what an output adds to its class
VOTES = _column()  # whether the rule is "vote"
LEAST = _column()  # float64: what an output of 0 counts as
TIE = _column()  # float64: the weight of the mean against votes


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add layer i, which combines an ensemble's outputs, to the plan; False where the kernels do not support it."""
    layer, row = builder.layers[i], builder.row("combine")
    matrices = np.concatenate(layer.matrices(np.zeros(1, np.float32)))  # (Σ sizes, classes), one number in a row
    some = matrices.any(axis=1)
    row[NETWORKS], row[N_OUT], row[VOTES] = len(layer.sizes), layer.classes, int(layer.rule == "vote")
    row[ENDS] = np.cumsum(layer.sizes).astype(np.int32)
    row[CLASSES] = np.where(some, matrices.argmax(axis=1), -1).astype(np.int32)
    row[SHARES] = matrices.max(axis=1).astype(np.float32)
    row[LEAST], row[TIE] = float(layer.least), float(layer.tie)
    builder.needs_scratch(3 * (padded(layer.classes) + LANES))
    builder.add_output(row, layer.classes, first_gradient=False)
    return True


@kernel()
def part(op, x, first, end):
    """The sum of a network's outputs, each at least `LEAST`, and the place of the largest."""
    total, best = 0.0, first
    for j in range(first, end):
        total += max(float(x[j]), real(op, LEAST))
        if x[j] > x[best]:
            best = j
    return total, best


@kernel()
def combined(share, op, x, s, said):
    """The mean s of the networks' probabilities, and what they say together; returns the sum of s before division."""
    ends, stands_for = words(at(share.work, op[ENDS])), words(at(share.work, op[CLASSES]))
    shares, least, classes = at(share.work, op[SHARES]), real(op, LEAST), op[N_OUT]
    for c in range(classes):
        s[c], said[c] = 0.0, 0.0
    first = 0
    for k in range(op[NETWORKS]):
        total, best = part(op, x, first, ends[k])
        for j in range(first, ends[k]):
            if stands_for[j] >= 0:
                s[stands_for[j]] += max(float(x[j]), least) / total * shares[j]
        if stands_for[best] >= 0:
            said[stands_for[best]] += shares[best]
        first = ends[k]
    whole = least
    for c in range(classes):
        whole += s[c]
    for c in range(classes):
        s[c] = (s[c] + least / classes) / whole
        said[c] = said[c] + real(op, TIE) * s[c] if op[VOTES] else s[c]
    return whole


@kernel()
def forward(share, op):
    """y = ln s."""
    s, said = share.scratch, at(share.scratch, op[Y_STRIDE])
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
        combined(share, op, x, s, said)
        for c in range(op[N_OUT]):
            y[c] = math.log(said[c])


@kernel()
def backward(share, op):
    """∂L/∂x of every member's outputs."""
    ends, stands_for = words(at(share.work, op[ENDS])), words(at(share.work, op[CLASSES]))
    shares, least, classes = at(share.work, op[SHARES]), real(op, LEAST), op[N_OUT]
    s, said, u = share.scratch, at(share.scratch, op[Y_STRIDE]), at(share.scratch, 2 * op[Y_STRIDE])
    factor = real(op, TIE) if op[VOTES] else 1.0
    for n in range(share.lo, share.hi):
        x, gx = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[GX] + n * op[X_STRIDE])
        gy = at(share.work, op[GY] + n * op[Y_STRIDE])
        whole, dot = combined(share, op, x, s, said), 0.0
        for c in range(classes):
            u[c] = gy[c] / said[c] * factor
            dot += u[c] * s[c]
        for c in range(classes):
            u[c] = (u[c] - dot) / whole
        first = 0
        for k in range(op[NETWORKS]):
            total, _best = part(op, x, first, ends[k])
            dot = 0.0
            for j in range(first, ends[k]):
                if stands_for[j] >= 0:
                    dot += u[stands_for[j]] * shares[j] * max(float(x[j]), least) / total
            for j in range(first, ends[k]):
                h = u[stands_for[j]] * shares[j] if stands_for[j] >= 0 else 0.0
                gx[j] = (h - dot) / total if x[j] > least else 0.0
            first = ends[k]
