"""One digit in one picture file: in MNIST's form, white on black, as an image folder and `predict` take it.

A picture of 28×28 in MNIST's form is taken as it is: a digit of 20×20 pixels, its centre of mass in the middle. Others,
also drawings of 28×28, are searched for their digit (page.py), as `digitlab read` does. Files of 784 raw bytes are 28
rows of 28.
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.mark import Mark, union
from digitlab.data.photos.marks import odd_shape
from digitlab.data.photos.opening import open_photo
from digitlab.data.photos.page import find_digits
from digitlab.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm")
RAW = ("", ".raw", ".bin", ".dat", ".784")
RAW_BYTES = 28 * 28
STROKES = 2  # marks of about one height that may be the strokes of one digit; more are several digits


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its name, or by its size 784 raw bytes."""
    suffix = path.suffix.lower()
    return suffix in SUFFIXES or (suffix in RAW and path.stat().st_size == RAW_BYTES)


def read_digit(path: str | os.PathLike[str], shape: tuple[int, ...] = (28, 28)) -> NDArray[np.uint8]:
    """The one digit in a file, uint8 (28, 28), white on black; for a `shape` (28, 28, 3) in the photo's own colours.

    A picture that has the height and width of `shape`, which may be others than 28, is not resized; a grey one of 28×28
    that is not in MNIST's form is brought to it, if a digit is found.
    Raises DataError if there is no digit, if there are several, for a picture that has neither the size of `shape`
    nor can get it, and for a file that is no picture.
    """
    path = Path(path)
    if path.stat().st_size == RAW_BYTES and path.suffix.lower() in RAW:
        grey = white_on_black(np.frombuffer(path.read_bytes(), dtype=np.uint8).reshape(28, 28))
        return grey if len(shape) == 2 else np.repeat(grey[..., None], 3, axis=2)
    photo = open_photo(path)
    as_it_is = None
    if photo.shape[:2] == shape[:2]:
        as_it_is = white_on_black(np.round(photo.mean(axis=2)).astype(np.uint8)) if len(shape) == 2 else photo
        if shape != (28, 28) or in_mnist_form(as_it_is):
            return as_it_is
    if shape[:2] != (28, 28):
        size, wanted = ("×".join(map(str, some[:2])) for some in (photo.shape, shape))
        raise DataError(f"{path}: is a picture of {size} pixels, expected {wanted}: other pictures become 28×28")
    page = find_digits(photo)
    marks = [*page.marks, *(mark for mark in page.others if "edge" not in mark.why_not)]
    marks = marks or [part for part in page.parts if not odd_shape(part)]  # a crop: its digit touches the edges
    if as_it_is is not None:
        return page.image_of(_one(marks)) if marks else as_it_is
    if not marks:
        raise DataError(f"{path}: found no digit; expected a picture of one. Is it blank, or cut off at the edge?")
    tallest = max(mark.height for mark in marks)
    if (alike := sum(mark.height > 0.6 * tallest for mark in marks)) > STROKES:
        raise DataError(
            f"{path}: found {alike} marks as large as a digit; expected a picture of one digit "
            "(`digitlab read` reads several)"
        )
    return page.image_of(_one(marks)) if len(shape) == 2 else page.colour_of(_one(marks))


def _one(marks: list[Mark]) -> Mark:
    """The picture's digit: its largest mark, with what is near it and too large for dust."""
    largest = max(marks, key=lambda mark: float(mark.mask.sum()))
    whole = largest
    for mark in marks:
        if mark is not largest and mark.mask.sum() > 0.08 * largest.mask.sum():
            whole = union(whole, mark)
    return whole


def in_mnist_form(image: NDArray[np.uint8]) -> bool:
    """Whether an image (28, 28), white on black, has its ink in a box of 20×20 around the middle, as MNIST's have."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    if not len(rows):
        return True
    weight = image.astype(np.float64)
    y, x = np.mgrid[0:28, 0:28]
    off = max(abs((weight * axis).sum() / weight.sum() - 14) for axis in (x, y))
    return 18 <= max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 <= 20 and bool(off <= 1.5)


def white_on_black(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey image as MNIST has them: inverted if its border, which is paper, is light, and paper made 0."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    if np.median(border) > 127:
        image = 255 - image
        border = 255 - border
    paper = int(np.median(border))
    if paper == 0:
        return image
    stretched = (image.astype(np.float32) - paper) * (255 / max(1, 255 - paper))
    turned: NDArray[np.uint8] = np.round(np.clip(stretched, 0, 255)).astype(np.uint8)
    return turned
