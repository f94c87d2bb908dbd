"""Matrix products with a matrix in strips of 32 columns, for layers that multiply by it again and again.

A strip is contiguous: it stays in the first-level cache while many rows pass by, whatever the width of the matrix.
A rest of columns makes strips of 16 and 8. On processors with AVX-512 a vector is 16 floats here, and a tile has eight
rows: twice the arithmetic per cycle of tiles.py where the processor has two such units.

Twins: `x @ W`, `g @ W.T` and `x.T @ g`. Each sum has one order, whatever the number of rows and columns.
"""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from functools import cache

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from digitlab.engine.fast.compiler.jit import SIXTEEN_LANES, kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.simd.llvm import Loop
from digitlab.engine.fast.simd.vectors import FLOATS, address, at, copy, load_value, store_value

_STRIP = 32
LONGEST = 16 if SIXTEEN_LANES else LANES  # floats in a vector
HIGHEST = 8 if LONGEST > LANES else 4  # rows of a tile: its sums stay in registers
_DEEP = 128  # rows of both factors at once in `outer_product`: their parts of a strip stay in the first-level cache
_INT = ir.IntType(64)


@cache
def strip_tile(rows, width):
    """strip_tile(y, y_row, a, a_row, a_k, n, w, w_k, adds): R by `width` numbers of y.

    y[r y_row + c] = Σ_k a[r a_row + k a_k] · w[k w_k + c], added to what is there if `adds` is not 0
    """
    lanes = min(LONGEST, width)
    kind = ir.VectorType(ir.FloatType(), lanes)

    @intrinsic
    def product(typingctx, y, y_row, a, a_row, a_k, n, w, w_k, adds):
        i64 = types.int64
        sig = types.void(FLOATS, i64, FLOATS, i64, i64, i64, FLOATS, i64, i64)

        def codegen(context, builder, sig, args):
            y, y_row, a, a_row, a_k, n, w, w_k, adds = args
            fma = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(kind, [kind] * 3), f"llvm.fmuladd.v{lanes}f32"
            )
            places = [
                builder.bitcast(address(builder, row, ir.Constant(_INT, c)), kind.as_pointer())
                for row in (address(builder, y, builder.mul(y_row, ir.Constant(_INT, r))) for r in range(rows))
                for c in range(0, width, lanes)
            ]
            zero = ir.Constant(kind, [ir.Constant(ir.FloatType(), 0.0)] * lanes)
            adding = builder.icmp_signed("!=", adds, ir.Constant(_INT, 0))
            sums = [builder.select(adding, builder.load(place, align=4), zero) for place in places]
            offsets = [builder.mul(a_row, ir.Constant(_INT, r)) for r in range(rows)]
            loop = Loop(builder, n, [a, w, *sums])
            ak, wk, *sums = loop.carried
            columns = [
                builder.load(builder.bitcast(address(builder, wk, ir.Constant(_INT, c)), kind.as_pointer()), align=4)
                for c in range(0, width, lanes)
            ]
            for r, offset in enumerate(offsets):
                number = builder.load(address(builder, ak, offset))
                first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
                mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
                copies = builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), mask)
                for c, column in enumerate(columns):
                    k = r * len(columns) + c
                    sums[k] = builder.call(fma, [copies, column, sums[k]])
            _, _, *sums = loop.close([address(builder, ak, a_k), address(builder, wk, w_k), *sums])
            for place, sum_ in zip(places, sums):
                builder.store(sum_, place, align=4)
            return context.get_dummy_value()

        return sig, codegen

    return product


def _strip(width):
    """A product for the columns of one strip and any number of rows."""
    highest, t4, t2, t1 = (strip_tile(rows, width) for rows in (HIGHEST, 4, 2, 1))

    @kernel()
    def strip(y, y_row, rows, a, a_row, a_k, n, w, w_k, adds):
        r = 0
        while r + HIGHEST <= rows:
            highest(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, n, w, w_k, adds)
            r += HIGHEST
        if r + 4 <= rows:
            t4(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, n, w, w_k, adds)
            r += 4
        if r + 2 <= rows:
            t2(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, n, w, w_k, adds)
            r += 2
        if r < rows:
            t1(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, n, w, w_k, adds)

    return strip


_strip32, _strip16, _strip8 = map(_strip, (_STRIP, _STRIP // 2, _STRIP // 4))


@kernel()
def width_of_strip(left):
    """How many of the columns that are left make the next strip."""
    return _STRIP if left >= _STRIP else _STRIP // 2 if left >= _STRIP // 2 else _STRIP // 4


@kernel()
def _columns(width, y, y_row, rows, a, a_row, a_k, n, w, w_k, adds):
    if width == _STRIP:
        _strip32(y, y_row, rows, a, a_row, a_k, n, w, w_k, adds)
    elif width == _STRIP // 2:
        _strip16(y, y_row, rows, a, a_row, a_k, n, w, w_k, adds)
    else:
        _strip8(y, y_row, rows, a, a_row, a_k, n, w, w_k, adds)


@kernel()
def strip_product(y, y_row, rows, a, a_row, n, strips, columns, adds):
    """y (rows, columns) = a (rows, n) W with W (n, columns) in strips; `adds` it to y if that is not 0."""
    j = 0
    while j < columns:
        width = width_of_strip(columns - j)
        _columns(width, at(y, j), y_row, rows, a, a_row, 1, n, at(strips, j * n), width, adds)
        j += width


@kernel()
def outer_product(y, y_row, rows, a, a_row, n, strips, columns):
    """y (rows, columns) = aᵀ G, with a (n, rows), and G (n, columns) in strips."""
    for k in range(0, n, _DEEP):
        deep, ak, j = min(_DEEP, n - k), at(a, k * a_row), 0
        while j < columns:
            width = width_of_strip(columns - j)
            _columns(width, at(y, j), y_row, rows, ak, 1, a_row, deep, at(strips, j * n + k * width), width, k)
            j += width


@kernel()
def pack_row(strips, n, k, row, columns):
    """Row k of a matrix (n, columns) to its places in strips."""
    j = 0
    while j < columns:
        width = width_of_strip(columns - j)
        copy(at(strips, j * n + k * width), at(row, j), width)
        j += width


@intrinsic
def transpose_block(typingctx, y, y_row, x, x_row):
    """y[c y_row + r] = x[r x_row + c] for 8 by 8 numbers."""
    sig = types.void(FLOATS, types.int64, FLOATS, types.int64)

    def codegen(context, builder, sig, args):
        y, y_row, x, x_row = args
        mask = ir.VectorType(ir.IntType(32), LANES)

        def row(start, pace, r):
            return address(builder, start, builder.mul(pace, ir.Constant(_INT, r)))

        rows = [load_value(builder, row(x, x_row, r)) for r in range(LANES)]
        half = LANES // 2
        while half:  # rows r and r + half exchange the halves that are on the wrong side of the diagonal
            for r in range(LANES):
                if not r & half:
                    a, b = rows[r], rows[r + half]
                    low = [i if not i & half else i - half + LANES for i in range(LANES)]
                    high = [i + half if not i & half else i + LANES for i in range(LANES)]
                    rows[r] = builder.shuffle_vector(a, b, ir.Constant(mask, low))
                    rows[r + half] = builder.shuffle_vector(a, b, ir.Constant(mask, high))
            half //= 2
        for c in range(LANES):
            store_value(builder, row(y, y_row, c), rows[c])
        return context.get_dummy_value()

    return sig, codegen


@kernel()
def pack_transposed(strips, first, last, w, w_row, n, columns):
    """Columns first … last of Wᵀ (n, columns) into strips; both are where strips begin, w is (columns, n) by rows.

    n is a multiple of LANES, and so is `columns`: rows of w up to there exist.
    """
    j = first
    while j < last:
        width = width_of_strip(columns - j)
        for k in range(0, n, LANES):
            for c in range(0, width, LANES):
                transpose_block(at(strips, j * n + k * width + c), width, at(w, (j + c) * w_row + k), w_row)
        j += width
