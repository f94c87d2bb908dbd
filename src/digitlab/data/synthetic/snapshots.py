"""Pictures as people take and draw them, by kind, with the digits on them known: photos, crops, drawings, words.

    picture = draw_snapshot("notes", np.random.default_rng(1))
    picture.image, picture.truth       uint8 (H, W, 3); the digits line by line

They measure how well pictures are read (`python benchmarks/handwriting.py`).
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.scoring import LabelledBox
from digitlab.data.synthetic.fonts import print_character
from digitlab.data.synthetic.hands import write_digit, write_text
from digitlab.data.synthetic.pages import FACES, SyntheticPage
from digitlab.data.synthetic.pens import Ink, ink_of
from digitlab.data.synthetic.strokes import smooth
from digitlab.errors import ConfigError, not_among

PAPERS = ((250, 250, 248), (236, 232, 222), (214, 212, 208), (247, 226, 140), (190, 205, 228), (225, 238, 222))
INKS = ((25, 25, 30), (30, 45, 120), (60, 60, 64), (150, 30, 40), (20, 90, 60))
REAL_PENS = ("ball", "pencil", "felt", "felt", "marker", "brush")
WORDS = 8  # on a picture of words


class _Sheet:
    """Ink on which marks are placed, and whose each pixel is."""

    def __init__(self, h: int, w: int) -> None:
        self.ink, self.owner = np.zeros((h, w), np.float32), np.zeros((h, w), np.int32)
        self.labels: list[int] = []

    def put(self, ink: Ink, top: int, left: int, label: int | None = None) -> None:
        """Lay ink down with its corner there; what is outside of the sheet is cut. With a label it is a digit."""
        top, left, ink = max(top, 0), max(left, 0), ink[max(-top, 0) :, max(-left, 0) :]
        spot = self.ink[top : top + ink.shape[0], left : left + ink.shape[1]]
        ink = ink[: spot.shape[0], : spot.shape[1]]
        if label is not None:
            self.labels.append(label)
            self.owner[top : top + ink.shape[0], left : left + ink.shape[1]][ink > 0.3] = len(self.labels)
        np.maximum(spot, ink, out=spot)

    def line(self, labels: Sequence[int], top: int, left: int, height: int, pen: str, rng: np.random.Generator) -> int:
        """Write digits from left to right; returns where they end."""
        for label in labels:
            ink = trimmed(ink_of(write_digit(label, rng), rng, pen, height))
            down = top + height - ink.shape[0] + round(rng.normal(0, 0.04) * height)
            self.put(ink, down, left, label)
            left += ink.shape[1] + max(2, round(height * rng.uniform(0.15, 0.45)))
        return left

    def page(self, image: NDArray[Any], kind: str) -> SyntheticPage:
        from scipy import ndimage

        found = ndimage.find_objects(self.owner, max_label=len(self.labels))
        truth = [
            LabelledBox(label, (int(s[1].start), int(s[0].start), int(s[1].stop), int(s[0].stop)), kind)
            for label, s in zip(self.labels, found)
            if s is not None
        ]
        return SyntheticPage(np.clip(image, 0, 255).astype(np.uint8), tuple(truth), kind)


def draw_snapshot(kind: str, rng: np.random.Generator) -> SyntheticPage:
    """A picture of one of the KINDS. Raises ConfigError for another kind."""
    if kind not in KINDS:
        raise ConfigError(f"kind: got {not_among(kind, KINDS)}")
    return KINDS[kind](rng)


def trimmed(ink: Ink) -> Ink:
    """Ink without its empty margin."""
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0.1) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _labels(low: int, high: int, rng: np.random.Generator) -> list[int]:
    return [int(n) for n in rng.integers(10, size=int(rng.integers(low, high + 1)))]


def _any(choices: Sequence[Any], rng: np.random.Generator) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _photo(sheet: _Sheet, rng: np.random.Generator, rules: Ink | None = None) -> Ink:
    """A photo of the sheet: paper, ink and rules in colour, uneven light, grain, blur, JPEG."""
    from PIL import Image
    from scipy import ndimage

    h, w = sheet.ink.shape
    paper, ink = (np.array(_any(some, rng), np.float32) for some in (PAPERS, INKS))
    image: Ink = np.broadcast_to(paper, (h, w, 3)).astype(np.float32)
    if rules is not None:
        image = image + rules[..., None] * (np.array((120, 150, 205), np.float32) - image) * rng.uniform(0.3, 0.9)
    image += (rng.uniform(0.65, 1) * sheet.ink)[..., None] * (ink - image)
    y, x = np.mgrid[0:h, 0:w].astype(np.float32) / max(h, w)
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 - rng.uniform(0, 0.45) * np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0, 1)
    if rng.random() < 0.3:  # dark corners
        light *= 1 - rng.uniform(0.1, 0.6) * np.clip((x - w / max(h, w) / 2) ** 2 + (y - h / max(h, w) / 2) ** 2, 0, 1)
    if rng.random() < 0.25:  # a shadow with a soft edge
        edge = (x - rng.uniform(0.2, 0.8)) * np.cos(angle) + (y - rng.uniform(0.2, 0.8)) * np.sin(angle)
        light *= 1 - rng.uniform(0.1, 0.4) / (1 + np.exp(np.clip(edge * rng.uniform(20, 150), -50, 50)))
    rough = ndimage.gaussian_filter(rng.standard_normal((h, w)).astype(np.float32), 1.5)
    image *= (light * (1 + rng.uniform(0, 0.08) * rough))[..., None]
    image = ndimage.gaussian_filter(image, (*[rng.uniform(0.3, 1.2)] * 2, 0))
    image += rng.normal(0, rng.uniform(0.5, 6), image.shape)
    stream = io.BytesIO()
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=int(rng.integers(60, 96)))
    return np.asarray(Image.open(stream), dtype=np.float32)


def _drawn(sheet: _Sheet, rng: np.random.Generator) -> Ink:
    """The sheet as a program shows it: one colour on another."""
    paper, ink = (np.array(c, np.float32) for c in _any((((255,) * 3, (0,) * 3), ((0,) * 3, (255,) * 3)), rng))
    if rng.random() < 0.3:
        ink = np.array(_any(INKS, rng), np.float32) if paper[0] else rng.uniform(150, 255, 3).astype(np.float32)
    page: Ink = paper + sheet.ink[..., None] * (ink - paper)
    return page


def _one(rng: np.random.Generator, *, low: float = 0.25, high: float = 0.75, pens: Sequence[str] = REAL_PENS) -> _Sheet:
    """One digit, `low` to `high` of the sheet's height, anywhere on it."""
    side = int(rng.integers(160, 480))
    height = round(side * rng.uniform(low, high))
    label = int(rng.integers(10))
    ink = trimmed(ink_of(write_digit(label, rng), rng, _any(pens, rng), height))
    h, w = max(side, ink.shape[0] + 20), max(round(side * rng.uniform(0.8, 1.3)), ink.shape[1] + 20)
    sheet = _Sheet(h, w)
    top, left = (int(rng.integers(10, a - b - 9)) for a, b in zip((h, w), ink.shape))
    sheet.put(ink, top, left, label)
    return sheet


def photo_of_one(rng: np.random.Generator) -> SyntheticPage:
    """A photo of one digit."""
    sheet = _one(rng)
    return sheet.page(_photo(sheet, rng), "one digit, photo")


def _lines(rng: np.random.Generator, pens: Sequence[str], most: int = 4) -> _Sheet:
    """One to `most` lines of one to six digits."""
    height, pen = int(rng.integers(28, 80)), _any(pens, rng)
    rows = [_labels(1, 6, rng) for _ in range(rng.integers(1, most + 1))]
    sheet = _Sheet(height * (2 * len(rows) + 1), height * 12)
    ends = [
        sheet.line(row, height + 2 * height * at, int(height * rng.uniform(0.6, 1.5)), height, pen, rng)
        for at, row in enumerate(rows)
    ]
    width = max(ends) + height
    sheet.ink, sheet.owner = sheet.ink[:, :width], sheet.owner[:, :width]
    return sheet


def photo_of_several(rng: np.random.Generator) -> SyntheticPage:
    """A photo of several numbers."""
    sheet = _lines(rng, REAL_PENS)
    return sheet.page(_photo(sheet, rng), "several, photo")


def notes(rng: np.random.Generator) -> SyntheticPage:
    """A number cut out of a photo of ruled or squared notes, with little paper around it."""
    height = int(rng.integers(24, 70))
    sheet = _Sheet(round(height * rng.uniform(1.3, 2.2)), height * 12)
    top = (sheet.ink.shape[0] - height) // 2
    pen, labels = _any(("ball", "pencil", "felt"), rng), _labels(1, 4, rng)
    end = sheet.line(labels, top, int(rng.integers(4, height)), height, pen, rng)
    width = end + int(rng.integers(0, height // 2))
    sheet.ink, sheet.owner = sheet.ink[:, :width], sheet.owner[:, :width]
    rules = np.zeros_like(sheet.ink)
    step, first = round(height * rng.uniform(1.1, 1.8)), top + round(height * rng.uniform(0.9, 1.15))
    for y in range(first % step, len(rules), step):
        rules[y : y + max(1, height // 30)] = 1
    if rng.random() < 0.3:
        rules[:, int(rng.integers(step)) :: step] = 1
    return sheet.page(_photo(sheet, rng, rules), "number cut out of notes")


def shrunk(rng: np.random.Generator) -> SyntheticPage:
    """A photo of one digit, shrunk to 28×28."""
    from PIL import Image

    sheet = _one(rng, low=0.55, high=0.85)
    photo = Image.fromarray(_photo(sheet, rng).astype(np.uint8))
    truth = sheet.page(np.zeros((*sheet.ink.shape, 3)), "").truth[0]
    (h, w), box = sheet.ink.shape, truth.box
    scaled = tuple(round(n * 28 / side) for n, side in zip(box, (w, h, w, h)))
    label = LabelledBox(truth.label, scaled, "photo, 28×28")  # type: ignore[arg-type]  # four numbers
    return SyntheticPage(np.asarray(photo.resize((28, 28), Image.Resampling.BOX)), (label,), "photo, 28×28")


def paint(rng: np.random.Generator) -> SyntheticPage:
    """A drawing with the mouse, 28×28, anywhere in it."""
    label, sheet = int(rng.integers(10)), _Sheet(28, 28)
    while True:
        ink = trimmed(ink_of(write_digit(label, rng), rng, "mouse", int(rng.integers(14, 25))))
        if max(ink.shape) <= 26:
            break
    top, left = (int(rng.integers(1, 28 - n)) for n in ink.shape)
    sheet.put(ink, top, left, label)
    return sheet.page(_drawn(sheet, rng), "drawing, 28×28")


def canvas(rng: np.random.Generator) -> SyntheticPage:
    """One digit drawn on a canvas."""
    sheet = _one(rng, low=0.35, high=0.9, pens=("felt", "marker", "mouse", "brush"))
    return sheet.page(_drawn(sheet, rng), "one digit, drawn")


def several_drawn(rng: np.random.Generator) -> SyntheticPage:
    """Several digits drawn on a canvas."""
    sheet = _lines(rng, ("felt", "marker", "mouse", "brush"), most=2)
    return sheet.page(_drawn(sheet, rng), "several, drawn")


def tight(rng: np.random.Generator) -> SyntheticPage:
    """A photo or drawing of one digit, cut to its ink: half of them without a margin, half with up to 3 pixels."""
    sheet = _one(rng)
    drawn = rng.random() < 0.5
    whole = sheet.page(_drawn(sheet, rng) if drawn else _photo(sheet, rng), "one digit, cut to its ink")
    left, top, right, bottom = whole.truth[0].box
    a, b, c, d = (int(n) for n in rng.integers(0, 4, 4) * int(rng.integers(2)))
    box = (min(a, left), min(b, top), min(a, left) + right - left, min(b, top) + bottom - top)
    image = whole.image[max(0, top - b) : bottom + d, max(0, left - a) : right + c]
    return SyntheticPage(image, (LabelledBox(whole.truth[0].label, box, whole.style),), whole.style)


def desk(rng: np.random.Generator) -> SyntheticPage:
    """A sheet with numbers on a desk, photographed a little askew."""
    from PIL import Image
    from scipy import ndimage

    sheet = _lines(rng, REAL_PENS, most=3)
    photo, (h, w) = _photo(sheet, rng), sheet.ink.shape
    edge = round(max(h, w) * rng.uniform(0.1, 0.25))
    shape = (h + 2 * edge, w + 2 * edge)
    across, along = rng.uniform(0.5, 3), rng.uniform(3, 25)
    grain = ndimage.gaussian_filter(rng.standard_normal(shape), (across, along))
    wood = np.array(_any(((150, 105, 65), (90, 70, 55), (60, 62, 66), (170, 150, 125)), rng), np.float32)
    image = wood * (1 + rng.uniform(0.05, 0.3) * grain / grain.std())[..., None]
    angle = float(rng.uniform(-6, 6))
    soft, planes = Image.Resampling.BILINEAR, (photo.astype(np.uint8), np.full((h, w), 255, np.uint8), sheet.owner)
    padded = [np.pad(plane, [(edge, edge)] * 2 + [(0, 0)] * (plane.ndim - 2)) for plane in planes]
    kinds = (soft, soft, Image.Resampling.NEAREST)
    paper, on, sheet.owner = (np.asarray(Image.fromarray(p).rotate(angle, k)) for p, k in zip(padded, kinds))
    share = on[..., None].astype(np.float32) / 255
    return sheet.page(image * (1 - share) + paper * share, "paper on a desk")


def words(rng: np.random.Generator) -> SyntheticPage:
    """A photo of WORDS handwritten words, without a digit."""
    height, pen = int(rng.integers(24, 50)), _any(REAL_PENS, rng)
    sheet = _Sheet(height * 8, height * 18)
    top, left = height, height
    for _ in range(WORDS):
        for strokes in write_text(int(rng.integers(2, 8)), rng):
            base = min(float(s[:, 1].min()) for s in strokes)
            ink = trimmed(ink_of(strokes, rng, pen, height))
            sheet.put(ink, top + round(base * height / 1.4), left)
            left += ink.shape[1] + max(1, round(height * rng.uniform(0.02, 0.15)))
        left += round(0.7 * height)
        if left > 13 * height:
            top, left = top + 2 * height, height
    return sheet.page(_photo(sheet, rng), "words")


def print_text(rng: np.random.Generator) -> SyntheticPage:
    """A photo of WORDS printed words, without a digit."""
    height, face = int(rng.integers(16, 40)), _any(FACES, rng)
    sheet = _Sheet(height * 12, height * 20)
    for at in range(WORDS):
        text = "".join(_any("aabcdeeefghiijklmnnoprsttuuvwxyz", rng) for _ in range(rng.integers(2, 8)))
        row, column = divmod(at, 2)
        ink = print_character(text, face, height).astype(np.float32) / 255
        sheet.put(ink, (2 + 2 * row) * height, (1 + 9 * column) * height)
    return sheet.page(_photo(sheet, rng), "print")


def figure(rng: np.random.Generator) -> SyntheticPage:
    """A drawn figure without a digit: curves, lines and shapes."""
    sheet = _Sheet(320, 420)
    for _ in range(rng.integers(3, 8)):
        points = rng.uniform(0, 1.4, (int(rng.integers(2, 7)), 2))
        ink = ink_of([smooth(points)], rng, "felt", int(rng.integers(60, 260)))
        sheet.put(ink, int(rng.integers(0, 250)), int(rng.integers(0, 350)))
    return sheet.page(_drawn(sheet, rng), "figure")


KINDS: dict[str, Callable[[np.random.Generator], SyntheticPage]] = {
    "photo-one": photo_of_one,
    "photo-several": photo_of_several,
    "notes": notes,
    "shrunk": shrunk,
    "paint": paint,
    "canvas": canvas,
    "tight": tight,
    "several-drawn": several_drawn,
    "desk": desk,
    "words": words,
    "print": print_text,
    "figure": figure,
}
