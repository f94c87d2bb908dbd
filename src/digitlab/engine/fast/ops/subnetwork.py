"""The output activation of a network that is a layer of another. Twins: `Subnetwork` in nn/subnetwork.py and its loss.

The layers inside are planned as those of any chain; with outputs="logits" there is nothing else to do.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import numpy as np

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GY, LANES, N_OUT, X_STRIDE, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.ops import loss as losses
from digitlab.engine.fast.plan_builder import NoKernel, PlanBuilder
from digitlab.engine.fast.simd import at, copy, fma, load, splat, store, total
from digitlab.nn.subnetwork import Subnetwork

LAYERS = (Subnetwork,)

_column = own_columns()
LOSS = _column()  # whose activation it is
SOFTMAX = _column()  # whether that is the softmax; else the sigmoid
MASK = _column()  # offset of a row with 1 for each output, 0 for the padding


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add layer i, an inner network, to the plan; False where the kernels do not support it."""
    layer, name = builder.layers[i], builder.names[i]
    loss, shape = layer.inner.loss, layer.inner.shapes[-1]
    inner = [(f"{name}.{key}", child) for key, child in layer.children().items()]
    builder.plan_chain(inner, layer.inner.input_shape, trains=builder.steps[i].trains and not layer.frozen)
    if layer.outputs == "activations" and loss.owns:
        if type(loss) not in losses.CODES or len(shape) > 1:
            raise NoKernel(f"no kernel for the outputs of {type(loss).__name__} in a Subnetwork, layer {name}")
        row = builder.row("subnetwork")
        row[LOSS], row[SOFTMAX] = losses.CODES[type(loss)], int(loss.owns == "softmax")
        row[MASK] = (np.arange(builder.stride) < builder.size).astype(np.float32)
        builder.add_elementwise(row)
    return True


@kernel()
def forward(share, op):
    """Copy what the inner network gives."""
    stride, mask = op[Y_STRIDE], at(share.work, op[MASK])
    for n in range(share.lo, share.hi):
        y = at(share.work, op[Y] + n * stride)
        copy(y, at(share.work, op[X] + n * op[X_STRIDE]), stride)
        losses.outputs(share.header, op[LOSS], y, mask, stride, op[N_OUT])


@kernel()
def backward(share, op):
    """Sigmoid g y (1 − y), softmax y (g − Σ g y), where g is."""
    stride, mask = op[Y_STRIDE], at(share.work, op[MASK])
    for n in range(share.lo, share.hi):
        y, g = at(share.work, op[Y] + n * stride), at(share.work, op[GY] + n * stride)
        dots = splat(0.0)
        for j in range(0, stride, LANES):
            dots = fma(load(g, j) * load(mask, j), load(y, j), dots)
        dot = splat(total(dots))
        for j in range(0, stride, LANES):
            if op[SOFTMAX]:
                store(g, j, load(y, j) * (load(g, j) - dot) * load(mask, j))
            else:
                store(g, j, load(g, j) * load(y, j) * (1.0 - load(y, j)) * load(mask, j))
