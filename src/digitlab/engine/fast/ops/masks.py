"""Weights that are not connected, or frozen one by one: `masks` says which, next to every parameter.

Twins: `Dense.connected` in nn/network.py, `Conv2D.connected` in nn/conv.py, `ReferenceEngine.update`.

A weight that is not connected is 0 and has no gradient. One that is frozen has a gradient, which the optimizer's
state takes in, and gets its original value back after the step.
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.simd import floats, load, splat, store, where

ABOVE_FROZEN, ABOVE_NOT_CONNECTED = FROZEN + 0.5, NOT_CONNECTED + 0.5


@kernel()
def cut(g, masks, count):
    """g = 0 where there is no connection."""
    border = splat(ABOVE_NOT_CONNECTED)
    for i in range(0, count, LANES):
        store(g, i, where(load(masks, i) > border, load(g, i), 0.0))


@kernel()
def restore_frozen(share):
    """Set the frozen numbers in this thread's share of the parameters back to what they were."""
    count, thread, threads = share.header[PARAMS_SIZE] // LANES, share.thread, share.header[THREADS]
    masks, originals = floats(share.header[MASKS]), floats(share.header[ORIGINALS])
    border = splat(ABOVE_FROZEN)
    for i in range(count * thread // threads * LANES, count * (thread + 1) // threads * LANES, LANES):
        store(share.params, i, where(load(masks, i) > border, load(share.params, i), load(originals, i)))
