"""The training step over many batches in one call: what `ReferenceEngine.train_batches` does, compiled.

Twins: `ReferenceEngine.train_batches` (engine/reference.py), `Network.gradient` (nn/network.py).

Each step has two phases, and barriers after each and where a layer needs them. First every thread takes its share of
the batch's *examples* through forward, loss and backward; then its share of the *parameters*, each with the whole
batch's gradient, and updates them. No two threads add to one number, and every sum has one order: the result does not
depend on how many threads there are.
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.loops import operations
from digitlab.engine.fast.ops.dispatch import unknown
from digitlab.engine.fast.ops.loss import losses_and_deltas
from digitlab.engine.fast.simd import at, barrier, doubles, floats, ints


@kernel()
def share_of(header, first, thread, threads, step, rate):
    """Thread `thread`'s share of the batch that begins with example `first` of the order."""
    scratch = at(floats(header[SCRATCH]), thread * header[SCRATCH_SIZE])
    order, examples = at(ints(header[ORDER]), first), min(header[BATCH], header[N_ORDER] - first)
    lo, hi = examples * thread // threads, examples * (thread + 1) // threads
    work, params = floats(header[WORK]), floats(header[PARAMS])
    return Share(header, work, params, scratch, order, examples, lo, hi, thread, step, rate)


@kernel()
def train(address, thread):
    """Thread `thread`'s part of all batches of a workspace; returns how many losses were written.

    A loss that is not finite is the last one: its step is not taken. Nor is any step if the header holds a code that
    is UNKNOWN to one of the kernels.
    """
    header = ints(address)
    sync, losses, rates = ints(header[SYNC]), doubles(header[LOSSES]), doubles(header[RATES])
    each, threads, written = doubles(header[EXAMPLE_LOSSES]), header[THREADS], 0
    if header[BEGINS]:
        operations.begin(share_of(header, 0, thread, threads, 0, 0.0))
        barrier(sync, threads)
    for first in range(0, header[N_ORDER], header[BATCH]):
        step = first // header[BATCH]
        share = share_of(header, first, thread, threads, step, rates[step])
        if header[INPUT] != SPARSE:
            operations.fetch_rows(share)
        operations.forward(share)
        losses_and_deltas(share, each)
        operations.backward(share)
        if header[RULE] == RASHID:
            operations.errors_to_deltas_everywhere(share)
        elif header[RULE] != BACKPROPAGATION:
            unknown(header, A_RULE, header[RULE])
        barrier(sync, threads)
        loss = 0.0
        for n in range(share.examples):  # every thread adds them all up, in one order
            loss += each[n]
        loss /= share.examples
        written = step + 1
        if thread == 0:
            losses[step] = loss
        if header[UNKNOWN] != 0 or not math.isfinite(loss):
            break
        if thread == 0:
            operations.count_updates(header)
        if threads > 1:
            barrier(sync, threads)
        operations.step(share)
        barrier(sync, threads)
    operations.finish(share_of(header, 0, thread, threads, 0, 0.0))
    return written
