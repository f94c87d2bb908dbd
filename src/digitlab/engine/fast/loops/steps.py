"""A thread's share of the parameters, one step on: each operation's gradient over the whole batch, and the update.

Twins: `ReferenceEngine.update` in engine/reference.py, and the parameters' half of every layer's `backward`.
"""

# mypy: ignore-errors
# ruff: noqa: F403, F405  (layout.py's names are all needed)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.compiler.kernel_set import CONVOLUTION, LARGE
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.dense import dense_step
from digitlab.engine.fast.ops.masks import cut, restore_frozen
from digitlab.engine.fast.ops.optimizer import bias_step, limit_norms, update
from digitlab.engine.fast.ops.pooled_conv import conv_gradient, limit_filters, write_transposed
from digitlab.engine.fast.ops.shared import first_row
from digitlab.engine.fast.ops.skipping import skipping_step
from digitlab.engine.fast.ops.sparse_dense import add_scaled, column_sums, fold_in, from_row, scaled, spread_rows
from digitlab.engine.fast.ops.unknown import unknown
from digitlab.engine.fast.ops.windows import windows_bias_gradient, windows_gradient
from digitlab.engine.fast.simd.barrier import barrier
from digitlab.engine.fast.simd.vectors import at, clear, doubles, floats, ints, load, shorts, splat, store, words


@kernel()
def sparse_step(job, work, op, number, order, examples, rate, s, thread):
    """Plain gradient descent on W = s (V + c): see sparse.py. Returns the new s."""
    params, hyper, threads = floats(job[PARAMS]), doubles(job[HYPER]), job[THREADS]
    stride, n_in, offset = op[Y_STRIDE], op[N_IN], number[0]
    first, last = n_in * thread // threads, n_in * (thread + 1) // threads
    common, sums, row = at(work, op[EXTRA]), at(work, op[EXTRA] + stride), at(work, op[EXTRA] + (2 + thread) * stride)
    w = at(params, op[W])
    keep = 1.0 - rate * hyper[L2_SHARE]
    s *= keep
    if abs(s) < 1e-2 or abs(s) > 1e2:
        # Every thread folds its rows; c and S are thread 0's.
        fold_in(at(w, first * stride), 0, last - first, stride, s, common)
        barrier(ints(job[SYNC]), threads)
        if thread == 0:
            clear(common, stride)
            column_sums(w, n_in, stride, sums)
        barrier(ints(job[SYNC]), threads)  # before any row changes again
        s = 1.0
    starts = ints(job[STARTS])
    for n in range(examples):
        delta = at(work, op[GY] + n * stride)
        scaled(row, -rate / s, delta, stride)
        start = starts[2 * order[n]]
        count, pixels = starts[2 * order[n] + 2] - start, doubles(job[STARTS])[2 * order[n] + 1]
        values, indices = at(floats(job[VALUES]), start), at(shorts(job[INDICES]), start)
        if threads > 1:
            low = from_row(indices, count, first)
            high = from_row(indices, count, last)
            spread_rows(row, at(values, low), at(indices, low), high - low, w, stride)
        else:
            spread_rows(row, values, indices, count, w, stride)
        if thread == 0 and offset != 0.0:
            add_scaled(common, offset, row, stride)
            add_scaled(sums, pixels, row, stride)
    return s


@kernel()
def sparse_gradient_step(job, work, op, number, order, examples, rate, thread):
    """Any other optimizer or regularizer: the gradient is spread into memory first, then every row is updated."""
    params, s1, s2 = floats(job[PARAMS]), floats(job[STATE_1]), floats(job[STATE_2])
    threads = job[THREADS]
    stride, n_in, offset = op[Y_STRIDE], op[N_IN], number[0]
    first, last = n_in * thread // threads, n_in * (thread + 1) // threads
    g = at(work, op[W2])
    row = at(work, op[EXTRA] + (2 + thread) * stride)
    for j in range(0, stride, 8):
        sum_ = splat(0.0)
        if offset != 0.0:
            for n in range(examples):
                sum_ = sum_ + load(work, op[GY] + n * stride + j)
        store(row, j, sum_ * splat(offset))
    for i in range(first, last):
        for j in range(0, stride, 8):
            store(g, i * stride + j, load(row, j))
    starts = ints(job[STARTS])
    for n in range(examples):
        start = starts[2 * order[n]]
        count = starts[2 * order[n] + 2] - start
        values, indices = at(floats(job[VALUES]), start), at(shorts(job[INDICES]), start)
        low = from_row(indices, count, first)
        high = from_row(indices, count, last)
        spread_rows(at(work, op[GY] + n * stride), at(values, low), at(indices, low), high - low, g, stride)
    here = op[W] + first * stride
    step = ints(job[UPDATES])[op[PARAMETER]]
    if op[MASKED]:
        cut(at(g, first * stride), at(floats(job[MASKS]), here), (last - first) * stride)
    update(
        job,
        rate,
        step,
        True,
        at(params, here),
        at(s1, here),
        at(s2, here),
        at(g, first * stride),
        (last - first) * stride,
    )


@kernel()
def has_convolution(job):
    """Whether there is a convolution."""
    for k in range(job[N_OPS]):
        kind = ints(job[OPS])[k * OP_SIZE + KIND]
        if kind in (POOLED_CONV, CONV):
            return True
    return False


@kernel()
def conv_step(job, work, scratch, op, examples, rate, thread):
    """This thread's filters, one step on, and their transpose for the next forward pass; ∂L/∂b for later."""
    params, s1, s2, g = floats(job[PARAMS]), floats(job[STATE_1]), floats(job[STATE_2]), floats(job[GRADIENTS])
    hyper, threads = doubles(job[HYPER]), job[THREADS]
    first, last = op[N_OUT] * thread // threads, op[N_OUT] * (thread + 1) // threads
    size = op[KERNEL] * ((op[KERNEL_WIDTH] * op[CHANNELS] + 7) // 8 * 8)
    conv_gradient(
        op,
        at(work, op[X]),
        op[X_STRIDE],
        at(work, op[GY]),
        op[Y_STRIDE],
        words(at(work, op[WHERE])),
        examples,
        first,
        last,
        at(g, op[W]),
        at(g, op[B]),
        scratch,
    )
    here = op[W] + first * size
    if op[PARAMETER] < 0:
        return
    update(
        job,
        rate,
        ints(job[UPDATES])[op[PARAMETER]],
        True,
        at(params, here),
        at(s1, here),
        at(s2, here),
        at(g, here),
        (last - first) * size,
    )
    if hyper[MAX_NORM] > 0.0:
        limit_filters(hyper[MAX_NORM], at(params, op[W]), first, last, size)
    write_transposed(op, at(params, op[W]), first, last, at(work, op[W2]))


@kernel()
def windows_step(job, work, scratch, op, examples, rate, thread):
    """This thread's rows of W, one step on, and ∂L/∂b for later."""
    params, s1, s2, g = floats(job[PARAMS]), floats(job[STATE_1]), floats(job[STATE_2]), floats(job[GRADIENTS])
    first, last = op[N_IN] * thread // job[THREADS], op[N_IN] * (thread + 1) // job[THREADS]
    stride, x, gy = op[FILTER_STRIDE], at(work, op[X]), at(work, op[GY])
    if thread == 0 and op[CODE] >= 0:
        windows_bias_gradient(op, gy, examples, at(g, op[B]))
    if op[PARAMETER] < 0:
        return
    windows_gradient(op, x, gy, examples, first, last, at(g, op[W]), at(work, 0), scratch)
    here, size = op[W] + first * stride, (last - first) * stride
    if op[MASKED]:
        cut(at(g, here), at(floats(job[MASKS]), here), size)
    update(
        job,
        rate,
        ints(job[UPDATES])[op[PARAMETER]],
        True,
        at(params, here),
        at(s1, here),
        at(s2, here),
        at(g, here),
        size,
    )


@kernel()
def transpose_filters(job, work, thread):
    """This thread's share of all filters into the layout that forward reads."""
    for k in range(job[N_OPS]):
        op = at(ints(job[OPS]), k * OP_SIZE)
        if CONVOLUTION and op[KIND] == POOLED_CONV:
            first = op[N_OUT] * thread // job[THREADS]
            last = op[N_OUT] * (thread + 1) // job[THREADS]
            write_transposed(op, at(floats(job[PARAMS]), op[W]), first, last, at(work, op[W2]))


@kernel()
def step_parameters(job, work, scratch, order, examples, rate, s, thread):
    """This thread's share of every parameter, one step on. Returns the new s of the sparse layer."""
    params, s1, s2 = floats(job[PARAMS]), floats(job[STATE_1]), floats(job[STATE_2])
    hyper, threads, updates = doubles(job[HYPER]), job[THREADS], ints(job[UPDATES])
    zeros = at(work, 0)
    for k in range(job[N_OPS]):
        op, number = at(ints(job[OPS]), k * OP_SIZE), at(doubles(job[NUMBERS]), k * NUMBER_SIZE)
        if op[PARAMETER] == 0:
            continue  # no weights
        if CONVOLUTION and op[KIND] == POOLED_CONV:
            if op[PARAMETER] > 0 or op[CODE] >= 0:
                conv_step(job, work, scratch, op, examples, rate, thread)
            continue
        if CONVOLUTION and op[KIND] == CONV:
            windows_step(job, work, scratch, op, examples, rate, thread)
            continue
        if op[KIND] != DENSE and op[KIND] != SPARSE_DENSE:
            unknown(job, AN_OPERATION, op[KIND])
            continue
        ys = op[Y_STRIDE]
        if op[PARAMETER] < 0:
            pass  # frozen
        elif op[KIND] == SPARSE_DENSE:
            if op[CHOICE] == 1:
                s = sparse_step(job, work, op, number, order, examples, rate, s, thread)
            else:
                sparse_gradient_step(job, work, op, number, order, examples, rate, thread)
        else:
            n_in = op[N_IN]
            first, last = n_in * thread // threads, n_in * (thread + 1) // threads
            if LARGE and op[PARTS] > 0:
                first = first_row(op, SEGMENTS * thread // threads)
                last = first_row(op, SEGMENTS * (thread + 1) // threads)
            x, gy, number = at(work, op[X]), at(work, op[GY]), updates[op[PARAMETER]]
            if LARGE and op[CHOICE] == SKIP_ZEROS:
                skipping_step(
                    job,
                    rate,
                    number,
                    params,
                    s1,
                    s2,
                    op[W],
                    x,
                    op[X_STRIDE],
                    gy,
                    ys,
                    examples,
                    first,
                    last,
                    at(scratch, 2 * job[BATCH]),
                    scratch,
                    op[MASKED],
                    floats(job[MASKS]),
                )
            else:
                dense_step(
                    job,
                    rate,
                    number,
                    params,
                    s1,
                    s2,
                    op[W],
                    x,
                    op[X_STRIDE],
                    gy,
                    ys,
                    examples,
                    first,
                    last,
                    scratch,
                    zeros,
                    op[MASKED],
                    floats(job[MASKS]),
                )
        if thread == 0 and op[CODE] >= 0:
            gy = at(work, op[GY])
            bias_step(job, rate, updates[op[CODE]], params, s1, s2, op[B], gy, examples, ys, ys, scratch)
    if CONVOLUTION and has_convolution(job):
        barrier(ints(job[SYNC]), threads)  # the biases' gradients are complete
        for k in range(job[N_OPS]):
            op = at(ints(job[OPS]), k * OP_SIZE)
            if thread == 0 and (op[KIND] == POOLED_CONV or op[KIND] == CONV) and op[CODE] >= 0:
                b, count = op[B], op[FILTER_STRIDE]
                update(
                    job,
                    rate,
                    updates[op[CODE]],
                    False,
                    at(params, b),
                    at(s1, b),
                    at(s2, b),
                    at(floats(job[GRADIENTS]), b),
                    count,
                )
    if hyper[MAX_NORM] > 0.0:
        barrier(ints(job[SYNC]), threads)
        if thread == 0:
            for k in range(job[N_OPS]):
                op = at(ints(job[OPS]), k * OP_SIZE)
                if op[PARAMETER] > 0 and op[KIND] != POOLED_CONV:  # whose filters conv_step has limited
                    limit_norms(hyper[MAX_NORM], at(params, op[W]), op[N_IN], op[FILTER_STRIDE], op[N_OUT])
    if job[MASKS] != 0:
        barrier(ints(job[SYNC]), threads)
        restore_frozen(job, thread)
    return s


@kernel()
def count_updates(job):
    """The step number of every parameter that learns, one on; that of the first step is 1."""
    updates = ints(job[UPDATES])
    for k in range(job[N_OPS]):
        op = at(ints(job[OPS]), k * OP_SIZE)
        if op[PARAMETER] == 0:
            continue  # no weights
        if op[PARAMETER] > 0:
            updates[op[PARAMETER]] += 1
        if op[CODE] >= 0:
            updates[op[CODE]] += 1
