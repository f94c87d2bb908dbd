"""The first dense layer on pictures in large batches, by transposed lists (turned.py).

Twin: `Dense` in nn/network.py with `Network.prepare`'s scaling. sparse_dense.py explains how the scaling is applied.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import large, sparse_dense, turned
from digitlab.engine.fast.ops.dense import step_own_biases
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.ops.pictures import picture
from digitlab.engine.fast.simd import at, barrier, ints

LAYERS = ()


@kernel()
def forward(share, op):
    """y = x W + b, this thread's columns for all pictures."""
    stride, (lo, hi) = op[Y_STRIDE], large.columns_of(share, op[Y_STRIDE])
    sparse_dense.begin_forward(share, op)
    turned.turn_pictures(share, op)
    turned.forward(share, op, lo, hi, at(share.work, 0))
    for n in range(share.examples):
        _, _, pixels = picture(share, n)
        sparse_dense.finish_forward(share, op, at(share.work, op[Y] + n * stride), lo, hi, pixels)
    barrier(ints(share.header[SYNC]), share.header[THREADS])


backward = sparse_dense.backward


@kernel()
def step(share, op):
    """Update this thread's rows of W, and the biases."""
    if op[W_NUMBER] > 0:  # not frozen
        first, last = part_of(share, op[N_IN])
        turned.step(share, op, first, last, sparse_dense.common_gradient(share, op))
    step_own_biases(share, op)


limit = sparse_dense.limit
