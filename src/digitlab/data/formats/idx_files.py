"""IDX files under the names people have: a folder of them, or a single one with its partner.

train-images-idx3-ubyte  train-labels-idx1-ubyte      t10k-… or test-… to test; valid-…, as `digitlab expand` writes
train-images.idx3-ubyte  train_images.gz              and other spellings, packed or not
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import Digits
from digitlab.data.formats.idx import WORDS, idx_dimensions, paired, read_idx
from digitlab.data.formats.mnist_files import CLASSES
from digitlab.data.formats.shared.contents import WHOLE, Contents, Reading, UnlabelledError, contents_of
from digitlab.data.formats.shared.families import FAMILIES, PLAIN, Family, family_called, family_of_file
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.part_names import PART_WORDS
from digitlab.data.formats.shared.raw import Raw, to_digits
from digitlab.data.formats.shared.replacing import finish
from digitlab.errors import DataError
from digitlab.kinds import sniff

Pair = tuple[Path, Path]  # the files of images and of labels
Check = Callable[[Path, NDArray[Any]], None]  # may refuse what was read from a file


def find_pairs(folder: Path, prefix: str = "") -> dict[str, Pair]:
    """The IDX files in a folder by their part: {"train": (images, labels), "test": …}; {} unless each has its partner.

    `prefix` begins their names, as "emnist-letters-" does. Of several spellings the published one is taken.
    """
    finish(folder)
    found: dict[tuple[str, str], Path] = {}
    paths = sorted((path for path in folder.iterdir() if path.is_file()), key=_rank) if folder.is_dir() else []
    for path in paths:
        for part, words in PART_WORDS.items():
            for kind in ("images", "labels"):
                name = rf"{re.escape(prefix)}(?:{'|'.join(words)})[-_. ]?{kind[:-1]}s?(?![a-z])"
                if re.match(name, path.name.lower()) and (part, kind) not in found and sniff(path).name == "idx":
                    found[part, kind] = path
    parts = [part for part in PART_WORDS if (part, "images") in found or (part, "labels") in found]
    if any((part, kind) not in found for part in parts for kind in ("images", "labels")):
        return {}
    return {part: (found[part, "images"], found[part, "labels"]) for part in parts}


def _rank(path: Path) -> tuple[bool, bool, bool, str]:
    """The published names first: t10k before test, -idx before .idx, packed before plain, QMNIST's tables of labels."""
    name = path.name.lower()
    return "t10k" not in name, ".idx" in name, not name.endswith(".gz"), name.replace("idx2", "idx0")


def family_in(folder: Path) -> str | None:
    """The family of the files in a folder, by their names or by the folder's; None if it is none of these.

    Raises DataError if several families are there.
    """
    found = [name for name, family in FAMILIES.items() if family.prefix and find_pairs(folder, family.prefix)]
    if len(found) > 1:
        raise DataError(f"{folder}: holds {', '.join(found)}; say which: {found[0]}:{folder}")
    if found:
        return found[0]
    return family_called(folder) if find_pairs(folder) else None


def read_family(name: str, folder: Path, reading: Reading) -> Contents:
    """The sets of a family in a folder, or in its subfolder `raw`. Raises DataError naming what is missing."""
    family = FAMILIES[name]
    for place in (folder, folder / "raw", folder / name):
        if pairs := find_pairs(place, family.prefix):
            return read_pairs(pairs, reading, name, family)
    raise DataError(
        f"{folder}: holds no {family.prefix}train-images-idx3-ubyte with its companions ({family.prefix}train-labels…, "
        f"{family.prefix}test-images…, {family.prefix}test-labels…)."
    )


def read_idx_folder(folder: Path, reading: Reading, name: str) -> Contents | None:
    """The sets in a folder of IDX files, of a family or called `name`; None if there are none."""
    if (family := family_in(folder)) is not None:
        return read_family(family, folder, reading)
    pairs = find_pairs(folder)
    return read_pairs(pairs, reading, name) if pairs else None


def read_pairs(
    pairs: Mapping[str, Pair], reading: Reading, name: str, family: Family = PLAIN, check: Check | None = None
) -> Contents:
    """The sets in pairs of IDX files; classes are called as `reading`, classes.txt or the family say, else 0 to 9.

    `check`, if given, is called with each path and what was read from it.
    """
    return contents_of({part: _read_pair(*pair, reading, family, check) for part, pair in pairs.items()}, name)


def _read_pair(images: Path, labels: Path, reading: Reading, family: Family, check: Check | None = None) -> Digits:
    pictures = read_idx(images, dimensions=(3, 4))
    if "idx2-int" in labels.name:  # QMNIST's: of eight numbers, the first is the class
        numbers = read_idx(labels, dimensions=2, code=WORDS)[:, 0]
    else:
        numbers = read_idx(labels, dimensions=1)
    if check is not None:
        check(images, pictures)
        check(labels, numbers)
    pictures = family.upright(pictures)
    if reading.class_names is not None:
        own = numbers.astype(np.int64) - family.first_label
        raw = Raw(pictures, own, str(images), lambda i: f"{labels}: label number {i} (from 0)")
        return to_digits({WHOLE: raw}, reading.class_names)[WHOLE]
    names = family.class_names
    if (listed := images.parent / CLASSES).is_file():
        names = tuple(listed.read_text(encoding="utf-8").splitlines())
    return paired(images, pictures, labels, numbers, names, first=family.first_label)


def read_single(path: Path, reading: Reading) -> Contents:
    """The set in one IDX file and its partner in the same folder, with labels in its name for images.

    Raises DataError if there is no such file.
    """
    this, other = ("images", "labels") if idx_dimensions(path) >= 3 else ("labels", "images")
    swapped = re.sub(this[:-1], other[:-1], path.name, flags=re.IGNORECASE)
    swapped = re.sub(r"idx\d", f"idx{1 if other == 'labels' else 3}", swapped)
    names = {swapped, swapped.removesuffix(".gz"), f"{swapped.removesuffix('.gz')}.gz"} - {path.name}
    partner = next((path.with_name(name) for name in sorted(names) if path.with_name(name).is_file()), None)
    if partner is None or swapped == path.name:
        name = f", called {swapped}" if swapped != path.name else ""
        alone = f"{path}: is an IDX file of {this} alone; expected its {other} in the same folder{name}."
        if this == "labels":
            raise DataError(alone)
        family = family_of_file(path) or PLAIN
        raise UnlabelledError(alone, family.upright(read_idx(path, dimensions=(3, 4))))
    pair = (path, partner) if this == "images" else (partner, path)
    return contents_of({WHOLE: _read_pair(*pair, reading, PLAIN)}, pair[0].name)


FORMAT = Format(("idx",), read_single, gzip=True)
