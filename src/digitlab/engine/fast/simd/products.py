"""Matrix products of any size, cut into the tiles of tiles.py.

Twins: `x @ W`, `x.T @ g` and `g @ W.T` in `Dense` (nn/network.py).
"""

# mypy: ignore-errors

from numba.types import float32, void
from numba.types import int64 as i64

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.simd.tiles import adding_tile, dot, step_tile, tile
from digitlab.engine.fast.simd.vectors import FLOATS, at

_t44, _t43, _t42, _t41 = tile(4, 4), tile(4, 3), tile(4, 2), tile(4, 1)
_t14, _t13, _t12, _t11 = tile(1, 4), tile(1, 3), tile(1, 2), tile(1, 1)
_t24, _t23, _t22, _t21 = tile(2, 4), tile(2, 3), tile(2, 2), tile(2, 1)
_t54, _d54 = tile(5, 4), dot(5, 4)  # for five rows, a thread's half of a batch of ten
_d44, _d24, _d14 = dot(4, 4), dot(2, 4), dot(1, 4)
_s44, _s43, _s42, _s41 = step_tile(4, 4), step_tile(4, 3), step_tile(4, 2), step_tile(4, 1)
_s14, _s11 = step_tile(1, 4), step_tile(1, 1)
_a44, _a41 = adding_tile(4, 4), adding_tile(4, 1)

BLOCK = 32  # rows of `a` that pass by a part of W while that lies in a cache
DEEP, WIDE = 256, 256  # rows and columns of that part in `multiply_large`: 256 kB, which the second-level cache holds


@kernel(void(FLOATS, i64, i64, FLOATS, i64, i64, i64, i64, i64, FLOATS, i64, FLOATS, i64))
def multiply(y, y_row, rows, a, a_row, a_k, segments, a_segment, n, w, w_k, bias, columns):
    """y[r, c] = bias[c] + Σ a w (see `tile`) for `rows` rows and `columns` columns, a multiple of 8."""
    j = 0
    while j < columns:
        left = (columns - j) // 8
        wj, yj, bj = at(w, j), at(y, j), at(bias, j)
        r = 0
        if left == 3 or left == 5 or left == 6:
            while r + 4 <= rows:
                _t43(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 4
            if r + 2 <= rows:
                _t23(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 2
            if r < rows:
                _t13(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
            j += 24
        elif left >= 4:
            while r + 5 <= rows and (rows - r) % 4 != 0:
                _t54(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 5
            while r + 4 <= rows:
                _t44(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 4
            if r + 2 <= rows:
                _t24(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 2
            if r < rows:
                _t14(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
            j += 32
        elif left == 2:
            while r + 4 <= rows:
                _t42(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 4
            if r + 2 <= rows:
                _t22(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 2
            if r < rows:
                _t12(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
            j += 16
        else:
            while r + 4 <= rows:
                _t41(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 4
            if r + 2 <= rows:
                _t21(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
                r += 2
            if r < rows:
                _t11(at(yj, r * y_row), y_row, at(a, r * a_row), a_row, a_k, segments, a_segment, n, wj, w_k, bj)
            j += 8


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
        wide = 32 if columns - j >= 32 else 8
        for r in range(0, rows, 4):
            if wide == 32:
                _a44(at(y, r * y_row + j), y_row, at(a, r * a_row), a_row, 1, n, at(w, j), w_k)
            else:
                _a41(at(y, r * y_row + j), y_row, at(a, r * a_row), a_row, 1, n, at(w, j), w_k)
        j += wide


@kernel()
def multiply_transposed(y, y_row, rows, a, a_row, w, w_row, columns, n):
    """y[r, s] = Σ_k a[r, k] w[s, k], k < n, a multiple of 8; `columns`, a multiple of 4, counts the s."""
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
        left = (columns - j) // 8
        wide = 24 if left == 3 or left == 5 or left == 6 else (32 if left >= 4 else 8 * left)
        wj, yj = at(w, j), at(y, j)
        r = 0
        while r + 4 <= rows:
            yr, ar = at(yj, r * y_row), at(a, r)
            if wide == 32:
                _s44(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            elif wide == 24:
                _s43(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            elif wide == 16:
                _s42(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            else:
                _s41(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            r += 4
        while r < rows:
            yr, ar = at(yj, r * y_row), at(a, r)
            if wide == 32:
                _s14(yr, y_row, ar, 1, a_k, n, wj, w_k, keep, pace)
            else:
                for c in range(0, wide, 8):
                    _s11(at(yr, c), y_row, ar, 1, a_k, n, at(wj, c), w_k, keep, pace)
            r += 1
        j += wide
