"""Labels of any spelling as class numbers: digits, words, one-hot rows, columns, whole floats."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import DIGIT_NAMES
from digitlab.errors import DataError

Place = Callable[[int], str]  # where label number i is: "own.csv: line 3"


def to_classes(
    labels: NDArray[Any] | Sequence[str],
    class_names: Sequence[str] | None,
    place: Place,
    *,
    positions: bool = False,
    hint: str = "",
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The class of each label, int64 (N,), and the names of the classes.

    labels       whole numbers, words, booleans or whole floats, (N,)
    class_names  what the classes are called; None: "0" to "9", or the words that occur, in alphabetical order
    positions    numbers are positions among the names, counted from 0, whatever the names are

    Otherwise, where every number is one of the names, it is that class: with the names 1 to 10, 1 is the first class.
    Raises DataError, saying where, for a label that is no class; `hint` ends the message about a number beyond them.
    """
    array = np.asarray(labels)
    if array.dtype.kind in "SU":
        texts = np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
        words = [word.strip() for word in texts.tolist()]
        numbers = [_whole(word) for word in words]
        if None in numbers:
            return _from_words(words, class_names, place)
        array = np.array(numbers, dtype=np.int64)
    return _from_numbers(_as_whole(array, place), class_names, place, positions, hint)


def straightened(labels: NDArray[Any] | Sequence[str], count: int, place: Place) -> NDArray[Any]:
    """The labels of `count` images as (N,): a column or a row made straight, or the positions of the 1 in one-hot rows.

    Raises DataError for another shape, or another number of labels.
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[0] == count and array.shape[1] > 1 and array.dtype.kind in "biuf":
        if ((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all():
            return np.asarray(array.argmax(axis=1))
        raise DataError(f"{place(0)} has {array.shape[1]} numbers, expected one, or a one-hot row: one 1 among 0s.")
    if array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if array.ndim != 1 or array.dtype.kind not in "biufSU":
        raise DataError(
            f"{place(0)}: the labels are {array.dtype} of shape {array.shape}, expected a number or word for each."
        )
    return array


def _whole(word: str) -> int | None:
    """The whole number that a word spells ("7", "7.0", "7e0"); None for any other word."""
    try:
        value = float(word)
    except ValueError:
        return None
    return int(value) if value.is_integer() and "_" not in word else None


def _as_whole(array: NDArray[Any], place: Place) -> NDArray[np.int64]:
    if array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            wrong = np.flatnonzero(~(np.isfinite(array) & (array == np.trunc(array)) & (np.abs(array) < 2**53)))
        if len(wrong):
            at = int(wrong[0])
            raise DataError(f"{place(at)} has the label {array[at]:g}, expected a whole number, the class.")
    return array.astype(np.int64)


def _from_words(
    words: list[str], class_names: Sequence[str] | None, place: Place
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    if "" in words:
        raise DataError(f"{place(words.index(''))} has no label, expected the name of a class.")
    numbers = [word for word in words if _whole(word) is not None]
    if class_names is None and numbers and max(map(len, words)) > 1:  # "0" … "9", "A" … are one kind of name
        at = next(i for i, word in enumerate(words) if _whole(word) is None)
        raise DataError(
            f"{place(at)} has the label {words[at]!r} and others numbers such as {numbers[0]}, expected one or the "
            "other. If both are names of classes list them all: class_names, or --class-names a,b,c."
        )
    names = tuple(class_names) if class_names is not None else tuple(sorted(set(words)))
    number = {name: i for i, name in enumerate(names)}
    for i, word in enumerate(words):
        if word not in number:
            raise DataError(f"{place(i)} has the label {word!r}, expected one of {', '.join(names)}.")
    return np.array([number[word] for word in words], dtype=np.int64), names


def _from_numbers(
    numbers: NDArray[np.int64], class_names: Sequence[str] | None, place: Place, positions: bool, hint: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    names = tuple(class_names) if class_names is not None else DIGIT_NAMES
    there, which = np.unique(numbers, return_inverse=True)
    if not positions and set(map(str, there.tolist())) <= set(names):
        return np.array([names.index(str(label)) for label in there.tolist()], dtype=np.int64)[which], names
    last = len(names) - 1
    wrong = np.flatnonzero((numbers < 0) | (numbers > last))
    if not len(wrong):
        return numbers, names
    if there[0] == 1 and there[-1] == len(names):
        mend = "Are the labels counted from 1? Subtract 1 from each."
    elif class_names is None:
        mend = "For other classes than the ten digits give their names: class_names, or --class-names a,b,c."
    else:
        mend = f"There are {len(names)} class names; give one for each class, or correct the label."
    at = int(wrong[0])
    raise DataError(f"{place(at)} has the label {numbers[at]}, expected 0–{last}. {mend}{hint and ' '}{hint}")
