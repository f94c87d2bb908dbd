"""Matrix products of any size, cut into the tiles of tiles.py.

Twins: `x @ W`, `x.T @ g` and `g @ W.T` in `Dense` (nn/network.py).
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from numba.types import float32

from digitlab.engine.fast.compiler.jit import SIXTEEN_LANES, kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.simd.tiles import adding_tile, dot, step_tile, tile
from digitlab.engine.fast.simd.vectors import at

_d14, _d24, _d44 = dot(1, 4), dot(2, 4), dot(4, 4)
_d54 = dot(5, 4)  # for five rows, a thread's half of a batch of ten
_s44, _s43, _s42, _s41 = step_tile(4, 4), step_tile(4, 3), step_tile(4, 2), step_tile(4, 1)
_s14, _s11 = step_tile(1, 4), step_tile(1, 1)
_a44, _a41 = adding_tile(4, 4), adding_tile(4, 1)

BLOCK = 32  # rows of `a` that pass by a part of W while that lies in a cache
DEEP, WIDE = 256, 256  # rows and columns of that part in `multiply_large`: 256 kB, which the second-level cache holds


def _strip(vectors):
    """`multiply` for so many vectors of columns and any number of rows."""
    t1, t2, t4 = tile(1, vectors), tile(2, vectors), tile(4, vectors)
    with_five = vectors == 4  # a thread's half of a batch of ten
    t5 = tile(5, vectors) if with_five else t4
    t8 = tile(8, vectors) if SIXTEEN_LANES else t4  # a row takes half as many registers there

    @kernel()
    def strip(y, y_row, rows, a, a_row, a_k, segments, a_segment, n, w, w_k, bias):
        r = 0
        if SIXTEEN_LANES:
            while r + 8 <= rows:
                t8(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, w, w_k, bias)
                r += 8
        if with_five:
            while r + 5 <= rows and (rows - r) % 4 != 0:
                t5(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, w, w_k, bias)
                r += 5
        while r + 4 <= rows:
            t4(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, w, w_k, bias)
            r += 4
        if r + 2 <= rows:
            t2(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, w, w_k, bias)
            r += 2
        if r < rows:
            t1(at(y, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, w, w_k, bias)

    return strip


_strip1, _strip2, _strip3, _strip4 = map(_strip, (1, 2, 3, 4))


@kernel()
def strip_width(left):
    """How many of the vectors that are left make the next strip: two threes are faster than a four and a two."""
    return 3 if left == 3 or left == 5 or left == 6 else min(left, 4)


@kernel()
def multiply(y, y_row, rows, a, a_row, a_k, segments, a_segment, n, w, w_k, bias, columns):
    """y[r, c] = bias[c] + Σ a w (see `tile`) for `rows` rows and `columns` columns, a multiple of LANES."""
    j = 0
    while j < columns:
        wide = strip_width((columns - j) // LANES)
        wj, yj, bj = at(w, j), at(y, j), at(bias, j)
        if wide == 4:
            _strip4(yj, y_row, rows, a, a_row, a_k, segments, a_segment, n, wj, w_k, bj)
        elif wide == 3:
            _strip3(yj, y_row, rows, a, a_row, a_k, segments, a_segment, n, wj, w_k, bj)
        elif wide == 2:
            _strip2(yj, y_row, rows, a, a_row, a_k, segments, a_segment, n, wj, w_k, bj)
        else:
            _strip1(yj, y_row, rows, a, a_row, a_k, segments, a_segment, n, wj, w_k, bj)
        j += LANES * wide


@kernel()
def multiply_large(y, y_row, rows, a, a_row, n, w, w_k, bias, columns):
    """`multiply` of one segment, in blocks of W that stay in the second-level cache while 32 rows at a time pass by.

    A sum that is interrupted between blocks goes on where it was: the result is that of `multiply`, bit for bit.
    """
    whole = rows // 4 * 4
    if rows < 2 * BLOCK or n <= DEEP:
        whole = 0
    for k in range(0, n if whole > 0 else 0, DEEP):
        deep = min(DEEP, n - k)
        for j in range(0, columns, WIDE):
            wide = min(WIDE, columns - j)
            for r in range(0, whole, BLOCK):
                high = min(BLOCK, whole - r)
                yr, ar, wj = at(y, r * y_row + j), at(a, r * a_row + k), at(w, k * w_k + j)
                if k == 0:
                    multiply(yr, y_row, high, ar, a_row, 1, 1, 0, deep, wj, w_k, at(bias, j), wide)
                else:
                    add_product(yr, y_row, high, ar, a_row, deep, wj, w_k, wide)
    rest = rows - whole
    multiply(at(y, whole * y_row), y_row, rest, at(a, whole * a_row), a_row, 1, 1, 0, n, w, w_k, bias, columns)


@kernel()
def add_product(y, y_row, rows, a, a_row, n, w, w_k, columns):
    """y[r, c] += Σ_k a[r, k] w[k, c] for rows that are a multiple of 4."""
    j = 0
    while j < columns:
        wide = 4 * LANES if columns - j >= 4 * LANES else LANES
        for r in range(0, rows, 4):
            if wide > LANES:
                _a44(at(y, r * y_row + j), y_row, at(a, r * a_row), a_row, 1, n, at(w, j), w_k)
            else:
                _a41(at(y, r * y_row + j), y_row, at(a, r * a_row), a_row, 1, n, at(w, j), w_k)
        j += wide


@kernel()
def multiply_transposed(y, y_row, rows, a, a_row, w, w_row, columns, n):
    """y[r, s] = Σ_k a[r, k] w[s, k], k < n, a multiple of LANES; `columns`, a multiple of 4, counts the s."""
    for first in range(0, rows, BLOCK):
        last = min(rows, first + BLOCK)
        for s in range(0, columns, 4):
            ws, ys = at(w, s * w_row), at(y, s)
            r = first
            while r + 5 <= last and (last - r) % 4 != 0:
                _d54(at(ys, r * y_row), y_row, at(a, r * a_row), a_row, ws, w_row, n)
                r += 5
            while r + 4 <= last:
                _d44(at(ys, r * y_row), y_row, at(a, r * a_row), a_row, ws, w_row, n)
                r += 4
            if r + 2 <= last:
                _d24(at(ys, r * y_row), y_row, at(a, r * a_row), a_row, ws, w_row, n)
                r += 2
            if r < last:
                _d14(at(ys, r * y_row), y_row, at(a, r * a_row), a_row, ws, w_row, n)


@kernel()
def step_along(y, y_row, rows, a, a_k, n, w, w_k, keep, pace, columns):
    """y[r, c] = keep y[r, c] + pace Σ_k a[r + k a_k] w[k w_k + c]: gradient descent without the gradient in memory."""
    keep, pace = float32(keep), float32(pace)
    j = 0
    while j < columns:
        wide = strip_width((columns - j) // LANES)
        wj, yj = at(w, j), at(y, j)
        r = 0
        while r + 4 <= rows:
            yr, ar = at(yj, r * y_row), at(a, r)
            if wide == 4:
                _s44(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            elif wide == 3:
                _s43(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            elif wide == 2:
                _s42(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            else:
                _s41(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            r += 4
        while r < rows:
            yr, ar = at(yj, r * y_row), at(a, r)
            if wide == 4:
                _s14(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            else:
                for c in range(0, LANES * wide, LANES):
                    _s11(at(yr, c), y_row, ar, 1, a_k, n, at(wj, c), w_k, keep, pace)
            r += 1
        j += LANES * wide
