"""Pictures as lists of their non-zero pixels, as the kernels read them: products with rows of a matrix.

Twins: `x @ W` and `x.T @ g` of the rows and columns that are in a list.
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from digitlab.engine.fast.compiler.jit import LARGE, kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.simd import at, axpys, doubles, ints, scatter

_gather8, _gather4, _gather2, _gather1 = axpys(8), axpys(4), axpys(2), axpys(1)
_scatter8, _scatter4, _scatter2, _scatter1 = scatter(8), scatter(4), scatter(2), scatter(1)


@kernel()
def gather_rows(y, values, indices, count, w, stride, columns):
    """y = Σₖ values[k] · W[indices[k]], so many columns of it."""
    j = 0
    while LARGE and j + 8 * LANES <= columns:
        _gather8(at(y, j), values, indices, count, at(w, j), stride)
        j += 8 * LANES
    while j + 4 * LANES <= columns:
        _gather4(at(y, j), values, indices, count, at(w, j), stride)
        j += 4 * LANES
    if j + 2 * LANES <= columns:
        _gather2(at(y, j), values, indices, count, at(w, j), stride)
        j += 2 * LANES
    if j < columns:
        _gather1(at(y, j), values, indices, count, at(w, j), stride)


@kernel()
def scatter_rows(row, values, indices, count, w, stride, columns):
    """W[indices[k]] += values[k] · row for every k, so many columns of it."""
    j = 0
    while LARGE and j + 8 * LANES <= columns:
        _scatter8(at(row, j), values, indices, count, at(w, j), stride)
        j += 8 * LANES
    while j + 4 * LANES <= columns:
        _scatter4(at(row, j), values, indices, count, at(w, j), stride)
        j += 4 * LANES
    if j + 2 * LANES <= columns:
        _scatter2(at(row, j), values, indices, count, at(w, j), stride)
        j += 2 * LANES
    if j < columns:
        _scatter1(at(row, j), values, indices, count, at(w, j), stride)


@kernel()
def picture(share, n):
    """Where the list of the batch's example n begins, how long it is, and the sum of its values."""
    starts, sums = ints(share.header[STARTS]), doubles(share.header[STARTS])
    start = starts[2 * share.order[n]]
    return start, starts[2 * share.order[n] + 2] - start, sums[2 * share.order[n] + 1]
