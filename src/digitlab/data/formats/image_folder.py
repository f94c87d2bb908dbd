"""A folder of pictures as a data set: your own digits, one picture each, their classes in the names.

    own/3/a.png  own/3/b.jpg  own/7/a.png      a folder per class
    own/3_a.png  own/3-b.png  own/7.png        the class, one letter or digit, before _ or -
    own/2828_my_own_3.png                      or behind the last _ or -
    own/3_c                                    raw bytes, 784 of them, as 28 rows of 28
    own/train/3/a.png  own/test/3/b.png        sets that were divided before: train or training, test or testing,
                                               valid, val or validation; one of them may be missing

A picture of 28×28 in MNIST's form is taken as it is; others are brought to it (photos/). Ink on light paper, which is
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

from digitlab.data.dataset import DIGIT_NAMES, Digits
from digitlab.data.formats.shared.contents import WHOLE, Contents, Reading, contents_of
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.part_names import PART_WORDS
from digitlab.data.photos import is_picture, read_digit
from digitlab.errors import DataError
from digitlab.kinds import PICTURES
from digitlab.notices import DataWarning


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
            raise DataError(f"{path}: its name contains class {label!r}, expected one of {', '.join(names)}")
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


def read_sorted_pictures(folder: Path, reading: Reading) -> Contents:
    """What an image folder holds: the sets in its train, valid and test folders if it has any, else one set."""
    places = _divided(folder)
    if not places:
        return contents_of({WHOLE: read_image_folder(folder, class_names=reading.class_names)}, folder.name)
    files = {part: _labelled(place) for part, place in places.items()}
    names = reading.class_names or _class_names(label for some in files.values() for _, label in some)
    sets = {part: read_image_folder(places[part], class_names=names) for part, some in files.items() if some}
    left = ", ".join(places[part].name for part, some in files.items() if not some)
    note = f"{left} holds no labelled pictures and is skipped" if left else ""
    return replace(contents_of(sets, folder.name), note=note)


def read_picture(path: Path, reading: Reading) -> Contents:
    """One picture as a set, if its name says its class ("3_a.png", "img_3.png") or its folder's does ("3/a.png")."""
    said = _BEGINNING.search(path.stem) or _END.search(path.stem)
    label = said[1] if said else None
    if label is None:
        single = len(path.parent.name) == 1 or path.parent.name in (reading.class_names or ())
        label = path.parent.name if single else None
    if label is None:
        raise DataError(
            f"{path}: its name contains no class; expected the class at the beginning or the end (3_a.png, img_3.png). "
            "`digitlab predict` takes pictures without labels."
        )
    names = reading.class_names or _class_names([label])
    if label not in names:
        raise DataError(f"{path}: its name contains class {label!r}, expected one of {', '.join(names)}")
    return contents_of({WHOLE: Digits(read_digit(path)[None], np.array([names.index(label)]), names)}, path.name)


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
    alone = [entry for entry in entries if entry.is_file() and is_picture(entry)]
    label = _where_labels_stand([entry.stem for entry in alone])
    found = []
    for entry in entries:
        if entry.is_dir():
            inside = [path for path in sorted(entry.iterdir()) if path.is_file() and not path.name.startswith(".")]
            found += [(path, entry.name) for path in inside if is_picture(path)]
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


FORMAT = Format(PICTURES, read_picture)
