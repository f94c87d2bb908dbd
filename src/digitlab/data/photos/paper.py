"""The paper of a photo: its colour around each pixel, of which ink is what differs.

In a drawing the paper is one colour. In a crop without a margin, and in a small picture, it is a plane fitted to the
lighter or darker half of the pixels. Elsewhere it is a wide median, a smooth surface under a lamp, or a closing in a
shadow.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]  # (H, W)
Mask = NDArray[np.bool_]  # (H, W)

BACKGROUND_SIDE = 160  # pixels; the paper is estimated on a picture of this size, where ink is easy to pass over
MIN_CONTRAST = 0.07  # share of the paper's brightness; less is a shadow, the back of the page, or dust
ONE_BORDER, ONE_PAPER = 0.9, 0.2  # shares of a drawn page's border, and of the page, that have the same colour
SAME_COLOUR = 4  # levels of 255 by which JPEG changes an even colour
TWO_COLOURS, DENSE = 0.72, 0.1  # a crop: ink and paper explain so much of the variance, and ink covers so much of it
SLIM = 2.2  # times its width, the height of a picture that one stroke may fill
BROADEST = 0.45  # of the shorter side: wider than any pen, so a shadow or a table
CLOSED = 0.04  # of the shorter side: half of what dark strokes in a light sheet are wide at most
AGREE, BETTER = 0.03, 0.03  # how near to the paper's colour a pixel is, and the share more of them that decides
CLOSED_PEN = 0.2  # of the longer side: wider than most pens, so that a closing fills strokes
LIGHTER = 0.1  # how much lighter than a median of ink paper is
SHADED, DARKEST = 0.8, 0.3  # shares of the light: less is a shadow; still less is no shadow, but a table
SHADOW_COLOUR = 0.15  # by which these shares differ between the channels
SMALL = 96  # pixels of the longer side; such a picture shows one digit, and leaves no room to estimate its paper


def paper_of(photo: NDArray[np.uint8]) -> Plane:
    """The paper's colour in a photo uint8 (H, W, 3), 0 to 1: a small picture of it (h, w, 3), to be enlarged."""
    one = _one_paper(photo)
    paper = np.broadcast_to(one, (2, 2, 3)) if one is not None else _plain_paper(photo)
    return _median_paper(photo) if paper is None else paper


def _one_paper(photo: NDArray[np.uint8]) -> Plane | None:
    """The one colour of paper, (3,), of a page that a program drew; None for a photo, where light and grain vary.

    Around a thick pen, or in a crop that leaves no margin, a median would take the ink for paper; here nothing need be
    guessed: the colour that nearly all of the border has, if a good part of the page has it, too.
    """
    around = border(photo)  # (n, 3)
    middle = np.median(around, axis=0)
    same = (np.abs(around - middle) <= SAME_COLOUR).all(axis=1).mean()
    if same < ONE_BORDER:
        return None
    step = max(1, max(photo.shape) // 800)
    if (np.abs(photo[::step, ::step] - middle) <= SAME_COLOUR).all(axis=2).mean() < ONE_PAPER:
        return None
    one: Plane = middle.astype(np.float32) / 255
    return one


def _plain_paper(photo: NDArray[np.uint8]) -> Plane | None:
    """The paper of a crop or a small picture, a plane for each channel, (h, w, 3); None if it is neither.

    Otsu's threshold divides the pixels in two (Otsu 1979, "A threshold selection method from gray-level histograms").
    The half that most of the border and of the picture belong to is paper.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    step = max(1, max(photo.shape) // 400)
    few = photo[::step, ::step].astype(np.float32) / 255
    h, w = few.shape[:2]
    centred = few.reshape(-1, 3) - few.mean(axis=(0, 1))
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    values = (few @ vectors[:, -1].astype(np.float32)).astype(np.float32)  # along the colours' widest direction
    if np.ptp(values) < MIN_CONTRAST:
        return None
    above = values > threshold_otsu(values)
    share = float(above.mean())
    apart = float(values[above].mean() - values[~above].mean()) if 0 < share < 1 else 0.0
    explained = share * (1 - share) * apart**2 / float(values.var())
    paper = above if share + float(border(above).mean()) > 1 else ~above
    ink = ~paper
    if few[ink].mean() > few[paper].mean():  # unless the dark is a desk around a sheet, whose writing is left out here
        side = max(1, round(CLOSED * min(h, w)))
        ink = np.pad(ink, side)
        ink = ndimage.binary_closing(ink, iterations=side)[side:-side, side:-side]
    if max(photo.shape) > SMALL and (explained < TWO_COLOURS or paper.mean() > 1 - DENSE or _widest(ink) > BROADEST):
        return None
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    terms = np.stack([np.ones_like(x), x / w - 0.5, y / h - 0.5], axis=-1)  # (h, w, 3)
    for _ in range(2):  # the second time without the soft edges of the ink
        plane, *_ = np.linalg.lstsq(terms[paper], few[paper], rcond=None)
        off = np.abs(few - terms @ plane).max(axis=2)
        paper = paper & (off <= 2.5 * np.sqrt(np.mean(off[paper] ** 2)) + 1e-6)
    fitted: Plane = terms @ plane
    return fitted


def _widest(ink: Mask) -> float:
    """The width of the widest stroke as a share of the picture's shorter side; what runs out of it counts whole.

    A 1 that is cut to its ink fills its picture's width: there, it is a share of the height.
    """
    from scipy import ndimage

    distance = ndimage.distance_transform_cdt(np.pad(ink, 1, mode="edge"), metric="chessboard")
    h, w = ink.shape
    return float(2 * distance.max() / (max(w, h / SLIM) if h > w else h))


def _median_paper(photo: NDArray[np.uint8]) -> Plane:
    """The paper's colour, (h, w, 3) of BACKGROUND_SIDE pixels: a median over a third of the picture's shorter side."""
    from PIL import Image
    from scipy import ndimage
    from skimage.filters import rank

    h, w = photo.shape[:2]
    scale = min(1.0, BACKGROUND_SIDE / max(h, w))
    size = max(3, round(w * scale)), max(3, round(h * scale))
    small = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BOX))
    around = np.ones((max(5, min(small.shape[:2]) // 3) | 1,) * 2, np.uint8)
    middle = np.stack([rank.median(small[..., c], around) for c in range(3)], axis=-1).astype(np.float32) / 255
    paper: Plane = ndimage.gaussian_filter(middle, (1.0, 1.0, 0))
    few = small.astype(np.float32) / 255
    lit = _smooth_paper(few)
    gain = _agreeing(few, lit) - _agreeing(few, paper)
    paper = lit if gain > BETTER else paper
    side = max(5, round(CLOSED_PEN * max(few.shape[:2]))) | 1
    closed: Plane = ndimage.grey_closing(ndimage.gaussian_filter(few, (1.0, 1.0, 0)), size=(side, side, 1))
    if _is_shaded(few, paper, closed):
        return closed
    if float(np.mean((paper - few) ** 3)) < 0:  # light on dark
        return paper
    # Where a thick pen covers most of what is around, the median is ink; what comes from outside is a table.
    labels, count = ndimage.label((closed - paper).min(axis=2) > LIGHTER)
    outside = np.isin(np.arange(count + 1), [0, *border(labels).tolist()])
    return np.where(outside[labels][..., None], paper, closed)


def _is_shaded(few: Plane, paper: Plane, closed: Plane) -> bool:
    """Whether there is the shadow of a head, a hand or a telephone; its edge is where it is in `closed`, (h, w, 3).

    Within half a window of the edge, a median takes light for shadow or shadow for light. A closing, the least of the
    lightest around, does not: it fills strokes only. A shadow comes from outside the picture, and is no coloured table.
    """
    from scipy import ndimage

    lightest = np.quantile(closed.reshape(-1, 3), 0.95, axis=0)
    share = closed / np.maximum(lightest, 0.05)  # of the light that comes through
    dark = share.mean(axis=2) < SHADED
    if _agreeing(few, closed) - _agreeing(few, paper) <= BETTER or not 0.05 < dark.mean() < 0.95:
        return False
    labels, count = ndimage.label(np.pad(dark, 1, mode="edge"))
    inside = set(range(1, count + 1)) - set(border(labels).tolist())
    even = np.ptp(share[dark], axis=1)  # how much the colour changes
    light = float(np.median(share[dark].mean(axis=1)))
    return not inside and light >= DARKEST and float(np.median(even)) <= SHADOW_COLOUR


def _smooth_paper(few: Plane) -> Plane:
    """Paper (h, w, 3) under a lamp, whose light falls off towards the corners: a polynomial of degree 4 in x and y.

    A median is too light there, since all that is around a corner is lighter.
    """
    h, w = few.shape[:2]
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    terms = np.stack([x**i * y**j for i in range(5) for j in range(5 - i)], axis=-1)  # (h, w, 15)
    paper = np.ones((h, w), bool)
    for _ in range(5):
        plane, *_ = np.linalg.lstsq(terms[paper], few[paper], rcond=None)
        off = np.abs(few - terms @ plane).max(axis=2)
        paper = off <= max(2.5 * float(np.median(off)), AGREE)
    fitted: Plane = np.clip(terms @ plane, 0, 1)
    return fitted


def _agreeing(few: Plane, paper: Plane) -> float:
    """The share of pixels (h, w, 3) that have the paper's colour."""
    return float((np.abs(few - paper).max(axis=2) <= AGREE).mean())


def border(plane: NDArray[Any]) -> NDArray[Any]:
    """The pixels along the four sides, (n,) or (n, 3)."""
    return np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])
