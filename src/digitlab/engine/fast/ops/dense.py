"""The dense layer on dense input. Twin: `Dense` in nn/network.py.

Two files compute less: sparse_dense.py reads pictures as lists of the pixels that are not zero, and large_dense.py has
the large layers.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops import activation, large, shared, skipping
from digitlab.engine.fast.ops.optimizer import is_plain, limit_columns, update_biases, update_weights
from digitlab.engine.fast.ops.part import part_of
from digitlab.engine.fast.ops.skipping import LIST_STRIDE, LISTS, MAY_SKIP, PACKED, PARTS
from digitlab.engine.fast.plan import WIDEST_SPARSE, padded
from digitlab.engine.fast.plan_builder import PlanBuilder
from digitlab.engine.fast.simd import at, doubles, multiply, multiply_transposed, step_along
from digitlab.engine.fast.simd import padded as whole_vectors
from digitlab.nn.activations import ReLU
from digitlab.nn.network import Dense

LAYERS = (Dense,)

LEAST_SKIPPING = 1 << 12  # weights of a layer from which listing its inputs that are not zero can pay
LEAST_SHARED = 1 << 17  # and from which threads share out the weights, if the batch is small
LEAST_PACKED = 1 << 17  # and from which larger batches pack them (large.py)
EXAMPLES = 512  # of a batch for one pass over W


def plan(builder: PlanBuilder, i: int) -> bool:
    """Add the dense layer of layer i to the plan; False where the kernels do not support it."""
    layer, row = builder.layers[i], builder.row("dense")
    assert isinstance(layer, Dense)
    n_in, n_out = builder.size, layer.out_features
    row[N_OUT], row[W_STRIDE] = n_out, padded(n_out)
    # Rows of W up to the padded width of the input exist and are zero, so that ∂L/∂x is zero in the padding.
    w = builder.slot(f"{builder.names[i]}.W", layer.params["W"], n_in, n_out, padded(n_in) - n_in)
    builder.work += 3 * n_in * n_out
    may_skip = _behind_relu(builder) and n_in < WIDEST_SPARSE and n_in * n_out >= LEAST_SKIPPING
    may_share = n_in * n_out >= LEAST_SHARED
    may_pack = n_in * n_out >= LEAST_PACKED and n_out >= large.WIDEST_STRIP
    if may_skip or may_share or may_pack:
        row[KIND] = builder.codes["large_dense"]
    if builder.learning and may_skip:
        row[MAY_SKIP], row[LIST_STRIDE] = 1, skipping.list_stride(n_in)
        row[LISTS] = builder.room(shared.SEGMENTS * skipping.list_stride(shared.longest_segment(n_in)))
    row[PARTS] = int(builder.learning and may_share)
    row[PACKED] = int(builder.learning and may_pack)
    if row[PACKED]:
        builder.needs_scratch(large.scratch())
    builder.weights(w, layer, row)
    builder.bias((f"{builder.names[i]}.b", layer.params["b"]) if "b" in layer.params else None, n_out, row)
    builder.size, builder.stride = n_out, padded(n_out)
    builder.value, builder.gradient_at = builder.room(builder.stride), builder.room(builder.stride)
    builder.add(row)
    return True


def _behind_relu(builder: PlanBuilder) -> bool:
    """Whether inputs that are zero have no gradient: a ReLU made them so, or dropout behind one."""
    behind = next((row for row in reversed(builder.made_by) if row[KIND] != builder.codes["dropout"]), None)
    return behind is not None and (behind[KIND], behind[activation.FUNCTION]) == (
        builder.codes["activation"],
        activation.LAYERS.index(ReLU),
    )


@kernel()
def forward(share, op):
    """y = x W + b for a thread's examples."""
    xs, ys, rows, n_in = op[X_STRIDE], op[Y_STRIDE], share.hi - share.lo, op[N_IN]
    x, y = at(share.work, op[X] + share.lo * xs), at(share.work, op[Y] + share.lo * ys)
    multiply(y, ys, rows, x, xs, 1, 1, 0, n_in, at(share.params, op[W]), ys, at(share.params, op[B]), ys)


@kernel()
def backward(share, op):
    """∂L/∂x = g Wᵀ. W's padding is zero, and so is that of gx after it."""
    xs, ys, rows = op[X_STRIDE], op[Y_STRIDE], share.hi - share.lo
    gx, gy = at(share.work, op[GX] + share.lo * xs), at(share.work, op[GY] + share.lo * ys)
    multiply_transposed(gx, xs, rows, gy, ys, at(share.params, op[W]), ys, whole_vectors(op[N_IN]), ys)


@kernel()
def step(share, op):
    """Update this thread's rows of W, and the biases."""
    if op[W_NUMBER] > 0:  # not frozen
        first, last = part_of(share, op[N_IN])
        step_rows(share, op, first, last)
    step_own_biases(share, op)


@kernel()
def step_own_biases(share, op):
    """Update the biases, by the first thread."""
    if share.thread == 0 and op[B_NUMBER] >= 0:
        ys = op[Y_STRIDE]
        update_biases(share, op, at(share.work, op[GY]), share.examples, ys, ys, share.scratch)


@kernel()
def step_rows(share, op, first, last):
    """W's rows `first` to `last`: ∂L/∂W = xᵀ g, a few rows at a time, and each updated while it is in the cache."""
    x, xs, gy, ys = at(share.work, op[X]), op[X_STRIDE], at(share.work, op[GY]), op[Y_STRIDE]
    if is_plain(share, op):
        keep, pace = 1.0 - share.rate * doubles(share.header[HYPER])[L2_SHARE], -share.rate
        for start in range(0, share.examples, EXAMPLES):
            some = min(EXAMPLES, share.examples - start)
            x_some, g_some = at(x, start * xs), at(gy, start * ys)
            for i in range(first, last, LANES * GRADIENT_ROWS):
                rows, here = min(LANES * GRADIENT_ROWS, last - i), at(share.params, op[W] + i * ys)
                step_along(here, ys, rows, at(x_some, i), xs, some, g_some, ys, keep, pace, ys)
            keep = 1.0
        return
    g, zeros = share.scratch, at(share.work, 0)
    for i in range(first, last, GRADIENT_ROWS):
        rows = min(GRADIENT_ROWS, last - i)
        multiply(g, ys, rows, at(x, i), 1, xs, 1, 0, share.examples, gy, ys, zeros, ys)
        update_weights(share, op, op[W] + i * ys, g, rows * ys)


limit = limit_columns
