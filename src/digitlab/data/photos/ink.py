"""From a photo to ink: how much of it is on each pixel, whatever the paper, the pen and the light.

grey        the colour seen along the direction in which ink differs most from paper
flattened   how far a pixel is from the paper around it, as a share: the light has gone, ink is positive
binary      ink or paper, by half of what the darkest ink of the same stroke has
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.pale_rules import without_pale_rules
from digitlab.data.photos.paper import MIN_CONTRAST, border, paper_of

Plane = NDArray[np.floating[Any]]  # (H, W)
Mask = NDArray[np.bool_]  # (H, W)

FEW = 400  # pixels of the longer side on which it is decided whether ink is light
FAR, WITHIN = 0.1, 0.01  # of the largest cubes of differences, those of ink; share of them away from the border
NOISE_FACTOR = 5.0  # ink must stand out of the noise by so many standard deviations
PALE, PALEST = 0.25, 0.1  # shares of the page's usual ink: of a stroke of its own, and of a part of a darker one
WEAK, RIDGE = 0.25, 0.42  # of the stroke's ink, what joins two pieces of it; of that, the most there is beside it
STROKE = 5  # squares of the pen's width: one piece at least that a bridge joins
LONGEST = 3  # times the pen's width, a bridge: pale rules join strokes, too, and are longer
TORN = 0.5  # of what a stroke needs, for a part of one that is torn otherwise


@dataclass(frozen=True)
class Ink:
    """What is known about the ink of a photo; all planes (H, W)."""

    grey: Plane  # 0 to 1, along the colour in which ink differs from paper
    flat: Plane  # ink's share, about 0 on paper and above it where there is ink
    binary: Mask
    faint: Mask  # with everything paler, too: where ruled lines are whole
    weak: Mask  # with what may join the pieces of a torn stroke (`mended`)
    pen: int  # pixels: about the width of the strokes
    strength: Plane  # what full ink is around each pixel, so that flat / strength is 0 to 1
    light_on_dark: bool
    noise: float  # standard deviation of `flat` on paper


def find_ink(photo: NDArray[np.uint8]) -> Ink:
    """Tell ink from paper in a photo uint8 (H, W, 3).

    The paper's colour around each pixel is a wide median, so pen strokes do not enter it; at edges of light and shadow
    it is a closing (paper.py). Ink is what differs from it, as a share of the paper's brightness (light on dark: of
    what is left up to white): by this division, light falls out. The three channels are joined along the direction in
    which the strongest differences lie (their first principal component), so red ink on green paper of the same
    brightness is seen, too.

    Where the ink covers too much of the picture for a median, the paper is one colour (a drawing) or a plane fitted to
    the lighter or darker half of the pixels, whichever the border belongs to (a crop, a picture of about 28×28).
    """
    from scipy import ndimage

    paper = paper_of(photo)  # (few, few, 3)
    direction = _direction(photo, paper)  # (3,)
    absolute = np.abs(direction)
    along = _enlarged(paper @ direction, photo.shape) - _projected(photo, direction)
    room = _enlarged(paper @ absolute, photo.shape)
    light_on_dark = _is_light_on_dark(along)
    if light_on_dark:
        along, room = -along, absolute.sum() - room
    flat = along / np.maximum(room, 0.15)
    # From the differences of neighbours, whose median ink hardly moves.
    rows = flat[:: max(1, len(flat) // 400)]
    noise = float(np.median(np.abs(np.diff(rows, axis=1))) / (0.6745 * np.sqrt(2))) if flat.shape[1] > 1 else 0.0
    smooth = ndimage.gaussian_filter(flat, 0.7 if noise < 0.02 else 1.2, truncate=3)
    smooth = without_pale_rules(smooth, noise)
    masks = _binary(smooth, max(noise, 0.004))
    return Ink(_projected(photo, absolute / absolute.sum()), smooth, *masks, light_on_dark, noise)


def _is_light_on_dark(along: Plane) -> bool:
    """Whether ink is lighter than paper: it is rare and far from paper, so it is the distribution's tail.

    What runs out of the picture, such as a desk or the corners of a scan that was turned, is no ink unless all else is
    paper, as in a tight crop.
    """
    from scipy import ndimage

    step = max(1, max(along.shape) // FEW)
    few = along[::step, ::step] ** 3
    size = np.abs(few)
    labels, count = ndimage.label(size > FAR * np.quantile(size, 0.99), structure=np.ones((3, 3), bool))
    inside = ~np.isin(np.arange(count + 1), [0, *border(labels).tolist()])[labels]
    some = few[inside & (labels > 0)]
    whole = few[labels > 0]
    tail = some if np.abs(some).sum() > WITHIN * np.abs(whole).sum() else few
    return float(tail.mean()) < 0


def _projected(photo: NDArray[np.uint8], direction: Plane) -> Plane:
    """Each pixel's colour, 0 to 1, along a direction (3,): (H, W), channel by channel to save memory."""
    plane = photo[..., 0] * np.float32(direction[0] / 255)
    for channel in (1, 2):
        plane += photo[..., channel] * np.float32(direction[channel] / 255)
    return plane


def _enlarged(plane: Plane, shape: tuple[int, ...]) -> Plane:
    """A small plane enlarged to the photo's height and width, between its pixels linearly."""
    from PIL import Image

    small = Image.fromarray(plane.astype(np.float32))
    return np.asarray(small.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _sampled(plane: Plane) -> Plane:
    """Some 200,000 pixels of a plane, evenly spread."""
    return plane.reshape(-1)[:: max(1, plane.size // 200_000)]


def _direction(photo: NDArray[np.uint8], paper: Plane) -> Plane:
    """The unit vector (3,) along which the strongest differences lie; grey if there are none to speak of."""
    h, w = photo.shape[:2]
    step = max(1, round((h * w / 200_000) ** 0.5))
    few = photo[::step, ::step].astype(np.float32) / 255
    around = np.stack([_enlarged(paper[..., c], few.shape) for c in range(3)], axis=-1)
    flat = (around - few).reshape(-1, 3)
    length = np.einsum("ij,ij->i", flat, flat)
    strong = flat[length >= np.quantile(length, 0.97)].astype(np.float64)
    _, vectors = np.linalg.eigh(strong.T @ strong)
    first: Plane = vectors[:, -1].astype(np.float32)
    return first if first.sum() >= 0 else -first


def _binary(flat: Plane, noise: float) -> tuple[Mask, Mask, Mask, int, Plane]:
    """Ink where there is at least half as much as in the strongest ink of the stroke, and enough to be no noise.

    A part of a stroke may be much paler than a stroke of its own: ink that is connected with darker ink is kept.
    """
    from scipy import ndimage

    least = max(MIN_CONTRAST, NOISE_FACTOR * noise * 0.6)
    strong = _sampled(flat)
    strong = strong[strong > least]
    page = float(np.quantile(strong, 0.7)) if strong.size >= 12 else 0.0  # the page's usual ink
    h, w = (min(side, 1200) for side in flat.shape)
    top, left = (flat.shape[0] - h) // 2, (flat.shape[1] - w) // 2
    window = min(
        _two_pens(flat[top : top + h, left : left + w] > max(0.5 * page, least)), max(9, min(flat.shape) // 12) | 1
    )
    near = ndimage.maximum_filter(flat, size=window)
    near = ndimage.uniform_filter(near, size=window)
    # Never less than a share of the usual ink, or the grain of empty paper would pass for pale ink.
    own = flat > np.maximum(0.5 * near, max(PALE * page, least))
    part = flat > np.maximum(0.5 * near, max(PALEST * page, TORN * least))
    labels, count = ndimage.label(part, structure=np.ones((3, 3), bool))
    kept = np.zeros(count + 1, bool)
    kept[labels[own]] = True
    kept[0] = False
    strength = np.maximum(near, np.float32(max(0.5 * page, least)))
    weak = flat > np.maximum(WEAK * near, max(PALEST * page, TORN * least))
    return kept[labels], flat > max(0.2 * page, 0.7 * least), weak, window // 2, strength


def mended(binary: Mask, ink: Ink) -> Mask:
    """The ink with weak pixels that lie between two pieces of it: a stroke that is torn where it has less ink.

    A bridge is a ridge: a pen's width away on both sides, in one direction at least, there is much less ink. So what
    is between two strokes beside each other is none.
    """
    from scipy import ndimage

    (h, w), flat, pen = binary.shape, ink.flat, ink.pen
    y, x = np.nonzero(ink.weak & ~binary)
    ridge = np.zeros(len(y), bool)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        sides = [flat[np.clip(y + far * down, 0, h - 1), np.clip(x + far * right, 0, w - 1)] for far in (-pen, pen)]
        ridge |= np.maximum(*sides) <= RIDGE * flat[y, x]
    y, x = y[ridge], x[ridge]
    found = np.zeros_like(binary)
    found[y, x] = True
    around = np.ones((3, 3), bool)
    bridges, count = ndimage.label(found, structure=around)
    pieces, _ = ndimage.label(np.pad(binary, 1), structure=around)
    near = [(i, j) for i in (0, 1, 2) for j in (0, 1, 2)]
    touching = [np.unique(np.stack([bridges[y, x], pieces[y + i, x + j]]), axis=1) for i, j in near]
    pairs = np.unique(np.concatenate(touching, axis=1), axis=1)  # of a bridge and a piece
    pairs = pairs[:, pairs[1] > 0]
    joins = np.bincount(pairs[0], minlength=count + 1) >= 2
    sides = [max(part.stop - part.start for part in box) for box in ndimage.find_objects(bridges)]
    joins[1:] &= np.array(sides, dtype=int) <= LONGEST * pen
    strokes = np.bincount(pieces.ravel()) >= STROKE * pen**2  # grain lies as near to grain
    joins &= np.bincount(pairs[0], strokes[pairs[1]], minlength=count + 1) > 0
    whole: Mask = binary | joins[bridges]
    return whole


def _two_pens(ink: Mask) -> int:
    """Twice the usual width of strokes in pixels, an odd number of at least 5."""
    from scipy import ndimage

    distance = ndimage.distance_transform_cdt(ink, metric="chessboard")
    ridge = distance[(distance > 0) & (distance == ndimage.maximum_filter(distance, size=3))]
    return max(5, int(4 * np.median(ridge))) | 1 if ridge.size else 9
