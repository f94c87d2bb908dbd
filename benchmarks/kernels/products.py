"""Products of large matrices (engine/fast/simd: packed.py, matrix_unit.py): GFLOP/s of one core, and share of its peak.

    python benchmarks/kernels/products.py        (CPU time of one thread, the least of many runs)

The peak is that of the tile itself on numbers that lie in the first-level cache. Beside it: the products in blocks
without packing (simd/products.py), and the BLAS that NumPy is linked with, on one thread. Where the processor has a
matrix unit, a line for each product gives its GFLOP/s, and the root mean square of its errors, of packed products' and
of BLAS's, relative to Σ |a w|.
"""

import os
import time
from functools import partial

os.environ["DIGITLAB_COMPILING"] = "all"  # before the kernels are imported

import numpy as np
import threadpoolctl
from numba import njit

from digitlab.engine.fast.compiler.jit import MATRIX_UNIT
from digitlab.engine.fast.layout import AT_ONCE, DEEP
from digitlab.engine.fast.matrix_unit import has_matrix_unit
from digitlab.engine.fast.packing import aligned
from digitlab.engine.fast.simd import matrix_unit, packed
from digitlab.engine.fast.simd.products import multiply_large, multiply_transposed
from digitlab.engine.fast.simd.vectors import floats

SHAPES = ((128, 512, 512), (128, 2000, 2000), (1024, 512, 512), (1024, 3000, 3000))
add, add_transposed, add_strip = packed.add_packed, packed.add_packed_transposed, packed.add_strip
on_unit, on_unit_transposed = matrix_unit.add_on_unit, matrix_unit.add_on_unit_transposed
SIX = "(int64, int64, int64, int64, int64, int64, int64)"


@njit(f"void{SIX}")
def straight(y, a, w, room, m, k, n):
    add(floats(y), n, m, floats(a), k, k, floats(w), n, n, floats(room))


@njit(f"void{SIX}")
def transposed(y, a, w, room, m, k, n):
    add_transposed(floats(y), n, m, floats(a), k, k, floats(w), k, n, floats(room))


@njit(f"void{SIX}")
def straight_in_blocks(y, a, w, zeros, m, k, n):
    multiply_large(floats(y), n, m, floats(a), k, k, floats(w), n, floats(zeros), n)


@njit(f"void{SIX}")
def transposed_in_blocks(y, a, w, _, m, k, n):
    multiply_transposed(floats(y), n, m, floats(a), k, floats(w), k, n, k)


if MATRIX_UNIT:

    @njit(f"void{SIX}")
    def straight_on_unit(y, a, w, room, m, k, n):
        on_unit(floats(y), n, m, floats(a), k, k, floats(w), n, n, floats(room))

    @njit(f"void{SIX}")
    def transposed_on_unit(y, a, w, room, m, k, n):
        on_unit_transposed(floats(y), n, m, floats(a), k, k, floats(w), k, n, floats(room))


@njit("void(int64, int64, int64, int64)")
def tiles(y, a, w, repeats):
    for _ in range(repeats):
        add_strip(
            floats(y), packed.STRIP, 8, floats(a), DEEP, floats(w), DEEP, packed.STRIP, floats(y), floats(w), 0, 0, 0, 0
        )


def least(call, seconds=0.5):
    """CPU seconds of the fastest run."""
    call()
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.thread_time()
        call()
        best = min(best, time.thread_time() - began)
    return best


def error(y, a, right):
    """Root mean square of the errors of y = a right, relative to Σ |a right|."""
    exact = a.astype(np.float64) @ right.astype(np.float64)
    return np.sqrt((((y - exact) / (np.abs(a) @ np.abs(right))) ** 2).mean())


def main():
    rng = np.random.default_rng(0)
    room = aligned(2 * AT_ONCE * DEEP)
    a, w, y = (rng.random(size, dtype=np.float32) for size in (8 * DEEP, packed.STRIP * DEEP, 8 * packed.STRIP))
    seconds = least(lambda: tiles(y.ctypes.data, a.ctypes.data, w.ctypes.data, 1000))
    peak = 2 * 8 * DEEP * packed.STRIP * 1000 / seconds / 1e9
    print(f"the tile in the first-level cache: {peak:.1f} GFLOP/s")
    print(f"{'rows × sum × columns':22} {'':10} {'packed':>14} {'in blocks':>14} {'BLAS':>14}   share of the tile's")
    for m, k, n in SHAPES:
        a, w, y = (rng.random(shape, dtype=np.float32) for shape in ((m, k), (k, n), (m, n)))
        turned = np.ascontiguousarray(w.T)
        zeros = np.zeros(n, np.float32)
        for name, b, ours, blocks in (
            ("a w", w, straight, straight_in_blocks),
            ("a wᵀ", turned, transposed, transposed_in_blocks),
        ):
            places, right = (y.ctypes.data, a.ctypes.data, b.ctypes.data), b if b is w else b.T
            with threadpoolctl.threadpool_limits(1):
                taken = [
                    least(partial(ours, *places, room.ctypes.data, m, k, n)),
                    least(partial(blocks, *places, zeros.ctypes.data, m, k, n)),
                    least(partial(np.dot, a, right, out=y)),
                ]
            rates = [2 * m * k * n / s / 1e9 for s in taken]
            print(
                f"{m:5} × {k:4} × {n:4} {name:15} " + " ".join(f"{r:7.1f} ({r / peak:4.0%})" for r in rates), flush=True
            )
            if has_matrix_unit():
                unit = straight_on_unit if b is w else transposed_on_unit
                rate = 2 * m * k * n / least(partial(unit, *places, room.ctypes.data, m, k, n)) / 1e9
                errors = []
                for product in (unit, ours):
                    y[...] = 0.0
                    product(*places, room.ctypes.data, m, k, n)
                    errors.append(error(y, a, right))
                errors.append(error(a @ right, a, right))
                print(
                    f"{'':22} on the unit {rate:11.1f} ({rate / peak:4.0%})   errors: unit {errors[0]:.1e},"
                    f" packed {errors[1]:.1e}, BLAS {errors[2]:.1e}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
