"""Products with the rows of a matrix that a list names, such as those of an image's non-zero pixels.

    axpys(C)          y = Σₖ x[k] w[index[k]]                       C vectors of the sum of the rows
    scatter(C)        w[index[k]] += x[k] d                         the reverse of axpys
    picked(S)         y[index[s]] = Σₖ a[k] w[index[s], k]          S dot products
    collect(R, C)     y[r] += Σₖ x[k] base[offset[k] + r ...]       the windows of a convolution's maxima

They are written as LLVM code, like the products of whole matrices in `tiles.py`.
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
    SHORTS,
    WORDS,
    address,
    constant,
    fma_value,
    load_value,
    splat_value,
    store_value,
    totals_value,
)


@cache
def picked(count):
    """picked(y, a, index, w, w_row, n): y[index[s]] = Σ_k a[k] w[index[s] w_row + k], k < n, for C rows of w."""

    @intrinsic
    def product(typingctx, y, a, index, w, w_row, n):
        i64 = types.int64
        sig = types.void(FLOATS, FLOATS, SHORTS, FLOATS, i64, i64)

        def codegen(context, builder, sig, args):
            y, a, index, w, w_row, n = args
            numbers = [builder.load(address(builder, index, ir.Constant(INT, s))) for s in range(count)]
            numbers = [builder.zext(number, INT) for number in numbers]
            starts = [address(builder, w, builder.mul(number, w_row)) for number in numbers]
            step = ir.Constant(INT, LANES)
            loop = Loop(builder, builder.sdiv(n, step), [ir.Constant(INT, 0), *[constant(0.0)] * count])
            k, *sums = loop.carried
            left = load_value(builder, address(builder, a, k))
            for s in range(count):
                sums[s] = fma_value(builder, left, load_value(builder, address(builder, starts[s], k)), sums[s])
            _, *sums = loop.close([builder.add(k, step), *sums])
            for s, number in enumerate(numbers):
                if s % 4 == 0:
                    four = totals_value(builder, sums[s : s + 4])
                value = builder.extract_element(four, ir.Constant(ir.IntType(32), s % 4))
                builder.store(value, address(builder, y, number))
            return context.get_dummy_value()

        return sig, codegen

    return product


@cache
def axpys(vectors):
    """axpys(y, x, index, count, w, w_row): 8 C numbers of y = Σₖ x[k] · w[index[k] row]; count is even."""

    @intrinsic
    def gather(typingctx, y, x, index, count, w, w_row):
        sig = types.void(FLOATS, FLOATS, SHORTS, types.int64, FLOATS, types.int64)

        def codegen(context, builder, sig, args):
            y, x, index, count, w, w_row = args
            pieces = [(ir.Constant(INT, c), lanes) for c, lanes in pieces_of(vectors)]
            zeros = [constant(0.0, lanes) for _, lanes in pieces]
            two = ir.Constant(INT, 2)
            # Two sets of sums in turn: with one, each addition would wait for the one before.
            loop = Loop(builder, builder.sdiv(count, two), [x, index, *zeros, *zeros])
            xk, ik, *sums = loop.carried
            for half in range(2):
                here = ir.Constant(INT, half)
                number = builder.zext(builder.load(address(builder, ik, here)), INT)
                row = address(builder, w, builder.mul(number, w_row))
                number = builder.load(address(builder, xk, here))
                for k, (piece, lanes) in enumerate(pieces, start=half * len(pieces)):
                    part = load_value(builder, address(builder, row, piece), lanes)
                    sums[k] = fma_value(builder, splat_value(builder, number, lanes), part, sums[k])
            _, _, *sums = loop.close([address(builder, xk, two), address(builder, ik, two), *sums])
            for (piece, _), a, b in zip(pieces, sums, sums[len(pieces) :]):
                store_value(builder, address(builder, y, piece), builder.fadd(a, b))
            return context.get_dummy_value()

        return sig, codegen

    return gather


@cache
def scatter(vectors):
    """scatter(d, x, index, count, w, w_row): w[index[k] row + c] += x[k] · d[c] for 8 C numbers c and every k."""

    @intrinsic
    def product(typingctx, d, x, index, count, w, w_row):
        sig = types.void(FLOATS, FLOATS, SHORTS, types.int64, FLOATS, types.int64)

        def codegen(context, builder, sig, args):
            d, x, index, count, w, w_row = args
            pieces = [(ir.Constant(INT, c), lanes) for c, lanes in pieces_of(vectors)]
            one = ir.Constant(INT, 1)
            columns = [load_value(builder, address(builder, d, piece), lanes) for piece, lanes in pieces]
            loop = Loop(builder, count, [x, index])
            xk, ik = loop.carried
            row = address(builder, w, builder.mul(builder.zext(builder.load(ik), INT), w_row))
            number = builder.load(xk)
            for (piece, lanes), column in zip(pieces, columns):
                here, factor = address(builder, row, piece), splat_value(builder, number, lanes)
                store_value(builder, here, fma_value(builder, factor, column, load_value(builder, here, lanes)))
            loop.close([address(builder, xk, one), address(builder, ik, one)])
            return context.get_dummy_value()

        return sig, codegen

    return product


@cache
def collect(rows, vectors):
    """collect(y, y_row, values, offsets, count, base, segment): R by 8 C numbers of y, added to:

    y[r y_row + c] += Σₖ values[k] · base[offsets[k] + r segment + c]
    """

    @intrinsic
    def gather(typingctx, y, y_row, values, offsets, count, base, segment):
        i64 = types.int64
        sig = types.void(FLOATS, i64, FLOATS, WORDS, i64, FLOATS, i64)
        pieces = pieces_of(vectors)
        sets = 2 if rows * len(pieces) <= 6 else 1  # one set of few sums would wait for its own last addition

        def codegen(context, builder, sig, args):
            y, y_row, values, offsets, count, base, segment = args
            segments, places = multiples_of(builder, segment, rows), places_of(builder, y, y_row, rows, vectors)

            def add(value, offset, sums, turns):
                for turn in range(turns):
                    here = ir.Constant(INT, turn)
                    number = builder.load(address(builder, value, here))
                    start = builder.sext(builder.load(address(builder, offset, here)), INT)
                    start = address(builder, base, start)
                    for k, (piece, lanes) in enumerate(rows * pieces, start=turn * len(places)):
                        row = address(builder, start, segments[k // len(pieces) % rows])
                        part = load_value(builder, address(builder, row, ir.Constant(INT, piece)), lanes)
                        sums[k] = fma_value(builder, splat_value(builder, number, lanes), part, sums[k])
                step = ir.Constant(INT, turns)
                return [address(builder, value, step), address(builder, offset, step), *sums]

            zeros = [constant(0.0, lanes) for _, lanes in places * (sets - 1)]
            sums = [load_value(builder, *place) for place in places] + zeros
            turns = builder.sdiv(count, ir.Constant(INT, sets))
            loop = Loop(builder, turns, [values, offsets, *sums])
            value, offset, *sums = loop.carried
            value, offset, *sums = loop.close(add(value, offset, sums, sets))
            if sets == 2:
                loop = Loop(builder, builder.srem(count, ir.Constant(INT, sets)), [value, offset, *sums])
                value, offset, *sums = loop.carried
                _, _, *sums = loop.close(add(value, offset, sums, 1))
                sums = [builder.fadd(a, b) for a, b in zip(sums, sums[len(places) :])]
            for (place, _), sum_ in zip(places, sums):
                store_value(builder, place, sum_)
            return context.get_dummy_value()

        return sig, codegen

    return gather
