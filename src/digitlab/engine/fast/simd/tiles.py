"""The small matrix products of which all others are made, with their sums in registers.

    tile(R, C)        y[r, c] = b[c] + Σₖ a[r, k] w[k, c]           R rows by C vectors: x W, and convolution
    adding_tile(R, C) y[r, c] += Σₖ a[r, k] w[k, c]                 a tile's sum taken up again
    step_tile(R, C)   y[r, c] = keep y[r, c] + pace Σₖ a[r, k] w[k, c]      W one step along xᵀ g
    dot(R, S)         y[r, s] = Σₖ a[r, k] w[s, k]                  R by S dot products: g Wᵀ without transposing W

A loaded vector of w serves R rows, and a broadcast number of a serves C vectors, so that arithmetic and not memory
is the limit; k runs in one order whatever R and C are, so results do not depend on how a matrix is cut up.
The k of `tile` may lie in several segments: a convolution's window is K stretches of an image, one per row.
They are written as LLVM code because R · C named variables in Python would say the same at ten times the length.
`listed_rows.py` has the products with rows that a list names.
"""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from functools import cache

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.simd.llvm import INT, Loop, multiples_of, pieces_of, places_of
from digitlab.engine.fast.simd.vectors import (
    FLOATS,
    address,
    constant,
    fma_value,
    load_value,
    splat_value,
    store_value,
    totals_value,
)


def _sums(builder, offsets, vectors, starts, a, a_k, segments, a_segment, n, w, w_k):
    """LLVM: starts + Σ_s Σ_k a[offset of row r + s a_segment + k a_k] · w[(s n + k) w_k + c], R by 8 C columns."""
    pieces = pieces_of(vectors)
    outer = Loop(builder, segments, [a, w, *starts])
    segment, wk, *sums = outer.carried
    inner = Loop(builder, n, [segment, wk, *sums])
    ak, wk, *sums = inner.carried
    columns = [load_value(builder, address(builder, wk, ir.Constant(INT, c)), lanes) for c, lanes in pieces]
    for r, offset in enumerate(offsets):
        number = builder.load(address(builder, ak, offset))
        for c, (_, lanes) in enumerate(pieces):
            k = r * len(pieces) + c
            sums[k] = fma_value(builder, splat_value(builder, number, lanes), columns[c], sums[k])
    _, wk, *sums = inner.close([address(builder, ak, a_k), address(builder, wk, w_k), *sums])
    _, _, *sums = outer.close([address(builder, segment, a_segment), wk, *sums])
    return sums


@cache
def tile(rows, vectors):
    """tile(y, y_row, a, a_row, a_k, segments, a_segment, n, w, w_k, bias): R by 8 C numbers of y.

    y[r y_row + c] = bias[c] + Σ_s Σ_k a[r a_row + s a_segment + k a_k] · w[(s n + k) w_k + c]
    """

    @intrinsic
    def product(typingctx, y, y_row, a, a_row, a_k, segments, a_segment, n, w, w_k, bias):
        i64 = types.int64
        sig = types.void(FLOATS, i64, FLOATS, i64, i64, i64, i64, i64, FLOATS, i64, FLOATS)

        def codegen(context, builder, sig, args):
            y, y_row, a, a_row, *factors, bias = args
            starts = [load_value(builder, place, lanes) for place, lanes in places_of(builder, bias, y_row, 1, vectors)]
            sums = _sums(builder, multiples_of(builder, a_row, rows), vectors, starts * rows, a, *factors)
            for (place, _), sum_ in zip(places_of(builder, y, y_row, rows, vectors), sums):
                store_value(builder, place, sum_)
            return context.get_dummy_value()

        return sig, codegen

    return product


@cache
def adding_tile(rows, vectors):
    """adding_tile(y, y_row, a, a_row, a_k, n, w, w_k): R by 8 C numbers of y, added to.

    y[r y_row + c] += Σ_k a[r a_row + k a_k] · w[k w_k + c], as if a tile's sum had never been interrupted
    """

    @intrinsic
    def product(typingctx, y, y_row, a, a_row, a_k, n, w, w_k):
        i64 = types.int64
        sig = types.void(FLOATS, i64, FLOATS, i64, i64, i64, FLOATS, i64)

        def codegen(context, builder, sig, args):
            y, y_row, a, a_row, a_k, n, w, w_k = args
            places = places_of(builder, y, y_row, rows, vectors)
            starts, offsets = [load_value(builder, *place) for place in places], multiples_of(builder, a_row, rows)
            sums = _sums(builder, offsets, vectors, starts, a, a_k, ir.Constant(INT, 1), a_k, n, w, w_k)
            for (place, _), sum_ in zip(places, sums):
                store_value(builder, place, sum_)
            return context.get_dummy_value()

        return sig, codegen

    return product


@cache
def step_tile(rows, vectors):
    """step_tile(y, y_row, a, a_row, a_k, n, w, w_k, keep, pace): R by 8 C numbers of y, updated.

    y[r y_row + c] = keep · y[r y_row + c] + pace · Σ_k a[r a_row + k a_k] · w[k w_k + c]
    """

    @intrinsic
    def product(typingctx, y, y_row, a, a_row, a_k, n, w, w_k, keep, pace):
        i64, f32 = types.int64, types.float32
        sig = types.void(FLOATS, i64, FLOATS, i64, i64, i64, FLOATS, i64, f32, f32)

        def codegen(context, builder, sig, args):
            y, y_row, a, a_row, a_k, n, w, w_k, keep, pace = args
            one, offsets = ir.Constant(INT, 1), multiples_of(builder, a_row, rows)
            places = places_of(builder, y, y_row, rows, vectors)
            zeros = [constant(0.0, lanes) for _, lanes in places]
            sums = _sums(builder, offsets, vectors, zeros, a, a_k, one, a_k, n, w, w_k)
            for (place, lanes), sum_ in zip(places, sums):
                kept = builder.fmul(splat_value(builder, keep, lanes), load_value(builder, place, lanes))
                store_value(builder, place, fma_value(builder, splat_value(builder, pace, lanes), sum_, kept))
            return context.get_dummy_value()

        return sig, codegen

    return product


@cache
def window_tile(height, width, vectors):
    """window_tile(y, y_row, a, line, a_k, segments, a_segment, n, w, w_k): height · width rows by 8 C numbers of y.

    y[(i width + j) y_row + c] += Σ_s Σ_k a[i line + j + s a_segment + k a_k] · w[(s n + k) w_k + c]: the gradient of a
    kernel on pictures with one channel, all of it in one pass over the windows
    """

    @intrinsic
    def product(typingctx, y, y_row, a, line, a_k, segments, a_segment, n, w, w_k):
        i64 = types.int64
        sig = types.void(FLOATS, i64, FLOATS, i64, i64, i64, i64, i64, FLOATS, i64)

        def codegen(context, builder, sig, args):
            y, y_row, a, line, *factors = args
            lines = multiples_of(builder, line, height)
            offsets = [builder.add(start, ir.Constant(INT, j)) for start in lines for j in range(width)]
            places = places_of(builder, y, y_row, len(offsets), vectors)
            starts = [load_value(builder, *place) for place in places]
            sums = _sums(builder, offsets, vectors, starts, a, *factors)
            for (place, _), sum_ in zip(places, sums):
                store_value(builder, place, sum_)
            return context.get_dummy_value()

        return sig, codegen

    return product


@cache
def dot(rows, columns):
    """dot(y, y_row, a, a_row, w, w_row, n): R by S dot products of length n, a multiple of 8; S is one of 4.

    y[r y_row + s] = Σ_k a[r a_row + k] · w[s w_row + k]
    """

    @intrinsic
    def product(typingctx, y, y_row, a, a_row, w, w_row, n):
        i64 = types.int64
        sig = types.void(FLOATS, i64, FLOATS, i64, FLOATS, i64, i64)

        def codegen(context, builder, sig, args):
            y, y_row, a, a_row, w, w_row, n = args
            a_offsets = [builder.mul(a_row, ir.Constant(INT, r)) for r in range(rows)]
            w_offsets = [builder.mul(w_row, ir.Constant(INT, s)) for s in range(columns)]
            step = ir.Constant(INT, LANES)
            loop = Loop(builder, builder.sdiv(n, step), [a, w, *[constant(0.0)] * (rows * columns)])
            ak, wk, *sums = loop.carried
            left = [load_value(builder, address(builder, ak, o)) for o in a_offsets]
            right = [load_value(builder, address(builder, wk, o)) for o in w_offsets]
            for r in range(rows):
                for s in range(columns):
                    k = r * columns + s
                    sums[k] = fma_value(builder, left[r], right[s], sums[k])
            _, _, *sums = loop.close([address(builder, ak, step), address(builder, wk, step), *sums])
            for r in range(rows):
                row = address(builder, y, builder.mul(y_row, ir.Constant(INT, r)))
                for s in range(0, columns, 4):
                    four = totals_value(builder, sums[r * columns + s : r * columns + s + 4])
                    store_value(builder, address(builder, row, ir.Constant(INT, s)), four)
            return context.get_dummy_value()

        return sig, codegen

    return product
