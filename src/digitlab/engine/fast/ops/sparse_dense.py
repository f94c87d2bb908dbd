"""The first dense layer on pictures, whose pixels are mostly zero: it touches only the others.

Twins: `Dense` in nn/network.py with `Network.prepare`'s scaling, and `SGD` with `L2`.

A zero pixel adds nothing to x W and nothing to ∂L/∂W = xᵀ g, so a picture is a list of its other pixels, and both
are sums over about 150 rows of W instead of 784. Two things would spoil that, and both act on all rows alike:

- L2 multiplies W by 1 − ηλ/n in every step. W is held as s V, and only the number s is multiplied.
- A scaling with an offset o (Rashid's .01) makes every pixel o larger. With x = o + x', x' sparse,
  x W = x' W + o Σᵢ Wᵢ and ∂L/∂W = x'ᵀ g + o 1ᵀ g: the second part adds one and the same row to every row of W.
  W is held as s (V + c) with a row c, and S = Σᵢ Vᵢ is kept up to date beside it.

`fold_in` turns s (V + c) back into W; it runs when a call ends, or when s has become small.
"""

# mypy: ignore-errors

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.simd.tiles import axpys, spread
from digitlab.engine.fast.simd.vectors import at, fma, load, splat, store

_gather4, _gather2, _gather1 = axpys(4), axpys(2), axpys(1)
_spread4, _spread2, _spread1 = spread(4), spread(2), spread(1)


@kernel()
def gather_rows(y, values, indices, count, w, stride):
    """y = Σₖ values[k] · W[indices[k]]."""
    j = 0
    while j + 32 <= stride:
        _gather4(at(y, j), values, indices, count, at(w, j), stride)
        j += 32
    if j + 16 <= stride:
        _gather2(at(y, j), values, indices, count, at(w, j), stride)
        j += 16
    if j < stride:
        _gather1(at(y, j), values, indices, count, at(w, j), stride)


@kernel()
def spread_rows(row, values, indices, count, w, stride):
    """W[indices[k]] += values[k] · row, for every k."""
    j = 0
    while j + 32 <= stride:
        _spread4(at(row, j), values, indices, count, at(w, j), stride)
        j += 32
    if j + 16 <= stride:
        _spread2(at(row, j), values, indices, count, at(w, j), stride)
        j += 16
    if j < stride:
        _spread1(at(row, j), values, indices, count, at(w, j), stride)


@kernel()
def column_sums(w, n_in, stride, sums):
    """S = Σᵢ Wᵢ."""
    for j in range(0, stride, 8):
        sum_ = splat(0.0)
        for i in range(n_in):
            sum_ = sum_ + load(w, i * stride + j)
        store(sums, j, sum_)


@kernel()
def fold_in(w, first, last, stride, s, c):
    """Rows first … last of W = s (V + c), in V's place."""
    scale = splat(s)
    for i in range(first, last):
        for j in range(0, stride, 8):
            store(w, i * stride + j, scale * (load(w, i * stride + j) + load(c, j)))


@kernel()
def finish_forward(y, stride, s, bias, pixel_sum, offset, n_in, c, sums):
    """y ← b + s (y + (Σ x' + o n) c + o S), where y = x' V."""
    scale, common, o = splat(s), splat(pixel_sum + offset * n_in), splat(offset)
    for j in range(0, stride, 8):
        v = load(y, j)
        if offset != 0.0:
            v = fma(common, load(c, j), fma(o, load(sums, j), v))
        store(y, j, fma(scale, v, load(bias, j)))


@kernel()
def add_scaled(y, factor, x, count):
    """y += factor · x."""
    f = splat(factor)
    for j in range(0, count, 8):
        store(y, j, fma(f, load(x, j), load(y, j)))


@kernel()
def scaled(y, factor, x, count):
    """y = factor · x."""
    f = splat(factor)
    for j in range(0, count, 8):
        store(y, j, f * load(x, j))


@kernel()
def from_row(indices, count, row):
    """How many of the ascending indices lie below `row`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if indices[middle] < row:
            low = middle + 1
        else:
            high = middle
    return low
