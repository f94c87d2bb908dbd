"""What an augmentation is, and several of them one after another at the price of one."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.augment.warp import warp
from digitlab.errors import ConfigError, DataError

Images = NDArray[np.uint8]  # (N, H, W) or (N, H, W, 3); 0 is paper, 255 is ink
Floats = NDArray[np.float32]
CHUNK = 1000  # images at a time: what passes between the steps stays small


@dataclass(frozen=True)
class Augmentation:
    """Base: a change that leaves images readable; each image gets new random parameters.

    A step answers one of three questions, and `Compose` puts the answers together:

    maps       where does each point come from, by a straight map?         (affine.py)
    field      by how much is each point displaced?                        (elastic.py)
    altered    what else becomes of the pixels' values?                    (noise.py)
    """

    def augment(self, images: Images, rng: np.random.Generator) -> Images:
        """New images of the same shape, uint8 (N, H, W) or (N, H, W, 3); those given stay as they are.

        The same generator state gives the same images. Raises DataError for arrays that are not images.
        """
        return Compose((self,)).augment(images, rng)

    def maps(self, n: int, rng: np.random.Generator) -> Floats | None:
        """A map for each of n images, (n, 3, 3), or None if this step has none.

        It takes a point (row, column, 1) of the new image, counted in pixels from the centre, to where it comes from.
        """
        return None

    def field(self, n: int, size: tuple[int, int], rng: np.random.Generator) -> Floats | None:
        """Displacements (n, 2, H, W) in pixels, rows then columns: the new image at p is the old one at p + d(p)."""
        return None

    def altered(self, images: Images, rng: np.random.Generator) -> Images:
        """New images with other values; called for steps that have neither maps nor field."""
        return images

    @property
    def spec(self) -> str:
        """This augmentation as text that `parse_augmentation` reads: "rotate:10"."""
        values = [getattr(self, f.name) for f in dataclasses.fields(self)]
        defaults = [f.default for f in dataclasses.fields(self)]
        while values and values[-1] == defaults[-1]:
            values.pop(), defaults.pop()
        return type(self).__name__.lower() + (":" + ":".join(map(_written, values)) if values else "")

    @property
    def full_spec(self) -> str:
        """The same with every number written out, also those at their defaults: "shift:1"."""
        values = [getattr(self, f.name) for f in dataclasses.fields(self)]
        return ":".join([type(self).__name__.lower(), *map(_written, values)])

    def _require(self, name: str, low: float, high: float) -> None:
        """ConfigError unless the field is a number from `low` to `high`."""
        value: Any = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ConfigError(
                f"augmentation {type(self).__name__.lower()}: got {name} {value!r}, "
                f"expected a number from {low:g} to {high:g}"
            )


@dataclass(frozen=True)
class Compose(Augmentation):
    """Several augmentations in order; `Compose((Shift(1), Rotate(10), Elastic()))`.

    Neighbouring affine steps, and an elastic one after them, are multiplied into one map, so the image is read
    between its pixels once: each further reading would blur it. Two maps A then B make p ↦ A·B·p,
    since both lead back from the new point to the old one.
    """

    steps: tuple[Augmentation, ...] = ()

    def augment(self, images: Images, rng: np.random.Generator) -> Images:
        images = require_images(images)
        out = np.empty_like(images, order="C")
        for start in range(0, len(images), CHUNK):
            out[start : start + CHUNK] = self._chunk(images[start : start + CHUNK], rng)
        return out

    def _chunk(self, images: Images, rng: np.random.Generator) -> Images:
        n, height, width = images.shape[:3]
        waiting: Floats | None = None  # maps that no image has been read through yet
        for step in self.flat():
            maps, field = step.maps(n, rng), step.field(n, (height, width), rng)
            if maps is not None:
                waiting = maps if waiting is None else waiting @ maps  # (n, 3, 3)
                continue
            if field is not None or waiting is not None:
                images, waiting = warp(images, waiting, field), None
            if field is None:
                images = step.altered(images, rng)
        return warp(images, waiting, None) if waiting is not None else images

    def flat(self) -> tuple[Augmentation, ...]:
        """The steps, those of a Compose inside this one among them."""
        return tuple(part for step in self.steps for part in (step.flat() if isinstance(step, Compose) else (step,)))

    @property
    def spec(self) -> str:
        return ",".join(step.spec for step in self.flat()) or "none"

    @property
    def full_spec(self) -> str:
        return ",".join(step.full_spec for step in self.flat()) or "none"


def _written(value: float) -> str:
    """A number as text that is read back as the very same."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def require_images(images: Any) -> Images:
    """`images` if it is an array of them; DataError otherwise."""
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        got = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images).__name__
        raise DataError(f"augmentation: got {got}, expected images as uint8, (N, H, W) or (N, H, W, 3), 0–255")
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)) or 0 in images.shape[1:]:
        raise DataError(
            f"augmentation: got shape {images.shape}, expected (N, H, W), or (N, H, W, 3) in colour. "
            "Rows of 784 become images with reshape(-1, 28, 28); a single image with image[None]"
        )
    return images
