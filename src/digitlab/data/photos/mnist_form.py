"""A mark in MNIST's form: in a box of 20×20, its centre of mass in the middle of 28×28, white on black, soft edges.

"The original black and white images were size normalized to fit in a 20x20 pixel box while preserving their aspect
ratio. The resulting images contain grey levels as a result of the anti-aliasing technique used by the normalization
algorithm. The images were centered in a 28x28 image by computing the center of mass of the pixels" (LeCun, Cortes and
Burges, http://yann.lecun.com/exdb/mnist/).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE, BOX = 28, 20
LARGE_DISC = 8  # pixels: strokes that are widened by more are widened by their distance
THINNEST = 1.9  # pixels a stroke is wide at least after shrinking; MNIST's pens make 2 to 4


def mnist_form(ink: NDArray[np.floating[Any]], *, pen: float | None = None) -> NDArray[np.uint8]:
    """Ink (H, W), 0 for paper to 1 for ink, cropped to one digit, as uint8 (28, 28).

    `pen` is the stroke's width in pixels. Where it would shrink below 1.9 pixels, strokes are widened first: a thin
    pen on a large page would else leave grey hairs, as no image of MNIST has.
    """
    from PIL import Image
    from scipy import ndimage

    ink = np.clip(ink, 0, 1).astype(np.float32)
    h, w = ink.shape
    scale = BOX / max(h, w)
    if pen is not None and pen * scale < THINNEST:
        wider = (THINNEST / scale - pen) / 2  # on both sides
        radius = max(1, round(wider))
        ink = np.pad(ink, radius)
        if radius > LARGE_DISC:  # whose time grows with its area; the strokes' soft edge is then far below a pixel
            ink = (ndimage.distance_transform_edt(ink < 0.5) <= wider + 0.5).astype(np.float32)
        else:
            y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
            ink = ndimage.grey_dilation(ink, footprint=x * x + y * y <= (wider + 0.5) ** 2)
        h, w = ink.shape
        scale = BOX / max(h, w)
    small = np.asarray(  # averaged down, or interpolated up
        Image.fromarray(ink).resize(
            (max(1, round(w * scale)), max(1, round(h * scale))),
            Image.Resampling.BOX if round(h * scale) < h // 3 else Image.Resampling.BICUBIC,
        )
    )
    top = _quantile(small[small > 0.25], 0.9) if (small > 0.25).any() else 1.0
    small = np.clip(small / max(top, 0.25), 0, 1)
    return np.round(255 * centred(small)).astype(np.uint8)


def _quantile(values: NDArray[np.float32], share: float) -> float:
    """As np.quantile, which takes longer than all else here: between two of the sorted `values`, linearly."""
    ordered = np.sort(values)
    whole, part = divmod(share * (len(ordered) - 1), 1)
    below, above = ordered[int(whole)], ordered[min(int(whole) + 1, len(ordered) - 1)]
    return float(below + np.float32(part) * (above - below))


def cropped(ink: NDArray[Any], solid: NDArray[np.bool_]) -> NDArray[Any]:
    """Ink (H, W) cut to the box around its `solid` pixels, of which there is at least one."""
    from scipy import ndimage

    box: NDArray[Any] = ink[ndimage.find_objects(solid.astype(np.uint8))[0]]
    return box


def centred(small: NDArray[np.float32], size: int = SIZE) -> NDArray[np.float32]:
    """An image in the middle of size×size, by its centre of mass, shifted by whole pixels; nothing is cut off.

    The middle is the pixel number size/2, counted from 0, as in MNIST: the centres of its images are around (14, 14).
    """
    h, w = small.shape
    weight = float(small.sum()) or 1.0
    y = float((small.sum(axis=1) * np.arange(h)).sum()) / weight
    x = float((small.sum(axis=0) * np.arange(w)).sum()) / weight
    top = int(np.clip(round(size / 2 - y), 0, size - h))
    left = int(np.clip(round(size / 2 - x), 0, size - w))
    image = np.zeros((size, size), np.float32)
    image[top : top + h, left : left + w] = small
    return image
