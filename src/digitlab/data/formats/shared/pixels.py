"""Pixels of any spelling as bytes, and rows of pixels as images.

whole numbers 0–255   bytes already
floats, all 0–1       shares of full ink: times 255, rounded; byte/256, which is Nielsen's scale, comes back exactly
anything else         an error that says which pixel of which image
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.errors import DataError

Place = Callable[[int, int], str]  # where pixel `column` of image `row` is: "own.csv: line 3, column 5"
CHUNK = 4096  # images converted together, so that fractions need little memory


def to_bytes(values: NDArray[Any], place: Place) -> NDArray[np.uint8]:
    """Numbers (N, pixels) as uint8, by what they mean: whole numbers are bytes 0–255, floats up to 1 shares of 255.

    Raises DataError, saying where, for a number that is neither: negative, above 255, NaN, or 0.5 among bytes.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "biuf":
        raise DataError(f"{place(0, 0)}: the pixels are {values.dtype}, expected numbers 0–255.")
    if (at := _first(values, lambda some: ~((some >= 0) & (some <= 255)))) is not None:  # NaN is neither
        raise _refused(values, at, place)
    if values.dtype.kind in "iu" or values.max() > 1:
        if (at := _first(values, lambda some: some != np.trunc(some))) is not None:
            raise _refused(values, at, place)
        return values.astype(np.uint8)
    inexact = _first(values, lambda some: np.abs(some * 256 - np.rint(some * 256)) > 1e-3)
    scale = 256 if inexact is None and values.max() < 1 else 255
    return np.concatenate([np.rint(some * scale).astype(np.uint8) for some in _chunks(values)])


def _chunks(values: NDArray[Any]) -> list[NDArray[Any]]:
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]


def _first(values: NDArray[Any], wrong: Callable[[NDArray[Any]], NDArray[np.bool_]]) -> tuple[int, int] | None:
    """Row and column of the first number for which `wrong` is true."""
    for i, some in enumerate(_chunks(values)):
        with np.errstate(invalid="ignore"):
            found = np.flatnonzero(wrong(some))
        if len(found):
            row, column = divmod(int(found[0]), values.shape[1])
            return i * CHUNK + row, column
    return None


def _refused(values: NDArray[Any], at: tuple[int, int], place: Place) -> DataError:
    return DataError(
        f"{place(*at)}: found '{values[at]:g}', expected a whole number 0–255, or fractions from 0 to 1 throughout. "
        "Scale the pixels to 0–255 and round them."
    )


def to_shape(pixels: int, image_shape: Sequence[int] | None, where: str) -> tuple[int, ...]:
    """The shape of images of so many pixels: `image_shape` if given, else square. DataError if they do not fit."""
    if image_shape is not None:
        if math.prod(image_shape) != pixels:
            asked = "×".join(map(str, image_shape))
            raise DataError(f"{where} has {pixels:,} pixels, expected {math.prod(image_shape):,} for {asked}.")
        return tuple(image_shape)
    side = math.isqrt(pixels)
    if not pixels or side * side != pixels:
        raise DataError(
            f"{where} has {pixels:,} pixels, expected a square number such as 784 for 28×28. "
            "For images of another shape name it: --image-shape 20x30 (20x30x3 in colour), or image_shape=(20, 30)."
        )
    return side, side


def to_images(
    values: NDArray[Any], place: Place, where: str, *, image_shape: Sequence[int] | None = None
) -> NDArray[np.uint8]:
    """Pixels of any usual form as images, uint8 (N, H, W) or (N, H, W, 3).

    values   (N, pixels), (N, H, W), (N, H, W, 1), (N, 1, H, W), (N, H, W, 3) or (N, 3, H, W), of any numeric type
    image_shape   of rows of pixels: (H, W), (H, W, 3), or (3, H, W) where a colour's pixels are together
    """
    if values.ndim < 2 or values.ndim > 4:
        raise DataError(f"{where}: the images have the shape {values.shape}, expected (N, H, W) or (N, pixels).")
    if values.ndim == 2:
        shape = to_shape(values.shape[1], image_shape, f"{where}: an image")
    else:
        shape = values.shape[1:]
    images = to_bytes(values.reshape(len(values), -1), place).reshape(len(values), *shape)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]  # (N, H, W)
    elif images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]  # (N, H, W)
    if images.ndim == 4 and images.shape[1] == 3 and images.shape[3] != 3:
        images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return images
