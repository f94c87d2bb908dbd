"""Digits in colour on paper of every kind, (N, H, W, 3): what a network that has only seen MNIST does not expect.

Backgrounds: plain, gradient, noise, texture. Ink and paper differ by at least a given contrast; either is the lighter.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.errors import ConfigError, ShapeError

Colour = NDArray[np.float32]  # (3,), 0 to 255
Plane = NDArray[np.floating[Any]]

BACKGROUNDS = ("plain", "gradient", "noise", "texture")
MIN_CONTRAST = 90.0  # distance of ink and paper in RGB, of 441 at most


def coloured(
    images: NDArray[np.uint8], rng: np.random.Generator, *, backgrounds: tuple[str, ...] = BACKGROUNDS
) -> NDArray[np.uint8]:
    """Each image (N, H, W), 255 for ink, in a random colour on a random background: uint8 (N, H, W, 3).

    Raises ConfigError for an unknown background, ShapeError for images of another shape.
    """
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ShapeError(f"images: got {images.dtype} of shape {images.shape}, expected uint8 (N, H, W)")
    unknown = [name for name in backgrounds if name not in BACKGROUNDS]
    if unknown or not backgrounds:
        raise ConfigError(f"backgrounds: got {unknown or 'none'}, expected some of {', '.join(BACKGROUNDS)}")
    h, w = images.shape[1:]
    result = np.empty((*images.shape, 3), np.uint8)
    for at, image in enumerate(images):
        kind = backgrounds[int(rng.integers(len(backgrounds)))]
        result[at] = inked(background(kind, h, w, rng), image, rng)
    return result


def inked(paper: Plane, ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Ink (H, W) in a colour that differs from the paper (H, W, 3), laid on it: uint8 (H, W, 3)."""
    middle = paper.mean(axis=(0, 1))
    colour = rng.uniform(0, 255, 3)
    for _ in range(50):
        if np.linalg.norm(colour - middle) >= MIN_CONTRAST + 1.5 * float(paper.std(axis=(0, 1)).mean()):
            break
        colour = rng.uniform(0, 255, 3)
    else:
        colour = np.where(middle > 127, 0.0, 255.0)
    share = (ink.astype(np.float32) / 255)[..., None]
    return np.clip(paper * (1 - share) + colour.astype(np.float32) * share, 0, 255).astype(np.uint8)


def background(kind: str, h: int, w: int, rng: np.random.Generator) -> Plane:
    """Paper (H, W, 3), 0 to 255, of one of the BACKGROUNDS."""
    first = rng.uniform(0, 255, 3).astype(np.float32)
    paper: Plane = np.broadcast_to(first, (h, w, 3)).astype(np.float32)
    if kind == "gradient":
        second = first + rng.uniform(-90, 90, 3).astype(np.float32)
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        t = x / w * np.cos(angle) + y / h * np.sin(angle)
        t = (t - t.min()) / max(1e-6, float(t.max() - t.min()))
        paper = first + t[..., None] * (second - first)
    elif kind == "noise":
        paper = paper + rng.normal(0, rng.uniform(10, 30), (h, w, 3)).astype(np.float32)
    elif kind == "texture":
        paper = paper + _texture(h, w, rng)[..., None] * rng.uniform(-1, 1, 3).astype(np.float32) * 45
    return np.clip(paper, 0, 255).astype(np.float32)


def _texture(h: int, w: int, rng: np.random.Generator) -> Plane:
    """Stripes, squares, dots or clouds between -1 and 1, (H, W)."""
    from scipy import ndimage

    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    kind, period, angle = int(rng.integers(4)), rng.uniform(4, 10), rng.uniform(0, np.pi)
    along = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / period)
    across = (y * np.cos(angle) - x * np.sin(angle)) * (2 * np.pi / period)
    texture: Plane
    if kind == 0:
        texture = np.sin(along)
    elif kind == 1:
        texture = np.sign(np.sin(along)) * np.sign(np.sin(across))
    elif kind == 2:
        texture = np.where(np.sin(along) + np.sin(across) > 1, 1.0, -0.3)
    else:
        clouds = ndimage.gaussian_filter(rng.normal(0, 1, (h, w)), rng.uniform(1.0, 3.0))
        texture = clouds / max(1e-6, float(np.abs(clouds).max()))
    return texture.astype(np.float32)
