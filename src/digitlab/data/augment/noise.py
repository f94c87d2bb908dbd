"""Grain, as a camera adds it in bad light."""

from dataclasses import dataclass

import numpy as np

from digitlab.data.augment.base import Augmentation, Images


@dataclass(frozen=True)
class Noise(Augmentation):
    """Gaussian noise added to every pixel (and every colour), then cut off at 0 and 255.

    `sd` is its standard deviation as a share of the range from paper to ink: .1 is 25.5 grey levels.
    """

    sd: float = 0.1

    def __post_init__(self) -> None:
        self._require("sd", 0, 1)

    def altered(self, images: Images, rng: np.random.Generator) -> Images:
        values = rng.standard_normal(images.shape, dtype=np.float32)
        values *= 255 * self.sd
        values += images
        np.rint(values, out=values)
        return np.clip(values, 0, 255, out=values).astype(np.uint8)
