"""Pictures as lists of their non-zero pixels, as the kernels read them: products with rows of a matrix.

Twins: `x @ W` and `x.T @ g` of the rows and columns that are in a list.
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import *
from digitlab.engine.fast.simd import at, axpys, doubles, ints, scatter


def _by_columns(product):
    """A kernel that cuts so many columns of a product with listed rows into 8, 4, 2 and 1 vectors of them."""
    eight, four, two, one = product(8), product(4), product(2), product(1)

    @kernel()
    def rows(vector, values, indices, count, w, stride, columns):
        j = 0
        while j + 8 * LANES <= columns:
            eight(at(vector, j), values, indices, count, at(w, j), stride)
            j += 8 * LANES
        while j + 4 * LANES <= columns:
            four(at(vector, j), values, indices, count, at(w, j), stride)
            j += 4 * LANES
        if j + 2 * LANES <= columns:
            two(at(vector, j), values, indices, count, at(w, j), stride)
            j += 2 * LANES
        if j < columns:
            one(at(vector, j), values, indices, count, at(w, j), stride)

    return rows


gather_rows = _by_columns(axpys)  # y = Σₖ values[k] · W[indices[k]]
scatter_rows = _by_columns(scatter)  # W[indices[k]] += values[k] · row for every k


@kernel()
def picture(share, n):
    """Where the list of the batch's example n begins, how long it is, and the sum of its values."""
    starts, sums = ints(share.header[STARTS]), doubles(share.header[STARTS])
    start = starts[2 * share.order[n]]
    return start, starts[2 * share.order[n] + 2] - start, sums[2 * share.order[n] + 1]
