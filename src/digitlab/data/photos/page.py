"""A photo taken apart, every stage kept, so that a wrong answer can be traced to where it went wrong."""

import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.ink import Ink, find_ink, mended
from digitlab.data.photos.mark import Box, Mark, holes
from digitlab.data.photos.marks import MAX_MARKS, find_parts, marks_of, usual_height
from digitlab.data.photos.mnist_form import SIZE, mnist_form
from digitlab.data.photos.paper import MIN_CONTRAST
from digitlab.data.photos.repeats import without_repeats
from digitlab.data.photos.rules import remove_rules
from digitlab.data.photos.sheet import Corners, Matrix, find_sheets, straightened, without_desk
from digitlab.errors import ShapeError

PALE = 0.4  # as a share of the darkest writing; pencil next to pen has more
PATCH = 0.25  # the same of what runs out of the picture and is a shadow's edge
COARSE, MOST_BLOTS = 600, 20  # pixels of the longer side on which wide blots are looked for, and how many
FINE, COARSER, LEGIBLE = 1_600_000, 2, 24.0  # pixels of a photo that is made smaller; if its writing stays so high
DARK, LEAST = 0.8, 0.25  # quantile of a mark's ink that counts as full, and the least ink of a pixel of the mark
MIN_SIDE = 160  # smaller photos are enlarged to this side, so that a stroke is some pixels wide


class Stopwatch:
    """How long the stages of reading take."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """The seconds since the last stage ended belong to this one."""
        now = time.perf_counter()
        self.seconds[stage], self.last = now - self.last, now


@dataclass(frozen=True)
class Page:
    """The stages of a photo, (H, W) each, and the marks found on it, in reading order.

    photo    uint8 (H, W, 3)
    ink      grey, flattened, binary (see ink.py)
    rules    ruled lines that were taken away;  clean: the ink that is left
    parts    each connected piece of ink
    zoom     how many pixels here are one of the photo that was given: more than 1 for a small one, 1/2 for a large one
    size     height and width of that photo
    seconds  that each stage took
    sheet    corners of the sheet of paper in that photo, (4, 2), if one was found; then `photo` is it, straightened
    matrix   (3, 3), from positions here divided by `zoom` to those in that photo: the identity, unless a sheet was
             straightened or the picture had been enlarged by repeating pixels
    crowded  whether the ink has more pieces than were looked at, the 10,000 largest
    """

    photo: NDArray[np.uint8]
    ink: Ink
    rules: NDArray[np.bool_]
    clean: NDArray[np.bool_]
    parts: tuple[Mark, ...]
    zoom: float = 1.0
    size: tuple[int, int] = (0, 0)
    sheet: Corners | None = None
    matrix: Matrix = field(default_factory=lambda: np.eye(3))
    seconds: dict[str, float] = field(default_factory=dict)
    crowded: bool = False

    @cached_property
    def _marks(self) -> list[Mark]:
        return without_pale(marks_of(list(self.parts), self.clean.shape), self.ink.flat)

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """What may be a digit by its shape and size, parts joined without asking a network; in reading order."""
        return tuple(mark for mark in self._marks if not mark.why_not)

    @cached_property
    def others(self) -> tuple[Mark, ...]:
        """What can be no digit, with the reason in `why_not`."""
        return tuple(mark for mark in self._marks if mark.why_not)

    @cached_property
    def images(self) -> NDArray[np.uint8]:
        """The marks in MNIST's form, uint8 (len(marks), 28, 28)."""
        images = [self.image_of(mark) for mark in self.marks]
        return np.array(images, np.uint8).reshape(-1, SIZE, SIZE)

    @property
    def usual_height(self) -> float:
        """The height of the writing in pixels; 0 on a blank page."""
        return usual_height(list(self.marks)) if self.marks else 0.0

    def in_photo(self, box: Box) -> Box:
        """A box of this page in pixels of the photo that was given, upright: left, top, right, bottom."""
        left, top, right, bottom = (n / self.zoom for n in box)
        corners = np.array([(left, top, 1), (right, top, 1), (right, bottom, 1), (left, bottom, 1)])
        x, y, z = self.matrix @ corners.T
        x, y = x / z, y / z
        return round(float(x.min())), round(float(y.min())), round(float(x.max())), round(float(y.max()))

    def image_of(self, mark: Mark) -> NDArray[np.uint8]:
        """A mark, or a part of one, in MNIST's form: uint8 (28, 28)."""
        return mnist_form(self.ink_of(mark), pen=mark.pen)

    def ink_of(self, mark: Mark) -> NDArray[np.float32]:
        """The mark's ink, 0 to 1, with the photo's grey levels and nothing of its neighbours: (H, W) of its box.

        1 is the mark's dark ink, so what blur has joined, as in a loop of few pixels, stays paler than the strokes.
        """
        left, top, right, bottom = mark.box
        flat = self.ink.flat[top:bottom, left:right]
        return soft_ink(flat, mark.mask)

    def colour_of(self, mark: Mark, size: int = SIZE) -> NDArray[np.uint8]:
        """The photo around a mark, uint8 (size, size, 3): the digit as high as in MNIST's form, paper around it."""
        from PIL import Image

        left, top, right, bottom = mark.box
        half = max(mark.width, mark.height) * 0.5 * SIZE / 20
        x, y = (left + right) / 2, (top + bottom) / 2
        first = np.floor([x - half, y - half]).astype(int)
        across, down = (np.arange(start, start + int(np.ceil(2 * half)) + 2) for start in first)
        height, width = self.photo.shape[:2]
        around = self.photo[down.clip(0, height - 1)[:, None], across.clip(0, width - 1)]  # beyond the edge as on it
        corners = (x - half - first[0], y - half - first[1], x + half - first[0], y + half - first[1])
        return np.asarray(Image.fromarray(around).resize((size, size), Image.Resampling.BOX, box=corners))


def soft_ink(flat: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The ink of a mark, 0 to 1, (H, W) as `flat` and its `mask`: 1 is what its darker pixels have."""
    own = mask.copy()  # and the soft edge just outside the mask, as binary_dilation gives it, which is slower
    own[1:] |= mask[:-1]
    own[:-1] |= mask[1:]
    own[:, 1:] |= mask[:, :-1]
    own[:, :-1] |= mask[:, 1:]
    dark = flat[mask]
    at = int(DARK * (len(dark) - 1))
    full = max(float(np.partition(dark, at)[at]), MIN_CONTRAST)
    soft = np.clip((flat / full - 0.2) / 0.6, 0, 1)
    # What crossed the mask's threshold is ink, however pale.
    return np.where(own, np.where(mask, np.maximum(soft, LEAST), soft), 0).astype(np.float32)


def find_digits(photo: NDArray[np.uint8]) -> Page:
    """Find what may be digits in a photo, uint8 (H, W, 3) or grey (H, W): dark on light, or light on dark.

    A blank page gives a Page without marks. Raises ShapeError for another array.
    """
    photo = np.asarray(photo)
    if photo.ndim == 2:
        photo = np.repeat(photo[..., None], 3, axis=2)
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or min(photo.shape[:2]) < 1:
        mend = "" if photo.dtype == np.uint8 else ". Pass photo.astype('uint8'); multiply numbers from 0 to 1 by 255"
        raise ShapeError(f"photo: got {photo.dtype} of shape {photo.shape}, expected uint8 (H, W, 3) or (H, W){mend}")
    small, repeats = without_repeats(photo)
    if repeats is not None:
        page = find_digits(small)
        sheet = None if page.sheet is None else page.sheet * repeats.size + [repeats.left, repeats.top]
        return replace(page, size=photo.shape[:2], matrix=repeats.matrix() @ page.matrix, sheet=sheet)
    if photo.shape[0] * photo.shape[1] > FINE:
        page = _taken_apart(photo, COARSER)
        if page.usual_height >= LEGIBLE:
            return page
    return _taken_apart(photo, 1)


def _taken_apart(given: NDArray[np.uint8], coarser: int) -> Page:
    """The stages of a photo, on a picture of it that is `coarser` times smaller."""
    from PIL import Image

    clock = Stopwatch()
    photo = given if coarser == 1 else np.asarray(Image.fromarray(given).reduce(coarser))
    sheets, matrix = find_sheets(photo), np.eye(3)
    sheet = sheets[0] if len(sheets) == 1 else None
    if len(sheets) > 1:
        photo = without_desk(photo, sheets)
    if sheet is not None:
        photo, matrix = straightened(photo, sheet)
        sheet, matrix = sheet * coarser, np.diag([coarser, coarser, 1.0]) @ matrix
    photo, zoom = _large_enough(photo)
    clock.lap("sheet")
    ink = find_ink(photo)
    clock.lap("ink")
    clean, rules = remove_rules(ink.binary, ink.faint, zoom=zoom)
    if not rules.any():  # pale rules would join the strokes between them
        clean = mended(clean, ink)
    clock.lap("rules")
    clean |= hollow_ink(clean, ink.grey)
    found = find_parts(clean, MAX_MARKS + 1)
    parts = tuple(without_patches(found[:MAX_MARKS], ink.flat))
    clock.lap("marks")
    zoom = zoom if sheet is not None else zoom / coarser
    crowded = len(found) > MAX_MARKS
    return Page(photo, ink, rules, clean, parts, zoom, given.shape[:2], sheet, matrix, clock.seconds, crowded)


def without_pale(marks: list[Mark], flat: NDArray[np.floating[Any]]) -> list[Mark]:
    """The marks; those much paler than the writing say so in `why_not`: a paper's pattern, a shadow's edge."""
    depth = [depth_of(mark, flat) for mark in marks]
    able = [(d, m.mask.sum()) for d, m in zip(depth, marks) if not m.why_not]
    if not able:
        return marks
    pale = PALE * max(d for d, area in able if area >= 0.3 * max(a for _, a in able))
    return [
        replace(m, why_not="is much paler than the writing") if not m.why_not and d < pale else m
        for m, d in zip(marks, depth)
    ]


def without_patches(parts: list[Mark], flat: NDArray[np.floating[Any]]) -> list[Mark]:
    """The parts less small, very pale ones that run out of the picture: where a shadow's edge meets the picture's."""
    depth = [depth_of(part, flat) for part in parts]
    most = 0.3 * max((part.mask.sum() for part in parts), default=0)
    large = [(d, part.height) for d, part in zip(depth, parts) if part.mask.sum() >= most]
    deep, high = np.max(large, axis=0) if large else (0.0, 0.0)

    def patch(d: float, part: Mark) -> bool:
        pale = d < PATCH * deep and max(part.width, part.height) < high
        return bool(pale and part.touches(flat.shape))

    return [part for d, part in zip(depth, parts) if not patch(d, part)]


def depth_of(mark: Mark, flat: NDArray[np.floating[Any]]) -> float:
    """How dark a mark is: the median share of the paper's light that its ink takes, 0 to 1."""
    left, top, right, bottom = mark.box
    return float(np.median(flat[top:bottom, left:right][mark.mask]))


def hollow_ink(clean: NDArray[np.bool_], grey: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Holes in marks that are ink themselves, (H, W): of a blot so wide that its middle was taken for paper.

    A hole belongs to the ink if it looks more like the mark around it than like the paper around the mark.
    """
    from scipy import ndimage

    step = max(1, max(clean.shape) // COARSE)
    few = clean[::step, ::step]
    filled, bordered = np.zeros_like(few), np.pad(grey[::step, ::step], 4, mode="edge")
    around = np.ones((3, 3), bool)
    labels, _ = ndimage.label(few, structure=around)
    wide = max(12, min(few.shape) // 10)  # narrower ink never covers enough to be taken for paper
    spans = [
        (number, rows, columns)
        for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
        if min(rows.stop - rows.start, columns.stop - columns.start) >= wide
    ]
    for number, rows, columns in spans[:MOST_BLOTS]:
        mask = np.pad(labels[rows, columns] == number, 4)
        enclosed = holes(mask)
        inner = ndimage.binary_erosion(enclosed, around, iterations=2)
        if inner.sum() < 20:
            continue
        spot = bordered[rows.start : rows.stop + 8, columns.start : columns.stop + 8]
        outside = ~ndimage.binary_dilation(mask | enclosed, around, iterations=2)
        ink, paper, hole = (float(np.median(spot[where])) for where in (mask, outside, inner))
        if abs(hole - ink) < abs(hole - paper):
            filled[rows, columns] |= enclosed[4:-4, 4:-4]
    large = np.repeat(np.repeat(filled, step, axis=0), step, axis=1)[: clean.shape[0], : clean.shape[1]]
    return large & ~clean


def _large_enough(photo: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """A small photo enlarged, with a margin, since its digit may touch the edge as in an image of 20×20."""
    from PIL import Image

    h, w = photo.shape[:2]
    if min(h, w) >= MIN_SIDE // 2:
        return photo, 1.0
    zoom = MIN_SIDE / min(h, w)
    zoom = max(1.0, min(zoom, 2400 / max(h, w)))
    size = round(w * zoom), round(h * zoom)
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BICUBIC)), zoom
