"""Products of large matrices: both are copied in pieces that the caches hold, in the order in which tiles read them.

Twins: `x @ W`, `x.T @ g` and `g @ W.T` in `Dense` (nn/network.py).

Columns of w come in strips of STRIP, and a strip lies as w[k, c] at k · STRIP + c. Rows of a come by eights, and eight
lie as a[r, k] at 8 k + r. A tile then reads both from the beginning to the end, whatever the matrices' strides; the
copies, of n² numbers, cost little beside n³ products. The layout is that of Goto & van de Geijn 2008, "Anatomy of
high-performance matrix multiplication". Registers hold 16 floats where the processor has AVX-512; every sum adds its
products in the order of k, so results depend neither on this width nor on how a matrix is cut up.
"""

# mypy: ignore-errors
# (This file writes LLVM code, through untyped interfaces.)

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from digitlab.engine.fast.compiler.jit import SIXTEEN_LANES, kernel
from digitlab.engine.fast.layout import AT_ONCE, DEEP, LANES
from digitlab.engine.fast.simd.llvm import Loop
from digitlab.engine.fast.simd.vectors import (
    FLOATS,
    address,
    at,
    fma_value,
    load,
    load_value,
    prefetch_value,
    splat,
    splat_value,
    store,
    store_value,
)

# A tile's floats in a register, its rows, and its registers in a row: 16 or 12 sums fill the multipliers' pipelines.
WIDTH, ROWS, VECTORS = (16, 8, 2) if SIXTEEN_LANES else (8, 4, 3)
STRIP = WIDTH * VECTORS  # at most WIDEST_STRIP of ops/large.py
LINE = 16  # floats that memory hands over at once
_INT = ir.IntType(64)


def _tile(every, streams):
    """A tile's product, which asks for memory that is needed next while it computes, a line per stream every so often.

    tile(y, y_row, a, w, n, ahead, ahead_row, second, third):
    y[r, c] += Σ_k a[8 k + r] · w[k STRIP + c] for ROWS rows and STRIP columns. After `every` k's `ahead` moves on by
    `ahead_row` floats. With two streams, the lines at `ahead` and at `ahead + second` are fetched; with three, the
    STRIP floats at `ahead`, `ahead + second` and `ahead + third`.
    """

    @intrinsic
    def packed_tile(typingctx, y, y_row, a, w, n, ahead, ahead_row, second, third):
        def codegen(context, builder, sig, args):
            y, y_row, a, w, n, ahead, ahead_row, second, third = args
            rows = [address(builder, y, builder.mul(y_row, ir.Constant(_INT, r))) for r in range(ROWS)]
            places = [address(builder, row, ir.Constant(_INT, WIDTH * c)) for row in rows for c in range(VECTORS)]
            sums = [load_value(builder, place, WIDTH) for place in places]
            below = [address(builder, y, builder.mul(y_row, ir.Constant(_INT, ROWS + r))) for r in range(ROWS)]
            for start in below:  # where the next tile's sums are
                prefetch_value(builder, start)
                prefetch_value(builder, address(builder, start, ir.Constant(_INT, LINE)))

            def multiplied(count, carried):
                loop = Loop(builder, count, carried)
                ak, wk, *sums = loop.carried
                columns = [
                    load_value(builder, address(builder, wk, ir.Constant(_INT, WIDTH * c)), WIDTH)
                    for c in range(VECTORS)
                ]
                for r in range(ROWS):
                    number = splat_value(builder, builder.load(address(builder, ak, ir.Constant(_INT, r))), WIDTH)
                    for c in range(VECTORS):
                        sums[r * VECTORS + c] = fma_value(builder, number, columns[c], sums[r * VECTORS + c])
                step = [address(builder, ak, ir.Constant(_INT, LANES)), address(builder, wk, ir.Constant(_INT, STRIP))]
                return loop.close([*step, *sums])

            turn = ir.Constant(_INT, every)
            outer = Loop(builder, builder.sdiv(n, turn), [ahead, a, w, *sums])
            here, *carried = outer.carried
            line = ir.Constant(_INT, LINE)
            if streams == 2:
                fetched = [here, address(builder, here, second)]
            else:
                starts = [here, address(builder, here, second), address(builder, here, third)]
                fetched = [*starts, *(address(builder, start, line) for start in starts)]
            for place in fetched:
                prefetch_value(builder, place)
            _, *carried = outer.close([address(builder, here, ahead_row), *multiplied(turn, carried)])
            _, _, *sums = multiplied(builder.srem(n, turn), carried)
            for place, sum_ in zip(places, sums):
                store_value(builder, place, sum_)
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(FLOATS, i64, FLOATS, FLOATS, i64, FLOATS, i64, i64, i64), codegen

    return packed_tile


EVERY, EVERY_STEP = 16, 8
_packed_tile, _step_tile = _tile(EVERY, 2), _tile(EVERY_STEP, 3)
FETCHED = DEEP // EVERY  # pairs of lines that a tile fetches


@intrinsic
def transpose(typingctx, y, y_row, x, x_row):
    """y[k, r] = x[r, k], eight by eight: three rounds of shuffles, each of which pairs rows twice as far apart."""

    def codegen(context, builder, sig, args):
        y, y_row, x, x_row = args

        def mixed(a, b, lanes):
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes))

        rows = [load_value(builder, address(builder, x, builder.mul(x_row, ir.Constant(_INT, r)))) for r in range(8)]
        t = []
        for r in range(0, 8, 2):
            t.append(mixed(rows[r], rows[r + 1], [0, 8, 1, 9, 4, 12, 5, 13]))
            t.append(mixed(rows[r], rows[r + 1], [2, 10, 3, 11, 6, 14, 7, 15]))
        u = []
        for q in (0, 4):
            for half in (0, 1):
                u.append(mixed(t[q + half], t[q + half + 2], [0, 1, 8, 9, 4, 5, 12, 13]))
                u.append(mixed(t[q + half], t[q + half + 2], [2, 3, 10, 11, 6, 7, 14, 15]))
        columns = [mixed(u[k], u[k + 4], [0, 1, 2, 3, 8, 9, 10, 11]) for k in range(4)]
        columns += [mixed(u[k], u[k + 4], [4, 5, 6, 7, 12, 13, 14, 15]) for k in range(4)]
        for k, column in enumerate(columns):
            store_value(builder, address(builder, y, builder.mul(y_row, ir.Constant(_INT, k))), column)
        return context.get_dummy_value()

    return types.void(FLOATS, types.int64, FLOATS, types.int64), codegen


@kernel()
def _pack_rows(packed, a, a_row, rows, n):
    """Rows a[r, k] by eights; n is rounded up to whole vectors, and what lies behind it is never used."""
    for r in range(0, rows, LANES):
        out = at(packed, r * n)
        if r + LANES <= rows:
            for k in range(0, n, LANES):
                transpose(at(out, k * LANES), LANES, at(a, r * a_row + k), a_row)
        else:
            for k in range(n):
                for i in range(LANES):
                    out[k * LANES + i] = a[min(r + i, rows - 1) * a_row + k]


@kernel()
def pack_columns(packed, a, a_row, rows, n):
    """The same of a matrix that is there transposed: a[k, r], n rows of it."""
    for r in range(0, rows, LANES):
        for k in range(n):
            store(packed, (r * n) + k * LANES, load(a, k * a_row + r))


@kernel()
def pack_strip(packed, w, w_row, columns, n):
    """One strip of w[k, c]; columns that there are not are 0."""
    for k in range(n):
        for c in range(0, STRIP, LANES):
            store(packed, k * STRIP + c, load(w, k * w_row + c) if c < columns else splat(0.0))


@kernel()
def _pack_strip_transposed(packed, w, w_row, columns, n):
    """One strip of a matrix that is there transposed: w[c, k]; n is a multiple of LANES."""
    for c in range(0, STRIP, LANES):
        for k in range(0, n, LANES):
            if c < columns:
                transpose(at(packed, k * STRIP + c), STRIP, at(w, c * w_row + k), w_row)
            else:
                for i in range(LANES):
                    store(packed, (k + i) * STRIP + c, splat(0.0))


def _adding_strip(tile):
    """A kernel y[r, c] += Σ_k a[r, k] w[k, c] for packed rows and a packed strip, with one of the tiles."""

    @kernel()
    def add(y, y_row, rows, a, a_strip, w, n, columns, room, ahead, per_row, ahead_row, second, third):
        for r in range(0, rows, ROWS):
            left, here = at(a, r // LANES * LANES * a_strip + r % LANES), at(y, r * y_row)
            near = at(ahead, r * per_row)
            if r + ROWS <= rows and columns >= STRIP:
                tile(here, y_row, left, w, n, near, ahead_row, second, third)
            else:  # y has only a part of the tile
                high, across = min(ROWS, rows - r), min(STRIP, columns)
                for i in range(high):
                    for c in range(0, across, LANES):
                        store(room, i * STRIP + c, load(here, i * y_row + c))
                tile(room, STRIP, left, w, n, near, ahead_row, second, third)
                for i in range(high):
                    for c in range(0, across, LANES):
                        store(here, i * y_row + c, load(room, i * STRIP + c))

    return add


# Eight rows of `a` begin every 8 a_strip floats; each tile fetches what is `per_row` floats further on per row.
add_strip, add_step_strip = _adding_strip(_packed_tile), _adding_strip(_step_tile)


def _adding(pack, along):
    """A kernel y[r, c] += Σ_k a[r, k] w[k, c]; `pack` packs a strip of w, and `along` says which way w's rows go."""

    @kernel()
    def add(y, y_row, rows, a, a_row, n, w, w_row, columns, room):
        strip, tile = room, at(room, DEEP * STRIP)
        left = at(tile, ROWS * STRIP)
        for r in range(0, rows, AT_ONCE):
            high = min(AT_ONCE, rows - r)
            for k in range(0, n, DEEP):
                deep = min(DEEP, n - k)
                _pack_rows(left, at(a, r * a_row + k), a_row, high, deep)
                for c in range(0, columns, STRIP):
                    pack(strip, at(w, k * w_row + c if along else c * w_row + k), w_row, columns - c, deep)
                    # Meanwhile the strip that comes next is fetched: its lines in pairs, of one row or of two.
                    next_k, next_c = (k, c + STRIP) if c + STRIP < columns else (k + deep, 0)
                    if along:
                        ahead, per_row, pace, second = next_k * w_row + next_c, FETCHED // ROWS * w_row, w_row, LINE
                    else:
                        ahead, per_row, pace, second = next_c * w_row + next_k, 2 * w_row // ROWS, LINE, w_row
                    first, near = min(high, deep // FETCHED * ROWS // LANES * LANES), at(w, ahead)
                    if next_k >= n:
                        first, near = 0, strip
                    to, part = at(y, r * y_row + c), columns - c
                    add_strip(to, y_row, first, left, deep, strip, deep, part, tile, near, per_row, pace, second, 0)
                    to, rest = at(to, first * y_row), at(left, first * deep)
                    add_strip(to, y_row, high - first, rest, deep, strip, deep, part, tile, strip, 0, 0, 0, 0)

    return add


add_packed = _adding(pack_strip, True)  # y += a w; `columns` is a multiple of LANES
add_packed_transposed = _adding(_pack_strip_transposed, False)  # y += a wᵀ
