"""A border of zeros around a picture, for convolutions with padding.

Twins: `Windows.pad` and `Windows.unpad` in nn/windows.py.
"""

# mypy: ignore-errors

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import CHANNELS, CHOICE, HEIGHT, OUT_WIDTH, PADDING, WIDTH


@kernel()
def frame(op, x, y):
    """One picture into the middle of a larger one, whose border is zero already. PADDING is above, CHOICE left."""
    line, wide = op[WIDTH] * op[CHANNELS], op[OUT_WIDTH] * op[CHANNELS]
    for i in range(op[HEIGHT]):
        start = (i + op[PADDING]) * wide + op[CHOICE] * op[CHANNELS]
        for j in range(line):
            y[start + j] = x[i * line + j]


@kernel()
def unframe(op, gy, gx):
    """The gradient of the picture inside; the border's is dropped."""
    line, wide = op[WIDTH] * op[CHANNELS], op[OUT_WIDTH] * op[CHANNELS]
    for i in range(op[HEIGHT]):
        start = (i + op[PADDING]) * wide + op[CHOICE] * op[CHANNELS]
        for j in range(line):
            gx[i * line + j] = gy[start + j]
