"""Whole data sets of other appearances, made from one of MNIST's form, its training and test images kept apart."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import Digits
from digitlab.data.splits import Splits
from digitlab.data.synthetic.colours import coloured
from digitlab.data.synthetic.handwriting_styles import other_handwriting
from digitlab.errors import ConfigError, DataError, not_among

Images = NDArray[np.uint8]


def _coloured_handwriting(images: Images, rng: np.random.Generator) -> Images:
    return coloured(other_handwriting(images, rng), rng)


def _three_channels(images: Images, rng: np.random.Generator) -> Images:
    return np.repeat(images[..., None], 3, axis=3)


@dataclass(frozen=True)
class Appearance:
    """A kind of set: how its images look, what changes images (N, 28, 28) to look so, and a training that learns them.

    `training` holds the options of `digitlab train` to recommend. A chain of dense layers stays at chance where ink and
    paper have random colours, a convolutional network does not; small batches are for small sets.
    """

    about: str
    change: Callable[[Images, np.random.Generator], Images]
    training: str = "--net colour-conv --batch-size 16"


APPEARANCES = {
    "colour-mnist": Appearance(
        "in colour, thin and thick, on plain, gradient, noisy and textured paper", _coloured_handwriting
    ),
    "colour-plain": Appearance("in colour on plain paper", lambda x, rng: coloured(x, rng, backgrounds=("plain",))),
    "colour-gradient": Appearance("in colour on gradients", lambda x, rng: coloured(x, rng, backgrounds=("gradient",))),
    "colour-noise": Appearance("in colour on noise", lambda x, rng: coloured(x, rng, backgrounds=("noise",))),
    "colour-texture": Appearance("in colour on textures", lambda x, rng: coloured(x, rng, backgrounds=("texture",))),
    "handwriting": Appearance(
        "grey, rotated, sheared, with thinner and thicker pens", other_handwriting, "--net sprint --batch-size 16"
    ),
    "mnist-rgb": Appearance("unchanged, with three equal channels", _three_channels),
}
FORMER_KINDS = {"hands": "handwriting", "sheets": "pages"}  # former names, which still work


def make_appearance(kind: str, splits: Splits, *, n: int | None = None, seed: int = 0) -> tuple[Digits, Digits]:
    """Training (with validation behind it) and test images of an appearance.

    `n` training images, n/5 to validate and n/5 to test, the first of each set; None: all. Test images stay test
    images. `seed` draws the parameters of each image. The result, written as x_train … y_test, loads as 5 : 1 : 1.
    Raises ConfigError for an unknown kind, DataError where there are too few images.
    """
    kind = FORMER_KINDS.get(kind, kind)
    if kind not in APPEARANCES:
        raise ConfigError(f"appearance: got {not_among(kind, APPEARANCES)}")
    change = APPEARANCES[kind].change
    train, valid, test = splits
    if valid is None:
        raise DataError("appearance: the sets have no validation images; use the split 50k/10k/10k")
    if n is not None:
        few = max(1, n // 5)
        if n < 5 or n > len(train) or few > len(valid) or few > len(test):
            raise DataError(f"appearance: got n {n}, expected 5 to {min(len(train), 5 * len(valid), 5 * len(test)):,}.")
        n -= n % 5  # so that the validation images are exactly the last sixth
        train, valid, test = train.first(n), valid.first(few), test.first(few)
    streams = np.random.default_rng(seed).spawn(3)
    made = [change(part.images, rng) for part, rng in zip((train, valid, test), streams)]
    learned = Digits(
        np.concatenate(made[:2]), np.concatenate([train.labels, valid.labels]), train.class_names, f"{kind} train"
    )
    return learned, Digits(made[2], test.labels, test.class_names, f"{kind} test")
