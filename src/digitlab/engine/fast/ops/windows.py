"""What windows see in a picture, for convolutions and pools of any stride and dilation: columns, planning, kernels.

Twins: `Windows` (nn/windows.py). Padding is there already (padding.py).
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES, X_STRIDE, own_columns
from digitlab.engine.fast.plan import Row
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, clear, fma, load, padded, splat, store
from digitlab.nn.windows import Windows

column = own_columns()  # for those that have further ones
HEIGHT = column()
WIDTH = column()
CHANNELS = column()
KERNEL = column()
KERNEL_WIDTH = column()
DOWN = column()
ACROSS = column()
DILATION_DOWN = column()
DILATION_ACROSS = column()
OUT_HEIGHT = column()
OUT_WIDTH = column()


def windows_row(builder: PlanBuilder, kind: str, windows: Windows, channels: int) -> Row:
    """A new operation that slides windows over what the last one wrote."""
    row = builder.row(kind)
    (row[HEIGHT], row[WIDTH]), row[CHANNELS] = windows.padded, channels
    row[KERNEL], row[KERNEL_WIDTH] = windows.kernel
    row[DOWN], row[ACROSS] = windows.stride
    row[DILATION_DOWN], row[DILATION_ACROSS] = windows.dilation
    row[OUT_HEIGHT], row[OUT_WIDTH] = windows.count
    return row


@kernel()
def corner(op, p):
    """Where in a picture window p begins."""
    row, column = p // op[OUT_WIDTH], p % op[OUT_WIDTH]
    return (row * op[DOWN] * op[WIDTH] + column * op[ACROSS]) * op[CHANNELS]


@kernel()
def stretches(op):
    """A window as stretches of consecutive numbers: rows of them, how many in a row, and how long each is.

    Without dilation across, a window's row is one stretch; with it, every pixel is.
    """
    if op[DILATION_ACROSS] == 1:
        return op[KERNEL], 1, op[KERNEL_WIDTH] * op[CHANNELS]
    return op[KERNEL], op[KERNEL_WIDTH], op[CHANNELS]


@kernel()
def paces(op):
    """How far it is in a picture from one row of a window to the next, and from one pixel of it to the next."""
    return op[DILATION_DOWN] * op[WIDTH] * op[CHANNELS], op[DILATION_ACROSS] * op[CHANNELS]


@kernel()
def row_length(op):
    """The numbers that one window sees, and as many when padded."""
    n = op[KERNEL] * op[KERNEL_WIDTH] * op[CHANNELS]
    return n, padded(n)


@kernel()
def window_rows(op, x, rows):
    """R: what each window sees as one row, place after place of the kernel."""
    n, stride = row_length(op)
    high, wide, length = stretches(op)
    down, across = paces(op)
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, row = corner(op, p), at(rows, p * stride)
        for i in range(high):
            for j in range(wide):
                source, out = at(x, start + i * down + j * across), at(row, (i * wide + j) * length)
                # Whole vectors; what the last one writes too much is overwritten by what comes after it.
                for c in range(0, length, LANES):
                    store(out, c, load(source, c))
        for c in range(n, stride):
            row[c] = 0.0


@kernel()
def add_windows(op, rows, gx):
    """The way back from R: each number's sum over the windows that saw it."""
    stride = row_length(op)[1]
    high, wide, length = stretches(op)
    down, across = paces(op)
    clear(gx, op[X_STRIDE])
    for p in range(op[OUT_HEIGHT] * op[OUT_WIDTH]):
        start, row = corner(op, p), at(rows, p * stride)
        for i in range(high):
            for j in range(wide):
                add(at(gx, start + i * down + j * across), 1.0, at(row, (i * wide + j) * length), length)


@kernel()
def add(y, factor, x, count):
    """y += factor · x, `count` numbers and no more."""
    whole = count // LANES * LANES
    for c in range(0, whole, LANES):
        store(y, c, fma(splat(factor), load(x, c), load(y, c)))
    for c in range(whole, count):
        y[c] += factor * x[c]
