"""How fast are the tiles of engine/fast/simd/tiles.py? GFLOP/s of one core, by tile shape, beside np.dot.

Run alone on a quiet machine: python benchmarks/kernels/tiles.py
"""

import time

import numpy as np
import threadpoolctl
from numba import njit

from digitlab.engine.fast.simd.tiles import dot, tile
from digitlab.engine.fast.simd.vectors import at, floats

ROWS, K, COLUMNS, REPEATS = 24, 480, 96, 20
SIGNATURE = "void(int64, int64, int64, int64, int64)"


def product(rows, vectors):
    """y = a w + b by tiles of one shape."""
    t, width = tile(rows, vectors), 8 * vectors

    @njit(SIGNATURE)
    def run(y, a, w, bias, repeats):
        y, a, w, bias = floats(y), floats(a), floats(w), floats(bias)
        for _ in range(repeats):
            for j in range(0, COLUMNS, width):
                for r in range(0, ROWS, rows):
                    out, left = at(y, r * COLUMNS + j), at(a, r * K)
                    t(out, COLUMNS, left, K, 1, 1, 0, K, at(w, j), COLUMNS, at(bias, j))

    return run


def transposed(rows, columns):
    """x = y wᵀ by tiles of dot products."""
    t = dot(rows, columns)

    @njit(SIGNATURE)
    def run(x, y, w, _, repeats):
        x, y, w = floats(x), floats(y), floats(w)
        for _ in range(repeats):
            for j in range(0, K, columns):
                for r in range(0, ROWS, rows):
                    t(at(x, r * K + j), K, at(y, r * COLUMNS), COLUMNS, at(w, j * COLUMNS), COLUMNS, COLUMNS)

    return run


def best(call):
    """Seconds of the fastest of 40 runs."""
    times = []
    for _ in range(40):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def main():
    rng = np.random.default_rng(0)
    a, w, bias = (rng.random(shape, dtype=np.float32) for shape in ((ROWS, K), (K, COLUMNS), COLUMNS))
    y, x = np.zeros((ROWS, COLUMNS), np.float32), np.zeros((ROWS, K), np.float32)
    work = 2 * ROWS * K * COLUMNS * REPEATS / 1e9
    with threadpoolctl.threadpool_limits(1):
        seconds = best(lambda: [np.dot(a, w, out=y) for _ in range(REPEATS)])
    print(f"np.dot, one thread   {work / seconds:6.1f} GFLOP/s")
    for shape in ((4, 2), (4, 3), (4, 4), (6, 3), (6, 4), (8, 3), (12, 2)):
        run = product(*shape)
        seconds = best(lambda run=run: run(y.ctypes.data, a.ctypes.data, w.ctypes.data, bias.ctypes.data, REPEATS))
        error = np.abs(y - (a @ w + bias)).max()
        print(f"tile{shape!s:<16} {work / seconds:6.1f} GFLOP/s   largest error {error:.1e}")
    for shape in ((1, 8), (2, 4), (4, 4), (4, 6)):
        run = transposed(*shape)
        seconds = best(lambda run=run: run(x.ctypes.data, y.ctypes.data, w.ctypes.data, 0, REPEATS))
        print(f"dot{shape!s:<17} {work / seconds:6.1f} GFLOP/s   largest error {np.abs(x - y @ w.T).max():.1e}")


if __name__ == "__main__":
    main()
