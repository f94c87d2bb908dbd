"""A folder of pictures as a data set: your own digits, one picture each, their classes in the names.

    own/3/a.png  own/3/b.jpg  own/7/a.png      a folder per class
    own/3_a.png  own/3-b.png  own/7.png        the class, one letter or digit, before _ or -
    own/2828_my_own_3.png                      or behind the last _ or -
    own/3_c                                    raw bytes, 784 of them, as 28 rows of 28
    own/train/3/a.png  own/test/3/b.png        sets that were divided before: train or training, test or testing,
                                               valid, val or validation; one of them may be missing

A picture of 28×28 is taken as it is; others are brought to MNIST's form (photos/). Ink on light paper, which is
how people write, is turned into MNIST's white on black.
A picture that cannot be used is skipped with a warning; only a folder without any usable picture is an error.
"""

import os
import re
import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import DIGIT_NAMES, Digits
from digitlab.data.formats.contents import Contents, Reading, contents_of
from digitlab.data.formats.part_names import PART_WORDS
from digitlab.data.photos import find_digits, open_photo
from digitlab.data.photos.marks import Mark, union
from digitlab.errors import DataError
from digitlab.notices import DataWarning

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm")
RAW = ("", ".raw", ".bin", ".dat", ".784")
RAW_BYTES = 28 * 28
STROKES = 2  # marks of about one height that may be the strokes of one digit; more are several digits


def looks_like_image_folder(folder: Path) -> bool:
    """Whether a folder holds labelled pictures: at least one file that `read_image_folder` would read."""
    if not folder.is_dir():
        return False
    return any(next(iter(_labelled(place)), None) is not None for place in _divided(folder).values() or [folder])


def read_image_folder(
    folder: str | os.PathLike[str], *, name: str = "", class_names: tuple[str, ...] | None = None
) -> Digits:
    """All labelled pictures of a folder as one set, uint8 (N, 28, 28), ordered by name.

    class_names   the classes there may be; by default the ten digits, or the names that occur if one is no digit
    Pictures that cannot be read, or hold no digit, are skipped with a DataWarning that names them.
    Raises DataError if none can be used, or if a label is no class.
    """
    folder = Path(folder)
    files = _labelled(folder)
    if not files:
        raise DataError(
            f"{folder}: found no labelled pictures; expected a folder per class (own/3/a.png), or the class at the "
            "beginning or the end of each name (own/3_a.png, own/img_3.png)"
        )
    names = class_names or _class_names(label for _, label in files)
    numbers = {label: number for number, label in enumerate(names)}
    for path, label in files:
        if label not in numbers:
            raise DataError(f"{path}: its name says class {label!r}, expected one of {', '.join(names)}")
    images, labels, skipped = [], [], []
    for path, label in files:
        try:
            images.append(read_digit(path))
            labels.append(numbers[label])
        except DataError as error:
            skipped.append((path, str(error)))
    if skipped and not images:
        raise DataError(skipped[0][1] + (f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""))
    if skipped:
        some = "; ".join(reason for _, reason in skipped[:3]) + ("; …" if len(skipped) > 3 else "")
        warnings.warn(
            f"skipped {len(skipped)} of {len(files)} pictures that cannot be used: {some}", DataWarning, stacklevel=2
        )
    return Digits(np.stack(images), np.array(labels, dtype=np.int64), names, name or folder.name)


def image_folder_contents(folder: Path, reading: Reading) -> Contents:
    """What an image folder holds: the sets in its train, valid and test folders if it has any, else one set."""
    places = _divided(folder)
    if not places:
        return Contents(whole=read_image_folder(folder, class_names=reading.class_names)).named(folder.name)
    files = {part: _labelled(place) for part, place in places.items()}
    names = reading.class_names or _class_names(label for some in files.values() for _, label in some)
    sets = {part: read_image_folder(places[part], class_names=names) for part, some in files.items() if some}
    left = ", ".join(places[part].name for part, some in files.items() if not some)
    note = f"{left} holds no labelled pictures and is left out" if left else ""
    contents = contents_of(sets.get("train"), sets.get("valid"), sets.get("test")).named(folder.name)
    return replace(contents, note=note)


def picture_contents(path: Path, reading: Reading) -> Contents:
    """One picture as a set, if its name says its class ("3_a.png", "img_3.png") or its folder's does ("3/a.png")."""
    said = _BEGINNING.search(path.stem) or _END.search(path.stem)
    label = said[1] if said else None
    if label is None:
        single = len(path.parent.name) == 1 or path.parent.name in (reading.class_names or ())
        label = path.parent.name if single else None
    if label is None:
        raise DataError(
            f"{path}: its name says no class; expected the class at the beginning or the end (3_a.png, img_3.png). "
            "`digitlab predict` takes pictures without labels."
        )
    names = reading.class_names or _class_names([label])
    if label not in names:
        raise DataError(f"{path}: its name says class {label!r}, expected one of {', '.join(names)}")
    return Contents(whole=Digits(read_digit(path)[None], np.array([names.index(label)]), names, path.name))


def class_names_in(folder: Path) -> tuple[str, ...] | None:
    """What the classes of an image folder are called; None if it is none."""
    labels = {label for place in _divided(folder).values() or [folder] for _, label in _labelled(place)}
    return _class_names(labels) if labels else None


def _divided(folder: Path) -> dict[str, Path]:
    """The folders of parts in a folder, by the part: {"train": own/training, "test": own/Test}."""
    found = {}
    for entry in sorted(folder.iterdir()):
        for part, words in PART_WORDS.items():
            if entry.name.lower() in words and entry.is_dir():
                found[part] = entry
    return found


def _class_names(labels: Iterable[str]) -> tuple[str, ...]:
    """What classes are called whose names occur: the ten digits, unless one of them is no digit."""
    found = set(labels)
    return DIGIT_NAMES if found <= set(DIGIT_NAMES) else tuple(sorted(found))


def _labelled(folder: Path) -> list[tuple[Path, str]]:
    """Each file to read with its label, in the order of their names; hidden files are passed over."""
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    alone = [entry for entry in entries if entry.is_file() and is_image(entry)]
    label = _where_labels_stand([entry.stem for entry in alone])
    found = []
    for entry in entries:
        if entry.is_dir():
            inside = [path for path in sorted(entry.iterdir()) if path.is_file() and not path.name.startswith(".")]
            found += [(path, entry.name) for path in inside if is_image(path)]
        elif entry in alone and (match := label.search(entry.stem)):
            found.append((entry, match[1]))  # "7.png" and "7_a.png" say a class, "IMG_12.png" none
    return found


_BEGINNING, _END = re.compile(r"^([0-9A-Za-z])(?:[_\-. ]|$)"), re.compile(r"(?:^|[_\-. ])([0-9A-Za-z])$")


def _where_labels_stand(stems: list[str]) -> re.Pattern[str]:
    """What finds the label in the names of a folder's pictures: their beginning, unless more of their ends say a class.

    Numbers at the end that count pictures ("IMG_8", "IMG_9", "IMG_10") are no labels.
    """
    if any(re.search(r"[_\-. ]\d{2,}$", stem) for stem in stems):
        return _BEGINNING
    return max((_BEGINNING, _END), key=lambda place: sum(place.search(stem) is not None for stem in stems))


def is_image(path: Path) -> bool:
    """Whether a file is a picture by its name, or by its size 784 raw bytes."""
    suffix = path.suffix.lower()
    return suffix in PICTURES or (suffix in RAW and path.stat().st_size == RAW_BYTES)


def read_digit(path: str | os.PathLike[str], shape: tuple[int, ...] = (28, 28)) -> NDArray[np.uint8]:
    """The one digit in a file, uint8 (28, 28), white on black; for a `shape` (28, 28, 3) in the photo's own colours.

    A picture that has the height and width of `shape`, which may be others than 28, is not resized.
    Raises DataError if there is no digit, if there are several, for a picture that has neither the size of `shape`
    nor can get it, and for a file that is no picture.
    """
    path = Path(path)
    if path.stat().st_size == RAW_BYTES and path.suffix.lower() in RAW:
        grey = white_on_black(np.frombuffer(path.read_bytes(), dtype=np.uint8).reshape(28, 28))
        return grey if len(shape) == 2 else np.repeat(grey[..., None], 3, axis=2)
    photo = open_photo(path)
    if photo.shape[:2] == shape[:2]:
        return white_on_black(np.round(photo.mean(axis=2)).astype(np.uint8)) if len(shape) == 2 else photo
    if shape[:2] != (28, 28):
        size, wanted = ("×".join(map(str, some[:2])) for some in (photo.shape, shape))
        raise DataError(f"{path}: is a picture of {size} pixels, expected {wanted}: other pictures become 28×28")
    page = find_digits(photo)
    marks = [*page.marks, *(mark for mark in page.others if "edge" not in mark.why_not)]
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
