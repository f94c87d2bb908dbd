"""A folder as a data set: IDX files, tables or arrays under the names people have, or pictures."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from digitlab.data.contents import Contents, Reading, UnlabelledError
from digitlab.data.idx_folder import family_in, find_pairs, read_family, read_pairs
from digitlab.data.mnist_files import missing_files
from digitlab.data.part_names import part_in
from digitlab.data.readers import READERS, TABLES, read_path, refuse_columns, tables_contents
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
    for place in places:
        if place.is_dir() and (contents := _data_files(place, reading, folder.name)) is not None:
            return contents
    # Imported here: pictures need libraries that other files do without.
    from digitlab.data.image_folder import image_folder_contents, looks_like_image_folder

    if looks_like_image_folder(folder):
        refuse_columns(folder, reading)
        return image_folder_contents(folder, reading)
    found = sorted(entry.name for entry in folder.iterdir())
    lacking = missing_files(folder)
    raise DataError(
        f"{folder}: found {', '.join(found[:6]) or 'nothing'}{' …' if len(found) > 6 else ''}; expected four IDX files "
        f"(missing: {', '.join(lacking)}), tables such as mnist_train.csv and mnist_test.csv, or pictures named by "
        "their classes (own/3/a.png, own/3_a.png, own/a_3.png)."
    )


def _data_files(folder: Path, reading: Reading, name: str) -> Contents | None:
    """The sets in a folder's tables or arrays; None if it holds none whose names tell of a part, and no single one."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    files = [path for path in files if not _PICTURE_SUFFIXES.search(path.name)]
    if len(files) > MOST_FILES:
        return None
    kinds = {path: sniff(path).name for path in files}
    arrays = [path for path in files if kinds[path] == "npy"]
    if arrays:
        from digitlab.data.npy import npy_files_contents

        if (contents := npy_files_contents(arrays, reading, name)) is not None:
            return contents
    tables = [path for path in files if kinds[path] in TABLES]
    if parts := _parts(folder, tables):
        return _tables(parts, reading, name)
    single = [path for path in files if kinds[path] in {*TABLES, *READERS} - {"idx", "npy", *PICTURES}]
    return read_path(single[0], reading).named(name) if len(single) == 1 else None


def _parts(folder: Path, tables: list[Path]) -> dict[str, Path]:
    """The tables of one data set by their part; {} if no name tells of one. DataError if there are several sets.

    Files belong together whose names differ in the word of the part alone (fashion-mnist_train, fashion-mnist_test),
    or in the number of images as well (mnist_train_100, mnist_test_10).
    """
    named = [(path, *told) for path in tables if (told := part_in(path.name.removesuffix(".gz"))) is not None]
    for simplify in (lambda rest: rest, lambda rest: re.sub(r"[\d_\-. ]+", "", rest)):
        groups: dict[str, dict[str, Path]] = {}
        for path, part, rest in named:
            groups.setdefault(simplify(rest.lower()), {}).setdefault(part, path)
        whole = [group for group in groups.values() if "train" in group and len(group) > 1]
        if len(whole) == 1:
            return whole[0]
        if len(whole) > 1:
            some = ", ".join(group["train"].name for group in whole[:4])
            raise DataError(f"{folder}: holds several data sets ({some}); name one file, or give each its own folder.")
    if len(named) == 1:
        return {named[0][1]: named[0][0]}
    return {}


def _tables(parts: Mapping[str, Path], reading: Reading, name: str) -> Contents:
    """The sets in tables by their part; a test set without labels, as Kaggle gives it, is left out, and said to be."""
    try:
        return tables_contents(dict(parts), reading, name)
    except UnlabelledError:
        if "train" not in parts or len(parts) == 1:
            raise
        train = tables_contents({"train": parts["train"]}, reading, name)
        others = ", ".join(path.name for part, path in parts.items() if part != "train")
        note = f"{others} holds no labels and is left out: {parts['train'].name} is one set, of which a part tests"
        return replace(train, note=note)
