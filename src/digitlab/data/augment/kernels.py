"""The compiled twin of `warp_numpy` (warp.py): the same additions in the same order, so the same bytes.

Compiled once per machine and kept by numba. It runs without Python's lock, in parallel with other threads.
Per row it first finds where every pixel comes from, which the compiler turns into vector instructions, then reads.
"""

# mypy: ignore-errors

from pathlib import Path

import numpy as np
from numba import njit

from digitlab.files import is_private


def _warp(images, maps, field, out):
    n, height, width, channels = images.shape
    one, half = np.float32(1), np.float32(0.5)
    row0, column0 = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    bottom, right = np.float32(height), np.float32(width)
    displaced = field.size > 0
    stride = width + 3
    framed = np.zeros((height + 3) * stride, np.float32)  # one channel in its frame of paper, as floats
    corner = np.empty(width, np.uint32)  # unsigned: a signed index would be asked each time whether it is negative
    down, across = np.empty(width, np.float32), np.empty(width, np.float32)
    for k in range(n):
        yr, yq, y0 = maps[k, 0, 0], maps[k, 0, 1], maps[k, 0, 2] + row0
        xr, xq, x0 = maps[k, 1, 0], maps[k, 1, 1], maps[k, 1, 2] + column0
        for c in range(channels):
            for r in range(height):
                for q in range(width):
                    framed[(r + 1) * stride + q + 1] = np.float32(images[k, r, q, c])
            for r in range(height):
                for q in range(width):
                    row, column = np.float32(r) - row0, np.float32(q) - column0
                    if displaced:
                        row += field[k, 0, r, q]
                        column += field[k, 1, r, q]
                    y = yr * row + yq * column + y0
                    x = xr * row + xq * column + x0
                    y = min(max(y, -one), bottom) + one
                    x = min(max(x, -one), right) + one
                    i, j = np.int32(y), np.int32(x)
                    down[q] = y - np.float32(i)
                    across[q] = x - np.float32(j)
                    corner[q] = np.uint32(i * np.int32(stride) + j)
                for q in range(width):
                    p, fy, fx = corner[q], down[q], across[q]
                    above = framed[p] * (one - fx) + framed[p + np.uint32(1)] * fx
                    p += np.uint32(stride)
                    below = framed[p] * (one - fx) + framed[p + np.uint32(1)] * fx
                    out[k, r, q, c] = np.uint8(np.int32(above * (one - fy) + below * fy + half))


def _compile(function):
    """Compiled with numba's cache, which holds pickles: only where others cannot write, or could as well write here."""
    try:
        compiled = njit(nogil=True, cache=True)(function)
        folder, package = Path(compiled._cache.cache_path), Path(__file__).parent
        if package in folder.parents or all(map(is_private, [folder, *folder.iterdir()])):
            return compiled
    except (RuntimeError, OSError):  # no folder to keep it in
        pass
    return njit(nogil=True)(function)  # compiled again in every process


warp_compiled = _compile(_warp)
