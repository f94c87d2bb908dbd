"""Training, validation and test sets, and the choices that make a smaller experiment of them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from digitlab.data.digits import Digits, concatenate
from digitlab.errors import DataError

Split = Literal["50k/10k/10k", "60k/10k"]
Part = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("50k/10k/10k", "60k/10k")
PARTS: tuple[Part, ...] = ("train", "valid", "test")


class Splits(NamedTuple):
    """`train, valid, test = load("mnist")`: the network learns from the first, its settings are chosen on the
    second, and the third is looked at once, at the end. `valid` is None where nothing was set aside."""

    train: Digits
    valid: Digits | None
    test: Digits

    def part(self, name: Part) -> Digits:
        """One of the three by name; DataError for another name, or for a validation set that is not there."""
        if name not in PARTS:
            raise DataError(f"part: got {name!r}, expected one of {', '.join(PARTS)}.")
        chosen: Digits | None = getattr(self, name)
        if chosen is None:
            raise DataError("part: got 'valid', but split='60k/10k' sets none aside; use split='50k/10k/10k'.")
        return chosen

    def named(self, source: str) -> "Splits":
        """The same sets, called "<source> train", "<source> valid", "<source> test"."""
        valid = None if self.valid is None else self.valid.renamed(f"{source} valid")
        return Splits(self.train.renamed(f"{source} train"), valid, self.test.renamed(f"{source} test"))


def split_published(train: Digits, test: Digits, split: Split) -> Splits:
    """The published training and test sets as `split` asks.

    "50k/10k/10k" is Nielsen's: the last sixth of the training set (10,000 of MNIST's 60,000) validates.
    "60k/10k" trains on all of it.
    """
    if split == "60k/10k":
        return Splits(train, None, test)
    last = len(train) // 6
    if not last:
        raise DataError(f"{train}: too few images to set a sixth aside for validation; use split='60k/10k'.")
    learned, valid = train.split(len(train) - last, last)
    return Splits(learned, valid, test)


def split_single(digits: Digits, split: Split) -> Splits:
    """One set cut into all of them, 5 : 1 : 1 ("60k/10k": 6 : none : 1), after a shuffle that is always the same.

    Shuffled, since such files are often sorted by label; always alike, since a test set that changed from
    run to run would leak into training. The names say that the parts come from one file.
    """
    seventh = len(digits) // 7
    if not seventh:
        raise DataError(f"{digits}: too few images to cut training, validation and test sets from; expected 7.")
    mixed = digits.shuffled(np.random.default_rng(0))
    train, test = mixed.split(-1, seventh)
    parts = split_published(train, test, split)
    return parts.named(f"{digits.name} (cut from one file)")


def join_validation(parts: Splits, split: Split) -> Splits:
    """Sets that came as three: as they are, or for "60k/10k" with validation joined behind training."""
    if split == "60k/10k" and parts.valid is not None:
        return Splits(concatenate(parts.train, parts.valid), None, parts.test)
    return parts


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

    train_size   the first n training images, as in the book's overfitting experiments
    fraction     the first part of them, 0 < f ≤ 1
    per_class    n of each class, drawn with `seed`
    And for the members of an ensemble:
    share        (i, n): the i-th of n parts that share no image: every n-th one, from the i-th on; i from 1
    bootstrap    as many images as there are, drawn with replacement with this seed (Breiman 1996, "Bagging predictors")
    group        for a specialist: these digits become the classes 0, 1 ..., all others one last class, in all sets
    Validation and test stay whole, so that figures of different training sizes can be compared.

    Raises DataError if more than one of the three is given, or if it asks for more than there is.
    """
    given = [name for name, value in (("train_size", train_size), ("per_class", per_class), ("fraction", fraction))
             if value is not None]  # fmt: skip
    if len(given) > 1:
        raise DataError(f"got {' and '.join(given)}, expected one of them: each says how much to train on.")
    if digits is not None:
        valid = None if parts.valid is None else parts.valid.only(digits)
        parts = Splits(parts.train.only(digits), valid, parts.test.only(digits))
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
        train = train[np.random.default_rng(bootstrap).integers(len(train), size=len(train))]
    parts = parts._replace(train=train)
    if group is None:
        return parts
    valid = None if parts.valid is None else one_group(parts.valid, group)
    return Splits(one_group(parts.train, group), valid, one_group(parts.test, group))


def one_group(digits: Digits, group: Sequence[int]) -> Digits:
    """All images, labelled by their place in the group, or as the last class where they are none of it."""
    names = digits.class_names
    if not group or len(set(group)) != len(group) or not all(c in range(len(names)) for c in group):
        raise DataError(f"{digits}: got group {list(group)}, expected different classes from 0 to {len(names) - 1}.")
    place = np.full(len(names), len(group))
    place[list(group)] = np.arange(len(group))
    return Digits(digits.images, place[digits.labels], (*(names[c] for c in group), "other"), digits.name)
