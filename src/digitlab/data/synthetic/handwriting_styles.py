"""Digits in other handwriting styles: rotated, slanted, narrower, with a thinner or thicker pen, in MNIST's form."""

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.mnist_form import cropped, mnist_form
from digitlab.errors import ShapeError

Images = NDArray[np.uint8]  # (N, 28, 28)
OVER = 2  # images are enlarged to twice their size, so that a pen can be half a pixel thinner


def other_handwriting(
    images: Images,
    rng: np.random.Generator,
    *,
    turn: float = 12.0,
    slant: float = 0.25,
    stretch: float = 0.18,
    pen: bool = True,
    shift: int = 1,
) -> Images:
    """Each image (N, 28, 28), 0 for paper and 255 for ink, in another handwriting style.

    turn      the largest angle in degrees
    slant     the largest shear: how far the top moves to the side, as a share of the height
    stretch   the largest change of width and height, as a share
    pen       whether strokes become thinner or thicker, sharper or softer
    shift     the largest shift in pixels

    Every image is brought to MNIST's form (20×20 box, centre of mass) before the shift.
    Raises ShapeError for another shape.
    """
    if images.shape[1:] != (28, 28) or images.dtype != np.uint8:
        raise ShapeError(f"images: got {images.dtype} of shape {images.shape}, expected uint8 (N, 28, 28)")
    return np.stack([_other_style(image, rng, turn, slant, stretch, pen, shift) for image in images])


def _other_style(
    image: NDArray[np.uint8], rng: np.random.Generator, turn: float, slant: float, stretch: float, pen: bool, shift: int
) -> NDArray[np.uint8]:
    from scipy import ndimage

    h, w = image.shape
    angle = np.deg2rad(rng.uniform(-turn, turn))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, 0], [rng.uniform(-slant, slant), 1]])
    scale = np.diag(1 / (1 + rng.uniform(-stretch, stretch, 2)) / OVER)
    inverse = scale @ rotation @ shear  # from a position in the result to one in the image, around the centre
    size = np.array([OVER * 40, OVER * 40])
    offset = (np.array([h, w]) - 1) / 2 - inverse @ ((size - 1) / 2)
    ink = ndimage.affine_transform(image.astype(np.float32) / 255, inverse, offset, tuple(size), order=1)
    if pen:
        ink = _other_pen(ink, rng)
    if ink.max() < 0.3:
        return image
    formed = mnist_form(cropped(ink, ink > 0.25))
    if shift:
        dy, dx = rng.integers(0, 2 * shift + 1, 2)
        formed = np.pad(formed, shift)[dy : dy + formed.shape[0], dx : dx + formed.shape[1]]
    return formed


def _other_pen(ink: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Strokes half a pixel or a whole one thicker, or half a pixel thinner where that leaves most of them."""
    from scipy import ndimage

    kind = rng.random()
    cross = ndimage.generate_binary_structure(2, 1)
    if kind < 0.3:
        ink = ndimage.grey_dilation(ink, footprint=cross)
    elif kind < 0.42:
        ink = ndimage.grey_dilation(ink, footprint=np.ones((3, 3), bool))
    elif kind < 0.72:
        thinner = ndimage.grey_erosion(ink, footprint=cross)
        if thinner.sum() > 0.55 * ink.sum():
            ink = thinner
    if rng.random() < 0.5:  # a sharper edge, as of print
        ink = np.clip((ink - 0.3) * rng.uniform(1.3, 3.0) + 0.3, 0, 1)
    return ink.astype(np.float32)
