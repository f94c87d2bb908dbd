"""An activation for each neuron. Twin: `PerNeuron` in nn/per_neuron.py.

There is an operation for each activation: it computes all numbers of an example and keeps those of its neurons.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import numpy as np

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GY, LANES, X_STRIDE, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.ops import activation
from digitlab.engine.fast.plan_builder import NoKernel, PlanBuilder
from digitlab.engine.fast.simd import at, copy, load, real, store, where
from digitlab.nn.per_neuron import PerNeuron, neuron_numbers

LAYERS = (PerNeuron,)

_column = own_columns()
FUNCTION = _column()  # as in activation.py
SETTING = _column()  # float64
MINE = _column()  # offset of a mask: 1 for the numbers of this activation's neurons, else 0


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add layer i, one activation for each group of neurons, to the plan; False where the kernels do not support it."""
    layer, neurons = builder.layers[i], builder.shapes[i][-1]
    before, after = builder.place, builder.place._replace(value=builder.room(builder.stride))
    builder.needs_scratch(builder.stride)
    for inner, group in zip(layer.activations, layer.neurons):
        if type(inner) not in activation.LAYERS:
            raise NoKernel(f"no kernel for PerNeuron with {type(inner).__name__}, layer {builder.names[i]}")
        builder.place = before
        row = builder.row("per_neuron")
        row[FUNCTION], row[SETTING] = activation.LAYERS.index(type(inner)), activation.setting(inner)
        mine = np.isin(np.arange(builder.size) % neurons, neuron_numbers(group))
        row[MINE] = np.pad(mine, (0, builder.stride - builder.size)).astype(np.float32)
        builder.place = after
        builder.add(row)
    return True


@kernel()
def keep(y, new, mine, count):
    """y ← the new numbers, where the mask is 1."""
    for j in range(0, count, LANES):
        store(y, j, where(load(mine, j) > 0.5, load(new, j), load(y, j)))


@kernel()
def forward(share, op):
    """Apply each group's activation to its columns."""
    mine, new, stride = at(share.work, op[MINE]), share.scratch, op[Y_STRIDE]
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * stride)
        activation.values(share.header, op[FUNCTION], real(op, SETTING), x, new, stride)
        keep(y, new, mine, stride)


@kernel()
def backward(share, op):
    """∂L/∂x by each group's activation."""
    mine, new, stride = at(share.work, op[MINE]), share.scratch, op[Y_STRIDE]
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * stride)
        g = at(share.work, op[GY] + n * stride)
        copy(new, g, stride)
        activation.grads(share.header, op[FUNCTION], real(op, SETTING), x, y, new, stride)
        keep(g, new, mine, stride)
