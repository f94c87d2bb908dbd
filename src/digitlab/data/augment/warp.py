"""Reading images between their pixels: the new image at p is the old one at A(p + d(p)).

The step is bilinear interpolation, as scipy.ndimage does it with order=1 and mode="grid-constant": a point between
four pixels takes of each as much as it is near, and beyond the edge all is paper, 0. Written here for many images at
once, each with a map and displacements of its own. `warp_numpy` is the text to read; kernels.py the same, compiled.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.fingerprints import Part, tell, what_changed

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]


def warp(images: Images, maps: Floats | None, field: Floats | None) -> Images:
    """Images (N, H, W) or (N, H, W, 3) through a map (N, 3, 3) and displacements (N, 2, H, W) each; None: neither.

    Compiled where numba is, and with the same bytes where it is not.
    """
    n, height, width = images.shape[:3]
    if maps is None:
        maps = np.broadcast_to(np.eye(3, dtype=np.float32), (n, 3, 3))
    if field is None:
        field = np.zeros((n, 2, 0, 0), np.float32)
    pictures = np.ascontiguousarray(images).reshape(n, height, width, -1)  # (N, H, W, C)
    out = np.empty_like(pictures)
    (compiled() or warp_numpy)(pictures, np.ascontiguousarray(maps), np.ascontiguousarray(field), out)
    return out.reshape(images.shape)


def warp_numpy(images: Images, maps: Floats, field: Floats, out: Images) -> None:
    """Write images (N, H, W, C) read through maps (N, 3, 3) and field (N, 2, H, W), or (N, 2, 0, 0), into `out`."""
    n, height, width = images.shape[:3]
    row0, column0 = np.float32((height - 1) / 2), np.float32((width - 1) / 2)
    grid = np.indices((height, width), np.float32)  # (2, H, W)
    rows, columns = grid[0] - row0, grid[1] - column0
    if field.size:
        rows, columns = rows + field[:, 0], columns + field[:, 1]  # (N, H, W)
    a = maps[:, :, :, None, None]  # (N, 3, 3, 1, 1)
    y = a[:, 0, 0] * rows + a[:, 0, 1] * columns + (a[:, 0, 2] + row0)  # (N, H, W)
    x = a[:, 1, 0] * rows + a[:, 1, 1] * columns + (a[:, 1, 2] + column0)
    # A frame of paper around the image: one pixel before it, two behind, since a point may lie on the frame itself.
    y, x = np.clip(y, -1, height) + 1, np.clip(x, -1, width) + 1
    framed = np.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0))).astype(np.float32)  # (N, H+3, W+3, C)
    i, j, which = y.astype(np.int32), x.astype(np.int32), np.arange(n)[:, None, None]
    fy, fx = (y - i.astype(np.float32))[..., None], (x - j.astype(np.float32))[..., None]  # (N, H, W, 1)
    above = framed[which, i, j] * (1 - fx) + framed[which, i, j + 1] * fx  # (N, H, W, C)
    below = framed[which, i + 1, j] * (1 - fx) + framed[which, i + 1, j + 1] * fx
    out[...] = above * (1 - fy) + below * fy + np.float32(0.5)  # to the nearest byte, by cutting off


def compiled() -> Any:
    """The compiled twin of `warp_numpy`; None where numba is not installed, or where `warp_numpy` was changed."""
    if clause := what_changed([Part(warp_numpy)]):
        tell(f"images are augmented by the readable code: {clause}")
        return None
    return _compiled()


@cache
def _compiled() -> Any:
    try:
        from digitlab.data.augment.kernels import warp_compiled
    except ImportError:
        return None
    return warp_compiled
