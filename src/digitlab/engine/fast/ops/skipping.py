"""The dense layer behind a ReLU, whose inputs are mostly zero, the more so with dropout: it touches only the others.

Twin: `Dense` in nn/network.py.

An input that is zero adds nothing to x W and nothing to ∂L/∂W = xᵀ g. Nor is its own gradient asked for: the ReLU or
the dropout that made it zero multiplies that by zero. So all three products need only the inputs that are not:

    forward    y[n] = b + Σₖ x[n, k] W[k]             over the k with x[n, k] ≠ 0
    backward   ∂L/∂x[n, k] = g[n] · W[k]              for those k, and 0 for the others
    update     W[k] −= η Σₙ x[n, k] g[n]              over the n with x[n, k] ≠ 0

Forward lists them, example by example, and backward reads the lists; each is a count, values and indices.
"""

# mypy: ignore-errors

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    ALL_INPUTS,
    GRADIENT_ROWS,
    HYPER,
    L1_SHARE,
    L2_SHARE,
    OPTIMIZER,
    PARTIAL,
    PLAIN_SGD,
    SKIP_ZEROS,
    SYNC,
    THREADS,
)
from digitlab.engine.fast.ops.masks import cut
from digitlab.engine.fast.ops.optimizer import update
from digitlab.engine.fast.simd.barrier import barrier
from digitlab.engine.fast.simd.tiles import axpys, collect, picked
from digitlab.engine.fast.simd.vectors import at, doubles, ints, load, shorts_of, splat, store, words

FEW = 0.4  # share of inputs up to which skipping the others is faster than the whole product

GROUP = 8  # list lengths are multiples of it
BLOCK = 64  # rows of W that all examples meet while those lie in the second-level cache

_gather4, _gather2, _gather1 = axpys(4), axpys(2), axpys(1)
_add8, _add4, _add2, _add1 = collect(1, 8), collect(1, 4), collect(1, 2), collect(1, 1)
_dots8 = picked(GROUP)


@kernel()
def choose(job, x, x_stride, rows, n_in, thread):
    """SKIP_ZEROS if few of the whole batch's inputs are not zero, else ALL_INPUTS; x is this thread's share."""
    partial, sync, threads = doubles(job[PARTIAL]), ints(job[SYNC]), job[THREADS]
    count = 0
    for n in range(rows):
        row = at(x, n * x_stride)
        for k in range(n_in):
            count += row[k] != 0.0
    partial[8 * thread + 1], partial[8 * thread + 2] = count, rows * n_in
    barrier(sync, threads)
    found, all_ = 0.0, 0.0
    for t in range(threads):
        found, all_ = found + partial[8 * t + 1], all_ + partial[8 * t + 2]
    barrier(sync, threads)  # before another layer's counts are written there
    return SKIP_ZEROS if found < FEW * all_ else ALL_INPUTS


@kernel()
def list_inputs(x, n_in, entry):
    """The numbers of x that are not zero, up to a multiple of GROUP: values that are 0, indices that repeat the last.

    `entry` holds the count, from 8 on the values, and behind them the indices, uint16.
    """
    values, indices = at(entry, 8), shorts_of(at(entry, 8 + (n_in + GROUP + 7) // 8 * 8))
    count = 0
    for k in range(n_in):  # without a branch: each number is written, and the next one over it if it was zero
        values[count] = x[k]
        indices[count] = k
        count += x[k] != 0.0
    last = indices[max(count - 1, 0)] if count > 0 else 0
    whole = (count + GROUP - 1) // GROUP * GROUP
    for e in range(count, whole):
        values[e] = 0.0
        indices[e] = last
    words(entry)[0] = whole


@kernel()
def skipping_forward(y, stride, x, x_stride, rows, w, n_in, bias, lists, list_stride):
    """y = x W + b for `rows` examples, and the lists of what is not zero."""
    for n in range(rows):
        list_inputs(at(x, n * x_stride), n_in, at(lists, n * list_stride))
    behind = 8 + (n_in + GROUP + 7) // 8 * 8
    j = 0
    while j < stride:
        # A few columns of W, which stay in the second-level cache, for all examples.
        wide = 32 if j + 32 <= stride else (16 if j + 16 <= stride else 8)
        for n in range(rows):
            entry, out = at(lists, n * list_stride), at(y, n * stride + j)
            count, values, indices = words(entry)[0], at(entry, 8), shorts_of(at(entry, behind))
            if wide == 32:
                _gather4(out, values, indices, count, at(w, j), stride)
            elif wide == 16:
                _gather2(out, values, indices, count, at(w, j), stride)
            else:
                _gather1(out, values, indices, count, at(w, j), stride)
            for c in range(0, wide, 8):
                store(out, c, load(out, c) + load(bias, j + c))
        j += wide


@kernel()
def skipping_backward(gx, x_stride, gy, stride, rows, w, n_in, lists, list_stride, places):
    """∂L/∂x = g Wᵀ where x is not zero, else 0; `places` is room for a number per example."""
    behind = 8 + (n_in + GROUP + 7) // 8 * 8
    for n in range(rows):
        places[n] = 0
        for k in range(0, (n_in + 7) // 8 * 8, 8):
            store(gx, n * x_stride + k, splat(0.0))
    for border in range(BLOCK, n_in + BLOCK, BLOCK):
        for n in range(rows):
            entry = at(lists, n * list_stride)
            count, indices, e = words(entry)[0], shorts_of(at(entry, behind)), places[n]
            while e < count and indices[e + GROUP - 1] < border:
                _dots8(at(gx, n * x_stride), at(gy, n * stride), at(indices, e), w, stride, stride)
                e += GROUP
            places[n] = e


@kernel()
def add_rows(y, values, offsets, count, base, columns):
    """y += Σ values · base[offsets ...], `columns` numbers."""
    j = 0
    while j < columns:
        left = columns - j
        if left >= 64:
            _add8(at(y, j), 0, values, offsets, count, at(base, j), 0)
            j += 64
        elif left >= 32:
            _add4(at(y, j), 0, values, offsets, count, at(base, j), 0)
            j += 32
        elif left >= 16:
            _add2(at(y, j), 0, values, offsets, count, at(base, j), 0)
            j += 16
        else:
            _add1(at(y, j), 0, values, offsets, count, at(base, j), 0)
            j += 8


@kernel()
def skipping_step(
    job, rate, step, p, s1, s2, w, x, x_stride, gy, stride, examples, first, last, g, values, masked, masks
):
    """W's rows `first` to `last`, one step on. `g` holds GRADIENT_ROWS rows, `values` two numbers for each example."""
    hyper, offsets = doubles(job[HYPER]), words(at(values, examples))
    plain = job[OPTIMIZER] == PLAIN_SGD and hyper[L1_SHARE] == 0.0 and not masked
    factor = -rate if plain else 1.0
    keep = splat(1.0 - rate * hyper[L2_SHARE])
    for i in range(first, last, GRADIENT_ROWS):
        rows = min(GRADIENT_ROWS, last - i)
        for k in range(i, i + rows):
            count = 0
            for n in range(examples):
                values[count] = factor * x[n * x_stride + k]
                offsets[count] = n * stride
                count += x[n * x_stride + k] != 0.0
            row = at(p, w + k * stride) if plain else at(g, (k - i) * stride)
            if not plain:
                for j in range(0, stride, 8):
                    store(row, j, splat(0.0))
            elif hyper[L2_SHARE] != 0.0:
                for j in range(0, stride, 8):
                    store(row, j, keep * load(row, j))
            if count > 0:
                add_rows(row, values, offsets, count, gy, stride)
        if not plain:
            here = w + i * stride
            if masked:
                cut(g, at(masks, here), rows * stride)
            update(job, rate, step, True, at(p, here), at(s1, here), at(s2, here), g, rows * stride)
