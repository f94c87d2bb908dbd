"""Elastic deformation: neighbouring points move together."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from digitlab.data.augment.base import Augmentation, Floats

SIDE = 28  # the image side that alpha and sigma are given for


@dataclass(frozen=True)
class Elastic(Augmentation):
    """Every point displaced by α times smoothed noise: d = α · (G_σ ∗ u), u uniform in (−1, 1), for rows and columns.

    Simard, Steinkraus & Platt 2003, "Best practices for convolutional neural networks applied to visual document
    analysis", sec. 2; α = 34 and σ = 4 pixels are theirs for MNIST. There a point moves by 1.4 pixels (standard
    deviation), or less near the edge, where the smoothing runs into zeros.

    Both are for 28×28 images. For a side of n pixels σ becomes σ·n/28 and α becomes α·(n/28)², so that points move by
    the same share of the image (the noise, smoothed over σ pixels, has a standard deviation of 1/(2√(3π) σ)).
    """

    alpha: float = 34.0
    sigma: float = 4.0

    def __post_init__(self) -> None:
        self._require("alpha", 0, 1e4)
        self._require("sigma", 0.1, 1e3)

    def field(self, n: int, size: tuple[int, int], rng: np.random.Generator) -> Floats:
        scale = min(size) / SIDE
        rows, columns = (smoothing(side, self.sigma * scale) for side in size)
        noise = rng.random((n, 2, *size), dtype=np.float32)
        noise -= 0.5  # (−½, ½): the 2 is in the factor below
        smooth = (2 * self.alpha * scale**2 * rows) @ noise  # (n, 2, H, W)
        # One long product instead of 2n short ones: the columns are the last axis already.
        field = smooth.reshape(-1, size[1]) @ columns.T  # (n·2·H, W)
        return np.asarray(field.reshape(noise.shape), np.float32)  # (n, 2, H, W)


@lru_cache(maxsize=8)
def smoothing(side: int, sigma: float) -> Floats:
    """The matrix (side, side) that smooths a column by a Gaussian of σ pixels, with zeros beyond the ends.

    A linear filter is the matrix of what it makes of the unit vectors.
    """
    from scipy.ndimage import gaussian_filter1d

    matrix: Floats = gaussian_filter1d(np.eye(side), sigma, axis=0, mode="constant").astype(np.float32)
    matrix.flags.writeable = False  # it is shared by all who ask
    return matrix
