"""Ink as a camera, a scanner or a cropping tool leaves it, in MNIST's form: blurred, noisy, binarised, cut tight."""

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.mark import pen_width
from digitlab.data.photos.mnist_form import cropped, mnist_form
from digitlab.data.synthetic.pens import Ink, resized

SMALL, BLURRED = 0.3, 0.45  # shares of pictures of few pixels, and of blurred ones
FEW, FEWEST = (7, 30), (7, 10)  # pixels of the longer side of such pictures, and of the smallest


def captured(ink: Ink, rng: np.random.Generator, *, tiny: bool = False) -> NDArray[np.uint8] | None:
    """Ink (H, W), 0 to 1, photographed and brought to MNIST's form, uint8 (28, 28); None if nothing is left of it.

    `tiny`: on a picture of 7 to 10 pixels, as in scikit-learn's digits.
    """
    from scipy import ndimage

    ink = np.pad(ink, 2)
    kind = rng.random()
    if tiny or kind < SMALL:
        ink = _of_few_pixels(ink, rng, FEWEST if tiny else FEW)
    elif kind < SMALL + BLURRED:
        ink = ndimage.gaussian_filter(ink, rng.uniform(0.3, max(ink.shape) / 60 + 0.3))
        ink = _noisy(ink, rng.uniform(0, 0.1), rng)
    full = float(np.quantile(ink[ink > 0.3 * ink.max()], 0.8)) if ink.max() > 0.05 else 0.0
    if full < 0.05:
        return None
    solid = ink > rng.uniform(0.35, 0.6) * full
    solid = _without_specks(solid)
    if solid.sum() < 6:
        return None
    if rng.random() < 0.12:
        ink = solid.astype(np.float32)  # black and white
    else:
        soft = np.clip((ink / full - 0.2) / 0.6, 0, 1)  # as photos/page.py takes it
        own = ndimage.binary_dilation(solid)
        ink = np.where(own, np.where(solid, np.maximum(soft, 0.5), soft), 0).astype(np.float32)
    ink, solid = cropped(ink, solid), cropped(solid, solid)
    if rng.random() < 0.1:
        ink, solid = _cut(ink, solid, rng)
    return mnist_form(ink, pen=pen_width(solid)) if solid.any() else None


def _of_few_pixels(ink: Ink, rng: np.random.Generator, pixels: tuple[int, int]) -> Ink:
    """The ink shrunk to so many pixels and enlarged again, as small pictures are: strokes wider than a thin pen's."""
    from scipy import ndimage

    ink = cropped(ink, ink > 0.1) if (ink > 0.1).any() else ink
    side = np.exp(rng.uniform(*np.log(pixels)))
    pixel = max(1.0, max(ink.shape) / side)
    before = rng.uniform(0, pixel, 2).astype(int) + 1  # the pixels' borders do not follow the ink's
    ink = np.pad(ink, [(n, int(pixel) + 1) for n in before.tolist()])
    small = resized(ndimage.gaussian_filter(ink, rng.uniform(0, 0.6) * pixel), 1 / pixel)
    noise = rng.uniform(0, 0.08) * float(small.max())  # a thin pen's ink is pale there, but not lost in noise
    return resized(_noisy(np.pad(small, 1), noise, rng), 56 / side)


def _noisy(ink: Ink, much: float, rng: np.random.Generator) -> Ink:
    noisy: Ink = (ink + much * rng.standard_normal(ink.shape)).astype(np.float32)
    return noisy


def _without_specks(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected ink that is at least a twelfth of the largest piece."""
    from scipy import ndimage

    labels, count = ndimage.label(solid, np.ones((3, 3), bool))
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    kept: NDArray[np.bool_] = (areas >= max(1, areas.max() / 12))[labels] & solid
    return kept


def _cut(ink: Ink, solid: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Ink, NDArray[np.bool_]]:
    """A crop that loses up to 6 % on each side."""
    h, w = ink.shape
    top, left, bottom, right = (rng.uniform(0, 0.06, 4) * [h, w, h, w]).astype(int).tolist()
    rows, columns = slice(top, h - bottom), slice(left, w - right)
    return ink[rows, columns], solid[rows, columns]
