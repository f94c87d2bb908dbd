"""Outputs for many examples, or for one.

Twin: `Network.predict` (nn/network.py) with `Loss.activation` (nn/losses.py).
"""

# mypy: ignore-errors
# ruff: noqa: F403, F405  (layout.py's names are all needed)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.compiler.kernel_set import CONVOLUTION
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.loops.forward_backward import fetch_rows, forward
from digitlab.engine.fast.loops.steps import transpose_filters
from digitlab.engine.fast.ops.unknown import unknown
from digitlab.engine.fast.simd.maths import exp8, sigmoid8
from digitlab.engine.fast.simd.vectors import at, floats, ints, load, splat, store, total


@kernel()
def output_activation(job, z, mask, stride, out):
    """A row of logits becomes a row of outputs where it lies."""
    kind = job[LOSS]
    if kind in (QUADRATIC, CROSS_ENTROPY):
        for j in range(0, stride, 8):
            store(z, j, sigmoid8(load(z, j)))
    elif kind == LOG_LIKELIHOOD:
        largest = z[0]
        for j in range(1, out):
            if z[j] > largest:
                largest = z[j]
        sum_ = splat(0.0)
        for j in range(0, stride, 8):
            e = exp8(load(z, j) - splat(largest)) * load(mask, j)
            store(z, j, e)
            sum_ = sum_ + e
        share = splat(1.0 / total(sum_))
        for j in range(0, stride, 8):
            store(z, j, load(z, j) * share)
    elif kind == MEAN_SQUARED_ERROR:
        pass
    else:
        unknown(job, A_LOSS, kind)


@kernel()
def predict(job_address, fresh):
    """Outputs of the job's N_ORDER examples; `fresh` says that the weights are new, so that their copies are, too."""
    job = ints(job_address)
    work, scratch, outputs = floats(job[WORK]), floats(job[SCRATCH]), floats(job[OUTPUTS])
    out, stride, batch, mask = job[OUT], job[OUT_STRIDE], job[BATCH], at(floats(job[WORK]), job[LANE_MASK])
    if CONVOLUTION and fresh:
        transpose_filters(job, work, 0)
    for first in range(0, job[N_ORDER], batch):
        n = min(batch, job[N_ORDER] - first)
        fetch_rows(job, work, at(ints(job[ORDER]), first), 0, n)
        forward(job, work, scratch, at(ints(job[ORDER]), first), n, 0, n, 1.0, 0, 0, 0, False)
        for r in range(n):
            z = at(work, job[LOGITS] + r * stride)
            output_activation(job, z, mask, stride, out)
            for j in range(out):
                outputs[(first + r) * out + j] = z[j]
    return job[N_ORDER]
