"""A folder as a data set: IDX files, tables or arrays under the names people have, or pictures."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from digitlab.data.formats.contents import Contents, Reading, UnlabelledError
from digitlab.data.formats.idx_folder import family_in, find_pairs, read_family, read_pairs
from digitlab.data.formats.mnist_files import missing_files
from digitlab.data.formats.part_names import part_in
from digitlab.data.formats.readers import READERS, TABLES, read_path, refuse_columns, tables_contents
from digitlab.errors import DataError
from digitlab.kinds import PICTURES, sniff

MOST_FILES = 200  # looked into; a folder of more is one of pictures
_PICTURE_SUFFIXES = re.compile(r"\.(png|jpe?g|gif|bmp|tiff?|webp|p[bgpn]m|heic)$", re.IGNORECASE)


def read_any_folder(folder: Path, reading: Reading) -> Contents:
    """What a folder holds. Raises DataError naming what is there and what could be."""
    # The folder itself, one that DIGITLAB_DATA would name, and what torchvision and Hugging Face leave behind.
    places = [folder, *(folder / sub for sub in ("mnist", "raw", "MNIST/raw", "data"))]
    for place in places:
        if (family := family_in(place)) is not None:
            refuse_columns(folder, reading)
            return read_family(family, place, reading)
        if pairs := find_pairs(place):
            refuse_columns(folder, reading)
            return read_pairs(pairs, reading, folder.name)
    data = [(place, _data_files(place)) for place in places if place.is_dir()]
    for place, files in data:
        if (contents := _several(place, files, reading, folder.name)) is not None:
            return contents
    # Imported here: pictures need libraries that other files do without.
    from digitlab.data.formats.image_folder import image_folder_contents, looks_like_image_folder

    if looks_like_image_folder(folder):
        refuse_columns(folder, reading)
        return image_folder_contents(folder, reading)
    for _, files in data:
        if len(files) == 1:
            return _single(next(iter(files)), reading, folder.name)
    found = sorted(entry.name for entry in folder.iterdir())
    lacking = missing_files(folder)
    raise DataError(
        f"{folder}: found {', '.join(found[:6]) or 'nothing'}{' …' if len(found) > 6 else ''}; expected four IDX files "
        f"(missing: {', '.join(lacking)}), tables such as mnist_train.csv and mnist_test.csv, or pictures named by "
        "their classes (own/3/a.png, own/3_a.png, own/img_3.png)."
    )


def _data_files(folder: Path) -> dict[Path, str]:
    """The tables and arrays in a folder, by their names, and the kind of each."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    paths = [path for path in paths if not _PICTURE_SUFFIXES.search(path.name)]
    kinds = {path: sniff(path).name for path in paths} if len(paths) <= MOST_FILES else {}
    return {path: kind for path, kind in kinds.items() if kind in {*TABLES, *READERS} - {"idx", *PICTURES}}


def _several(folder: Path, files: Mapping[Path, str], reading: Reading, name: str) -> Contents | None:
    """The sets in several files of one folder: arrays under usual names, or tables of training and other images."""
    arrays = [path for path, kind in files.items() if kind == "npy"]
    if arrays:
        from digitlab.data.formats.npy import npy_files_contents

        refuse_columns(folder, reading)
        if (contents := npy_files_contents(arrays, reading, name)) is not None:
            return contents
    parts = _parts(folder, [path for path, kind in files.items() if kind in TABLES])
    if not parts:
        return None
    try:
        return tables_contents(parts, reading, name)
    except UnlabelledError:
        # Kaggle's test.csv holds no labels.
        train = tables_contents({"train": parts["train"]}, reading, name)
        left = ", ".join(path.name for part, paths in parts.items() if part != "train" for path in paths)
        one = parts["train"][0].name
        return replace(train, note=f"{left} holds no labels and is skipped: {one} is one set, of which a part tests")


def _single(path: Path, reading: Reading, name: str) -> Contents:
    """The only data file in a folder; its name may say that it is the test set."""
    told = part_in(path.name)
    contents = read_path(path, reading).named(name)
    if contents.whole is not None and told is not None and told[0] == "test":
        return Contents(test=contents.whole).named(name)
    return contents


def _parts(folder: Path, tables: list[Path]) -> dict[str, list[Path]]:
    """The tables of one data set by their part, training and others; {} if there are none.

    Files belong together whose names differ in the word of the part alone (fashion-mnist_train, fashion-mnist_test),
    or in numbers as well: of images (mnist_train_100, mnist_test_10), or of the pieces of a set
    (train-00000-of-00002). Raises DataError if it is not clear which belong together.
    """
    named = [(path, *told) for path in tables if (told := part_in(path.name.removesuffix(".gz"))) is not None]
    for without_numbers in (False, True):
        groups: dict[str, dict[str, list[Path]]] = {}
        for path, part, rest in named:
            key = re.sub(r"[\d_\-. ]+", "", rest.lower()) if without_numbers else rest.lower()
            groups.setdefault(key, {}).setdefault(part, []).append(path)
        whole = [group for group in groups.values() if "train" in group and len(group) > 1]
        if len(whole) > 1:
            some = ", ".join(group["train"][0].name for group in whole[:4])
            raise DataError(f"{folder}: holds several data sets ({some}); name one file, or give each its own folder.")
        if whole:
            twice = [paths for paths in whole[0].values() if len(paths) > 1 and "-of-" not in paths[0].name]
            if twice:
                some = " and ".join(path.name for path in twice[0][:3])
                raise DataError(f"{folder}: holds {some}, expected one of them. Name one file, or remove the others.")
            return whole[0]
    return {}
