"""The training step over many batches in one call: what `ReferenceEngine.train_batches` does, compiled.

Twins: `ReferenceEngine.train_batches` (engine/reference.py), `Network.gradient` (nn/network.py).

Each step has two phases, and barriers after each and where a layer needs them. First every thread takes its share of
the batch's *examples* through forward, loss and backward; then its share of the *parameters*, each with the whole
batch's gradient, and updates them. No two threads add to one number, and every sum has one order: the result does not
depend on how many threads there are.
"""

# mypy: ignore-errors
# ruff: noqa: F403, F405  (layout.py's names are all needed)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.compiler.kernel_set import CONVOLUTION
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.loops.forward_backward import (
    activation_backward_rows,
    backward,
    fetch_rows,
    forward,
    losses_and_deltas,
)
from digitlab.engine.fast.loops.steps import count_updates, has_convolution, step_parameters, transpose_filters
from digitlab.engine.fast.ops.sparse_dense import column_sums, fold_in
from digitlab.engine.fast.ops.unknown import unknown
from digitlab.engine.fast.simd.barrier import barrier
from digitlab.engine.fast.simd.vectors import at, clear, doubles, floats, ints

LOOK = 64  # steps from one look at how many inputs are zero to the next


@kernel()
def train(job_address, thread):
    """Thread `thread`'s part of all batches of a job; returns how many losses were written.

    A loss that is not finite is the last one: its step is not taken. Nor is any step if the job holds a code that is
    UNKNOWN to one of the kernels.
    """
    job = ints(job_address)
    work, sync = floats(job[WORK]), ints(job[SYNC])
    losses, rates, each = doubles(job[LOSSES]), doubles(job[RATES]), doubles(job[EXAMPLE_LOSSES])
    scratch = at(floats(job[SCRATCH]), thread * job[SCRATCH_SIZE])
    threads, batch, total = job[THREADS], job[BATCH], job[N_ORDER]
    op, number = ints(job[OPS]), doubles(job[NUMBERS])
    sparse, fused = op[KIND] == SPARSE_DENSE, op[KIND] == SPARSE_DENSE and op[CHOICE] == 1
    stride = op[Y_STRIDE]
    s, written = 1.0, 0
    if CONVOLUTION and has_convolution(job):
        transpose_filters(job, work, thread)
        barrier(sync, threads)
    for first in range(0, total, batch):
        step, examples = first // batch, min(batch, total - first)
        order = at(ints(job[ORDER]), first)
        lo, hi = examples * thread // threads, examples * (thread + 1) // threads
        if sparse and number[0] != 0.0 and (step == 0 or not fused):
            if thread == 0:
                clear(at(work, op[EXTRA]), stride)  # the call before this one has folded its c in
                column_sums(at(floats(job[PARAMS]), op[W]), op[N_IN], stride, at(work, op[EXTRA] + stride))
            barrier(sync, threads)
        if job[INPUT] != SPARSE:
            fetch_rows(job, work, order, lo, hi)
        counter = step * batch
        forward(job, work, scratch, order, examples, lo, hi, s, job[KEY], counter, thread, step % LOOK == 0)
        losses_and_deltas(job, work, scratch, order, examples, lo, hi, each)
        backward(job, work, scratch, examples, lo, hi, job[KEY], counter, thread)
        if job[RULE] == RASHID:
            activation_backward_rows(job, work, lo, hi)
        elif job[RULE] != BACKPROPAGATION:
            unknown(job, A_RULE, job[RULE])
        barrier(sync, threads)
        loss = 0.0
        for n in range(examples):  # every thread adds them all up, in one order
            loss += each[n]
        loss /= examples
        written = step + 1
        if thread == 0:
            losses[step] = loss
        if job[UNKNOWN] != 0 or not math.isfinite(loss):
            break
        if thread == 0:
            count_updates(job)
        if threads > 1:
            barrier(sync, threads)
        s = step_parameters(job, work, scratch, order, examples, rates[step], s, thread)
        barrier(sync, threads)
    if fused:
        n_in = op[N_IN]
        w, low = at(floats(job[PARAMS]), op[W]), n_in * thread // threads
        fold_in(at(w, low * stride), 0, n_in * (thread + 1) // threads - low, stride, s, at(work, op[EXTRA]))
    return written
