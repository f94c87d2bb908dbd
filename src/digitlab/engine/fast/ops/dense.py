"""The dense layer on dense input: forward, the error of its input, and gradient and update in one sweep.

Twin: `Dense` in nn/network.py.
"""

# mypy: ignore-errors

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.compiler.kernel_set import LARGE
from digitlab.engine.fast.layout import GRADIENT_ROWS, HYPER, L1_SHARE, L2_SHARE, OPTIMIZER, PLAIN_SGD
from digitlab.engine.fast.ops.masks import cut
from digitlab.engine.fast.ops.optimizer import update
from digitlab.engine.fast.simd.products import multiply, multiply_large, multiply_transposed, step_along
from digitlab.engine.fast.simd.vectors import at, doubles

EXAMPLES = 512  # of a batch that W goes along at once


@kernel()
def dense_forward(y, y_stride, x, x_stride, rows, w, n_in, bias):
    """y = x W + b for `rows` examples."""
    if LARGE:
        multiply_large(y, y_stride, rows, x, x_stride, n_in, w, y_stride, bias, y_stride)
    else:
        multiply(y, y_stride, rows, x, x_stride, 1, 1, 0, n_in, w, y_stride, bias, y_stride)


@kernel()
def dense_backward(gx, x_stride, gy, y_stride, rows, w, n_in):
    """∂L/∂x = g Wᵀ. W's padding is zero, and so is that of gx after it."""
    multiply_transposed(gx, x_stride, rows, gy, y_stride, w, y_stride, (n_in + 7) // 8 * 8, y_stride)


@kernel()
def dense_step(
    job, rate, step, p, s1, s2, w, x, x_stride, gy, y_stride, examples, first, last, g, zeros, masked, masks
):
    """W's rows `first` to `last`: ∂L/∂W = xᵀ g, a few rows at a time, and each updated while it is in the cache."""
    hyper = doubles(job[HYPER])
    plain = job[OPTIMIZER] == PLAIN_SGD and hyper[L1_SHARE] == 0.0 and not masked
    if plain:
        keep, pace = 1.0 - rate * hyper[L2_SHARE], -rate
        for start in range(0, examples, EXAMPLES):
            some = min(EXAMPLES, examples - start)
            xs, gs = at(x, start * x_stride), at(gy, start * y_stride)
            for i in range(first, last, 8 * GRADIENT_ROWS):
                rows, here = min(8 * GRADIENT_ROWS, last - i), at(p, w + i * y_stride)
                step_along(here, y_stride, rows, at(xs, i), x_stride, some, gs, y_stride, keep, pace, y_stride)
            keep = 1.0
        return
    for i in range(first, last, GRADIENT_ROWS):
        rows = min(GRADIENT_ROWS, last - i)
        here = w + i * y_stride
        multiply(g, y_stride, rows, at(x, i), 1, x_stride, 1, 0, examples, gy, y_stride, zeros, y_stride)
        if masked:
            cut(g, at(masks, here), rows * y_stride)
        update(job, rate, step, True, at(p, here), at(s1, here), at(s2, here), g, rows * y_stride)
