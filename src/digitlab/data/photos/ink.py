"""From a photo to ink: how much of it is on each pixel, whatever the paper, the pen and the light.

grey        the colour seen along the direction in which ink differs most from paper
flattened   how far a pixel is from the paper around it, as a share: the light has gone, ink is positive
binary      ink or paper, by half of what the darkest ink nearby has
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]  # (H, W)
Mask = NDArray[np.bool_]  # (H, W)

BACKGROUND_SIDE = 160  # pixels; the paper is estimated on a picture of this size, where ink is easy to pass over
MIN_CONTRAST = 0.07  # share of the paper's brightness; less is a shadow, the back of the page, or dust
ONE_BORDER, ONE_PAPER = 0.9, 0.2  # shares of a drawn page's border, and of the page, that have the very same colour
NOISE_FACTOR = 5.0  # ink must stand out of the noise by so many standard deviations


@dataclass(frozen=True)
class Ink:
    """What is known about the ink of a photo; all planes (H, W)."""

    grey: Plane  # 0 to 1, along the colour in which ink differs from paper
    flat: Plane  # ink's share, about 0 on paper and above it where there is ink
    binary: Mask
    faint: Mask  # with everything paler, too: where ruled lines are whole
    strength: Plane  # what full ink is around each pixel, so that flat / strength is 0 to 1
    light_on_dark: bool
    noise: float  # standard deviation of `flat` on paper


def find_ink(photo: NDArray[np.uint8]) -> Ink:
    """Tell ink from paper in a photo uint8 (H, W, 3).

    The paper's colour around each pixel is a wide median, so pen strokes do not enter it and a shadow's edge stays an
    edge. Ink is what differs from it, as a share of the paper's brightness (light on dark: of what is left up to
    white): by this division, light falls out. The three channels are joined along the direction in which the strongest
    differences lie (their first principal component), so red ink on green paper of the same brightness is seen, too.
    """
    from scipy import ndimage

    colour = photo.astype(np.float32) / 255  # (H, W, 3)
    drawn = _one_paper(photo)  # (3,)
    paper = _paper(colour) if drawn is None else np.broadcast_to(drawn, colour.shape)  # (H, W, 3)
    difference = paper - colour
    direction = _direction(difference)  # (3,)
    along = difference @ direction
    light_on_dark = float(np.mean(along**3)) < 0  # ink is rare and far from paper: the long tail of the distribution
    if light_on_dark:
        along, room = -along, (1 - paper) @ np.abs(direction)
    else:
        room = paper @ np.abs(direction)
    flat = along / np.maximum(room, 0.15)
    # From the differences of neighbours, whose median ink hardly moves.
    noise = float(np.median(np.abs(np.diff(flat, axis=1))) / (0.6745 * np.sqrt(2)))
    smooth = ndimage.gaussian_filter(flat, 0.7 if noise < 0.02 else 1.2)
    binary, faint, strength = _binary(smooth, max(noise, 0.004))
    grey = colour @ (np.abs(direction) / np.abs(direction).sum())
    return Ink(grey, smooth.astype(np.float32), binary, faint, strength, light_on_dark, noise)


def _one_paper(photo: NDArray[np.uint8]) -> Plane | None:
    """The one colour of paper, (3,), of a page that a program drew; None for a photo, where no two pixels are alike.

    Around a thick pen, or in a crop that leaves no margin, a median would take the ink for paper; here nothing need be
    guessed: the colour that nearly all of the border has, if a good part of the page has it, too.
    """
    border = np.concatenate([photo[0], photo[-1], photo[:, 0], photo[:, -1]])  # (n, 3)
    colours, counts = np.unique(border, axis=0, return_counts=True)
    most = colours[counts.argmax()]
    if counts.max() < ONE_BORDER * len(border) or (photo == most).all(axis=2).mean() < ONE_PAPER:
        return None
    one: Plane = most.astype(np.float32) / 255
    return one


def _paper(colour: Plane) -> Plane:
    """The paper's colour at each pixel, (H, W, 3): a median over a third of the picture's shorter side."""
    from scipy import ndimage
    from skimage.filters import rank
    from skimage.transform import resize

    h, w = colour.shape[:2]
    scale = min(1.0, BACKGROUND_SIDE / max(h, w))
    small = resize(colour, (max(3, round(h * scale)), max(3, round(w * scale))), anti_aliasing=True, order=1)
    window = max(5, min(small.shape[:2]) // 3) | 1
    bytes_ = np.round(255 * np.clip(small, 0, 1)).astype(np.uint8)
    around = np.ones((window, window), np.uint8)
    middle = np.stack([rank.median(bytes_[..., c], around) for c in range(3)], axis=-1).astype(np.float32) / 255
    middle = ndimage.gaussian_filter(middle, (1.0, 1.0, 0))
    large: Plane = resize(middle, (h, w), order=1).astype(np.float32)
    return large


def _direction(difference: Plane) -> Plane:
    """The unit vector (3,) along which the strongest differences lie; grey if there are none to speak of."""
    flat = difference.reshape(-1, 3)[:: max(1, difference.size // 600_000)]
    length = np.einsum("ij,ij->i", flat, flat)
    strong = flat[length >= np.quantile(length, 0.97)].astype(np.float64)
    _, vectors = np.linalg.eigh(strong.T @ strong)
    first: Plane = vectors[:, -1].astype(np.float32)
    return first if first.sum() >= 0 else -first


def _binary(flat: Plane, noise: float) -> tuple[Mask, Mask, Plane]:
    """Ink where there is at least half as much as in the strongest ink nearby, and enough to be no noise."""
    from scipy import ndimage

    h, w = flat.shape
    # Full ink near a pixel: the largest value in a neighbourhood, but never less than half of the page's usual ink,
    # or the grain of empty paper would pass for pale ink.
    least = max(MIN_CONTRAST, NOISE_FACTOR * noise * 0.6)
    strong = flat[flat > least]
    page = float(np.quantile(strong, 0.7)) if strong.size >= 12 else 0.0
    window = max(9, min(h, w) // 12)
    step = max(1, window // 8)
    coarse = ndimage.maximum_filter(flat, size=step)[::step, ::step] if step > 1 else flat
    near = ndimage.maximum_filter(coarse, size=max(3, window // step))
    near = ndimage.uniform_filter(near, size=max(3, window // step))
    near = np.repeat(np.repeat(near, step, axis=0), step, axis=1)[:h, :w]
    strength = np.maximum(near, max(0.5 * page, least)).astype(np.float32)
    return flat > np.maximum(0.5 * strength, least), flat > max(0.2 * page, 0.7 * least), strength
