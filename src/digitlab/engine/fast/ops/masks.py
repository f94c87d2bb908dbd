"""Weights that are not connected, or frozen one by one: `masks` says which, beside every parameter.

Twins: `Dense.connected` in nn/network.py, `Conv2D.connected` in nn/conv.py, `ReferenceEngine.update`.

A weight that is not connected is 0 and has no gradient. One that is frozen has a gradient, of which the optimizer's
state hears, and goes back to its original value when the step is over.
"""

# mypy: ignore-errors

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    CODE,
    FILTER_STRIDE,
    MASKED,
    MASKS,
    N_IN,
    N_OPS,
    OP_SIZE,
    OPS,
    ORIGINALS,
    PARAMS,
    THREADS,
    B,
    W,
)
from digitlab.engine.fast.simd.vectors import at, floats, ints, load, splat, store, where_larger


@kernel()
def cut(g, masks, count):
    """g = 0 where there is no connection."""
    zero, border = splat(0.0), splat(-0.5)
    for i in range(0, count, 8):
        store(g, i, where_larger(load(masks, i), border, load(g, i), zero))


@kernel()
def restore(p, masks, originals, count):
    """Frozen numbers back to what they were."""
    border = splat(0.5)
    for i in range(0, count, 8):
        store(p, i, where_larger(load(masks, i), border, load(p, i), load(originals, i)))


@kernel()
def restore_frozen(job, thread):
    """This thread's share of every masked parameter back to what it was."""
    params, masks, originals = floats(job[PARAMS]), floats(job[MASKS]), floats(job[ORIGINALS])
    threads = job[THREADS]
    for k in range(job[N_OPS]):
        op = at(ints(job[OPS]), k * OP_SIZE)
        if op[MASKED] == 0:
            continue
        stride = op[FILTER_STRIDE]
        first, last = op[N_IN] * thread // threads * stride, op[N_IN] * (thread + 1) // threads * stride
        here = op[W] + first
        restore(at(params, here), at(masks, here), at(originals, here), last - first)
        if thread == 0 and op[CODE] >= 0:
            restore(at(params, op[B]), at(masks, op[B]), at(originals, op[B]), stride)
