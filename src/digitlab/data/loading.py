"""`load`: from the name of a data set, or the path of a file or folder, to training, validation and test sets."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Unpack, overload

from digitlab.data.bundled import bundled_contents
from digitlab.data.dataset import Digits
from digitlab.data.download import MissingDataError, obtain_mnist
from digitlab.data.formats.idx_files import find_pairs, read_family, read_pairs
from digitlab.data.formats.mnist_files import check_published
from digitlab.data.formats.shared.contents import AS_IT_IS, Contents, Part, Reading, check_part
from digitlab.data.formats.shared.families import FAMILIES, Family
from digitlab.data.mixing import mix_in
from digitlab.data.names import NAMES, canonical_source
from digitlab.data.sources import read_path
from digitlab.data.splits import SPLITS, Splits, narrowed, restrict
from digitlab.data.warnings import warn_if_suspicious
from digitlab.errors import DataError, DigitlabError, did_you_mean, in_brief
from digitlab.settings.data import DataSettings, DataTable, Source, names_images, of_part
from digitlab.settings.schema import check_settings, with_settings


@overload
def load(source: Source = ..., *, part: None = ..., **settings: Unpack[DataSettings]) -> Splits: ...
@overload
def load(source: Source = ..., *, part: Part, **settings: Unpack[DataSettings]) -> Digits: ...
@with_settings(DataSettings)
def load(source: Source = "mnist", *, part: Part | None = None, **settings: Unpack[DataSettings]) -> Splits | Digits:
    """`train, valid, test = load()`: MNIST, downloaded once if need be; or `load("digits")`, or `load(path)`.

    source  "mnist"; "digits", the 1,797 images of scikit-learn; "auto", MNIST or else those (see `load_auto`);
            a path: docs/data.md lists the files and folders that are read, whose kind follows from their content;
            or a family of sets in MNIST's form, "kmnist:FOLDER" (formats/shared/families.py)
    part    "train", "valid" or "test": that set alone; "all": every image, in the order of the source

    {settings}

    train_size, per_class and fraction exclude each other. A source that its author divided keeps its test set, and its
    validation set if it has one.

    Raises DataError, always naming the file; MissingDataError if MNIST is unavailable; ConfigError for an argument of
    another kind. Warns (DataWarning) of a set with a single class.
    """
    if part is None:
        return load_auto(source, **settings)[0]
    return load_part(source, part, **settings).digits


class Loaded(NamedTuple):
    """One set, as `load_part` gives it.

    divided   whether its source came divided into sets
    note      a line for the user, as that of `load_auto`, or None
    """

    digits: Digits
    divided: bool
    note: str | None


def load_auto(source: Source = "auto", **settings: Unpack[DataSettings]) -> tuple[Splits, str | None]:
    """The sets, and a line for the user (else None): that "auto" fell back on the bundled digits, for instance.

    `settings` are those of `load`. A damaged copy of MNIST is an error all the same.
    """
    given = _checked(source, settings)
    contents = open_source(source, given)
    parts = contents.splits(**_of(given, "cut"))
    mix = given.get("mix")
    other = load_auto(mix, split=given.get("split", SPLITS[0]))[0] if mix is not None else None
    parts = choose(parts, other, **_of(given, "take"))
    warn_if_suspicious(parts.train)
    return parts, contents.note or None


def load_part(
    source: Source, part: Part | None = None, usual: Part = "test", **settings: Unpack[DataSettings]
) -> Loaded:
    """One set. With part None it is the `usual` one, or all of a source that is not divided."""
    given = _checked(source, settings)
    if part is not None:
        check_part(part)
    contents = open_source(source, given)
    if part is None:
        part = usual if contents.divided else "all"
    if part == "train" or (part == "valid" and given.get("mix") is not None):
        digits = load_auto(source, **settings)[0].part(part)
    else:
        digits = narrowed(contents.part(part, **_of(given, "cut")), given.get("digits"), given.get("group"))
        warn_if_suspicious(digits)
    return Loaded(digits, contents.divided, contents.note or None)


def open_source(source: Source, settings: Mapping[str, Any]) -> Contents:
    """What a source holds, read as the `settings` of `load` say. Raises DataError."""
    if not names_images(source):
        raise DataError(f"{source}: has no images; this command works on networks that were trained on images")
    source, names, shape = canonical_source(source), settings.get("class_names"), settings.get("image_shape")
    reading = Reading(
        settings.get("label_column"),
        None if names is None else tuple(map(str, names)),
        None if shape is None else tuple(map(int, shape)),
    )
    note = ""
    if source == "auto":
        try:
            contents = _open_mnist()
        except MissingDataError as error:
            contents = bundled_contents()
            note = (
                f"MNIST is unavailable ({error.reason}): training on scikit-learn's 1,797 real digits instead; "
                "use --data mnist to require it"
            )
    elif source == "mnist":
        contents = _open_mnist()
    elif source == "digits":
        contents = bundled_contents()
    else:
        contents = _open_path(Path(source).expanduser(), reading)
    return _as_asked(replace(contents, note=note or contents.note), source, reading)


def choose(own: Splits, other: Splits | None = None, **settings: Any) -> Splits:
    """The images of sets that `settings` (see `load`) ask for; `other` are the sets that `mix` names."""
    parts = restrict(own, **settings)
    if other is None:
        return parts
    return mix_in(parts, restrict(other, digits=settings.get("digits")), seed=settings.get("seed", 0))


def _checked(source: Source, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are not None. Raises ConfigError or DataError."""
    given = {name: value for name, value in settings.items() if value is not None}
    check_settings(DataTable, {"source": source, **given})
    return given


def _of(settings: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The settings of one part (see settings/data.py)."""
    return {name: value for name, value in settings.items() if name in of_part(part)}


def _open_mnist() -> Contents:
    return read_pairs(find_pairs(obtain_mnist()), AS_IT_IS, "mnist", check=check_published)


def _open_path(path: Path, reading: Reading) -> Contents:
    """A file or a folder by what is in it, a family of data sets by its name."""
    family, _, named = str(path).partition(":")
    if path.exists():
        return _guarded(path, reading)
    if family not in FAMILIES:
        hint = did_you_mean(str(path), NAMES)
        raise DataError(f"{path}: there is no such file or folder{hint}; expected 'mnist', 'digits', 'auto' or a path.")
    place = Path(named) if named else Path(os.environ.get("DIGITLAB_DATA", ".")) / family
    if place.is_file():
        return _guarded(place, reading, FAMILIES[family])
    return read_family(family, place, reading)


def _guarded(path: Path, reading: Reading, family: Family | None = None) -> Contents:
    """`read_path`, where no damage of a file ends in another error than DataError, whichever library reads it."""
    try:
        return read_path(path, reading, family)
    except Exception as error:
        if isinstance(error, DigitlabError | MemoryError) or getattr(error, "filename", None):
            raise
        raise DataError(
            f"{path}: cannot be read ({in_brief(error)}). Is it damaged? Fetch or export it again."
        ) from error


def _as_asked(contents: Contents, source: Source, reading: Reading) -> Contents:
    """The contents with the names of classes that were asked for, once all images are of one size, and of that asked.

    Raises DataError.
    """
    (first, *others), names = contents.sets.values(), reading.class_names
    if different := [digits.image_shape for digits in others if digits.image_shape != first.image_shape]:
        raise DataError(
            f"{source}: its training images are {first.image_shape} and others {different[0]}; expected one size."
        )
    shape = reading.image_shape
    if shape is not None and first.image_shape not in (shape, (*shape[1:], 3)):
        raise DataError(f"{source}: has images of {first.image_shape}, expected {shape}, as image_shape says.")
    if names is None or first.class_names == names:
        return contents
    if len(names) != len(first.class_names):
        raise DataError(f"{source}: has {len(first.class_names)} classes, and got {len(names)} class_names.")
    return replace(contents, sets={part: replace(set_, class_names=names) for part, set_ in contents.sets.items()})
