"""Straight maps: shifted, turned, larger or smaller, slanted.

A map leads from a point of the new image back to where it comes from in the old one, so each class below inverts
what its name says. Points are (row, column, 1), in pixels from the image's centre; what comes from outside is paper.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.data.augment.base import Augmentation, Floats
from digitlab.errors import ConfigError


@dataclass(frozen=True)
class Affine(Augmentation):
    """Base of the straight maps; a subclass fills in the six numbers of each image's map."""

    def maps(self, n: int, rng: np.random.Generator) -> Floats:
        maps = np.zeros((n, 3, 3), np.float32)
        maps[:, (0, 1, 2), (0, 1, 2)] = 1
        self.fill(maps, rng)
        return maps

    def fill(self, maps: Floats, rng: np.random.Generator) -> None:
        """Change the identities (n, 3, 3) in place into this step's maps."""


@dataclass(frozen=True)
class Shift(Affine):
    """Moved by whole pixels, −pixels … pixels down and across, each equally likely; 0 is among them.

    With `pixels` 1 the nine places that an image and its neighbours can have; Nielsen's expanded data hold five of
    them (expand.py). Nothing is blurred.
    """

    pixels: int = 1

    def __post_init__(self) -> None:
        self._require("pixels", 0, 1000)
        if self.pixels != int(self.pixels):
            raise ConfigError(f"augmentation shift: got pixels {self.pixels!r}, expected a whole number")
        object.__setattr__(self, "pixels", int(self.pixels))

    def fill(self, maps: Floats, rng: np.random.Generator) -> None:
        maps[:, :2, 2] = rng.integers(-self.pixels, self.pixels, (len(maps), 2), endpoint=True)


@dataclass(frozen=True)
class Rotate(Affine):
    """Turned about the centre by an angle from −degrees to degrees, uniformly; positive is anticlockwise.

    Back from the new point:  row = c·r + s·q,  column = −s·r + c·q,  c = cos, s = sin  (as scipy.ndimage.rotate).
    Rashid turns each image by exactly −10°, 0° and 10° instead; `rotations` in expand.py does that.
    """

    degrees: float = 10.0

    def __post_init__(self) -> None:
        self._require("degrees", 0, 180)

    def fill(self, maps: Floats, rng: np.random.Generator) -> None:
        rotation(maps, rng.uniform(-self.degrees, self.degrees, len(maps)))


@dataclass(frozen=True)
class Scale(Affine):
    """Larger or smaller, the same in both directions, by a factor from 1 − share to 1 + share, uniformly."""

    share: float = 0.1

    def __post_init__(self) -> None:
        self._require("share", 0, 0.95)

    def fill(self, maps: Floats, rng: np.random.Generator) -> None:
        maps[:, (0, 1), (0, 1)] = 1 / rng.uniform(1 - self.share, 1 + self.share, (len(maps), 1))


@dataclass(frozen=True)
class Shear(Affine):
    """Slanted as handwriting is: verticals lean by −degrees … degrees, uniformly; rows keep their place.

    Back from the new point:  column = q + r·tan(angle); a positive angle leans to the right.
    """

    degrees: float = 10.0

    def __post_init__(self) -> None:
        self._require("degrees", 0, 80)

    def fill(self, maps: Floats, rng: np.random.Generator) -> None:
        maps[:, 1, 0] = np.tan(np.radians(rng.uniform(-self.degrees, self.degrees, len(maps))))


def rotation(maps: Floats, degrees: Any) -> None:
    """Write the maps of a rotation by these angles into the identities (n, 3, 3)."""
    angles = np.asarray(degrees) * (math.pi / 180)
    maps[:, 0, 0] = maps[:, 1, 1] = np.cos(angles)
    maps[:, 0, 1] = np.sin(angles)
    maps[:, 1, 0] = -np.sin(angles)
