"""Pictures as lists of the pixels that are not zero, for ops/sparse_dense.py.

Twin: `Network.prepare` (nn/network.py), whose scaling's factor is applied here; sparse_dense.py applies its offset.
Each row's list has even length, for which a zero is added where needed. With `indices` 0 it only counts.
`starts` holds pairs: where a row's list begins, and (as float64) the sum of its values.
"""

# mypy: ignore-errors
# (Numba infers the types of kernels.)

from digitlab.engine.fast.compiler.jit import kernel
from digitlab.engine.fast.layout import LANES
from digitlab.engine.fast.simd import bytes_, doubles, floats, ints, shorts, word


@kernel()
def end_row(k, start, indices, values):
    """Make the list from `start` to k even; returns its end."""
    if (k - start) % 2:
        indices[k], values[k] = indices[k - 1], 0.0
        k += 1
    return k


@kernel()
def list_bytes(x_address, rows, n_in, factor, starts_address, indices_address, values_address):
    """Rows of pixel bytes; returns the length of all lists together."""
    x, starts, sums = bytes_(x_address), ints(starts_address), doubles(starts_address)
    indices, values = shorts(indices_address), floats(values_address)
    whole = n_in - n_in % LANES
    k = 0
    for r in range(rows):
        base, start, sum_ = r * n_in, k, 0
        starts[2 * r] = k
        if indices_address == 0:
            for i in range(n_in):
                k += x[base + i] != 0
            k += (k - start) % 2
            continue
        for i in range(0, whole, LANES):
            if word(x, base + i) == 0:
                continue
            for j in range(i, i + LANES):
                # Always written, counted only if not zero: without a branch that the processor may predict wrongly.
                pixel = x[base + j]
                indices[k] = j
                values[k] = pixel * factor
                sum_ += pixel
                k += pixel != 0
        for j in range(whole, n_in):
            pixel = x[base + j]
            indices[k] = j
            values[k] = pixel * factor
            sum_ += pixel
            k += pixel != 0
        k = end_row(k, start, indices, values)
        sums[2 * r + 1] = sum_ * factor
    starts[2 * rows] = k
    return k


@kernel()
def list_floats(x_address, rows, n_in, starts_address, indices_address, values_address):
    """Rows of numbers, taken as they are; returns the length of all lists together."""
    x, starts, sums = floats(x_address), ints(starts_address), doubles(starts_address)
    indices, values = shorts(indices_address), floats(values_address)
    k = 0
    for r in range(rows):
        base, start, sum_ = r * n_in, k, 0.0
        starts[2 * r] = k
        for i in range(n_in):
            number = x[base + i]
            if indices_address != 0:
                indices[k] = i
                values[k] = number
                sum_ += number
            k += number != 0
        if indices_address == 0:
            k += (k - start) % 2
        else:
            k = end_row(k, start, indices, values)
            sums[2 * r + 1] = sum_
    starts[2 * rows] = k
    return k


@kernel()
def mix_words(address, blocks, sums_address):
    """Mixes blocks of 32 bytes into four numbers, each h ← (h ⊕ word) p, its upper half folded into the lower."""
    x, sums = ints(address), ints(sums_address)
    prime = -7046029254386353131  # 2⁶⁴ / the golden ratio, odd, as a signed number
    a, b, c, d = 1, 2, 3, 4
    for i in range(0, 4 * blocks, 4):
        a = (a ^ x[i]) * prime
        b = (b ^ x[i + 1]) * prime
        c = (c ^ x[i + 2]) * prime
        d = (d ^ x[i + 3]) * prime
        a ^= (a >> 32) & 0xFFFFFFFF
        b ^= (b >> 32) & 0xFFFFFFFF
        c ^= (c >> 32) & 0xFFFFFFFF
        d ^= (d >> 32) & 0xFFFFFFFF
    sums[0], sums[1], sums[2], sums[3] = a, b, c, d
    return blocks
