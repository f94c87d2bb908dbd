"""The dense layer on dense input: forward, the error of its input, and gradient and update in one sweep.

Twin: `Dense` in nn/network.py.
"""

# mypy: ignore-errors

from numba.types import float32

from digitlab.engine.fast.kernels.jit import kernel
from digitlab.engine.fast.kernels.masks import cut
from digitlab.engine.fast.kernels.products import multiply, multiply_transposed, step_along
from digitlab.engine.fast.kernels.simd import at
from digitlab.engine.fast.kernels.update import update
from digitlab.engine.fast.layout import L1_SHARE, L2_SHARE, PLAIN_SGD

ROWS = 16  # of W whose gradient is held at once: 16 rows of 100 floats stay in the first-level cache


@kernel()
def dense_forward(y, y_stride, x, x_stride, rows, w, n_in, bias):
    """y = x W + b for `rows` examples."""
    multiply(y, y_stride, rows, x, x_stride, 1, 1, 0, n_in, w, y_stride, bias, y_stride)


@kernel()
def dense_backward(gx, x_stride, gy, y_stride, rows, w, n_in):
    """∂L/∂x = g Wᵀ. W's padding is zero, and so is that of gx after it."""
    multiply_transposed(gx, x_stride, rows, gy, y_stride, w, y_stride, (n_in + 7) // 8 * 8, y_stride)


@kernel()
def dense_step(
    kind, hyper, rate, step, p, s1, s2, w, x, x_stride, gy, y_stride, examples, first, last, g, zeros, masked, masks
):
    """W's rows `first` to `last`: ∂L/∂W = xᵀ g, a few rows at a time, and each updated while it is in the cache."""
    plain = kind == PLAIN_SGD and hyper[L1_SHARE] == 0.0 and not masked
    keep, pace = float32(1.0 - rate * hyper[L2_SHARE]), float32(-rate)
    for i in range(first, last, ROWS):
        rows = min(ROWS, last - i)
        here = w + i * y_stride
        if plain:
            step_along(at(p, here), y_stride, rows, at(x, i), x_stride, examples, gy, y_stride, keep, pace, y_stride)
            continue
        multiply(g, y_stride, rows, at(x, i), 1, x_stride, 1, 0, examples, gy, y_stride, zeros, y_stride)
        if masked:
            cut(g, at(masks, here), rows * y_stride)
        update(kind, hyper, rate, step, True, at(p, here), at(s1, here), at(s2, here), g, rows * y_stride)
