"""Images with labels as a file spells them: what readers of formats hand over, to become `Digits` together.

The sets of one source are given their classes together: a word that only the training set has is a class of all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import Digits
from digitlab.data.formats.contents import Contents, contents_of
from digitlab.data.formats.labels import Place, straightened, to_classes
from digitlab.errors import DataError

WHOLE = "whole"  # the part of a source that is not divided


@dataclass(frozen=True, eq=False, repr=False)
class Raw:
    """One set before its labels have a meaning.

    images   uint8 (N, H, W) or (N, H, W, 3)
    labels   numbers or words, (N,), (N, 1), (1, N) or one-hot (N, classes)
    where    the file, and the part of it, for messages
    place    where label number i stands: "own.csv: line 3"
    hint     how a wrong label may come about here, for messages
    names    what the classes are called, where the source says so; labels are positions among them
    """

    images: NDArray[np.uint8]
    labels: NDArray[Any] | list[str]
    where: str
    place: Place
    hint: str = ""
    names: tuple[str, ...] | None = None


def joined(pieces: Sequence[Raw]) -> Raw:
    """The pieces of one set as one. Raises DataError if their images differ in size."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    for piece in pieces[1:]:
        if piece.images.shape[1:] != first.images.shape[1:]:
            raise DataError(
                f"{piece.where}: has images of {piece.images.shape[1:]}, expected {first.images.shape[1:]} as in "
                f"{first.where}."
            )
    ends = np.cumsum([len(piece.images) for piece in pieces]).tolist()

    def place(i: int) -> str:
        at = next(at for at, end in enumerate(ends) if i < end)
        return pieces[at].place(i - (ends[at - 1] if at else 0))

    labels = [straightened(piece.labels, len(piece.images), piece.place) for piece in pieces]
    images = np.concatenate([piece.images for piece in pieces])
    return replace(first, images=images, labels=np.concatenate(labels), place=place)


def with_classes(raws: Mapping[str, Raw], class_names: Sequence[str] | None) -> dict[str, Digits]:
    """Sets of one source with their labels as classes, which are the same in all of them; see `to_classes`.

    The classes are called as `class_names` says; None: as the source says, or "0" to "9".

    Raises DataError if a set has not as many labels as images, or if a label is no class.
    """
    labels = {part: straightened(raw.labels, len(raw.images), raw.place) for part, raw in raws.items()}
    for part, raw in raws.items():
        if len(labels[part]) != len(raw.images):
            raise DataError(
                f"{raw.where}: {len(raw.images):,} images and {len(labels[part]):,} labels, expected as many of each."
            )
    if any(some.dtype.kind in "SU" for some in labels.values()):
        labels = {part: some if some.dtype.kind in "SU" else some.astype(str) for part, some in labels.items()}
    ends = np.cumsum([len(some) for some in labels.values()]).tolist()
    starts = dict(zip(raws, [0, *ends]))

    def place(i: int) -> str:
        part = next(part for part, end in zip(raws, ends) if i < end)
        return raws[part].place(i - starts[part])

    hint = next((raw.hint for raw in raws.values() if raw.hint), "")
    own = next((raw.names for raw in raws.values() if raw.names), None)
    classes, names = to_classes(
        np.concatenate(list(labels.values())),
        class_names if class_names is not None else own,
        place,
        positions=class_names is None,
        hint=hint,
    )
    return {
        part: Digits(raw.images, classes[starts[part] : starts[part] + len(raw.images)], names)
        for part, raw in raws.items()
    }


def to_contents(raws: Mapping[str, Raw], class_names: Sequence[str] | None, name: str) -> Contents:
    """The contents of a source, from its sets under "train", "valid" and "test", or "whole" if it is one set."""
    sets = with_classes(raws, class_names)
    if WHOLE in sets:
        return Contents(whole=sets[WHOLE]).named(name)
    return contents_of(sets.get("train"), sets.get("valid"), sets.get("test")).named(name)
