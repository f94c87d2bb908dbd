"""The paper of a photo: its colour around each pixel, of which ink is what differs.

In a drawing the paper is one colour. In a crop without a margin, and in a small picture, it is a plane fitted to the
lighter or darker half of the pixels. Elsewhere it is a wide median or, under a lamp, a smooth surface; at the edges of
light and shadow, a closing.
"""

from typing import Any, NamedTuple

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
SOFTEST = 0.14  # of the shorter side: a wider edge is of light, such as a flash on the paper
CLOSED = 0.04  # of the shorter side: half of what dark strokes in a light sheet are wide at most
AGREE, BETTER = 0.03, 0.03  # how near to the paper's colour a pixel is, and the share more of them that decides
CLOSED_PEN = 0.2  # of the longer side: wider than most pens, so that a closing fills strokes
LIGHTER = 0.1  # how much lighter than a median of ink paper is
EDGE_SIDE = 480  # pixels of the picture in which edges of light are looked for
WINDOWS, PENS = (0.2, 0.1, 0.06), 3.0  # shares of the longer side that a closing fills, and how many pens wide they are
APART, NEARER = 0.04, 0.01  # how far a closing is from the median where light changes; how much nearer to the photo
NEAR = 3  # pixels of EDGE_SIDE beside such a part, where its edge is
STEP, ENCLOSED = 0.05, 0.7  # how much light changes at an edge, and the share of ink's outline that is one
DARKEST = 0.3  # share of the light: less is no shadow, but a table
SHADOW_COLOUR = 0.15  # by which this share differs between the channels
SMALL = 96  # pixels of the longer side; such a picture shows one digit, and leaves no room to estimate its paper


def paper_of(photo: NDArray[np.uint8]) -> Plane:
    """The paper's colour in a photo uint8 (H, W, 3), 0 to 1: a small picture of it (h, w, 3), to be enlarged."""
    one = _one_paper(photo)
    paper = np.broadcast_to(one, (2, 2, 3)) if one is not None else _plain_paper(photo)
    return _in_light_and_shadow(photo, _median_paper(photo)) if paper is None else paper


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

    Otsu's threshold divides the pixels in two. The half that most of the border and of the picture belong to is paper.
    """
    from scipy import ndimage

    step = max(1, max(photo.shape) // 400)
    few = photo[::step, ::step].astype(np.float32) / 255
    h, w = few.shape[:2]
    found = two_colours(few)
    if found is None:
        return None
    values, above, apart, explained = found
    share = float(above.mean())
    paper = above if share + float(border(above).mean()) > 1 else ~above
    ink = ~paper
    if few[ink].mean() > few[paper].mean():  # unless the dark is a desk around a sheet, whose writing is left out here
        side = max(1, round(CLOSED * min(h, w)))
        ink = np.pad(ink, side)
        ink = ndimage.binary_closing(ink, iterations=side)[side:-side, side:-side]
    if max(photo.shape) > SMALL and (explained < TWO_COLOURS or paper.mean() > 1 - DENSE or _widest(ink) > BROADEST):
        return None
    if _edge(values, above, apart) > SOFTEST * min(h, w):
        return None
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    terms = np.stack([np.ones_like(x), x / w - 0.5, y / h - 0.5], axis=-1)  # (h, w, 3)
    for _ in range(2):  # the second time without the soft edges of the ink
        plane, *_ = np.linalg.lstsq(terms[paper], few[paper], rcond=None)
        off = np.abs(few - terms @ plane).max(axis=2)
        paper = paper & (off <= 2.5 * np.sqrt(np.mean(off[paper] ** 2)) + 1e-6)
    fitted: Plane = terms @ plane
    return fitted


class TwoColours(NamedTuple):
    """The pixels of a picture divided in two by Otsu's threshold.

    values     along the direction in which the colours differ most, (h, w)
    above      the half above the threshold, (h, w)
    apart      the difference of the means of both halves
    explained  the share of the variance that is between them
    """

    values: Plane
    above: Mask
    apart: float
    explained: float


def two_colours(few: Plane) -> TwoColours | None:
    """A picture (h, w, 3), 0 to 1, divided in two; None if it has one colour.

    Source: Otsu 1979, "A threshold selection method from gray-level histograms".
    """
    from skimage.filters import threshold_otsu

    centred = few.reshape(-1, 3) - few.mean(axis=(0, 1))
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    values = (few @ vectors[:, -1].astype(np.float32)).astype(np.float32)
    if np.ptp(values) < MIN_CONTRAST:
        return None
    above = values > threshold_otsu(values)
    share = float(above.mean())
    apart = float(values[above].mean() - values[~above].mean()) if 0 < share < 1 else 0.0
    return TwoColours(values, above, apart, share * (1 - share) * apart**2 / float(values.var()))


def _edge(values: Plane, above: Mask, apart: float) -> float:
    """How many pixels wide the edge between two halves of a plane (h, w) is, whose means are `apart`."""
    from scipy import ndimage

    slope = np.hypot(*np.gradient(ndimage.gaussian_filter(values, 1.0)))
    between = ndimage.binary_dilation(above) & ndimage.binary_dilation(~above)
    return apart / max(float(np.median(slope[between])), 1e-6)


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
    from scipy import ndimage
    from skimage.filters import rank

    small = _reduced(photo, BACKGROUND_SIDE)
    around = np.ones((max(5, min(small.shape[:2]) // 3) | 1,) * 2, np.uint8)
    middle = np.stack([rank.median(small[..., c], around) for c in range(3)], axis=-1).astype(np.float32) / 255
    paper: Plane = ndimage.gaussian_filter(middle, (1.0, 1.0, 0))
    few = small.astype(np.float32) / 255
    lit = _smooth_paper(few)
    gain = _agreeing(few, lit) - _agreeing(few, paper)
    paper = lit if gain > BETTER else paper
    if float(np.mean((paper - few) ** 3)) < 0:  # light on dark
        return paper
    side = max(5, round(CLOSED_PEN * max(few.shape[:2]))) | 1
    closed: Plane = ndimage.grey_closing(ndimage.gaussian_filter(few, (1.0, 1.0, 0)), size=(side, side, 1))
    # Where a thick pen covers most of what is around, the median is ink; what comes from outside is a table.
    labels, count = ndimage.label((closed - paper).min(axis=2) > LIGHTER)
    outside = np.isin(np.arange(count + 1), [0, *border(labels).tolist()])
    return np.where(outside[labels][..., None], paper, closed)


def _reduced(photo: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The photo with at most `side` pixels on its longer side."""
    from PIL import Image

    h, w = photo.shape[:2]
    scale = min(1.0, side / max(h, w))
    size = max(3, round(w * scale)), max(3, round(h * scale))
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BOX))


def _in_light_and_shadow(photo: NDArray[np.uint8], paper: Plane) -> Plane:
    """The paper (h, w, 3) where the light on it changes: at the edge of a shadow, in a glare, in the folds of a sheet.

    There, a median takes light for shadow or shadow for light. A closing, the least of the lightest around, does not:
    it only fills strokes, which are dark with light on both sides (light on dark: an opening). So it is the paper where
    it is nearer to the photo than the median, unless it kept a stroke wider than its window. `paper` where it is not.
    """
    from PIL import Image
    from scipy import ndimage

    fine = _reduced(photo, EDGE_SIDE).astype(np.float32) / 255
    soft: Plane = ndimage.gaussian_filter(fine, (1.0, 1.0, 0))
    size = fine.shape[1], fine.shape[0]
    planes = [Image.fromarray(np.ascontiguousarray(paper[..., c])) for c in range(3)]
    enlarged = np.stack([np.asarray(plane.resize(size, Image.Resampling.BILINEAR)) for plane in planes], axis=-1)
    grey = _grey(soft)
    ink, pen = _ink_and_pen(_grey(_reduced(photo, BACKGROUND_SIDE).astype(np.float32)).astype(np.uint8))
    lit: Plane = enlarged
    for share in WINDOWS:
        if share < PENS * pen:
            break
        side = max(5, round(share * max(size))) | 1
        closed = _closed(grey, side, ink)
        for sign in (1, -1):
            part = _of_light(grey, _grey(lit), closed, sign)
            if part.any():
                colours = _closed(soft, side, ink)
                part = _neutral(part, colours)
                wide = ndimage.binary_dilation(part, iterations=NEAR).astype(np.float32)
                weight = np.maximum(ndimage.gaussian_filter(wide, 1.0), part)[..., None]
                lit = lit + weight * (colours - lit)
    return paper if lit is enlarged else lit


def _grey(plane: Plane) -> Plane:
    """The mean of the three channels, (h, w)."""
    return (plane[..., 0] + plane[..., 1] + plane[..., 2]) / np.float32(3)


def _closed(plane: Plane, side: int, ink: int) -> Plane:
    """A closing (`ink` 1) or opening (-1) of a plane (h, w) or (h, w, 3) by a square, without what grain adds to it."""
    from scipy import ndimage

    closed: Plane = ink * ndimage.grey_closing(ink * plane, size=(side, side, 1)[: plane.ndim])
    return closed - np.median((closed - plane)[::3, ::3], axis=(0, 1))


def _ink_and_pen(grey: NDArray[np.uint8]) -> tuple[int, float]:
    """Whether strokes are dark, 1, or light, -1, and their width as a share of the longer side, of a grey picture.

    In a window that is wider than a stroke, strokes are what is rare. The edges of light and shadow are not, nor is
    a glare if the window is no wider than need be.
    """
    from scipy import ndimage
    from skimage.filters import rank

    sides = [max(5, round(share * max(grey.shape))) | 1 for share in WINDOWS[:2]]
    wide, narrow = (rank.median(grey, np.ones((side, side), np.uint8)).astype(np.float32) - grey for side in sides)
    ink = 1 if float(np.mean(narrow**3)) >= 0 else -1
    strokes = ink * wide > max(255 * MIN_CONTRAST, 0.5 * float(np.quantile(ink * wide, 0.99)))
    distance = ndimage.distance_transform_cdt(strokes, metric="chessboard")[strokes]
    pen = 2 * float(np.quantile(distance, 0.95)) - 1 if distance.size else 0.0
    return ink, pen / max(grey.shape)


def _of_light(grey: Plane, paper: Plane, closed: Plane, sign: int) -> Mask:
    """Where light or shadow makes `closed` lighter (`sign` 1) or darker (-1) than `paper`; all (h, w).

    Each connected part must be nearer to the photo in `closed`, and not be enclosed by a step, as ink is: along an edge
    of light, the picture goes on beyond the part as it is in it.
    """
    from scipy import ndimage

    apart = sign * (closed / np.maximum(paper, 0.05) - 1) > APART
    if not apart.any():
        return apart
    padded, count = ndimage.label(np.pad(apart, NEAR + 1, mode="edge"), structure=np.ones((3, 3), bool))
    labels = padded[NEAR + 1 : -NEAR - 1, NEAR + 1 : -NEAR - 1]
    nearer = np.abs(grey - paper) - np.abs(grey - closed) > NEARER
    around = np.pad(closed, NEAR + 1, mode="edge")
    beside = (ndimage.maximum_filter if sign > 0 else ndimage.minimum_filter)(around, 2 * NEAR + 1)
    step = np.abs(around / np.maximum(beside, 0.05) - 1) > STEP
    ring = np.where(padded == 0, ndimage.maximum_filter(padded, 2 * NEAR + 1), 0)
    kept = (_means(nearer, labels, count) > 0.5) & (_means(step, ring, count) < ENCLOSED)
    kept[0] = False
    found: Mask = kept[labels]
    return found


def _neutral(part: Mask, closed: Plane) -> Mask:
    """The connected parts (h, w) that have not the colour or darkness of a table in `closed`, (h, w, 3)."""
    from scipy import ndimage

    share = closed / np.maximum(np.quantile(closed[::3, ::3].reshape(-1, 3), 0.95, axis=0), 0.05)  # of the light
    most, least = np.maximum.reduce([*share.transpose(2, 0, 1)]), np.minimum.reduce([*share.transpose(2, 0, 1)])
    labels, count = ndimage.label(part, structure=np.ones((3, 3), bool))
    light, even = _means(_grey(share), labels, count), _means(most - least, labels, count)
    kept = (light >= DARKEST) & (even <= SHADOW_COLOUR)
    kept[0] = False
    found: Mask = kept[labels]
    return found


def _means(values: NDArray[Any], labels: NDArray[Any], count: int) -> Plane:
    """The mean of a plane (h, w) on each of the labels 0 to `count`."""
    total = np.bincount(labels.ravel(), values.ravel(), minlength=count + 1)
    return total / np.maximum(np.bincount(labels.ravel(), minlength=count + 1), 1)


def _smooth_paper(few: Plane) -> Plane:
    """Paper (h, w, 3) under a lamp, whose light falls off towards the corners: a polynomial of degree 4 in x and y.

    A median is too light there, since all that is around a corner is lighter.
    """
    h, w = few.shape[:2]
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    terms = np.stack([x**i * y**j for i in range(5) for j in range(5 - i)], axis=-1)  # (h, w, 15)
    paper = np.ones((h, w), bool)
    for _ in range(5):
        some = terms[paper]  # (n, 15); its normal equations are solved much sooner than its singular values are found
        plane = np.linalg.lstsq(some.T @ some, some.T @ few[paper])[0].astype(np.float32)  # singular in a slim picture
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
