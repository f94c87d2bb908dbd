"""Arrays under names, as .npz, .mat and pickled dictionaries hold them: which are images, which labels, of which set.

Many programs write such files, each with its own names: x_train and y_train, train_img and train_label,
images and labels, data and target. A name is read as the word of a part ("train", "test" …) and the word of a role.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.shared.contents import WHOLE, Reading, UnlabelledError
from digitlab.data.formats.shared.part_names import PART_WORDS
from digitlab.data.formats.shared.pixels import to_images
from digitlab.data.formats.shared.raw import Raw, joined
from digitlab.errors import DataError

# The first names win where a file has several.
IMAGES = ("images", "image", "x", "data", "imgs", "img", "pixels", "features", "inputs", "input", "arr_0")
LABELS = ("labels", "label", "y", "targets", "target", "classes", "class", "outputs", "output", "arr_1")
EXPECTED = "images and labels, or x_train, y_train, x_test and y_test"


def role(name: str) -> tuple[str, str, int] | None:
    """What an array of this name is: its part, "images" or "labels", and the rank of the name; None for others.

    `role("train_img")` is ("train", "images", 5); `role("labels")` is ("whole", "labels", 0).
    """
    low = name.lower().strip("_")
    splits = [(WHOLE, low)]
    for part, words in PART_WORDS.items():
        for word in words:
            splits += [(part, low.removeprefix(word))] if low.startswith(word) else []
            splits += [(part, low.removesuffix(word))] if low.endswith(word) else []
    for part, rest in splits:
        rest = rest.strip("_-. /")
        for kind, names in (("images", IMAGES), ("labels", LABELS)):
            if rest in names:
                return part, kind, names.index(rest)
    return None


def arrange(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The names of images and labels of each part that has both: {"train": ("x_train", "y_train"), …}."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for name in names:
        if (what := role(name)) is not None:
            part, kind, rank = what
            found[part, kind] = min(found.get((part, kind), (99, "")), (rank, name))
    pairs = {
        part: (found[part, "images"][1], found[part, "labels"][1])
        for part in (*PART_WORDS, WHOLE)
        if (part, "images") in found and (part, "labels") in found
    }
    if "train" in pairs or "test" in pairs:
        pairs.pop(WHOLE, None)
    return pairs


def read_named(
    names: Iterable[str],
    read: Callable[[str], Any],
    where: str,
    reading: Reading,
    own_names: tuple[str, ...] | None = None,
) -> dict[str, Raw]:
    """The sets in a file of named arrays; `read` gets one of them, `own_names` are the classes as the file has them.

    Raises DataError if no two names are those of images and labels, or if the arrays are not.
    """
    names = list(names)
    if classes := _by_class(names):
        return {part: _of_classes(some, read, f"{where}: {part}", reading) for part, some in classes.items()}
    pairs = arrange(names)
    if not pairs:
        held = ", ".join(sorted(names)[:8]) or "nothing"
        if (alone := _images_alone(names)) is not None:
            raise UnlabelledError(f"{where}: holds {held}; expected {EXPECTED}.", np.asarray(read(alone)))
        raise DataError(f"{where}: holds {held}; expected {EXPECTED}.")
    return {
        part: replace(paired_arrays(read(x), read(y), f"{where}: {x} and {y}", reading), names=own_names)
        for part, (x, y) in pairs.items()
    }


def _images_alone(names: Sequence[str]) -> str | None:
    """The name of images without labels: the only one of images, or the only array; else None."""
    roles = {name: what for name in names if (what := role(name)) is not None}
    images = [name for name, what in roles.items() if what[1] == "images"] if len(names) > 1 else list(names)
    return images[0] if len(images) == 1 and all(what[1] == "images" for what in roles.values()) else None


def paired_arrays(images: NDArray[Any], labels: Any, where: str, reading: Reading) -> Raw:
    """Images and labels in arrays of any usual form; images may be along the last axis, as MATLAB keeps them."""
    images, labels = np.asarray(images), np.asarray(labels)
    if labels.dtype.kind not in "biufSU" or labels.ndim not in (1, 2):
        raise DataError(f"{where}: the labels are {labels.dtype} of shape {labels.shape}, expected one for each image.")
    count = labels.size if labels.ndim == 1 or 1 in labels.shape else len(labels)
    if images.ndim > 1 and len(images) != count == images.shape[-1]:
        images = np.moveaxis(images, -1, 0)
    if images.ndim == 1 and count == 1:
        images = images[None]
    pictures = to_images(
        images, lambda row, pixel: f"{where}: image {row}, pixel {pixel}", where, image_shape=reading.image_shape
    )
    return Raw(pictures, labels, where, lambda i: f"{where}: label number {i} (from 0)")


def _by_class(names: Iterable[str]) -> dict[str, dict[int, str]]:
    """Arrays of one class each, as in mnist_all.mat: {"train": {0: "train0", …}, "test": {0: "test0", …}}."""
    found: dict[str, dict[int, str]] = {}
    for name in names:
        if match := re.fullmatch(r"(train|test)_?(\d)", name.lower()):
            found.setdefault(match[1], {})[int(match[2])] = name
    return {part: classes for part, classes in found.items() if len(classes) > 1}


def _of_classes(classes: Mapping[int, str], read: Callable[[str], NDArray[Any]], where: str, reading: Reading) -> Raw:
    """The set whose classes have an array each."""
    arrays = {number: read(key) for number, key in sorted(classes.items())}
    some = [
        paired_arrays(images, np.full(len(images), number), f"{where}, {classes[number]}", reading)
        for number, images in arrays.items()
    ]
    return replace(joined(some), place=lambda i: where)
