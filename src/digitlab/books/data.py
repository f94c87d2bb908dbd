"""The data sets of the experiments, as settings that can be hashed: `Data(train_size=1000)`."""

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from digitlab.data import Digits, Splits, load
from digitlab.data.augment.expand import expand, rotations, shifts
from digitlab.errors import ConfigError

ROTATION = 10.0  # degrees, Rashid's
COPIES = {"": 1, "shifts": 5, "rotations": 3}  # images that `expand` makes of one
MADE_UP = 10_000  # training images of the source "made-up"


@dataclass(frozen=True)
class Data:
    """Which images, and how many of them.

    source        "mnist"; "digits": scikit-learn's 8×8 digits enlarged to 28×28, so that every network fits;
                  "made-up": random blots, the same everywhere, for fingerprints (fingerprint.py)
    split         "50k/10k/10k" or "60k/10k"
    *_size        the first n images of that set; 0: all of them
    expand        "": as they are; "shifts": each with its four one-pixel shifts, mixed once (Nielsen ch. 6);
                  "rotations": each followed by itself turned by +10° and −10° (Rashid)
    whole         drop the images that fill no whole batch of ten, as network3 does
    """

    source: str = "mnist"
    split: str = "50k/10k/10k"
    train_size: int = 0
    valid_size: int = 0
    test_size: int = 0
    expand: str = ""
    whole: bool = False

    def table(self) -> dict[str, Any]:
        """The settings as JSON values, without those at their default."""
        return {key: value for key, value in asdict(self).items() if value != getattr(Data(), key)}

    def shrunk(self) -> "Data":
        """A few hundred images, to see that an experiment runs."""
        train, valid = min(self.train_size or 400, 400), min(self.valid_size or 200, 200)
        return replace(self, train_size=train, valid_size=valid, test_size=200)

    def probe(self, images: int) -> "Data":
        """The same sets of synthetic images: at most so many to train on, fewer to measure."""
        return replace(
            self,
            source="made-up",
            train_size=min(self.train_size or images, images // COPIES.get(self.expand, 1)),
            valid_size=min(self.valid_size or images, images, 300),
            test_size=min(images, 300),
        )

    def load(self) -> Splits:
        """The sets. Raises MissingDataError if MNIST is unavailable, DataError if a set is too small."""
        return _load(self)


@lru_cache(maxsize=3)
def _load(data: Data) -> Splits:
    parts = _source(data.source, data.split)
    train, valid, test = parts
    train = train.first(min(data.train_size or len(train), len(train)))
    if valid is not None:
        valid = valid.first(min(data.valid_size or len(valid), len(valid)))
    test = test.first(min(data.test_size or len(test), len(test)))
    if data.expand == "shifts":
        train = with_shifts(train)
    elif data.expand == "rotations":
        train = with_rotations(train)
    elif data.expand:
        raise ConfigError(f"expand: got {data.expand!r}, expected '', 'shifts' or 'rotations'")
    if data.whole:
        train = train.first(len(train) - len(train) % 10)
    return Splits(train, valid, test)


@lru_cache(maxsize=2)
def _source(source: str, split: str) -> Splits:
    if source == "made-up":
        return made_up(split)
    parts: Splits = load(source, split=split)  # type: ignore[call-overload]  # "60k/10k" or "50k/10k/10k"
    if source != "digits":
        return parts
    train, valid, test = parts
    return Splits(enlarged(train), enlarged(valid) if valid is not None else None, enlarged(test))


def made_up(split: str) -> Splits:
    """Images of ten kinds of random blots (28×28), as sparse as handwriting, and not easy to tell apart."""
    rng = np.random.default_rng(0)
    often = np.where(rng.random((10, 28, 28)) < 0.5, np.float32(0.35), np.float32(0.12))  # how often a pixel has ink
    labels = rng.integers(0, 10, MADE_UP + 600)
    ink = rng.random((len(labels), 28, 28), np.float32) < often[labels]
    images = np.where(ink, rng.integers(1, 256, ink.shape, np.uint8), np.uint8(0))
    train, valid, test = Digits(images, labels).split(MADE_UP, 300, 300)
    return Splits(train, None if split == "60k/10k" else valid, test)


def enlarged(digits: Digits) -> Digits:
    """8×8 images as 28×28: every pixel three by three, with a margin of two."""
    images = np.kron(digits.images, np.ones((1, 3, 3), np.uint8))  # (N, 24, 24)
    return replace(digits, images=np.pad(images, ((0, 0), (2, 2), (2, 2))))


def with_shifts(digits: Digits) -> Digits:
    """Five images for one: itself, and one pixel down, up, right, left; in one random order, always the same.

    Nielsen, expand_mnist.py: he mixes the pairs once, since network3 does not shuffle. Ours are mixed with seed 0.
    """
    return expand(digits, shifts(), np.random.default_rng(0))


def with_rotations(digits: Digits) -> Digits:
    """Three images for one, in file order: itself, turned by +10°, by −10° (bilinear, the corners paper).

    Rashid, part3_neural_network_mnist_and_own_data: scipy.ndimage.rotate(..., cval=0.01, order=1, reshape=False).
    He turns the scaled picture, where paper is .01; here bytes are turned, where paper is 0: the same but for rounding.
    """
    return expand(digits, rotations(ROTATION))
