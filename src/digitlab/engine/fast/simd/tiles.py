"""The small matrix products that all arithmetic is made of, with their sums held in registers.

    tile(R, C)        y[r, c] = b[c] + Σₖ a[r, k] w[k, c]           R rows by C vectors: x W, and convolution
    adding_tile(R, C) y[r, c] += Σₖ a[r, k] w[k, c]                 a tile's sum taken up again
    step_tile(R, C)   y[r, c] = keep y[r, c] + pace Σₖ a[r, k] w[k, c]      W one step along xᵀ g
    dot(R, S)         y[r, s] = Σₖ a[r, k] w[s, k]                  R by S dot products: g Wᵀ without transposing W

and of rows that a list names:

    axpys(C)          y = Σₖ x[k] w[index[k]]                       scatter(C), its reverse: w[index[k]] += x[k] d
    collect(R, C)     y[r] += Σₖ x[k] base[offset[k] + r ...]       the windows of a convolution's maxima
    picked(S)         y[index[s]] = Σₖ a[k] w[index[s], k]          S dot products

A loaded vector of w serves R rows, and a broadcast number of a serves C vectors, so that arithmetic and not memory
sets the pace; k runs in one order whatever R and C are, so results do not depend on how a matrix is cut up.
The k of `tile` may lie in several segments: a convolution's window is K stretches of an image, one per row.
They are written as LLVM code because R · C named variables in Python would say the same at ten times the length.
"""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from functools import cache

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from digitlab.engine.fast.compiler.jit import SIXTEEN_LANES
from digitlab.engine.fast.layout import LANES
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

_INT = ir.IntType(64)
_V = ir.VectorType(ir.FloatType(), LANES)


class _Loop:
    """for _ in range(n) in LLVM code, with values carried from turn to turn (phi nodes)."""

    def __init__(self, builder, count, start):
        self.builder, self.count = builder, count
        self.before = builder.block
        self.body = builder.append_basic_block("body")
        self.after = builder.append_basic_block("after")
        entered = builder.icmp_signed(">", count, ir.Constant(_INT, 0))
        builder.cbranch(entered, self.body, self.after)
        builder.position_at_end(self.body)
        self.i = builder.phi(_INT)
        self.i.add_incoming(ir.Constant(_INT, 0), self.before)
        self.start = start
        self.carried = [builder.phi(v.type) for v in start]
        for phi, v in zip(self.carried, start):
            phi.add_incoming(v, self.before)

    def close(self, carried):
        """End the body; returns the values after the loop."""
        builder = self.builder
        end = builder.block
        following = builder.add(self.i, ir.Constant(_INT, 1))
        self.i.add_incoming(following, end)
        for phi, v in zip(self.carried, carried):
            phi.add_incoming(v, end)
        builder.cbranch(builder.icmp_signed("<", following, self.count), self.body, self.after)
        builder.position_at_end(self.after)
        results = []
        for first, last in zip(self.start, carried):
            phi = builder.phi(first.type)
            phi.add_incoming(first, self.before)
            phi.add_incoming(last, end)
            results.append(phi)
        return results


def _pieces(vectors):
    """The columns of so many vectors as registers hold them: (first column, how many), sixteen where they can."""
    pairs = vectors // 2 if SIXTEEN_LANES else 0
    return [(2 * LANES * p, 2 * LANES) for p in range(pairs)] + [(LANES * v, LANES) for v in range(2 * pairs, vectors)]


def _sums(builder, offsets, vectors, starts, a, a_k, segments, a_segment, n, w, w_k):
    """LLVM: starts + Σ_s Σ_k a[offset of row r + s a_segment + k a_k] · w[(s n + k) w_k + c], R by 8 C columns."""
    pieces = _pieces(vectors)
    outer = _Loop(builder, segments, [a, w, *starts])
    segment, wk, *sums = outer.carried
    inner = _Loop(builder, n, [segment, wk, *sums])
    ak, wk, *sums = inner.carried
    columns = [load_value(builder, address(builder, wk, ir.Constant(_INT, c)), lanes) for c, lanes in pieces]
    for r, offset in enumerate(offsets):
        number = builder.load(address(builder, ak, offset))
        for c, (_, lanes) in enumerate(pieces):
            k = r * len(pieces) + c
            sums[k] = fma_value(builder, splat_value(builder, number, lanes), columns[c], sums[k])
    _, wk, *sums = inner.close([address(builder, ak, a_k), address(builder, wk, w_k), *sums])
    _, _, *sums = outer.close([address(builder, segment, a_segment), wk, *sums])
    return sums


def _multiples(builder, number, count):
    """LLVM: 0, number, 2 number …"""
    return [builder.mul(number, ir.Constant(_INT, r)) for r in range(count)]


def _places(builder, y, y_row, rows, vectors):
    """LLVM: where the pieces of R by 8 C numbers of y are, and how long each is."""
    starts = [address(builder, y, offset) for offset in _multiples(builder, y_row, rows)]
    return [(address(builder, row, ir.Constant(_INT, c)), lanes) for row in starts for c, lanes in _pieces(vectors)]


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
            starts = [load_value(builder, place, lanes) for place, lanes in _places(builder, bias, y_row, 1, vectors)]
            sums = _sums(builder, _multiples(builder, a_row, rows), vectors, starts * rows, a, *factors)
            for (place, _), sum_ in zip(_places(builder, y, y_row, rows, vectors), sums):
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
            places = _places(builder, y, y_row, rows, vectors)
            starts, offsets = [load_value(builder, *place) for place in places], _multiples(builder, a_row, rows)
            sums = _sums(builder, offsets, vectors, starts, a, a_k, ir.Constant(_INT, 1), a_k, n, w, w_k)
            for (place, _), sum_ in zip(places, sums):
                store_value(builder, place, sum_)
            return context.get_dummy_value()

        return sig, codegen

    return product


@cache
def step_tile(rows, vectors):
    """step_tile(y, y_row, a, a_row, a_k, n, w, w_k, keep, pace): R by 8 C numbers of y, one step on.

    y[r y_row + c] = keep · y[r y_row + c] + pace · Σ_k a[r a_row + k a_k] · w[k w_k + c]
    """

    @intrinsic
    def product(typingctx, y, y_row, a, a_row, a_k, n, w, w_k, keep, pace):
        i64, f32 = types.int64, types.float32
        sig = types.void(FLOATS, i64, FLOATS, i64, i64, i64, FLOATS, i64, f32, f32)

        def codegen(context, builder, sig, args):
            y, y_row, a, a_row, a_k, n, w, w_k, keep, pace = args
            one, offsets = ir.Constant(_INT, 1), _multiples(builder, a_row, rows)
            places = _places(builder, y, y_row, rows, vectors)
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
            lines = _multiples(builder, line, height)
            offsets = [builder.add(start, ir.Constant(_INT, j)) for start in lines for j in range(width)]
            places = _places(builder, y, y_row, len(offsets), vectors)
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
            a_offsets = [builder.mul(a_row, ir.Constant(_INT, r)) for r in range(rows)]
            w_offsets = [builder.mul(w_row, ir.Constant(_INT, s)) for s in range(columns)]
            step = ir.Constant(_INT, LANES)
            loop = _Loop(builder, builder.sdiv(n, step), [a, w, *[constant(0.0)] * (rows * columns)])
            ak, wk, *sums = loop.carried
            left = [load_value(builder, address(builder, ak, o)) for o in a_offsets]
            right = [load_value(builder, address(builder, wk, o)) for o in w_offsets]
            for r in range(rows):
                for s in range(columns):
                    k = r * columns + s
                    sums[k] = fma_value(builder, left[r], right[s], sums[k])
            _, _, *sums = loop.close([address(builder, ak, step), address(builder, wk, step), *sums])
            for r in range(rows):
                row = address(builder, y, builder.mul(y_row, ir.Constant(_INT, r)))
                for s in range(0, columns, 4):
                    four = totals_value(builder, sums[r * columns + s : r * columns + s + 4])
                    store_value(builder, address(builder, row, ir.Constant(_INT, s)), four)
            return context.get_dummy_value()

        return sig, codegen

    return product


@cache
def picked(count):
    """picked(y, a, index, w, w_row, n): y[index[s]] = Σ_k a[k] w[index[s] w_row + k], k < n, for C rows of w."""

    @intrinsic
    def product(typingctx, y, a, index, w, w_row, n):
        i64 = types.int64
        sig = types.void(FLOATS, FLOATS, SHORTS, FLOATS, i64, i64)

        def codegen(context, builder, sig, args):
            y, a, index, w, w_row, n = args
            numbers = [builder.load(address(builder, index, ir.Constant(_INT, s))) for s in range(count)]
            numbers = [builder.zext(number, _INT) for number in numbers]
            starts = [address(builder, w, builder.mul(number, w_row)) for number in numbers]
            step = ir.Constant(_INT, LANES)
            loop = _Loop(builder, builder.sdiv(n, step), [ir.Constant(_INT, 0), *[constant(0.0)] * count])
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
            pieces = [(ir.Constant(_INT, c), lanes) for c, lanes in _pieces(vectors)]
            zeros = [constant(0.0, lanes) for _, lanes in pieces]
            two = ir.Constant(_INT, 2)
            # Two sets of sums in turn: one alone would wait for its own last addition.
            loop = _Loop(builder, builder.sdiv(count, two), [x, index, *zeros, *zeros])
            xk, ik, *sums = loop.carried
            for half in range(2):
                here = ir.Constant(_INT, half)
                number = builder.zext(builder.load(address(builder, ik, here)), _INT)
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
            pieces = [(ir.Constant(_INT, c), lanes) for c, lanes in _pieces(vectors)]
            one = ir.Constant(_INT, 1)
            columns = [load_value(builder, address(builder, d, piece), lanes) for piece, lanes in pieces]
            loop = _Loop(builder, count, [x, index])
            xk, ik = loop.carried
            row = address(builder, w, builder.mul(builder.zext(builder.load(ik), _INT), w_row))
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
        pieces = _pieces(vectors)
        sets = 2 if rows * len(pieces) <= 6 else 1  # one set of few sums would wait for its own last addition

        def codegen(context, builder, sig, args):
            y, y_row, values, offsets, count, base, segment = args
            segments, places = _multiples(builder, segment, rows), _places(builder, y, y_row, rows, vectors)

            def add(value, offset, sums, turns):
                for turn in range(turns):
                    here = ir.Constant(_INT, turn)
                    number = builder.load(address(builder, value, here))
                    start = builder.sext(builder.load(address(builder, offset, here)), _INT)
                    start = address(builder, base, start)
                    for k, (piece, lanes) in enumerate(rows * pieces, start=turn * len(places)):
                        row = address(builder, start, segments[k // len(pieces) % rows])
                        part = load_value(builder, address(builder, row, ir.Constant(_INT, piece)), lanes)
                        sums[k] = fma_value(builder, splat_value(builder, number, lanes), part, sums[k])
                step = ir.Constant(_INT, turns)
                return [address(builder, value, step), address(builder, offset, step), *sums]

            zeros = [constant(0.0, lanes) for _, lanes in places * (sets - 1)]
            sums = [load_value(builder, *place) for place in places] + zeros
            turns = builder.sdiv(count, ir.Constant(_INT, sets))
            loop = _Loop(builder, turns, [values, offsets, *sums])
            value, offset, *sums = loop.carried
            value, offset, *sums = loop.close(add(value, offset, sums, sets))
            if sets == 2:
                loop = _Loop(builder, builder.srem(count, ir.Constant(_INT, sets)), [value, offset, *sums])
                value, offset, *sums = loop.carried
                _, _, *sums = loop.close(add(value, offset, sums, 1))
                sums = [builder.fadd(a, b) for a, b in zip(sums, sums[len(places) :])]
            for (place, _), sum_ in zip(places, sums):
                store_value(builder, place, sum_)
            return context.get_dummy_value()

        return sig, codegen

    return gather
