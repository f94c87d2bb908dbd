"""Training, validation and test sets, and smaller experiments of them."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np

from digitlab.arguments import generator
from digitlab.data.dataset import Digits, concatenate
from digitlab.errors import DataError
from digitlab.settings.data import Split

Size = int | float  # a number of images, or a share of them between 0 and 1
SPLITS: tuple[Split, ...] = get_args(Split)
PARTS: tuple[Literal["train", "valid", "test"], ...] = ("train", "valid", "test")


class Splits(NamedTuple):
    """`train, valid, test = load("mnist")`: the network learns from the first, its settings are chosen on the
    second, and the third is looked at once, at the end. `valid` is None where nothing was set aside."""

    train: Digits
    valid: Digits | None
    test: Digits

    def part(self, name: str) -> Digits:
        """One of the three by name; DataError for another name, or for a validation set that is not there."""
        if name not in PARTS:
            raise DataError(f"part: got {name!r}, expected one of {', '.join(PARTS)}.")
        chosen: Digits | None = getattr(self, name)
        if chosen is None:
            raise DataError(
                "part: got 'valid', but the split '60k/10k', or a valid_size of 0, sets none aside; use the split "
                "'50k/10k/10k'."
            )
        return chosen

    def each(self, change: Callable[[Digits], Digits]) -> "Splits":
        """Every set changed."""
        return Splits(change(self.train), None if self.valid is None else change(self.valid), change(self.test))

    def named(self, source: str) -> "Splits":
        """The same sets, called "<source> train", "<source> valid", "<source> test"."""
        valid = None if self.valid is None else self.valid.renamed(f"{source} valid")
        return Splits(self.train.renamed(f"{source} train"), valid, self.test.renamed(f"{source} test"))


def split_published(
    train: Digits, test: Digits, split: Split, valid_size: Size | None = None, test_size: Size | None = None
) -> Splits:
    """The published training and test sets as `split` asks.

    "50k/10k/10k" is Nielsen's: the last sixth of the training set (10,000 of MNIST's 60,000) validates.
    "60k/10k" trains on all of it.
    valid_size   so many of the training images, or such a share of them, instead of a sixth; 0: none
    test_size    the first so many of the test images, or such a share of them
    """
    test = first_of(test, test_size, "test_size")
    n = len(train)
    last = n // 6 if valid_size is None else count_of(valid_size, n - 1, "valid_size", train, of=n)
    if _no_validation(split, valid_size):
        return Splits(train, None, test)
    if not last:
        raise DataError(f"{train}: too few images to set a sixth aside for validation; use the split '60k/10k'.")
    learned, valid = train.split(n - last, last)
    return Splits(learned, valid, test)


def split_single(digits: Digits, split: Split, valid_size: Size | None = None, test_size: Size | None = None) -> Splits:
    """One set cut into all of them, 5 : 1 : 1 ("60k/10k": 6 : none : 1), after a shuffle that is always the same.

    Shuffled, since such files are often sorted by label; always alike, since a test set that changed from
    run to run would leak into training. The names say that the parts come from one file.
    valid_size, test_size   so many images, or such a share of all of them, instead of a seventh
    """
    n = len(digits)
    tested = n // 7 if test_size is None else count_of(test_size, n - 1, "test_size", digits, of=n)
    valid = (n - tested) // 6 if valid_size is None else count_of(valid_size, n - 1, "valid_size", digits, of=n)
    if not tested or (not valid and not _no_validation(split, valid_size)):
        raise DataError(
            f"{digits}: too few images to cut training, validation and test sets from; expected 7. "
            "Say how many with valid_size and test_size (valid_size may be 0); to test on all of them, "
            "choose the part 'all'."
        )
    if _no_validation(split, valid_size):
        valid = 0
    if tested + valid >= n:
        raise DataError(f"{digits}: {valid:,} images to validate and {tested:,} to test leave none to train on.")
    mixed = digits.shuffled(np.random.default_rng(0))
    sizes = [n - valid - tested, *([valid] if valid else []), tested]
    train, *middle, test = mixed.split(*sizes)
    return Splits(train, middle[0] if middle else None, test).named(f"{digits.name} (cut from one set)")


def join_validation(
    parts: Splits, split: Split, valid_size: Size | None = None, test_size: Size | None = None
) -> Splits:
    """Sets that came as three: as they are, or for "60k/10k" with validation joined behind training.

    valid_size, test_size   the first so many of the images, or such a share of them
    """
    train, valid, test = parts
    test = first_of(test, test_size, "test_size")
    if valid is not None and _no_validation(split, valid_size):
        return Splits(concatenate(train, valid), None, test)
    return Splits(train, None if valid is None else first_of(valid, valid_size, "valid_size"), test)


def first_of(digits: Digits, size: Size | None, name: str) -> Digits:
    """The first so many images, or such a share of them; None: all."""
    return digits if size is None else digits.first(count_of(size, len(digits), name, digits))


def _no_validation(split: Split, valid_size: Size | None) -> bool:
    """Whether no validation set is wanted; DataError if `split` and `valid_size` contradict each other."""
    if split not in SPLITS:
        raise DataError(f"split: got {split!r}, expected one of {', '.join(SPLITS)}.")
    if split == "60k/10k" and valid_size:
        raise DataError(f"split '60k/10k' sets no images aside, and valid_size asks for {valid_size:g}; leave one out.")
    return split == "60k/10k" or valid_size == 0


def count_of(size: Size, most: int, name: str, digits: Digits, of: int | None = None) -> int:
    """A number of images: `size` itself, or that share of `of` (or of `most`), at least one, if it is within 0–1.

    Only `valid_size` may be 0. Raises DataError for a number that is negative, no number of images, or above `most`.
    """
    if isinstance(size, float) and 0 < size < 1:
        return max(1, min(most, round(size * (of if of is not None else most))))
    least = 0 if name == "valid_size" else 1
    if name == "test_size" and size == 0:
        raise DataError(
            f"{digits}: got test_size 0, expected at least 1 image; to get all images as one set without a test part, "
            "choose the part 'all'."
        )
    if size != int(size) or not least <= size <= most or (isinstance(size, float) and size == 1):
        raise DataError(
            f"{digits}: got {name} {size:g}, expected {least} to {most:,} images, or a share between 0 and 1."
        )
    return int(size)


def restrict(
    parts: Splits,
    *,
    digits: Sequence[int] | None = None,
    train_size: int | None = None,
    per_class: int | None = None,
    fraction: float | None = None,
    seed: int = 0,
    share: Sequence[int] | None = None,
    bootstrap: int | None = None,
    group: Sequence[int] | None = None,
) -> Splits:
    """A smaller experiment: `digits` keeps some classes of all three sets, the others shorten training alone.

    For the arguments see settings/data.py; `share` (i, n) is every n-th image, from the i-th on, `bootstrap` draws as
    many images as there are (Breiman 1996, "Bagging predictors"), and `group` makes all other digits one last class.
    Validation and test sets stay whole, so that results of different training sizes are comparable.

    Raises DataError if more than one of the three is given, or if it asks for more than there is.
    """
    sizes = {"train_size": train_size, "per_class": per_class, "fraction": fraction}
    if len(given := [name for name, size in sizes.items() if size is not None]) > 1:
        raise DataError(f"got {' and '.join(given)}, expected one of them: each says how much to train on.")
    parts = parts.each(lambda part: narrowed(part, digits))
    train = parts.train
    if train_size is not None:
        if not 1 <= train_size <= len(train):
            raise DataError(f"train_size: got {train_size:,}, expected 1 to {len(train):,}, as many as {train} has")
        train = train.first(train_size)
    if fraction is not None:
        train = train.fraction(fraction)
    if per_class is not None:
        train = train.sample(per_class, np.random.default_rng(seed))
    if share is not None:
        if len(share) != 2 or not 1 <= share[0] <= share[1]:
            raise DataError(f"share: got {list(share)}, expected [i, n] with 1 ≤ i ≤ n")
        train = train[share[0] - 1 :: share[1]]
    if bootstrap is not None:
        train = train[generator(bootstrap, "bootstrap").integers(len(train), size=len(train))]
    return parts._replace(train=train).each(lambda part: narrowed(part, group=group))


def narrowed(digits: Digits, classes: Sequence[int] | None = None, group: Sequence[int] | None = None) -> Digits:
    """The images of these classes, or with those of a group as the classes (see `restrict`)."""
    if classes is not None:
        digits = digits.only(classes)
    return digits if group is None else one_group(digits, group)


def one_group(digits: Digits, group: Sequence[int]) -> Digits:
    """All images, labelled by their place in the group, or as the last class where they are none of it."""
    names, group = digits.class_names, list(group)
    if not group or len(set(group)) != len(group) or not all(c in range(len(names)) for c in group):
        raise DataError(f"{digits}: got group {group}, expected different classes from 0 to {len(names) - 1}.")
    place = np.full(len(names), len(group))
    place[group] = np.arange(len(group))
    return Digits(digits.images, place[digits.labels], (*(names[c] for c in group), "other"), digits.name)
