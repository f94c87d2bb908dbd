"""Weights that are not connected, or frozen one by one: `masks` says which, next to every parameter.

Twins: `Dense.connected` in nn/network.py, `Conv2D.connected` in nn/conv.py, `ReferenceEngine.update`.

A weight that is not connected is 0 and has no gradient. One that is frozen has a gradient, which the optimizer's
state takes in, and gets its original value back after the step.
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.simd import at, floats, load, splat, store, where

ABOVE_FROZEN, ABOVE_NOT_CONNECTED = FROZEN + 0.5, NOT_CONNECTED + 0.5


@kernel()
def cut(g, masks, count):
    """g = 0 where there is no connection."""
    border = splat(ABOVE_NOT_CONNECTED)
    for i in range(0, count, LANES):
        store(g, i, where(load(masks, i) > border, load(g, i), 0.0))


@kernel()
def restore(share, first, count):
    """Frozen numbers back to what they were."""
    p, masks = at(share.params, first), at(floats(share.header[MASKS]), first)
    originals, border = at(floats(share.header[ORIGINALS]), first), splat(ABOVE_FROZEN)
    for i in range(0, count, LANES):
        store(p, i, where(load(masks, i) > border, load(p, i), load(originals, i)))


@kernel()
def restore_frozen(share, op):
    """This thread's share of a masked operation's parameters back to what it was."""
    if op[MASKED]:
        threads, thread, stride = share.header[THREADS], share.thread, op[W_STRIDE]
        first, last = op[N_IN] * thread // threads * stride, op[N_IN] * (thread + 1) // threads * stride
        restore(share, op[W] + first, last - first)
        if thread == 0 and op[B_NUMBER] >= 0:
            restore(share, op[B], stride)
