"""Outputs for many examples, or for one.

Twin: `Network.predict` (nn/network.py) with `Loss.activation` (nn/losses.py).
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.loops import operations
from digitlab.engine.fast.loops.list_pixels import list_bytes
from digitlab.engine.fast.loops.train import share_of
from digitlab.engine.fast.ops.loss import outputs
from digitlab.engine.fast.simd import at, doubles, floats, ints


@kernel()
def predict(address, fresh):
    """Outputs of the N_ORDER examples; `fresh` says that the weights are new, so that their copies are, too."""
    header = ints(address)
    result, out, stride = floats(header[OUTPUTS]), header[OUT], header[OUT_STRIDE]
    if fresh:
        operations.begin(share_of(header, 0, 0, 1, -1, 0.0))
    for first in range(0, header[N_ORDER], header[BATCH]):
        share = share_of(header, first, 0, 1, -1, 0.0)
        if header[INPUT] == SPARSE:  # one image of bytes
            factor, n_in = doubles(header[HYPER])[FACTOR], header[INPUT_SIZE]
            list_bytes(header[INPUTS], 1, n_in, factor, header[STARTS], header[INDICES], header[VALUES])
        else:
            operations.fetch_rows(share)
        operations.forward(share)
        for r in range(share.examples):
            z = at(share.work, header[LOGITS] + r * stride)
            outputs(header, header[LOSS], z, at(share.work, header[LANE_MASK]), stride, out)
            for j in range(out):
                result[(first + r) * out + j] = z[j]
    return header[N_ORDER]
