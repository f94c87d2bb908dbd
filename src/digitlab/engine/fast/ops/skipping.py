"""The dense layer behind a ReLU, whose inputs are mostly zero, the more so with dropout: it touches only the others.

Twin: `Dense` in nn/network.py.

An input that is zero adds nothing to x W and nothing to ∂L/∂W = xᵀ g. Its own gradient is not needed either: the ReLU
or the dropout that made it zero multiplies that by zero. So all three products need only the inputs that are not:

    forward    y[n] = b + Σₖ x[n, k] W[k]             over the k with x[n, k] ≠ 0
    backward   ∂L/∂x[n, k] = g[n] · W[k]              for those k, and 0 for the others
    update     W[k] −= η Σₙ x[n, k] g[n]              over the n with x[n, k] ≠ 0

Forward lists them, example by example, and backward reads the lists; each is a count, values and indices. In large
batches, the lists are transposed for the other two products (turned.py).
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.ops.optimizer import is_plain, update_weights
from digitlab.engine.fast.plan import padded
from digitlab.engine.fast.simd import (
    at,
    axpys,
    barrier,
    clear,
    collect,
    doubles,
    ints,
    load,
    picked,
    shorts_of,
    splat,
    store,
    words,
)
from digitlab.engine.fast.simd import padded as whole_vectors

# The columns of a dense operation
_column = own_columns()
MAY_SKIP = _column()  # whether it counts the zeros now and then, and chooses
FEW = _column()  # float64: share of inputs up to which skipping the others is faster
CHOICE = _column()  # ALL_INPUTS or SKIP_ZEROS
LISTS = _column()  # offset of the lists of inputs that are not zero
LIST_STRIDE = _column()
PARTS = _column()  # where threads that share out the weights leave their sums (shared.py); 0 if they do not
PACKED = _column()  # how products are packed: not at all (0), or as large.py says
TURNED = _column()  # offset of lists of examples (turned.py); 0 if there are none
_choice = numbers()
ALL_INPUTS, SKIP_ZEROS = _choice(), _choice()

FEW_LISTED = 0.4  # share of inputs up to which lists are faster than the whole product
LOOK = 64  # steps from one count of the zeros to the next
GROUP = 8  # list lengths are multiples of it
BLOCK = 64  # rows of W that are multiplied with all examples while they are in the second-level cache
FOUND, OF = 1, 2  # places in a thread's numbers: inputs that are not zero, and all

_gather4, _gather2, _gather1 = axpys(4), axpys(2), axpys(1)
_add8, _add4, _add2, _add1 = collect(1, 8), collect(1, 4), collect(1, 2), collect(1, 1)
_dots = picked(GROUP)


def list_stride(inputs: int) -> int:
    """Floats for the list of those inputs of an example that are not zero: count, values and indices."""
    return LANES + padded(inputs + 4 * LANES) * 3 // 2


@kernel()
def choose(share, x, x_stride, rows, n_in, few):
    """SKIP_ZEROS if few of the whole batch's inputs are not zero, else ALL_INPUTS; x is this thread's share."""
    counts, sync, threads = doubles(share.header[THREAD_NUMBERS]), ints(share.header[SYNC]), share.header[THREADS]
    count = 0
    for n in range(rows):
        row = at(x, n * x_stride)
        for k in range(n_in):
            count += row[k] != 0.0
    counts[LANES * share.thread + FOUND], counts[LANES * share.thread + OF] = count, rows * n_in
    barrier(sync, threads)
    found, all_ = 0.0, 0.0
    for t in range(threads):
        found, all_ = found + counts[LANES * t + FOUND], all_ + counts[LANES * t + OF]
    barrier(sync, threads)  # before another layer's counts are written there
    return SKIP_ZEROS if found < few * all_ else ALL_INPUTS


@kernel()
def index_place(n_in):
    """Where the indices begin in a list: behind the count and the values."""
    return LANES + whole_vectors(n_in + GROUP)


@kernel()
def list_inputs(x, n_in, entry):
    """The numbers of x that are not zero, up to a multiple of GROUP: values that are 0, indices that repeat the last.

    `entry` holds the count, one vector on the values, and behind them the indices, uint16.
    """
    values, indices = at(entry, LANES), shorts_of(at(entry, index_place(n_in)))
    count = 0
    for k in range(n_in):  # without a branch: each number is written, and the next one over it if it was zero
        values[count] = x[k]
        indices[count] = k
        count += x[k] != 0.0
    last = indices[max(count - 1, 0)] if count > 0 else 0
    whole = (count + GROUP - 1) // GROUP * GROUP
    for e in range(count, whole):
        values[e] = 0.0
        indices[e] = last
    words(entry)[0] = whole


@kernel()
def list_all(x, x_stride, rows, n_in, lists, list_stride):
    """The lists of `rows` examples."""
    for n in range(rows):
        list_inputs(at(x, n * x_stride), n_in, at(lists, n * list_stride))


@kernel()
def forward(y, stride, x, x_stride, rows, w, n_in, bias, lists, list_stride):
    """y = x W + b for `rows` examples, and the lists of what is not zero."""
    list_all(x, x_stride, rows, n_in, lists, list_stride)
    behind = index_place(n_in)
    j = 0
    while j < stride:
        # A few columns of W, which stay in the second-level cache, for all examples.
        left = (stride - j) // LANES
        wide = 4 if left >= 4 else min(left, 2)
        for n in range(rows):
            entry, out = at(lists, n * list_stride), at(y, n * stride + j)
            count, values, indices = words(entry)[0], at(entry, LANES), shorts_of(at(entry, behind))
            if wide == 4:
                _gather4(out, values, indices, count, at(w, j), stride)
            elif wide == 2:
                _gather2(out, values, indices, count, at(w, j), stride)
            else:
                _gather1(out, values, indices, count, at(w, j), stride)
            for c in range(0, LANES * wide, LANES):
                store(out, c, load(out, c) + load(bias, j + c))
        j += LANES * wide


@kernel()
def backward(gx, x_stride, gy, stride, rows, w, n_in, lists, list_stride, places):
    """∂L/∂x = g Wᵀ where x is not zero, else 0; `places` is room for a number per example."""
    behind = index_place(n_in)
    for n in range(rows):
        places[n] = 0
        clear(at(gx, n * x_stride), whole_vectors(n_in))
    for border in range(BLOCK, n_in + BLOCK, BLOCK):
        for n in range(rows):
            entry = at(lists, n * list_stride)
            count, indices, e = words(entry)[0], shorts_of(at(entry, behind)), places[n]
            while e < count and indices[e + GROUP - 1] < border:
                _dots(at(gx, n * x_stride), at(gy, n * stride), at(indices, e), w, stride, stride)
                e += GROUP
            places[n] = e


@kernel()
def add_rows(y, values, offsets, count, base, columns):
    """y += Σ values · base[offsets ...], `columns` numbers."""
    j = 0
    while j < columns:
        left = (columns - j) // LANES
        if left >= 8:
            _add8(at(y, j), 0, values, offsets, count, at(base, j), 0)
            j += 8 * LANES
        elif left >= 4:
            _add4(at(y, j), 0, values, offsets, count, at(base, j), 0)
            j += 4 * LANES
        elif left >= 2:
            _add2(at(y, j), 0, values, offsets, count, at(base, j), 0)
            j += 2 * LANES
        else:
            _add1(at(y, j), 0, values, offsets, count, at(base, j), 0)
            j += LANES


@kernel()
def step(share, op, first, last, g, values):
    """Update W's rows `first` to `last`. `g` holds GRADIENT_ROWS rows, `values` two numbers for each example."""
    examples, stride, x_stride, l2 = share.examples, op[Y_STRIDE], op[X_STRIDE], doubles(share.header[HYPER])[L2_SHARE]
    x, gy, offsets, plain = (
        at(share.work, op[X]),
        at(share.work, op[GY]),
        words(at(values, examples)),
        is_plain(share, op),
    )
    factor = -share.rate if plain else 1.0
    keep = splat(1.0 - share.rate * l2)
    for i in range(first, last, GRADIENT_ROWS):
        rows = min(GRADIENT_ROWS, last - i)
        for k in range(i, i + rows):
            count = 0
            for n in range(examples):
                values[count] = factor * x[n * x_stride + k]
                offsets[count] = n * stride
                count += x[n * x_stride + k] != 0.0
            row = at(share.params, op[W] + k * stride) if plain else at(g, (k - i) * stride)
            if not plain:
                clear(row, stride)
            elif l2 != 0.0:
                for j in range(0, stride, LANES):
                    store(row, j, keep * load(row, j))
            if count > 0:
                add_rows(row, values, offsets, count, gy, stride)
        if not plain:
            update_weights(share, op, op[W] + i * stride, g, rows * stride)
