"""The first dense layer on pictures in large batches: lists of the examples in which each pixel is not zero.

Twins: `Dense` in nn/network.py with `Network.prepare`'s scaling.

sparse_dense.py takes picture by picture: each reads 150 rows of W, and reads and writes 150 rows of ∂L/∂W, all of which
no first-level cache holds. In a large batch the lists are turned round, from the pixels of an example to the examples
of a pixel. Then a row of W, or a sum that becomes a row of ∂L/∂W, is in registers, and what it meets is in that cache,
a strip of columns of some examples:

    forward    each thread's columns of y: y[n] += x[n, k] W[k] for every pixel k and the n with x[n, k] ≠ 0
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
from digitlab.engine.fast.ops.pictures import gather_rows, picture, scatter_rows
from digitlab.engine.fast.ops.skipping import PACKED
from digitlab.engine.fast.plan import Row, padded
from digitlab.engine.fast.simd import at, barrier, clear, copy, floats, ints, load, shorts, shorts_of, store, words
from digitlab.engine.fast.simd import padded as whole_vectors

WIDE = 64  # columns of a strip
HIGH_STRIP = 128  # examples of a strip, at most
TALL = 32  # rows of W whose gradient is held at once
CAPACITY = HIGH_STRIP + 2 * LANES  # numbers from one pixel's list to the next, not a power of 2


def turns(row: Row, batch: int) -> bool:
    """Whether turned lists pay for batches of this size."""
    return bool(row[PACKED]) and large.packs(batch)


def place(row: Row, room: Any, batch: int) -> int:
    """Room for the lists of all pixels, for each block of examples."""
    blocks, n_in = -(-batch // HIGH_STRIP), row[N_IN]
    return int(room(blocks * lists_size(n_in, padded(n_in))))


@kernel()
def lists_size(n_in, whole):
    """Floats of a block's lists: how long each is, values, and numbers of examples, uint16."""
    return whole + n_in * (CAPACITY + CAPACITY // 2)


@kernel()
def block(share, op, lists, b):
    """The lists of block b of the examples: counts, values and numbers of examples."""
    n_in, whole = op[N_IN], whole_vectors(op[N_IN])
    start = at(share.work, lists + b * lists_size(n_in, whole))
    return words(start), at(start, whole), shorts_of(at(start, whole + n_in * CAPACITY))


@kernel()
def list_examples(share, op, lists, first, last):
    """Write the lists of pixels `first` to `last`, each of even length."""
    header = share.header
    for b in range((share.examples + HIGH_STRIP - 1) // HIGH_STRIP):
        counts, values, numbers = block(share, op, lists, b)
        for i in range(first, last):
            counts[i] = 0
        for n in range(b * HIGH_STRIP, min((b + 1) * HIGH_STRIP, share.examples)):
            start, count, _ = picture(share, n)
            pixels, lights = at(shorts(header[INDICES]), start), at(floats(header[VALUES]), start)
            for k in range(count):
                i = pixels[k]
                if first <= i < last:
                    here = i * CAPACITY + counts[i]
                    values[here] = lights[k]
                    numbers[here] = n - b * HIGH_STRIP
                    counts[i] += lights[k] != 0.0
        for i in range(first, last):
            if counts[i] % 2:
                here = i * CAPACITY + counts[i]
                values[here], numbers[here] = 0.0, numbers[here - 1]
                counts[i] += 1


@kernel()
def forward(share, op, lists, lo, hi):
    """Columns lo to hi of x W, for all examples; the lists are made first."""
    stride, n_in, threads, strip = op[Y_STRIDE], op[N_IN], share.header[THREADS], share.scratch
    list_examples(share, op, lists, n_in * share.thread // threads, n_in * (share.thread + 1) // threads)
    barrier(ints(share.header[SYNC]), threads)
    for j in range(lo, hi, WIDE):
        wide, w = min(WIDE, hi - j), at(share.params, op[W] + j)
        for first in range(0, share.examples, HIGH_STRIP):
            examples = min(HIGH_STRIP, share.examples - first)
            counts, values, numbers = block(share, op, lists, first // HIGH_STRIP)
            clear(strip, examples * WIDE)
            for k in range(n_in):
                row, here, count = at(w, k * stride), k * CAPACITY, 0 + counts[k]  # an int64, as elsewhere
                scatter_rows(row, at(values, here), at(numbers, here), count, strip, WIDE, wide)
            for n in range(examples):
                copy(at(share.work, op[Y] + (first + n) * stride + j), at(strip, n * WIDE), wide)


@kernel()
def add_gradient(share, op, lists, rows, i, strips, g, g_row, wide, sums):
    """g[r] += Σₙ x[n, i + r] · strip[n] over all blocks of examples, a strip each; `wide` columns."""
    for first in range(0, share.examples, HIGH_STRIP):
        counts, values, numbers = block(share, op, lists, first // HIGH_STRIP)
        strip = at(strips, first * WIDE)
        for r in range(rows):
            here, row, count = (i + r) * CAPACITY, at(g, r * g_row), 0 + counts[i + r]
            if count > 0:
                gather_rows(sums, at(values, here), at(numbers, here), count, strip, WIDE, wide)
                for c in range(0, wide, LANES):
                    store(row, c, load(row, c) + load(sums, c))


@kernel()
def step(share, op, lists, first, last, common):
    """Rows `first` to `last` of W, one step on; `common` is a row that is part of the gradient of each."""
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
                add_gradient(share, op, lists, rows, i, strip, at(g, j), columns, wide, sums)
            if columns == stride:
                update_weights(share, op, op[W] + i * stride, g, rows * stride)
            else:
                for r in range(rows):
                    update_weights(share, op, op[W] + (i + r) * stride + start, at(g, r * columns), columns)
