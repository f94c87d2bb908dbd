"""Images with labels as a file spells them: what most formats hand over, to become `Digits` together.

The sets of one source are given their classes together: a word that only the training set has is a class of all.
"""

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import Digits
from digitlab.data.formats.shared.labels import Place, straightened, to_classes
from digitlab.errors import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Raw:
    """One set before its labels have a meaning.

    images   uint8 (N, H, W) or (N, H, W, 3)
    labels   numbers or words, (N,), (N, 1), (1, N) or one-hot (N, classes)
    where    the file, and the part of it, for messages
    place    the position of label number i: "own.csv: line 3"
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
    first, *others = pieces
    if not others:
        return first
    for piece in others:
        if piece.images.shape[1:] != first.images.shape[1:]:
            raise DataError(
                f"{piece.where}: has images of {piece.images.shape[1:]}, expected {first.images.shape[1:]} as in "
                f"{first.where}."
            )
    labels = [straightened(piece.labels, len(piece.images), piece.place) for piece in pieces]
    images = np.concatenate([piece.images for piece in pieces])
    return replace(first, images=images, labels=np.concatenate(labels), place=_place_in(pieces, labels))


def _place_in(raws: Sequence[Raw], labels: Sequence[NDArray[Any]]) -> Place:
    """The position of label number i of several sets, one after the other."""
    starts = np.cumsum([0, *map(len, labels)]).tolist()

    def place(i: int) -> str:
        at = bisect(starts, i) - 1
        return raws[at].place(i - starts[at])

    return place


def to_digits(raws: Mapping[str, Raw], class_names: Sequence[str] | None) -> dict[str, Digits]:
    """Sets of one source with their labels as classes, which are the same in all of them; see `to_classes`.

    The classes are called as `class_names` says; None: as the source says, or "0" to "9".

    Raises DataError if a set has not as many labels as images, or if a label is no class.
    """
    labels = [straightened(raw.labels, len(raw.images), raw.place) for raw in raws.values()]
    for raw, some in zip(raws.values(), labels):
        if len(some) != len(raw.images):
            raise DataError(
                f"{raw.where}: {len(raw.images):,} images and {len(some):,} labels, expected as many of each."
            )
    if any(some.dtype.kind in "SU" for some in labels):
        labels = [some if some.dtype.kind in "SU" else some.astype(str) for some in labels]
    own = next((raw.names for raw in raws.values() if raw.names), None)
    classes, names = to_classes(
        np.concatenate(labels),
        class_names if class_names is not None else own,
        _place_in(list(raws.values()), labels),
        positions=class_names is None,
        hint=next((raw.hint for raw in raws.values() if raw.hint), ""),
    )
    parts = np.split(classes, np.cumsum([len(some) for some in labels])[:-1])
    return {part: Digits(raw.images, some, names) for (part, raw), some in zip(raws.items(), parts)}
