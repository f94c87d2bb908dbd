"""Marks that are not digits: letters, words, signs, scribbles, touching digits, parts of digits, dirt, rules, frames.

A network that has only ever seen digits calls everything a digit. Shown these as one more class, "none of them", it
learns what no digit is (Hendrycks, Mazeika and Dietterich 2019, "Deep anomaly detection with outlier exposure").
"""

import numpy as np
from numpy.typing import NDArray

from digitlab.data.synthetic.captures import captured
from digitlab.data.synthetic.clutter import draw_clutter
from digitlab.data.synthetic.fonts import print_character
from digitlab.data.synthetic.hands import write_digit, write_letter, write_word
from digitlab.data.synthetic.pens import Ink, ink_of, resized
from digitlab.data.synthetic.strokes import smooth

# Letters that do not look like a digit; no B, G, I, O, Q, S, Z, b, g, i, l, o, q, s, z.
LETTERS = "ACDEFHJKLMNPRTUVWXYacdefhjkmnprtuvwxy&%?#@+=*<>~^{}[]$€£§ßäöüÄÖÜéñçΔΣΩαβδλπωжшщяЖШЯ"
FACES = ("cmr10", "cmss10", "cmb10", "cmtt10", "STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol")
LATIN_ONLY = FACES[:4]  # Computer Modern has no other letters than those up to here
LATIN = 54
TALL, WIDEST_ONE = 18, 10  # pixels of MNIST's box of 20


def other_marks(
    n: int, digits: NDArray[np.uint8], rng: np.random.Generator, *, tiny: bool = False
) -> NDArray[np.uint8]:
    """`n` marks that are no digits, in MNIST's form, (n, 28, 28); `digits` (N, 28, 28) are joined and cut for some.

    `tiny`: on pictures of 7 to 10 pixels.
    """
    marks: list[NDArray[np.uint8]] = []
    while len(marks) < n:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        ink = kind(digits, rng)
        mark = captured(ink, rng, tiny=tiny) if (ink > 0.3).sum() >= 12 else None
        if mark is not None and not (kind in (_part, _clutter) and _is_one(mark)):
            marks.append(mark)
    return np.stack(marks)


def _is_one(mark: NDArray[np.uint8]) -> bool:
    """Whether a mark (28, 28) is one upright stroke that mostly fills its box: nobody can tell it from a 1."""
    from scipy import ndimage

    ink = mark > 127
    box = ink[ndimage.find_objects(ink.astype(np.uint8))[0]]
    h, w = box.shape
    starts = np.diff(box.astype(np.int8), axis=1, prepend=0) == 1
    return h >= TALL and w <= WIDEST_ONE and box.mean() > 0.6 and bool((starts.sum(axis=1) == 1).all())


def _printed(digits: NDArray[np.uint8], rng: np.random.Generator) -> Ink:
    """A letter or a piece of a word in print."""
    from PIL import Image

    face = FACES[int(rng.integers(len(FACES)))]
    letters = LETTERS[:LATIN] if face in LATIN_ONLY else LETTERS
    count = 1 if rng.random() < 0.75 else int(rng.integers(2, 5))
    text = "".join(letters[int(rng.integers(len(letters)))] for _ in range(count))
    turned = Image.fromarray(print_character(text, face)).rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR, True)
    return np.asarray(turned, dtype=np.float32) / 255


def _letter(digits: NDArray[np.uint8], rng: np.random.Generator) -> Ink:
    return ink_of(write_letter(rng), rng)


def _word(digits: NDArray[np.uint8], rng: np.random.Generator) -> Ink:
    return ink_of(write_word(rng), rng)


def _scribble(digits: NDArray[np.uint8], rng: np.random.Generator) -> Ink:
    """A curve through five to eleven random points, or two of them."""
    shape = [rng.uniform(0.5, 1.4), 1.2]
    return ink_of(
        [smooth(rng.uniform(0, shape, (int(rng.integers(5, 12)), 2))) for _ in range(rng.integers(1, 3))], rng
    )


def _several_digits(digits: NDArray[np.uint8], rng: np.random.Generator) -> Ink:
    """Two or three digits that touch: of `digits`, or written in one hand."""
    count = 2 if rng.random() < 0.8 else 3
    if rng.random() < 0.5:
        at, strokes = 0.0, []
        same = int(rng.integers(10))
        for _ in range(count):
            written = write_digit(same if rng.random() < 0.3 else int(rng.integers(10)), rng)
            left, right = (f(f(s[:, 0]) for s in written) for f in (min, max))
            strokes += [stroke + np.array([at - left, 0.0]) for stroke in written]
            at += (right - left) * rng.uniform(0.85, 1.02) + 0.1 * (right - left < 0.3)
        return ink_of(strokes, rng)
    both = np.zeros((28, 0), np.uint8)
    for i in rng.integers(len(digits), size=count):
        columns = np.flatnonzero(digits[i].max(axis=0) > 60)
        image = digits[i][:, columns[0] : columns[-1] + 1]
        overlap = min(int(rng.integers(0, 3)), both.shape[1], image.shape[1])
        padded = np.pad(both, ((0, 0), (0, image.shape[1] - overlap)))
        padded[:, padded.shape[1] - image.shape[1] :] = np.maximum(padded[:, padded.shape[1] - image.shape[1] :], image)
        both = padded
    return resized(both.astype(np.float32) / 255, rng.uniform(1, 4))


def _part(digits: NDArray[np.uint8], rng: np.random.Generator) -> Ink:
    """The left part of a wide digit, as a wrong cut leaves it: right parts look like 1, 3 and 7."""
    image = digits[int(rng.integers(len(digits)))].astype(np.float32) / 255
    columns = np.flatnonzero(image.max(axis=0) > 0.25)
    if len(columns) < 16:
        return np.zeros((28, 28), np.float32)
    cut = columns[0] + int(len(columns) * rng.uniform(0.3, 0.5))
    return resized(image[:, :cut], rng.uniform(1, 4))


def _clutter(digits: NDArray[np.uint8], rng: np.random.Generator) -> Ink:
    return draw_clutter(rng)


KINDS = (
    *(_letter, _letter, _letter, _printed, _printed, _word, _scribble, _several_digits, _several_digits, _part),
    *(_clutter, _clutter),
)
