"""Transposed lists, for dense layers in large batches: for each input, the examples in which it is not zero.

Twins: `Dense` in nn/network.py, for the first layer with `Network.prepare`'s scaling.

sparse_dense.py takes picture by picture, and skipping.py example by example: each reads 150 rows of W, and reads and
writes 150 rows of ∂L/∂W, which do not fit a first-level cache. In a large batch the lists are transposed, from the
inputs of an example to the examples of an input. Then a row of W, or a sum that becomes a row of ∂L/∂W, is in
registers, and what it is multiplied with is in that cache, a strip of columns of some examples:

    forward    each thread's columns of y: y[n] += x[n, k] W[k] for every input k and the n with x[n, k] ≠ 0
    step       each thread's rows of ∂L/∂W[k] = Σₙ x[n, k] g[n] over the same n, and the step along them

Every sum has one order, whatever the number of threads.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from typing import Any

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import large
from digitlab.engine.fast.ops.optimizer import update_weights
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.ops.pictures import gather_rows, picture, scatter_rows
from digitlab.engine.fast.ops.skipping import LIST_STRIDE, LISTS, PACKED, TURNED, index_place
from digitlab.engine.fast.plan import Row, padded
from digitlab.engine.fast.simd import at, barrier, copy, floats, ints, load, shorts, shorts_of, store, words
from digitlab.engine.fast.simd import padded as whole_vectors

WIDE = 64  # columns of a strip
HIGH_STRIP = 128  # examples of a strip, at most
TALL = 32  # rows of W whose gradient is held at once
CAPACITY = HIGH_STRIP + 2 * LANES  # numbers from one input's list to the next, not a power of 2


def few(packed: int, batch: int) -> float:
    """Share of inputs that are not zero up to which these lists are faster than a product packed in this way."""
    return 0.4 if packed == large.IN_VECTORS and batch <= HIGH_STRIP else 0.25


def turns(row: Row, batch: int) -> bool:
    """Whether transposed lists are faster for batches of this size."""
    return bool(row[PACKED]) and large.packs(batch)


def place(row: Row, room: Any, batch: int) -> int:
    """Room for the lists of all inputs, for each block of examples."""
    blocks, n_in = -(-batch // HIGH_STRIP), row[N_IN]
    return int(room(blocks * lists_size(n_in, padded(n_in))))


@kernel()
def lists_size(n_in, whole):
    """Floats of a block's lists: how long each is, values, and numbers of examples, uint16."""
    return whole + n_in * (CAPACITY + CAPACITY // 2)


@kernel()
def block(share, op, b):
    """The lists of block b of the examples: counts, values and numbers of examples."""
    n_in, whole = op[N_IN], whole_vectors(op[N_IN])
    start = at(share.work, op[TURNED] + b * lists_size(n_in, whole))
    return words(start), at(start, whole), shorts_of(at(start, whole + n_in * CAPACITY))


@kernel()
def turn_pictures(share, op):
    """Write the lists of pixels from the lists of pictures, each thread those of its rows of W."""
    header, (first, last) = share.header, part_of(share, op[N_IN])
    for b in range(blocks(share)):
        counts, values, numbers = emptied(share, op, b, first, last)
        for n in range(b * HIGH_STRIP, min((b + 1) * HIGH_STRIP, share.examples)):
            start, count, _ = picture(share, n)
            pixels, lights = at(shorts(header[INDICES]), start), at(floats(header[VALUES]), start)
            append(counts, values, numbers, n - b * HIGH_STRIP, pixels, lights, count, first, last)
        even(counts, values, numbers, first, last)
    barrier(ints(header[SYNC]), header[THREADS])


@kernel()
def turn_inputs(share, op):
    """Write the lists of inputs from those of the examples (skipping.py), each thread those of its rows of W."""
    header, (first, last), behind = share.header, part_of(share, op[N_IN]), index_place(op[N_IN])
    barrier(ints(header[SYNC]), header[THREADS])  # until every example has its list
    for b in range(blocks(share)):
        counts, values, numbers = emptied(share, op, b, first, last)
        for n in range(b * HIGH_STRIP, min((b + 1) * HIGH_STRIP, share.examples)):
            entry = at(share.work, op[LISTS] + n * op[LIST_STRIDE])
            inputs, lights, count = shorts_of(at(entry, behind)), at(entry, LANES), 0 + words(entry)[0]
            append(counts, values, numbers, n - b * HIGH_STRIP, inputs, lights, count, first, last)
        even(counts, values, numbers, first, last)
    barrier(ints(header[SYNC]), header[THREADS])


@kernel()
def blocks(share):
    """How many blocks the examples make."""
    return (share.examples + HIGH_STRIP - 1) // HIGH_STRIP


@kernel()
def emptied(share, op, b, first, last):
    """Block b, whose lists `first` to `last` are empty."""
    counts, values, numbers = block(share, op, b)
    for i in range(first, last):
        counts[i] = 0
    return counts, values, numbers


@kernel()
def append(counts, values, numbers, n, inputs, lights, count, first, last):
    """Add example n to the lists of its inputs that lie between `first` and `last`."""
    for k in range(count):
        i = inputs[k]
        if first <= i < last:
            here = i * CAPACITY + counts[i]
            values[here], numbers[here] = lights[k], n
            counts[i] += lights[k] != 0.0  # else the next one is written over it


@kernel()
def even(counts, values, numbers, first, last):
    """Make the length of each list even, with a value 0."""
    for i in range(first, last):
        if counts[i] % 2:
            here = i * CAPACITY + counts[i]
            values[here], numbers[here] = 0.0, numbers[here - 1]
            counts[i] += 1


@kernel()
def forward(share, op, lo, hi, start):
    """Columns lo to hi of start + x W, for all examples, by the lists."""
    stride, strip = op[Y_STRIDE], share.scratch
    for j in range(lo, hi, WIDE):
        wide, w = min(WIDE, hi - j), at(share.params, op[W] + j)
        for first in range(0, share.examples, HIGH_STRIP):
            examples = min(HIGH_STRIP, share.examples - first)
            counts, values, numbers = block(share, op, first // HIGH_STRIP)
            for n in range(examples):
                copy(at(strip, n * WIDE), at(start, j), wide)
            for k in range(op[N_IN]):
                row, here, count = at(w, k * stride), k * CAPACITY, 0 + counts[k]  # an int64, as elsewhere
                scatter_rows(row, at(values, here), at(numbers, here), count, strip, WIDE, wide)
            for n in range(examples):
                copy(at(share.work, op[Y] + (first + n) * stride + j), at(strip, n * WIDE), wide)


@kernel()
def add_gradient(share, op, rows, i, strips, g, g_row, wide, sums):
    """g[r] += Σₙ x[n, i + r] · strip[n] over all blocks of examples, a strip each; `wide` columns."""
    for first in range(0, share.examples, HIGH_STRIP):
        counts, values, numbers = block(share, op, first // HIGH_STRIP)
        strip = at(strips, first * WIDE)
        for r in range(rows):
            here, row, count = (i + r) * CAPACITY, at(g, r * g_row), 0 + counts[i + r]
            if count > 0:
                gather_rows(sums, at(values, here), at(numbers, here), count, strip, WIDE, wide)
                for c in range(0, wide, LANES):
                    store(row, c, load(row, c) + load(sums, c))


@kernel()
def step(share, op, first, last, common):
    """Update rows `first` to `last` of W; `common` is a row that is part of the gradient of each."""
    stride, examples = op[Y_STRIDE], share.examples
    at_once = max(AT_ONCE * DEEP // examples // WIDE, 1) * WIDE  # columns of g that the second-level cache holds
    sums, strips = share.scratch, at(share.scratch, WIDE)
    g = at(strips, at_once * examples)
    for start in range(0, stride, at_once):
        columns = min(at_once, stride - start)
        for j in range(0, columns, WIDE):
            for n in range(examples):
                gy = at(share.work, op[GY] + n * stride + start + j)
                copy(at(strips, j * examples + n * WIDE), gy, min(WIDE, columns - j))
        for i in range(first, last, TALL):
            rows = min(TALL, last - i)
            for r in range(rows):
                copy(at(g, r * columns), at(common, start), columns)
            for j in range(0, columns, WIDE):
                strip, wide = at(strips, j * examples), min(WIDE, columns - j)
                add_gradient(share, op, rows, i, strip, at(g, j), columns, wide, sums)
            if columns == stride:
                update_weights(share, op, op[W] + i * stride, g, rows * stride)
            else:
                for r in range(rows):
                    update_weights(share, op, op[W] + (i + r) * stride + start, at(g, r * columns), columns)
