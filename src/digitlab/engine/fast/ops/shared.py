"""A large dense layer in small batches: threads share out its weights, not the examples.

Twin: `Dense` in nn/network.py.

If each thread took its examples through all of W, every core would read all of W, half of which another core has just
changed: with two cores that took as long as with one. So W is cut into SEGMENTS of rows. A thread has the
same ones in the forward pass, in the backward pass and in the step, and they stay in its core's cache:

    forward    a segment's part of x W for every example; then each thread adds up the parts of its examples
    backward   ∂L/∂x of the inputs that belong to the segment, for every example

There are as many segments whatever the number of threads, and the parts are added in one order: the result
does not depend on how many threads there are.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import BATCH, GX, GY, LANES, N_IN, SYNC, THREADS, X_STRIDE, Y_STRIDE, B, W, X, Y
from digitlab.engine.fast.ops import skipping
from digitlab.engine.fast.ops.skipping import CHOICE, LIST_STRIDE, LISTS, PARTS, SKIP_ZEROS
from digitlab.engine.fast.simd import at, barrier, ints, load, multiply, multiply_transposed, padded, store, words

SEGMENTS = 4


def longest_segment(inputs: int) -> int:
    """The most rows of W in one segment."""
    return inputs // SEGMENTS + LANES


@kernel()
def first_row(op, segment):
    """Where a segment's rows of W begin: at whole cache lines of x."""
    return op[N_IN] if segment == SEGMENTS else op[N_IN] * segment // SEGMENTS // LANES * LANES


@kernel()
def forward(share, op):
    """y = x W + b of a thread's examples, when all threads have done their segments for the whole batch."""
    work, batch, thread, threads = share.work, share.header[BATCH], share.thread, share.header[THREADS]
    zeros, xs, ys, size = at(work, 0), op[X_STRIDE], op[Y_STRIDE], batch * op[Y_STRIDE]
    barrier(ints(share.header[SYNC]), threads)  # until every example's x is there
    for q in range(SEGMENTS * thread // threads, SEGMENTS * (thread + 1) // threads):
        first, last = first_row(op, q), first_row(op, q + 1)
        part, x, w = at(work, op[PARTS] + q * size), at(work, op[X] + first), at(share.params, op[W] + first * ys)
        if op[CHOICE] == SKIP_ZEROS:
            lists = at(work, op[LISTS] + q * batch * op[LIST_STRIDE])
            skipping.forward(part, ys, x, xs, share.examples, w, last - first, zeros, lists, op[LIST_STRIDE])
        else:
            multiply(part, ys, share.examples, x, xs, 1, 1, 0, last - first, w, ys, zeros, ys)
    barrier(ints(share.header[SYNC]), threads)
    for i in range(share.lo * ys, share.hi * ys, LANES):
        sum_ = load(share.params, op[B] + i % ys)
        for q in range(SEGMENTS):
            sum_ = sum_ + load(work, op[PARTS] + q * size + i)
        store(work, op[Y] + i, sum_)


@kernel()
def backward(share, op):
    """∂L/∂x = g Wᵀ of all examples: this thread's segments, and then those of the others are there, too."""
    work, batch, thread, threads = share.work, share.header[BATCH], share.thread, share.header[THREADS]
    xs, ys, gy = op[X_STRIDE], op[Y_STRIDE], at(work, op[GY])
    barrier(ints(share.header[SYNC]), threads)  # until every example's g is there
    for q in range(SEGMENTS * thread // threads, SEGMENTS * (thread + 1) // threads):
        first, last = first_row(op, q), first_row(op, q + 1)
        gx, w = at(work, op[GX] + first), at(share.params, op[W] + first * ys)
        if op[CHOICE] == SKIP_ZEROS:
            lists = at(work, op[LISTS] + q * batch * op[LIST_STRIDE])
            skipping.backward(
                gx, xs, gy, ys, share.examples, w, last - first, lists, op[LIST_STRIDE], words(share.scratch)
            )
        else:
            multiply_transposed(gx, xs, share.examples, gy, ys, w, ys, padded(last - first), ys)
    barrier(ints(share.header[SYNC]), threads)
