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

# mypy: ignore-errors

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    BATCH,
    CHOICE,
    EXTRA,
    GX,
    GY,
    N_IN,
    PARAMS,
    PARTS,
    SEGMENTS,
    SKIP_ZEROS,
    SYNC,
    THREADS,
    WHERE,
    X_STRIDE,
    Y_STRIDE,
    B,
    W,
    X,
    Y,
)
from digitlab.engine.fast.ops.skipping import skipping_backward, skipping_forward
from digitlab.engine.fast.simd.barrier import barrier
from digitlab.engine.fast.simd.products import multiply, multiply_transposed
from digitlab.engine.fast.simd.vectors import at, floats, ints, load, store, words


@kernel()
def first_row(op, segment):
    """Where a segment's rows of W begin: at whole cache lines of x."""
    return op[N_IN] if segment == SEGMENTS else op[N_IN] * segment // SEGMENTS // 8 * 8


@kernel()
def shared_forward(job, work, op, examples, lo, hi, thread):
    """y = x W + b of the examples lo … hi, when all threads have done their segments for the whole batch."""
    params, zeros, threads = floats(job[PARAMS]), at(work, 0), job[THREADS]
    xs, ys, size = op[X_STRIDE], op[Y_STRIDE], job[BATCH] * op[Y_STRIDE]
    barrier(ints(job[SYNC]), threads)  # until every example's x is there
    for q in range(SEGMENTS * thread // threads, SEGMENTS * (thread + 1) // threads):
        first, last = first_row(op, q), first_row(op, q + 1)
        part, x, w = at(work, op[PARTS] + q * size), at(work, op[X] + first), at(params, op[W] + first * ys)
        if op[CHOICE] == SKIP_ZEROS:
            lists = at(work, op[WHERE] + q * job[BATCH] * op[EXTRA])
            skipping_forward(part, ys, x, xs, examples, w, last - first, zeros, lists, op[EXTRA])
        else:
            multiply(part, ys, examples, x, xs, 1, 1, 0, last - first, w, ys, zeros, ys)
    barrier(ints(job[SYNC]), threads)
    for i in range(lo * ys, hi * ys, 8):
        sum_ = load(params, op[B] + i % ys)
        for q in range(SEGMENTS):
            sum_ = sum_ + load(work, op[PARTS] + q * size + i)
        store(work, op[Y] + i, sum_)


@kernel()
def shared_backward(job, work, scratch, op, examples, thread):
    """∂L/∂x = g Wᵀ of all examples: this thread's segments, and then those of the others are there, too."""
    params, threads = floats(job[PARAMS]), job[THREADS]
    xs, ys, gy = op[X_STRIDE], op[Y_STRIDE], at(work, op[GY])
    barrier(ints(job[SYNC]), threads)  # until every example's g is there
    for q in range(SEGMENTS * thread // threads, SEGMENTS * (thread + 1) // threads):
        first, last = first_row(op, q), first_row(op, q + 1)
        gx, w = at(work, op[GX] + first), at(params, op[W] + first * ys)
        if op[CHOICE] == SKIP_ZEROS:
            lists = at(work, op[WHERE] + q * job[BATCH] * op[EXTRA])
            skipping_backward(gx, xs, gy, ys, examples, w, last - first, lists, op[EXTRA], words(scratch))
        else:
            multiply_transposed(gx, xs, examples, gy, ys, w, ys, (last - first + 7) // 8 * 8, ys)
    barrier(ints(job[SYNC]), threads)
