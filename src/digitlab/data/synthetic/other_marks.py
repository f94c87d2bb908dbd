"""Marks that are not digits: letters, signs, scribbles, two touching digits, halves of digits.

A network that has only ever seen digits calls everything a digit. Shown these with the answer "each class as likely
as any other", it learns to be unsure where it should be (Hendrycks, Mazeika and Dietterich 2019, "Deep anomaly
detection with outlier exposure").
"""

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.mnist_form import cropped, mnist_form
from digitlab.data.synthetic.fonts import print_character
from digitlab.data.synthetic.strokes import draw_path, smooth

# Letters that do not look like a digit; no B, D, G, I, O, Q, S, T, Z, b, d, g, i, j, l, o, q, s, t, y, z.
LETTERS = "ACEFHKMNPRUVWXYaecfhkmnpruvwx&%?#@+=*"
FACES = ("cmr10", "cmss10", "cmb10", "cmtt10", "STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol")


def other_marks(n: int, digits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """`n` marks that are no digits, in MNIST's form, (n, 28, 28), of letters, scribbles, and `digits` (N, 28, 28)."""
    kinds = (_letter, _scribble, _two_digits, _half_digit, _scribble, _two_digits, _letter, _simple)
    marks: list[NDArray[np.uint8]] = []
    while len(marks) < n:
        ink = kinds[int(rng.integers(len(kinds)))](digits, rng).astype(np.float32) / 255
        solid = ink > 0.3
        if solid.sum() >= 12:
            marks.append(mnist_form(cropped(ink, solid)))
    return np.stack(marks)


def _letter(digits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    from PIL import Image

    ink = print_character(LETTERS[int(rng.integers(len(LETTERS)))], FACES[int(rng.integers(len(FACES)))])
    turned = Image.fromarray(ink).rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR, expand=True)
    return np.asarray(turned)


def _scribble(digits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A curve through six to ten random points, or two of them."""
    strokes = [smooth(rng.uniform(0, 1.2, (int(rng.integers(6, 11)), 2))) for _ in range(int(rng.integers(1, 3)))]
    return draw_path(strokes, 60, rng.uniform(0.05, 0.14))


def _two_digits(digits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Two digits that touch."""
    a, b = (digits[int(i)] for i in rng.integers(len(digits), size=2))
    columns = [np.flatnonzero(image.max(axis=0) > 60) for image in (a, b)]
    a, b = (image[:, c[0] : c[-1] + 1] for image, c in zip((a, b), columns))
    overlap = int(rng.integers(0, 3))
    both = np.zeros((28, a.shape[1] + b.shape[1] - overlap), np.uint8)
    both[:, : a.shape[1]] = a
    both[:, -b.shape[1] :] = np.maximum(both[:, -b.shape[1] :], b)
    return both.astype(np.uint8, copy=False)


def _half_digit(digits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """What is left of a wide digit's middle, as a wrong cut leaves it; nothing of a narrow one, whose halves are 1s."""
    image = digits[int(rng.integers(len(digits)))]
    columns = np.flatnonzero(image.max(axis=0) > 60)
    if len(columns) < 16:
        return np.zeros((28, 28), np.uint8)
    middle = int(np.mean(columns))
    half: NDArray[np.uint8] = image[:, :middle] if rng.random() < 0.5 else image[:, middle:]
    return half


def _simple(digits: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A dash, a cross, a tick, a blot."""
    shapes = (
        [[(0, 0.5), (1, rng.uniform(0.4, 0.6))]],
        [[(0, 0), (1, 1)], [(0, 1), (1, 0)]],
        [[(0, 0.6), (0.35, 1)], [(0.35, 1), (1, 0)]],
        [[(0.45, 0.45), (0.55, 0.55)]],
        [[(0, 0.3), (1, 0.3)], [(0, 0.7), (1, 0.7)]],
    )
    strokes = [smooth(np.array(s) + rng.normal(0, 0.05, (2, 2))) for s in shapes[int(rng.integers(len(shapes)))]]
    return draw_path(strokes, 60, rng.uniform(0.06, 0.16))
