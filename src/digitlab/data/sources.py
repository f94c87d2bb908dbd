"""`load`: from the name of a data set, or the path of a file or folder, to training, validation and test sets."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from digitlab.data.bundled import read_bundled
from digitlab.data.choices import check_choices
from digitlab.data.csv_digits import read_csv
from digitlab.data.digits import Digits
from digitlab.data.fetch import MissingDataError, obtain_mnist
from digitlab.data.idx_families import FAMILIES, family_in, read_family
from digitlab.data.mixing import mix_in
from digitlab.data.mnist_files import check_published, missing_files, read_folder
from digitlab.data.nielsen_pickle import read_nielsen
from digitlab.data.npz import read_npz
from digitlab.data.splits import SPLITS, Part, Split, Splits, join_validation, restrict, split_published, split_single
from digitlab.errors import DataError

Source = str | os.PathLike[str]


@overload
def load(
    source: Source = ...,
    *,
    split: Split = ...,
    part: None = ...,
    train_size: int | None = ...,
    per_class: int | None = ...,
    digits: Sequence[int] | None = ...,
    fraction: float | None = ...,
    seed: int = ...,
    share: Sequence[int] | None = ...,
    bootstrap: int | None = ...,
    group: Sequence[int] | None = ...,
    mix: Source | None = ...,
) -> Splits: ...
@overload
def load(
    source: Source = ...,
    *,
    split: Split = ...,
    part: Part,
    train_size: int | None = ...,
    per_class: int | None = ...,
    digits: Sequence[int] | None = ...,
    fraction: float | None = ...,
    seed: int = ...,
    share: Sequence[int] | None = ...,
    bootstrap: int | None = ...,
    group: Sequence[int] | None = ...,
    mix: Source | None = ...,
) -> Digits: ...
def load(
    source: Source = "mnist",
    *,
    split: Split = "50k/10k/10k",
    part: Part | None = None,
    train_size: int | None = None,
    per_class: int | None = None,
    digits: Sequence[int] | None = None,
    fraction: float | None = None,
    seed: int = 0,
    share: Sequence[int] | None = None,
    bootstrap: int | None = None,
    group: Sequence[int] | None = None,
    mix: Source | None = None,
) -> Splits | Digits:
    """`train, valid, test = load()`: MNIST, fetched once if need be; or `load("digits")`, or `load(path)`.

    source  "mnist"; "digits", the 1,797 images of scikit-learn; "auto", MNIST or else those (see `load_auto`);
            or a path: a folder with four IDX files or with mnist_train.csv and mnist_test.csv,
            or with pictures named by their classes (image_folder.py); a `.pkl`/`.pkl.gz` in Nielsen's layout,
            a `.csv`/`.csv.gz`, a `.npz`; or a family of sets in MNIST's form, "kmnist:FOLDER" (idx_families.py)
    split   "50k/10k/10k", Nielsen's: the last 10,000 of the published 60,000 validate; or "60k/10k", without
    part    "train", "valid" or "test": that set alone
    digits  these classes only, in all sets; train_size, per_class or fraction: less to train on (see `restrict`)
    seed    of the draws that `per_class` and `mix` make
    mix     another source, of whose images ten for each one join training and validation (see mixing.py)
    share, bootstrap, group   for the members of an ensemble (see `restrict`)

    Raises DataError, always naming the file; MissingDataError if MNIST cannot be had; ConfigError for an argument of
    another kind.
    """
    parts, _ = load_auto(
        source, split=split, train_size=train_size, per_class=per_class, digits=digits, fraction=fraction, seed=seed,
        share=share, bootstrap=bootstrap, group=group, mix=mix,
    )  # fmt: skip
    return parts if part is None else parts.part(part)


def load_auto(
    source: Source = "auto", *, split: Split = "50k/10k/10k", mix: Source | None = None, **choices: Any
) -> tuple[Splits, str | None]:
    """The sets, and a line to tell the user if "auto" had to fall back on the bundled digits (else None).

    `choices` are those of `load`. A damaged copy of MNIST is an error all the same: it would never heal unseen.
    """
    given = {"source": source, "split": split, "mix": mix, **choices}
    check_choices({name: value for name, value in given.items() if value is not None or name == "source"})
    if split not in SPLITS:
        raise DataError(f"split: got {split!r}, expected one of {', '.join(SPLITS)}.")
    note = None
    if source == "auto":
        try:
            parts = _read_mnist(split)
        except MissingDataError as error:
            note = (
                f"MNIST could not be had ({error.reason}): training on scikit-learn's 1,797 real digits instead; "
                "--data mnist insists"
            )
            parts = read_bundled(split)
    elif source == "mnist":
        parts = _read_mnist(split)
    elif source == "digits":
        parts = read_bundled(split)
    else:
        parts = _read_path(Path(source).expanduser(), split)
    train = parts.train.image_shape
    if other := [part.image_shape for part in parts if part is not None and part.image_shape != train]:
        raise DataError(f"{source}: its training images are {train} and others {other[0]}; expected one size.")
    return choose(parts, load(mix, split=split) if mix is not None else None, **choices), note


def choose(own: Splits, other: Splits | None = None, **choices: Any) -> Splits:
    """What `choices` (see `load`) take of sets that have been read; `other` are those that `mix` names."""
    parts = restrict(own, **choices)
    if other is None:
        return parts
    return mix_in(parts, restrict(other, digits=choices.get("digits")), seed=choices.get("seed", 0))


def _read_mnist(split: Split) -> Splits:
    return read_folder(obtain_mnist(), split, name="mnist", check=check_published)


def _read_path(path: Path, split: Split) -> Splits:
    """A file by the end of its name, a folder by what is in it, a family of data sets by its name."""
    family, _, folder = str(path).partition(":")
    if family in FAMILIES and not path.exists():
        return read_family(family, folder or Path(os.environ.get("DIGITLAB_DATA", ".")) / family, split)
    if path.is_dir():
        return _read_any_folder(path, split)
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".csv"):
        return split_single(read_csv(path, name=path.name), split)
    if name.endswith((".pkl", ".pickle")):
        return join_validation(read_nielsen(path), split).named(path.name)
    if name.endswith(".npz"):
        return read_npz(path, split)
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder; expected 'mnist', 'digits', 'auto' or a path.")
    raise DataError(
        f"{path}: is of no kind read here; expected .csv, .csv.gz, .pkl, .pkl.gz, .npz, or a folder of four IDX files. "
        "For an IDX file, name the folder it is in."
    )


def _read_any_folder(folder: Path, split: Split) -> Splits:
    for place in (folder, folder / "raw"):
        if (family := family_in(place)) is not None:
            return read_family(family, place, split)
    # the folder itself, one that DIGITLAB_DATA would name, and the layout torchvision leaves behind
    for place in (folder, folder / "mnist", folder / "raw", folder / "MNIST" / "raw"):
        if not missing_files(place):
            return read_folder(place, split, name=folder.name)
    for end in (".csv", ".csv.gz"):
        train, test = folder / f"mnist_train{end}", folder / f"mnist_test{end}"
        if train.is_file() and test.is_file():
            return split_published(read_csv(train), read_csv(test), split).named(folder.name)
    # Imported here: pictures need libraries that IDX files do without.
    from digitlab.data.image_folder import load_image_folder, looks_like_image_folder

    if looks_like_image_folder(folder):
        return load_image_folder(folder, split)
    lacking = missing_files(folder)
    found = sorted(entry.name for entry in folder.iterdir())
    raise DataError(
        f"{folder}: found {', '.join(found[:6]) or 'nothing'}{' …' if len(found) > 6 else ''}; expected four IDX files "
        f"(missing: {', '.join(lacking)}), mnist_train.csv and mnist_test.csv, or pictures named by their classes "
        "(own/3/a.png, own/3_a.png). Name a file to read it alone."
    )
