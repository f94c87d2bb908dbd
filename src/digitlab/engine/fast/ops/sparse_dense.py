"""The first dense layer on pictures, whose pixels are mostly zero: it touches only the others.

Twins: `Dense` in nn/network.py with `Network.prepare`'s scaling, and `SGD` with `L2`.

A zero pixel adds nothing to x W and nothing to ∂L/∂W = xᵀ g, so a picture is a list of its other pixels, and both
are sums over about 150 rows of W instead of 784. Two things would change all 784 rows in every step, all alike:

- L2 multiplies W by 1 − ηλ/n in every step. W is held as s V, and only the number s is multiplied.
- A scaling with an offset o (Rashid's .01) makes every pixel o larger. With x = o + x', x' sparse,
  x W = x' W + o Σᵢ Wᵢ and ∂L/∂W = x'ᵀ g + o 1ᵀ g: the second part adds one and the same row to every row of W.
  W is held as s (V + c) with a row c, and S = Σᵢ Vᵢ is kept up to date as well.

`fold_in` turns s (V + c) back into W; it runs when a call ends, or when s has become small.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import turned
from digitlab.engine.fast.ops.dense import step_own_biases
from digitlab.engine.fast.ops.optimizer import PLAIN, limit_columns, update_weights
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.ops.pictures import gather_rows, picture, scatter_rows
from digitlab.engine.fast.ops.skipping import TURNED
from digitlab.engine.fast.plan import Plan, Row
from digitlab.engine.fast.simd import (
    at,
    barrier,
    clear,
    copy,
    doubles,
    floats,
    fma,
    ints,
    load,
    real,
    shorts,
    splat,
    store,
)

LAYERS = ()

_column = own_columns()
OFFSET = _column()  # float64: o
LAZY = _column()  # whether W is held as s (V + c); else as it is, and the gradient is written to memory
COMMON = _column()  # offset of c, of S behind it, and of a row for each thread
GRADIENT = _column()  # offset of ∂L/∂W

ACROSS = 128  # columns of W that are multiplied with all pictures while they are in the second-level cache
SCALE = 3  # place in a thread's numbers: s, of which each thread has the same copy


def convert(row: Row, plan: Plan, room: Any, batch: int, threads: int, offset: float) -> None:
    """Make a dense operation one that reads lists of pixels.

    Its weights are held as s (V + c) under plain gradient descent with at most L2, if all of them learn and a step
    changes few of them.
    """
    plain = plan.optimizer == PLAIN and plan.hyper[L1_SHARE] == 0 and plan.hyper[MAX_NORM] == 0
    row[TURNED] = turned.place(row, room, batch) if turned.turns(row, batch) else 0
    lazy = plain and not row[MASKED] and not row[TURNED]
    row[OFFSET], row[LAZY], row[COMMON] = float(offset), int(lazy), room((2 + threads) * row[Y_STRIDE])
    row[GRADIENT] = room(0 if lazy or row[TURNED] else row[N_IN] * row[Y_STRIDE])


@kernel()
def scale(share):
    """Where this thread's s is stored."""
    return at(doubles(share.header[THREAD_NUMBERS]), LANES * share.thread + SCALE)


@kernel()
def forward(share, op):
    """y = x W + b, picture by picture."""
    stride, w = op[Y_STRIDE], at(share.params, op[W])
    begin_forward(share, op)
    for j in range(0, stride, ACROSS):
        wide = min(ACROSS, stride - j)
        for n in range(share.lo, share.hi):
            start, count, pixels = picture(share, n)
            y = at(share.work, op[Y] + n * stride)
            values, indices = at(floats(share.header[VALUES]), start), at(shorts(share.header[INDICES]), start)
            gather_rows(at(y, j), values, indices, count, at(w, j), stride, wide)
            if j + wide == stride:
                finish_forward(share, op, y, 0, stride, pixels)


@kernel()
def begin_forward(share, op):
    """s = 1 in the first step or a prediction, and S of the weights that begin."""
    n_in, stride = op[N_IN], op[Y_STRIDE]
    if share.step <= 0:
        scale(share)[0] = 1.0
    if real(op, OFFSET) != 0.0 and (share.step == 0 or not op[LAZY]):
        if share.thread == 0:
            clear(at(share.work, op[COMMON]), stride)  # the call before this one has folded its c in
            column_sums(at(share.params, op[W]), n_in, stride, at(share.work, op[COMMON] + stride))
        barrier(ints(share.header[SYNC]), share.header[THREADS])


@kernel()
def finish_forward(share, op, y, lo, hi, pixel_sum):
    """Columns lo to hi of y ← b + s (y + (Σ x' + o n) c + o S), where y = x' V."""
    offset, bias, c = real(op, OFFSET), at(share.params, op[B]), at(share.work, op[COMMON])
    sums, s, common, o = at(c, op[Y_STRIDE]), scale(share)[0], splat(pixel_sum + offset * op[N_IN]), splat(offset)
    for j in range(lo, hi, LANES):
        v = load(y, j)
        if offset != 0.0:
            v = fma(common, load(c, j), fma(o, load(sums, j), v))
        store(y, j, fma(splat(s), v, load(bias, j)))


@kernel()
def backward(share, op):
    """Nothing: the gradient of pixels is not needed."""


@kernel()
def step(share, op):
    """Update weights and biases from the gradient, or only the rows of pixels that have ink."""
    if op[W_NUMBER] < 0:
        pass  # frozen
    elif op[LAZY]:
        lazy_step(share, op)
    else:
        gradient_step(share, op)
    step_own_biases(share, op)


@kernel()
def lazy_step(share, op):
    """Plain gradient descent on W = s (V + c)."""
    header, work, thread, threads = share.header, share.work, share.thread, share.header[THREADS]
    stride, n_in, w, offset = op[Y_STRIDE], op[N_IN], at(share.params, op[W]), real(op, OFFSET)
    first, last = part_of(share, n_in)
    common, sums = at(work, op[COMMON]), at(work, op[COMMON] + stride)
    row = at(work, op[COMMON] + (2 + thread) * stride)
    s = scale(share)[0] * (1.0 - share.rate * doubles(header[HYPER])[L2_SHARE])
    if abs(s) < 1e-2 or abs(s) > 1e2:
        # Every thread folds its rows; c and S are thread 0's.
        fold_in(at(w, first * stride), 0, last - first, stride, s, common)
        barrier(ints(header[SYNC]), threads)
        if thread == 0:
            clear(common, stride)
            column_sums(w, n_in, stride, sums)
        barrier(ints(header[SYNC]), threads)  # before any row changes again
        s = 1.0
    scale(share)[0] = s
    for j in range(0, stride, ACROSS):
        wide = min(ACROSS, stride - j)
        for n in range(share.examples):
            scaled(row, -share.rate / s, at(work, op[GY] + n * stride + j), wide)
            pixels = add_picture(share, op, n, row, first, last, at(w, j), wide)
            if thread == 0 and offset != 0.0:
                add_scaled(at(common, j), offset, row, wide)
                add_scaled(at(sums, j), pixels, row, wide)


@kernel()
def add_picture(share, op, n, row, first, last, w, columns):
    """W[i] += x'[i] · row for the rows first … last and picture n; returns the sum of all its pixels."""
    start, count, pixels = picture(share, n)
    values, indices = at(floats(share.header[VALUES]), start), at(shorts(share.header[INDICES]), start)
    low, high = 0, count
    if share.header[THREADS] > 1:
        low, high = from_row(indices, count, first), from_row(indices, count, last)
    scatter_rows(row, at(values, low), at(indices, low), high - low, w, op[Y_STRIDE], columns)
    return pixels


@kernel()
def gradient_step(share, op):
    """Any other optimizer or regularizer: the gradient is written to memory first, then every row is updated."""
    stride, g, (first, last) = op[Y_STRIDE], at(share.work, op[GRADIENT]), part_of(share, op[N_IN])
    row = common_gradient(share, op)
    for i in range(first, last):
        copy(at(g, i * stride), row, stride)
    for j in range(0, stride, ACROSS):
        for n in range(share.examples):
            delta = at(share.work, op[GY] + n * stride + j)
            add_picture(share, op, n, delta, first, last, at(g, j), min(ACROSS, stride - j))
    update_weights(share, op, op[W] + first * stride, at(g, first * stride), (last - first) * stride)


@kernel()
def common_gradient(share, op):
    """o 1ᵀ g, which every row of ∂L/∂W contains, in this thread's row."""
    stride, offset = op[Y_STRIDE], real(op, OFFSET)
    row = at(share.work, op[COMMON] + (2 + share.thread) * stride)
    for j in range(0, stride, LANES):
        sum_ = splat(0.0)
        if offset != 0.0:
            for n in range(share.examples):
                sum_ = sum_ + load(share.work, op[GY] + n * stride + j)
        store(row, j, sum_ * offset)
    return row


@kernel()
def finish(share, op):
    """The weights as they are, at the end of a call."""
    if op[LAZY]:
        stride, (first, last) = op[Y_STRIDE], part_of(share, op[N_IN])
        w, common = at(share.params, op[W] + first * stride), at(share.work, op[COMMON])
        fold_in(w, 0, last - first, stride, scale(share)[0], common)


limit = limit_columns


@kernel()
def column_sums(w, n_in, stride, sums):
    """S = Σᵢ Wᵢ."""
    for j in range(0, stride, LANES):
        sum_ = splat(0.0)
        for i in range(n_in):
            sum_ = sum_ + load(w, i * stride + j)
        store(sums, j, sum_)


@kernel()
def fold_in(w, first, last, stride, s, c):
    """Rows first … last of W = s (V + c), in V's place."""
    scale = splat(s)
    for i in range(first, last):
        for j in range(0, stride, LANES):
            store(w, i * stride + j, scale * (load(w, i * stride + j) + load(c, j)))


@kernel()
def add_scaled(y, factor, x, count):
    """y += factor · x."""
    f = splat(factor)
    for j in range(0, count, LANES):
        store(y, j, fma(f, load(x, j), load(y, j)))


@kernel()
def scaled(y, factor, x, count):
    """y = factor · x."""
    f = splat(factor)
    for j in range(0, count, LANES):
        store(y, j, f * load(x, j))


@kernel()
def from_row(indices, count, row):
    """How many of the ascending indices lie below `row`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if indices[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low
