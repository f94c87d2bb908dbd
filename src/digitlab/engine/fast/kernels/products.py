"""Matrix products of any size, cut into the tiles of tiles.py.

Twins: `x @ W`, `x.T @ g` and `g @ W.T` in `Dense` (nn/network.py).
"""

# mypy: ignore-errors

from numba.types import int64 as i64
from numba.types import void

from digitlab.engine.fast.kernels.jit import kernel
from digitlab.engine.fast.kernels.simd import FLOATS, at
from digitlab.engine.fast.kernels.tiles import dot, tile

_t44, _t43, _t42, _t41 = tile(4, 4), tile(4, 3), tile(4, 2), tile(4, 1)
_t14, _t13, _t12, _t11 = tile(1, 4), tile(1, 3), tile(1, 2), tile(1, 1)
_t24, _t23, _t22, _t21 = tile(2, 4), tile(2, 3), tile(2, 2), tile(2, 1)
_d44, _d24, _d14 = dot(4, 4), dot(2, 4), dot(1, 4)

BLOCK = 32  # rows of `a` that pass by four rows of W while those lie in the first-level cache


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
def multiply_transposed(y, y_row, rows, a, a_row, w, w_row, columns, n):
    """y[r, s] = Σ_k a[r, k] w[s, k], k < n, a multiple of 8; `columns`, a multiple of 4, counts the s."""
    for first in range(0, rows, BLOCK):
        last = min(rows, first + BLOCK)
        for s in range(0, columns, 4):
            ws, ys = at(w, s * w_row), at(y, s)
            r = first
            while r + 4 <= last:
                _d44(at(ys, r * y_row), y_row, at(a, r * a_row), a_row, ws, w_row, n)
                r += 4
            if r + 2 <= last:
                _d24(at(ys, r * y_row), y_row, at(a, r * a_row), a_row, ws, w_row, n)
                r += 2
            if r < last:
                _d14(at(ys, r * y_row), y_row, at(a, r * a_row), a_row, ws, w_row, n)
