"""A border of zeros around a picture, for convolutions with padding.

Twins: `Windows.pad` and `Windows.unpad` in nn/windows.py. It is no layer: convolutions plan it before themselves.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

import math

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import GX, GY, LANES, X_STRIDE, Y_STRIDE, X, Y, own_columns
from digitlab.engine.fast.plan import padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, load, put
from digitlab.nn.windows import Windows

LAYERS = ()

_column = own_columns()
HEIGHT = _column()
LINE = _column()  # numbers in a row of the picture
OUT_LINE = _column()
START = _column()  # where the picture's first number lies in the larger one


def add_border(builder: PlanBuilder, windows: Windows) -> None:
    """The border that padding asks for; without one, a copy if the picture has no room behind it.

    Rows are added to ∂L/∂x in whole vectors, past a picture's end: a dense layer's outputs, reshaped, lie too close.
    """
    if windows.padded == windows.picture and builder.stride >= padded(builder.size) + LANES:
        return
    row, (height, width) = builder.row("padding"), windows.picture
    channels = builder.size // math.prod(windows.picture)
    row[HEIGHT], row[LINE], row[OUT_LINE] = height, width * channels, windows.padded[1] * channels
    row[START] = windows.before[0] * row[OUT_LINE] + windows.before[1] * channels
    builder.add_output(row, math.prod(windows.padded) * channels, first_gradient=False)


@kernel()
def forward(share, op):
    """Each picture into the middle of a larger one, whose border is zero already."""
    for n in range(share.lo, share.hi):
        x, y = at(share.work, op[X] + n * op[X_STRIDE]), at(share.work, op[Y] + n * op[Y_STRIDE] + op[START])
        for i in range(op[HEIGHT]):
            for j in range(0, op[LINE], LANES):
                put(y, i * op[OUT_LINE] + j, load(x, i * op[LINE] + j), op[LINE] - j)


@kernel()
def backward(share, op):
    """The gradient of the picture inside; the border's is dropped."""
    for n in range(share.lo, share.hi):
        gx, gy = at(share.work, op[GX] + n * op[X_STRIDE]), at(share.work, op[GY] + n * op[Y_STRIDE] + op[START])
        for i in range(op[HEIGHT]):
            for j in range(0, op[LINE], LANES):
                put(gx, i * op[LINE] + j, load(gy, i * op[OUT_LINE] + j), op[LINE] - j)
