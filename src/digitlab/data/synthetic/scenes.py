"""Several digits in one coloured picture, with their positions."""

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import Digits
from digitlab.data.photos.mnist_form import cropped
from digitlab.data.photos.scoring import LabelledBox
from digitlab.data.synthetic.colours import BACKGROUNDS, background, inked
from digitlab.data.synthetic.pages import SyntheticPage, mnist_digit


def draw_scene(
    digits: Digits,
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (240, 360),
    most: int = 8,
    background_kind: str = "",
) -> SyntheticPage:
    """A picture of `size` (H, W) with one to `most` digits of different sizes in one colour, none on another.

    `digits` are images of MNIST's form. The page's `style` names the background.
    """
    h, w = size
    kind = background_kind or BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    ink = np.zeros((h, w), np.uint8)
    truth: list[LabelledBox] = []
    for _ in range(int(rng.integers(1, most + 1))):
        image, label = digits[int(rng.integers(len(digits)))]
        mark = mnist_digit(image, int(rng.integers(h // 6, h // 3)))
        mark = cropped(mark, mark > 60)
        mh, mw = mark.shape
        place = _free_place(ink, mh, mw, rng)
        if place is None:
            continue
        top, left = place
        ink[top : top + mh, left : left + mw] = mark
        truth.append(LabelledBox(label, (left, top, left + mw, top + mh), "mnist"))
    return SyntheticPage(inked(background(kind, h, w, rng), ink, rng), tuple(truth), kind)


def _free_place(ink: NDArray[np.uint8], h: int, w: int, rng: np.random.Generator) -> tuple[int, int] | None:
    """A free corner (top, left), eight pixels from any ink; None after thirty tries."""
    gap = 8
    for _ in range(30):
        top = int(rng.integers(gap, ink.shape[0] - h - gap))
        left = int(rng.integers(gap, ink.shape[1] - w - gap))
        if not ink[top - gap : top + h + gap, left - gap : left + w + gap].any():
            return top, left
    return None
