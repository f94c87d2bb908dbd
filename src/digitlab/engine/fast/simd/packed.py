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
from digitlab.engine.fast.simd.tiles import _Loop
from digitlab.engine.fast.simd.vectors import (
    FLOATS,
    address,
    at,
    fma_value,
    load,
    load_value,
    splat,
    splat_value,
    store,
    store_value,
)

# A tile's floats in a register, its rows, and its registers in a row: 16 or 12 sums fill the multipliers' pipelines.
WIDTH, ROWS, VECTORS = (16, 8, 2) if SIXTEEN_LANES else (8, 4, 3)
STRIP = WIDTH * VECTORS  # at most WIDEST_STRIP of ops/large.py
_INT = ir.IntType(64)


@intrinsic
def _packed_tile(typingctx, y, y_row, a, w, n):
    """y[r, c] += Σ_k a[8 k + r] · w[k STRIP + c] for ROWS rows and STRIP columns."""

    def codegen(context, builder, sig, args):
        y, y_row, a, w, n = args
        rows = [address(builder, y, builder.mul(y_row, ir.Constant(_INT, r))) for r in range(ROWS)]
        places = [address(builder, row, ir.Constant(_INT, WIDTH * c)) for row in rows for c in range(VECTORS)]
        loop = _Loop(builder, n, [a, w, *(load_value(builder, place, WIDTH) for place in places)])
        ak, wk, *sums = loop.carried
        columns = [
            load_value(builder, address(builder, wk, ir.Constant(_INT, WIDTH * c)), WIDTH) for c in range(VECTORS)
        ]
        for r in range(ROWS):
            number = splat_value(builder, builder.load(address(builder, ak, ir.Constant(_INT, r))), WIDTH)
            for c in range(VECTORS):
                sums[r * VECTORS + c] = fma_value(builder, number, columns[c], sums[r * VECTORS + c])
        following = [address(builder, ak, ir.Constant(_INT, LANES)), address(builder, wk, ir.Constant(_INT, STRIP))]
        _, _, *sums = loop.close([*following, *sums])
        for place, sum_ in zip(places, sums):
            store_value(builder, place, sum_)
        return context.get_dummy_value()

    return types.void(FLOATS, types.int64, FLOATS, FLOATS, types.int64), codegen


@intrinsic
def _transpose(typingctx, y, y_row, x, x_row):
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
                _transpose(at(out, k * LANES), LANES, at(a, r * a_row + k), a_row)
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
                _transpose(at(packed, k * STRIP + c), STRIP, at(w, c * w_row + k), w_row)
            else:
                for i in range(LANES):
                    store(packed, (k + i) * STRIP + c, splat(0.0))


@kernel()
def add_strip(y, y_row, rows, a, a_strip, w, n, columns, room):
    """y[r, c] += Σ_k a[r, k] w[k, c] for packed rows and a packed strip; eight rows of a begin every 8 a_strip floats.

    A tile that y has only a part of goes to `room` first.
    """
    for r in range(0, rows, ROWS):
        left, here = at(a, r // LANES * LANES * a_strip + r % LANES), at(y, r * y_row)
        if r + ROWS <= rows and columns >= STRIP:
            _packed_tile(here, y_row, left, w, n)
        else:
            high, across = min(ROWS, rows - r), min(STRIP, columns)
            for i in range(high):
                for c in range(0, across, LANES):
                    store(room, i * STRIP + c, load(here, i * y_row + c))
            _packed_tile(room, STRIP, left, w, n)
            for i in range(high):
                for c in range(0, across, LANES):
                    store(here, i * y_row + c, load(room, i * STRIP + c))


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
                    here = k * w_row + c if along else c * w_row + k
                    pack(strip, at(w, here), w_row, columns - c, deep)
                    add_strip(at(y, r * y_row + c), y_row, high, left, deep, strip, deep, columns - c, tile)

    return add


add_packed = _adding(pack_strip, True)  # y += a w; `columns` is a multiple of LANES
add_packed_transposed = _adding(_pack_strip_transposed, False)  # y += a wᵀ
