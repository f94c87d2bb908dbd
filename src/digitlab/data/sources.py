"""What a path holds: a file of any format (formats/), or a folder of IDX files, tables, arrays or pictures.

The content of a file determines its kind, not its name. Errors say what other files are, and how to make a data set
of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from digitlab.data.formats.mnist_files import missing_files
from digitlab.data.formats.shared.contents import WHOLE, Contents, Reading, UnlabelledError, contents_of
from digitlab.data.formats.shared.families import Family, family_of_file
from digitlab.data.formats.shared.format import formats, kind_of
from digitlab.data.formats.shared.part_names import part_in
from digitlab.data.formats.shared.raw import Raw, joined, to_digits
from digitlab.errors import DataError
from digitlab.files import require_file
from digitlab.kinds import ARCHIVES, NETWORKS, PICTURES

EXPECTED = (
    "expected a table (CSV, Parquet), arrays (.npz, .npy, .mat, a pickle), an IDX file, a picture, "
    "or a folder of one of these"
)
MEND = {
    **dict.fromkeys((*NETWORKS, "json"), "if it is a network, name it as NET"),
    **dict.fromkeys(("hdf5", "torch"), "if it is a data set export it: numpy.savez('data.npz', images=…, labels=…)"),
    **dict.fromkeys(ARCHIVES, "unpack it and name the folder"),
    **dict.fromkeys(("bzip2", "xz", "zstd"), "unpack it first"),
    "mat73": "save it in MATLAB with save(…, '-v7')",
    "arrow": "save it as Parquet",
    "excel": "save it as CSV",
    "utf-16": "save it as CSV in UTF-8",
}
MAX_FILES = 200  # a folder of more files is taken for pictures without looking into each
_PICTURE_SUFFIXES = re.compile(r"\.(png|jpe?g|gif|bmp|tiff?|webp|p[bgpn]m|heic)$", re.IGNORECASE)


def read_path(path: Path, reading: Reading, family: Family | None = None) -> Contents:
    """What a file or folder holds; `family`, if given, says how a table of EMNIST is to be read. Raises DataError."""
    if path.is_dir():
        return _read_folder(path, reading)
    kind = kind_of(require_file(path))
    format = formats().get(kind.name)
    if format is None:
        mend = f"; {MEND[kind.name]}." if kind.name in MEND else "."
        raise DataError(f"{path}: is {kind}, which is not read as a data set; {EXPECTED}{mend}")
    if kind.compressed and not format.gzip:
        raise DataError(f"{path}: is {kind}; unpack it first.")
    if format.table:
        return _read_tables({WHOLE: [path]}, reading, path.name, family)
    _refuse_columns(path, reading)
    return _contents(format.read(path, reading), reading, path.name)


def _contents(found: Contents | Mapping[str, Raw], reading: Reading, name: str) -> Contents:
    return found if isinstance(found, Contents) else contents_of(to_digits(found, reading.class_names), name)


def _read_tables(
    files: Mapping[str, Sequence[Path]], reading: Reading, name: str, family: Family | None = None
) -> Contents:
    """The sets in tables, by their part, each in one file or in several pieces."""
    family = family or next((found for some in files.values() for p in some if (found := family_of_file(p))), None)
    raws = {}
    for part, some in files.items():
        raw = joined([raw for path in some for raw in _read_table(path, reading)])
        raws[part] = raw if family is None else family.read(raw, reading)
    return _contents(raws, reading, name)


def _read_table(path: Path, reading: Reading) -> list[Raw]:
    found = formats()[kind_of(require_file(path)).name].read(path, reading)
    return [] if isinstance(found, Contents) else list(found.values())


def _refuse_columns(path: object, reading: Reading) -> None:
    if reading.label_column is not None:
        raise DataError(f"{path}: got label_column {reading.label_column!r}, which is for tables; this is none.")


def _read_folder(folder: Path, reading: Reading) -> Contents:
    """What a folder holds. Raises DataError naming what is there and what could be."""
    from digitlab.data.formats.idx_files import read_idx_folder
    from digitlab.data.formats.image_folder import looks_like_image_folder, read_sorted_pictures

    # The folder itself, one that DIGITLAB_DATA would name, and what torchvision and Hugging Face leave behind.
    places = [place for sub in (".", "mnist", "raw", "MNIST/raw", "data") if (place := folder / sub).is_dir()]
    for place in places:
        if (contents := read_idx_folder(place, reading, folder.name)) is not None:
            _refuse_columns(folder, reading)
            return contents
    data = {place: _data_files(place) for place in places}
    for place, files in data.items():
        if (contents := _read_several(place, files, reading, folder.name)) is not None:
            return contents
    if looks_like_image_folder(folder):
        _refuse_columns(folder, reading)
        return read_sorted_pictures(folder, reading)
    for files in data.values():
        if len(files) == 1:
            return _read_only_file(next(iter(files)), reading, folder.name)
    found = sorted(entry.name for entry in folder.iterdir())
    raise DataError(
        f"{folder}: found {', '.join(found[:6]) or 'nothing'}{' …' if len(found) > 6 else ''}; expected four IDX files "
        f"(missing: {', '.join(missing_files(folder))}), tables such as mnist_train.csv and mnist_test.csv, or "
        "pictures named by their classes (own/3/a.png, own/3_a.png, own/img_3.png)."
    )


def _data_files(folder: Path) -> dict[Path, str]:
    """The tables and arrays in a folder, by their names, and the kind of each."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    paths = [path for path in paths if not _PICTURE_SUFFIXES.search(path.name)]
    kinds = {path: kind_of(path).name for path in paths} if len(paths) <= MAX_FILES else {}
    return {path: kind for path, kind in kinds.items() if kind in formats() and kind not in ("idx", *PICTURES)}


def _read_several(folder: Path, files: Mapping[Path, str], reading: Reading, name: str) -> Contents | None:
    """The sets in several files of one folder: arrays under usual names, or tables of training and other images."""
    from digitlab.data.formats.npy import read_files

    if arrays := [path for path, kind in files.items() if kind == "npy"]:
        _refuse_columns(folder, reading)
        if (found := read_files(arrays, reading)) is not None:
            return _contents(found, reading, name)
    parts = _parts(folder, [path for path, kind in files.items() if formats()[kind].table])
    if not parts:
        return None
    try:
        return _read_tables(parts, reading, name)
    except UnlabelledError:
        # Kaggle's test.csv holds no labels.
        train = _read_tables({"train": parts["train"]}, reading, name)
        left = ", ".join(path.name for part, paths in parts.items() if part != "train" for path in paths)
        one = parts["train"][0].name
        return replace(train, note=f"{left} holds no labels and is skipped: {one} is one set, of which a part tests")


def _read_only_file(path: Path, reading: Reading, name: str) -> Contents:
    """The only data file in a folder; its name may say that it is the test set."""
    said = part_in(path.name)
    contents = read_path(path, reading)
    if not contents.divided and said is not None and said[0] == "test":
        contents = Contents({"test": contents.sets[WHOLE]})
    return contents.named(name)


def _parts(folder: Path, tables: list[Path]) -> dict[str, list[Path]]:
    """The tables of one data set by their part, training and others; {} if there are none.

    Files belong together whose names differ in the word of the part alone (fashion-mnist_train, fashion-mnist_test),
    or in numbers as well: of images (mnist_train_100, mnist_test_10), or of the pieces of a set
    (train-00000-of-00002). Raises DataError if it is not clear which belong together.
    """
    named = [(path, *said) for path in tables if (said := part_in(path.name.removesuffix(".gz"))) is not None]
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
