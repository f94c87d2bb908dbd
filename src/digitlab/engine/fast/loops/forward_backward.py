"""A share of a batch's examples on its way through all operations: inputs, forward, losses, backward.

Twins: `Network.forward`, `Network.backward` and `Network.prepare` in nn/network.py.
"""

# mypy: ignore-errors
# ruff: noqa: F403, F405  (layout.py's names are all needed)

from numba.types import float64, int64, void

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.compiler.kernel_set import CONVOLUTION, LARGE
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.activation import activate, activation_backward, drop
from digitlab.engine.fast.ops.dense import dense_backward, dense_forward
from digitlab.engine.fast.ops.loss import copy_row, delta_of_error, label_row, loss_and_delta, raw_error
from digitlab.engine.fast.ops.padding import frame, unframe
from digitlab.engine.fast.ops.pooled_conv import conv_backward, conv_forward
from digitlab.engine.fast.ops.shared import shared_backward, shared_forward
from digitlab.engine.fast.ops.skipping import choose, skipping_backward, skipping_forward
from digitlab.engine.fast.ops.sparse_dense import finish_forward, gather_rows
from digitlab.engine.fast.ops.unknown import unknown
from digitlab.engine.fast.ops.windows import (
    average_pool,
    average_pool_backward,
    max_pool,
    max_pool_backward,
    windows_backward,
    windows_forward,
)
from digitlab.engine.fast.simd.vectors import FLOATS, INTS, at, bytes_, doubles, floats, ints, shorts, words


@kernel()
def fetch_rows(job, work, order, lo, hi):
    """Dense input: the examples `order[lo:hi]` as rows of floats. Twin: `Network.prepare`."""
    op, hyper = ints(job[OPS]), doubles(job[HYPER])
    n_in, stride, x = job[INPUT_SIZE], op[X_STRIDE], op[X]
    factor, offset = hyper[FACTOR], hyper[OFFSET]
    for n in range(lo, hi):
        row = at(work, x + n * stride)
        if job[INPUT] == FLOAT_ROWS:
            source = at(floats(job[INPUTS]), order[n] * n_in)
            for i in range(n_in):
                row[i] = source[i]
        elif job[INPUT] == BYTE_ROWS:
            pixels = at(bytes_(job[INPUTS]), order[n] * n_in)
            for i in range(n_in):
                row[i] = pixels[i] * factor + offset
        else:
            unknown(job, AN_INPUT, job[INPUT])


@kernel(void(INTS, FLOATS, FLOATS, INTS, int64, int64, int64, float64, int64, int64, int64, int64))
def forward(job, work, scratch, order, examples, lo, hi, s, key, counter, thread, look):
    """Logits of the examples lo … hi of a batch of `examples`, operation after operation.

    With `look`, layers that may skip zeros count them and choose, all threads alike.
    """
    params = floats(job[PARAMS])
    for k in range(job[N_OPS]):
        op, number = at(ints(job[OPS]), k * OP_SIZE), at(doubles(job[NUMBERS]), k * NUMBER_SIZE)
        xs, ys = op[X_STRIDE], op[Y_STRIDE]
        x, y = at(work, op[X] + lo * xs), at(work, op[Y] + lo * ys)
        if LARGE and look and op[MAY_SKIP]:
            op[CHOICE] = choose(job, x, xs, hi - lo, op[N_IN], thread)
        if LARGE and op[PARTS] > 0:
            shared_forward(job, work, op, examples, lo, hi, thread)
        elif LARGE and op[KIND] == DENSE and op[CHOICE] == SKIP_ZEROS:
            lists = at(work, op[WHERE] + lo * op[EXTRA])
            w, bias = at(params, op[W]), at(params, op[B])
            skipping_forward(y, ys, x, xs, hi - lo, w, op[N_IN], bias, lists, op[EXTRA])
        elif op[KIND] == DENSE and op[CHOICE] == ALL_INPUTS:
            dense_forward(y, ys, x, xs, hi - lo, at(params, op[W]), op[N_IN], at(params, op[B]))
        elif op[KIND] == DENSE:
            unknown(job, A_CHOICE, op[CHOICE])
        elif op[KIND] == ACTIVATION:
            activate(job, op[CODE], number[0], x, y, (hi - lo) * ys)
        elif op[KIND] == DROPOUT:
            drop(number[0], number[1], key + k, (counter + lo) * ys, x, y, (hi - lo) * ys)
        elif CONVOLUTION and op[KIND] == POOLED_CONV:
            w, bias = at(work, op[W2]), at(params, op[B])
            for n in range(lo, hi):
                where = words(at(work, op[WHERE] + n * op[EXTRA]))
                conv_forward(op, at(work, op[X] + n * xs), at(work, op[Y] + n * ys), where, w, bias, scratch)
        elif CONVOLUTION and op[KIND] == FRAME:
            for n in range(lo, hi):
                frame(op, at(work, op[X] + n * xs), at(work, op[Y] + n * ys))
        elif CONVOLUTION and op[KIND] == CONV:
            for n in range(lo, hi):
                x, y = at(work, op[X] + n * xs), at(work, op[Y] + n * ys)
                windows_forward(op, x, y, at(params, op[W]), at(params, op[B]), scratch)
        elif CONVOLUTION and op[KIND] == MAX_POOL:
            for n in range(lo, hi):
                max_pool(op, at(work, op[X] + n * xs), at(work, op[Y] + n * ys))
        elif CONVOLUTION and op[KIND] == AVERAGE_POOL:
            for n in range(lo, hi):
                average_pool(op, number[0], at(work, op[X] + n * xs), at(work, op[Y] + n * ys))
        elif op[KIND] == SPARSE_DENSE:
            starts = ints(job[STARTS])
            common, sums = at(work, op[EXTRA]), at(work, op[EXTRA] + ys)
            for n in range(lo, hi):
                start = starts[2 * order[n]]
                count, row = starts[2 * order[n] + 2] - start, at(work, op[Y] + n * ys)
                values, indices = at(floats(job[VALUES]), start), at(shorts(job[INDICES]), start)
                gather_rows(row, values, indices, count, at(params, op[W]), ys)
                pixels = doubles(job[STARTS])[2 * order[n] + 1]
                finish_forward(row, ys, s, at(params, op[B]), pixels, number[0], op[N_IN], common, sums)
        else:
            unknown(job, AN_OPERATION, op[KIND])


@kernel()
def backward(job, work, scratch, examples, lo, hi, key, counter, thread):
    """∂L/∂x of every operation but the first with parameters, from δ of the examples lo … hi."""
    params = floats(job[PARAMS])
    for k in range(job[N_OPS] - 1, -1, -1):
        op, number = at(ints(job[OPS]), k * OP_SIZE), at(doubles(job[NUMBERS]), k * NUMBER_SIZE)
        if op[GX] < 0:
            continue  # nothing before it learns
        xs, ys = op[X_STRIDE], op[Y_STRIDE]
        gy = at(work, op[GY] + lo * ys)
        if LARGE and op[PARTS] > 0:
            shared_backward(job, work, scratch, op, examples, thread)
        elif LARGE and op[KIND] == DENSE and op[CHOICE] == SKIP_ZEROS:
            gx, lists = at(work, op[GX] + lo * xs), at(work, op[WHERE] + lo * op[EXTRA])
            places = words(scratch)
            skipping_backward(gx, xs, gy, ys, hi - lo, at(params, op[W]), op[N_IN], lists, op[EXTRA], places)
        elif op[KIND] == DENSE:
            dense_backward(at(work, op[GX] + lo * xs), xs, gy, ys, hi - lo, at(params, op[W]), op[N_IN])
        elif op[KIND] == ACTIVATION:
            x, y = at(work, op[X] + lo * xs), at(work, op[Y] + lo * ys)
            if job[RULE] == BACKPROPAGATION:
                activation_backward(job, op[CODE], number[0], x, y, gy, (hi - lo) * ys)
        elif op[KIND] == DROPOUT:
            drop(number[0], number[1], key + k, (counter + lo) * ys, gy, gy, (hi - lo) * ys)
        elif CONVOLUTION and op[KIND] == POOLED_CONV:
            for n in range(lo, hi):
                where = words(at(work, op[WHERE] + n * op[EXTRA]))
                g = at(work, op[GY] + n * ys)
                conv_backward(op, at(work, op[GX] + n * xs), xs, g, where, at(params, op[W]), scratch)
        elif CONVOLUTION and op[KIND] == CONV:
            for n in range(lo, hi):
                gx, g = at(work, op[GX] + n * xs), at(work, op[GY] + n * ys)
                windows_backward(op, gx, g, at(params, op[W]), scratch)
        elif CONVOLUTION and op[KIND] == MAX_POOL:
            for n in range(lo, hi):
                x, y = at(work, op[X] + n * xs), at(work, op[Y] + n * ys)
                max_pool_backward(op, x, y, at(work, op[GY] + n * ys), at(work, op[GX] + n * xs))
        elif CONVOLUTION and op[KIND] == AVERAGE_POOL:
            for n in range(lo, hi):
                average_pool_backward(op, number[0], at(work, op[GY] + n * ys), at(work, op[GX] + n * xs))
        elif CONVOLUTION and op[KIND] == FRAME:
            for n in range(lo, hi):
                unframe(op, at(work, op[GY] + n * ys), at(work, op[GX] + n * xs))
        else:
            unknown(job, AN_OPERATION, op[KIND])


@kernel()
def activation_backward_rows(job, work, lo, hi):
    """Rashid's rule: when the errors e have gone back through the weights, each layer's δ = e σ'(z), where e lies."""
    for k in range(job[N_OPS]):
        op, number = at(ints(job[OPS]), k * OP_SIZE), at(doubles(job[NUMBERS]), k * NUMBER_SIZE)
        if op[KIND] == ACTIVATION and op[GY] >= 0:
            xs, ys = op[X_STRIDE], op[Y_STRIDE]
            x, y = at(work, op[X] + lo * xs), at(work, op[Y] + lo * ys)
            activation_backward(job, op[CODE], number[0], x, y, at(work, op[GY] + lo * ys), (hi - lo) * ys)
    for n in range(lo, hi):
        stride = job[OUT_STRIDE]
        delta_of_error(at(work, job[LOGITS] + n * stride), at(work, job[DELTA] + n * stride), stride)


@kernel()
def losses_and_deltas(job, work, scratch, order, examples, lo, hi, each):
    """The losses of the examples lo … hi, and their δ, both times the example's weight, if there are WEIGHTS.

    Targets are labels or rows of numbers.
    """
    out, stride, hyper = job[OUT], job[OUT_STRIDE], doubles(job[HYPER])
    target, mask = scratch, at(work, job[LANE_MASK])
    for n in range(lo, hi):
        if job[TARGETS] == 0:
            label_row(ints(job[LABELS])[order[n]], hyper[LOW], hyper[HIGH], target, stride)
        else:
            copy_row(at(floats(job[TARGETS]), order[n] * out), target, out)
        z, delta = at(work, job[LOGITS] + n * stride), at(work, job[DELTA] + n * stride)
        weight = 1.0
        if job[WEIGHTS] != 0:
            weight = floats(job[WEIGHTS])[order[n]]
        each[n] = weight * loss_and_delta(job, z, target, mask, delta, stride, out, examples, weight)
        if job[RULE] == RASHID:
            raw_error(z, target, mask, delta, stride, examples, weight)
