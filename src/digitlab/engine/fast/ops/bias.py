"""A learned number added to each channel. Twin: `Bias` in nn/bias.py; behind a pool see pooled_conv.py."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import (
    GX,
    GY,
    N_IN,
    N_OUT,
    W_NUMBER,
    W_STRIDE,
    X_STRIDE,
    Y_STRIDE,
    W,
    X,
    Y,
    own_columns,
)
from digitlab.engine.fast.ops.optimizer import update
from digitlab.engine.fast.ops.windows import add
from digitlab.engine.fast.plan import padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, clear, copy
from digitlab.nn.bias import Bias

LAYERS = (Bias,)

_column = own_columns()
PLACES = _column()  # pixels, or 1 for features


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add layer i, biases alone, to the plan; False where the kernels do not support it."""
    layer, row = builder.layers[i], builder.row("bias")
    channels = builder.shapes[i][-1]
    b = builder.slot(f"{builder.names[i]}.b", layer.params["b"], 1, channels)
    row[N_IN], row[N_OUT], row[W_STRIDE], row[PLACES] = 1, channels, padded(channels), builder.size // channels
    builder.weights(b, layer, row)
    builder.gradient_at = builder.room(builder.stride)  # the step needs it as it is
    builder.add_elementwise(row)
    return True


@kernel()
def forward(share, op):
    """y = x + b."""
    b, channels = at(share.params, op[W]), op[N_OUT]
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE])
        for p in range(op[PLACES]):
            for c in range(channels):
                y[p * channels + c] = x[p * channels + c] + b[c]


@kernel()
def backward(share, op):
    """∂L/∂x = g. A copy: an activation before this layer changes it where it is."""
    gx, gy, stride = at(share.work, op[GX]), at(share.work, op[GY]), op[Y_STRIDE]
    copy(at(gx, share.lo * stride), at(gy, share.lo * stride), (share.hi - share.lo) * stride)


@kernel()
def step(share, op):
    """∂L/∂b = Σ g over examples and pixels, and the step along it."""
    if share.thread == 0 and op[W_NUMBER] > 0:
        g = share.scratch
        clear(g, op[W_STRIDE])
        for n in range(share.examples):
            for p in range(op[PLACES]):
                add(g, 1.0, at(share.work, op[GY] + n * op[Y_STRIDE] + p * op[N_OUT]), op[N_OUT])
        update(share, op[W_NUMBER], False, op[W], g, op[W_STRIDE])
