"""A folder of pictures as a data set: your own digits, one picture each, their classes in the names.

    own/3/a.png  own/3/b.jpg  own/7/a.png      a folder per class
    own/3_a.png  own/3-b.png  own/7.png        the class, one letter or digit, before _ or -
    own/3_c                                    raw bytes, 784 of them, as 28 rows of 28
    own/train/3/a.png  own/test/3/b.png        sets that were split before (and own/valid, if there)

A picture of 28×28 is taken as it is; others are brought to MNIST's form (handwriting/). Ink on light paper, which is
how people write, is turned into MNIST's white on black.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlab.data.digits import DIGIT_NAMES, Digits
from digitlab.data.handwriting import find_digits, open_photo
from digitlab.data.handwriting.marks import Mark, union
from digitlab.data.splits import Split, Splits, join_validation, split_published, split_single
from digitlab.errors import DataError

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm")
RAW = ("", ".raw", ".bin", ".dat", ".784")
RAW_BYTES = 28 * 28
PARTS = ("train", "valid", "test")
STROKES = 2  # marks of about one height that may be the strokes of one digit; more are several digits


def looks_like_image_folder(folder: Path) -> bool:
    """Whether a folder holds labelled pictures: at least one file that `read_image_folder` would read."""
    if not folder.is_dir():
        return False
    if all((folder / part).is_dir() for part in ("train", "test")):
        return looks_like_image_folder(folder / "train")
    return next(_labelled(folder), None) is not None


def read_image_folder(
    folder: str | os.PathLike[str], *, name: str = "", class_names: tuple[str, ...] | None = None
) -> Digits:
    """All labelled pictures of a folder as one set, uint8 (N, 28, 28), ordered by name.

    class_names   the classes there may be; by default the ten digits, or the names that occur if one is no digit
    A picture without a digit, a label that is no class, or a file that cannot be read is a DataError naming the file.
    """
    folder = Path(folder)
    files = list(_labelled(folder))
    if not files:
        raise DataError(
            f"{folder}: found no labelled pictures; expected a folder per class (own/3/a.png), or the class at the "
            "beginning of each name (own/3_a.png)"
        )
    found = sorted({label for _, label in files})
    names = class_names or (DIGIT_NAMES if set(found) <= set(DIGIT_NAMES) else tuple(found))
    numbers = {label: number for number, label in enumerate(names)}
    for path, label in files:
        if label not in numbers:
            raise DataError(f"{path}: its name says class {label!r}, expected one of {', '.join(names)}")
    images = np.stack([read_digit(path) for path, _ in files])
    labels = np.array([numbers[label] for _, label in files], dtype=np.int64)
    return Digits(images, labels, names, name or folder.name)


def load_image_folder(folder: str | os.PathLike[str], split: Split = "50k/10k/10k") -> Splits:
    """The sets of an image folder: those in train/, valid/ and test/ if it has them, else cut from one (5 : 1 : 1)."""
    folder = Path(folder)
    if not all((folder / part).is_dir() for part in ("train", "test")):
        return split_single(read_image_folder(folder), split)
    there = [part for part in PARTS if (folder / part).is_dir()]
    found = sorted({label for part in there for _, label in _labelled(folder / part)})
    names = DIGIT_NAMES if set(found) <= set(DIGIT_NAMES) else tuple(found)
    sets = {part: read_image_folder(folder / part, class_names=names) for part in there}
    if "valid" not in sets:
        return split_published(sets["train"], sets["test"], split).named(folder.name)
    return join_validation(Splits(sets["train"], sets["valid"], sets["test"]), split).named(folder.name)


def _labelled(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each file to read with its label, in the order of their names; hidden files are passed over."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            for path in sorted(entry.iterdir()):
                if path.is_file() and not path.name.startswith(".") and _is_image(path):
                    yield path, entry.name
        elif entry.is_file() and _is_image(entry) and (match := re.match(r"([0-9A-Za-z])(?:[_\-]|$)", entry.stem)):
            yield entry, match[1]  # "7.png" and "7_a.png" say a class, "IMG_12.png" none


def _is_image(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in PICTURES or (suffix in RAW and path.stat().st_size == RAW_BYTES)


def read_digit(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """The one digit in a file, uint8 (28, 28), white on black. Raises DataError if there is none, or no picture."""
    path = Path(path)
    if path.stat().st_size == RAW_BYTES and path.suffix.lower() in RAW:
        return white_on_black(np.frombuffer(path.read_bytes(), dtype=np.uint8).reshape(28, 28))
    photo = open_photo(path)
    if photo.shape[:2] == (28, 28):
        return white_on_black(np.round(photo.mean(axis=2)).astype(np.uint8))
    page = find_digits(photo)
    marks = [*page.marks, *(mark for mark in page.others if "edge" not in mark.why_not)]
    if not marks:
        raise DataError(f"{path}: found no digit; expected a picture of one. Is it blank, or cut off at the edge?")
    tallest = max(mark.height for mark in marks)
    if (alike := sum(mark.height > 0.6 * tallest for mark in marks)) > STROKES:
        raise DataError(f"{path}: found {alike} marks as large as a digit; expected a picture of one digit")
    return page.image_of(_one(marks))


def _one(marks: list[Mark]) -> Mark:
    """The picture's digit: its largest mark, with what is near it and too large for dust."""
    largest = max(marks, key=lambda mark: float(mark.mask.sum()))
    whole = largest
    for mark in marks:
        if mark is not largest and mark.mask.sum() > 0.08 * largest.mask.sum():
            whole = union(whole, mark)
    return whole


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
