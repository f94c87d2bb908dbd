"""What a file or folder holds, before anything is cut from it: sets that its author divided, or one whole set."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from numpy.typing import NDArray

from digitlab.data.dataset import Digits, concatenate
from digitlab.data.splits import PARTS, Size, Splits, count_of, join_validation, split_published, split_single
from digitlab.errors import DataError
from digitlab.settings.data import Split

Part = Literal["train", "valid", "test", "all"]
ANY_PART = (*PARTS, "all")


@dataclass(frozen=True)
class Reading:
    """How a source is read where it does not say so itself; see `load` for the three."""

    label_column: str | int | None = None
    class_names: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None


AS_IT_IS = Reading()


class UnlabelledError(DataError):
    """A source holds images, and no labels. `images` are these, as they are read: what `predict` takes."""

    def __init__(self, message: str, images: NDArray[Any]) -> None:
        super().__init__(f"{message} `digitlab predict` takes images without labels.")
        self.images = images


@dataclass(frozen=True)
class Contents:
    """The sets in a source.

    train, valid, test   as its author divided it; None for a set that is not there
    whole                the one set of a source that is not divided; then the others are None
    note                 a line to tell the user, for instance which file was left out; "" for none
    name                 what the source is called; parts cut from it are called after it
    """

    train: Digits | None = None
    valid: Digits | None = None
    test: Digits | None = None
    whole: Digits | None = None
    note: str = ""
    name: str = ""

    @property
    def divided(self) -> bool:
        """Whether the author divided it; if not, it is one set."""
        return self.whole is None

    @property
    def sets(self) -> list[Digits]:
        """The sets that are there."""
        return [digits for digits in (self.train, self.valid, self.test, self.whole) if digits is not None]

    def named(self, source: str) -> "Contents":
        """The same sets, called "<source> train" and so on; a whole one "<source>"."""

        def called(digits: Digits | None, part: str = "") -> Digits | None:
            return None if digits is None else digits.renamed(f"{source} {part}".rstrip())

        return replace(
            self,
            train=called(self.train, "train"),
            valid=called(self.valid, "valid"),
            test=called(self.test, "test"),
            whole=called(self.whole),
            name=source,
        )

    def splits(
        self, split: Split = "50k/10k/10k", valid_size: Size | None = None, test_size: Size | None = None
    ) -> Splits:
        """Training, validation and test sets: the author's, or cut from the whole. Raises DataError if none can be."""
        if self.whole is not None:
            return split_single(self.whole, split, valid_size, test_size)
        if self.train is None or self.test is None:
            there = ", ".join(digits.name for digits in self.sets)
            raise DataError(
                f"{there}: is not a set to train on; name a source with training images, or the part to use."
            )
        if self.valid is None:
            return split_published(self.train, self.test, split, valid_size, test_size).named(self.name)
        parts = Splits(self.train, self.valid, self.test)
        return join_validation(parts, split, valid_size, test_size).named(self.name)

    def part(
        self, name: Part, split: Split = "50k/10k/10k", valid_size: Size | None = None, test_size: Size | None = None
    ) -> Digits:
        """One set: "train", "valid" or "test" of `splits`, or "all" images, in their order in the source."""
        if name not in ANY_PART:
            raise DataError(f"part: got {name!r}, expected one of {', '.join(ANY_PART)}.")
        if name == "all":
            first, *others = self.sets
            return concatenate(first, *others).renamed(self.name) if others else first
        if name == "test" and self.test is not None:  # however few images there are to train on
            size = len(self.test) if test_size is None else count_of(test_size, len(self.test), "test_size", self.test)
            return self.test.first(size)
        if name == "valid" and self.valid is not None and self.train is None:
            return self.valid
        return self.splits(split, valid_size, test_size).part(name)


def contents_of(train: Digits | None, valid: Digits | None, test: Digits | None) -> Contents:
    """The contents of a source that may hold three sets: training images alone are one whole set.

    Where there is a validation set and no test set, validation images are what is left out of training: the test set.
    """
    if test is None and valid is None:
        return Contents(whole=train)
    return Contents(train, valid, test) if test is not None else Contents(train, None, valid)
