"""Convolutions by kernels of 3×3 with 16 products in place of 36: Winograd's F(2×2, 3×3).

A *tile* is 2×2 neighbouring outputs; they see 4×4 pixels d. For one channel and one filter with the kernel g

    Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A

           1  0 −1  0          1   0   0
    Bᵀ  =  0  1  1  0    G  =  ½   ½   ½    Aᵀ  =  1  1  1  0
           0 −1  1  0          ½  −½   ½           0  1 −1 −1
           0  1  0 −1          0   0   1

and for all of them each of the 16 numbers is a matrix product: tiles by channels, times channels by filters.

Twin: the stride-1 convolution of `Conv2D` in nn/conv.py. The result differs from the direct sum by rounding only.
Source: A. Lavin, S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015, arXiv:1509.09308.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators, no-check-untyped-defs
# (Numba infers the types of kernels; the rest is checked.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.simd import at, load, multiply, put, store
from digitlab.nn.windows import Windows

AT_ONCE = 32  # tiles whose numbers stay in the second-level cache, unless one row of them has more
LEAST = 16  # channels and filters from which the transforms cost less than they save
APART = 2 * LANES  # floats between matrices, so that they do not compete for the same lines of a cache


def pays(windows: Windows, channels: int, filters: int) -> bool:
    """Whether a convolution can be computed so, and is faster."""
    plain = (windows.kernel, windows.stride, windows.dilation) == ((3, 3), (1, 1), (1, 1))
    return plain and min(channels, filters) >= LEAST and channels % LANES == filters % LANES == 0


def scratch(windows: Windows, channels: int, filters: int) -> int:
    """Floats that `products` needs for a picture: the pixels and the products of tiles that are computed together."""
    return 16 * (max(AT_ONCE, windows.padded[1]) * (channels + filters) + 2 * APART)


@kernel()
def scratch_pixels(across, channels):
    """How many of them are for pixels."""
    return 16 * (max(AT_ONCE, across) * channels + APART)


@kernel()
def rows_at_once(across):
    """How many rows of so many tiles are computed together."""
    return max(1, AT_ONCE // across)


@kernel()
def _g(a, b, c):
    """G times a column."""
    return a, 0.5 * (a + b + c), 0.5 * (a - b + c), c


@kernel()
def _b(a, b, c, d):
    """Bᵀ times a column."""
    return a - c, b + c, c - b, b - d


@kernel()
def _a(a, b, c, d):
    """Aᵀ times a column."""
    return a + b + c, b - c - d


@kernel()
def transform_kernels(w, channels, row, first, last, u):
    """G g Gᵀ of filters first … last: u[16, channels, row] from w[3, 3, channels, row]."""
    place, size = channels * row, 3 * channels * row
    for c in range(channels):
        for f in range(first, last, LANES):
            here, out, left = at(w, c * row + f), at(u, c * row + f), last - f
            a0, b0, c0, d0 = _g(load(here, 0), load(here, size), load(here, 2 * size))
            here = at(here, place)
            a1, b1, c1, d1 = _g(load(here, 0), load(here, size), load(here, 2 * size))
            here = at(here, place)
            a2, b2, c2, d2 = _g(load(here, 0), load(here, size), load(here, 2 * size))
            _put_row(out, place, _g(a0, a1, a2), left)
            _put_row(at(out, 4 * place), place, _g(b0, b1, b2), left)
            _put_row(at(out, 8 * place), place, _g(c0, c1, c2), left)
            _put_row(at(out, 12 * place), place, _g(d0, d1, d2), left)


@kernel()
def _put_row(out, pace, row, left):
    """Four numbers of one row of the 4×4, for `left` filters."""
    put(out, 0, row[0], left)
    put(out, pace, row[1], left)
    put(out, 2 * pace, row[2], left)
    put(out, 3 * pace, row[3], left)


@kernel()
def transform_pixels(x, rows, columns, channels, v, pace):
    """Bᵀ d B of one tile, channel by channel; `rows` and `columns` say where the 4×4 pixels are in x."""
    r0, r1, r2, r3 = rows
    for c in range(0, channels, LANES):
        a0, a1, a2, a3 = _pixels(at(x, r0 + c), columns)
        b0, b1, b2, b3 = _pixels(at(x, r1 + c), columns)
        c0, c1, c2, c3 = _pixels(at(x, r2 + c), columns)
        d0, d1, d2, d3 = _pixels(at(x, r3 + c), columns)
        out = at(v, c)
        _store_column(out, pace, _b(a0, b0, c0, d0))
        _store_column(at(out, pace), pace, _b(a1, b1, c1, d1))
        _store_column(at(out, 2 * pace), pace, _b(a2, b2, c2, d2))
        _store_column(at(out, 3 * pace), pace, _b(a3, b3, c3, d3))


@kernel()
def _pixels(x, columns):
    """A row of the 4×4 pixels, times B."""
    return _b(load(x, columns[0]), load(x, columns[1]), load(x, columns[2]), load(x, columns[3]))


@kernel()
def _store_column(out, pace, column):
    """Four numbers of one column of the 4×4."""
    store(out, 0, column[0])
    store(out, 4 * pace, column[1])
    store(out, 8 * pace, column[2])
    store(out, 12 * pace, column[3])


@kernel()
def products(picture, u, filters, zeros, bias, first, down, across, v, m):
    """m[16, tiles, filters] of the rows first … first + down of tiles; returns the pace from one of the 16 to the next.

    `picture` is x, how far apart its rows are, how many, their pixels, and the channels; v is room for as many tiles by
    channels. Pixels beyond the picture have no influence on outputs inside it: in their place others are read.
    """
    x, line, height, width, channels = picture
    tiles, last_row, last_column = down * across, height - 1, width - 1
    pace, out_pace = tiles * channels + APART, tiles * filters + APART
    for t in range(tiles):
        i, j = 2 * (first + t // across), 2 * (t % across)
        rows = i * line, (i + 1) * line, (i + 2) * line, min(i + 3, last_row) * line
        columns = j * channels, (j + 1) * channels, (j + 2) * channels, min(j + 3, last_column) * channels
        transform_pixels(x, rows, columns, channels, at(v, t * channels), pace)
    for k in range(16):
        # The bias of the sixth of the 16 reaches all four outputs.
        b, size = bias if k == 5 else zeros, channels * filters
        vk, uk, mk = at(v, k * pace), at(u, k * size), at(m, k * out_pace)
        multiply(mk, filters, tiles, vk, channels, 1, 1, 0, channels, uk, filters, b, filters)
    return out_pace


@kernel()
def outputs(m, pace):
    """The 2×2 outputs of one tile, row by row, for eight filters."""
    a0, b0 = _a(load(m, 0), load(m, 4 * pace), load(m, 8 * pace), load(m, 12 * pace))
    a1, b1 = _a(load(m, pace), load(m, 5 * pace), load(m, 9 * pace), load(m, 13 * pace))
    a2, b2 = _a(load(m, 2 * pace), load(m, 6 * pace), load(m, 10 * pace), load(m, 14 * pace))
    a3, b3 = _a(load(m, 3 * pace), load(m, 7 * pace), load(m, 11 * pace), load(m, 15 * pace))
    upper, lower = _a(a0, a1, a2, a3), _a(b0, b1, b2, b3)
    return upper[0], upper[1], lower[0], lower[1]


@kernel()
def convolve(picture, u, filters, zeros, bias, result, room):
    """One picture: `result` is y, how far apart its rows are, how many, and their outputs; see `products`."""
    y, y_line, y_height, y_width = result
    across = (y_width + 1) // 2
    rows, m = rows_at_once(across), at(room, scratch_pixels(across, picture[4]))
    for first in range(0, (y_height + 1) // 2, rows):
        down = min(rows, (y_height + 1) // 2 - first)
        pace = products(picture, u, filters, zeros, bias, first, down, across, room, m)
        for t in range(down * across):
            i, j = 2 * (first + t // across), 2 * (t % across)
            right, below, out = j + 1 < y_width, i + 1 < y_height, at(y, i * y_line + j * filters)
            for f in range(0, filters, LANES):
                a, b, c, d = outputs(at(m, t * filters + f), pace)
                store(out, f, a)
                if right:
                    store(out, filters + f, b)
                if below:
                    store(out, y_line + f, c)
                if right and below:
                    store(out, y_line + filters + f, d)
