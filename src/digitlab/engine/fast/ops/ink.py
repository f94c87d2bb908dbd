"""Where the rows of a picture have ink: most of a digit's picture is blank, and pooled_conv.py skips that."""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.simd import at


@kernel()
def find_ink(x, height, line, inked):
    """For every row of a picture, where its first number that is not zero stands, and one past the last."""
    for i in range(height):
        low, high, row = 0, line, at(x, i * line)
        while low < line and row[low] == 0.0:
            low += 1
        while high > low and row[high - 1] == 0.0:
            high -= 1
        inked[2 * i] = low
        inked[2 * i + 1] = high if high > low else 0


@kernel()
def ink_between(inked, first, rows, line):
    """The widest reach of ink in these rows: its beginning and end; the row's length and 0 if there is none."""
    low, high = line, 0
    for i in range(first, first + rows):
        low, high = min(low, inked[2 * i]), max(high, inked[2 * i + 1])
    return low, high
