"""What a file or folder holds, before anything is cut from it: sets that its author divided, or one whole set."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from numpy.typing import NDArray

from digitlab.data.dataset import Digits, concatenate
from digitlab.data.splits import PARTS, Size, Splits, first_of, join_validation, split_published, split_single
from digitlab.errors import DataError
from digitlab.settings.data import Split

Part = Literal["train", "valid", "test", "all"]
ANY_PART = (*PARTS, "all")
WHOLE = "whole"  # the part of a source that is not divided


def check_part(part: Any) -> None:
    """Raises DataError unless this names one of the sets, or all of them."""
    if not isinstance(part, str) or part not in ANY_PART:
        raise DataError(f"part: got {part!r}, expected one of {', '.join(ANY_PART)}.")


@dataclass(frozen=True)
class Reading:
    """How a source is read where it does not say so itself; see `load` for the three."""

    label_column: str | int | None = None
    class_names: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None

    @property
    def classes(self) -> int:
        """The number of classes to expect."""
        return 10 if self.class_names is None else len(self.class_names)


AS_IT_IS = Reading()


class UnlabelledError(DataError):
    """A source holds images, and no labels. `images` are these, as they are read: what `predict` takes."""

    def __init__(self, message: str, images: NDArray[Any]) -> None:
        super().__init__(f"{message} `digitlab predict` takes images without labels.")
        self.images = images


@dataclass(frozen=True)
class Contents:
    """The sets in a source.

    sets   by part: "train", "valid" and "test" as its author divided it, or "whole" alone
    note   a line for the user, for instance which file was skipped; "" for none
    name   what the source is called; parts cut from it are called after it
    """

    sets: Mapping[str, Digits]
    note: str = ""
    name: str = ""

    @property
    def divided(self) -> bool:
        """Whether the author divided it; if not, it is one set."""
        return WHOLE not in self.sets

    def named(self, source: str) -> "Contents":
        """The same sets, called "<source> train" and so on; a whole one "<source>"."""
        sets = {
            part: digits.renamed(source if part == WHOLE else f"{source} {part}") for part, digits in self.sets.items()
        }
        return replace(self, sets=sets, name=source)

    def splits(
        self, split: Split = "50k/10k/10k", valid_size: Size | None = None, test_size: Size | None = None
    ) -> Splits:
        """Training, validation and test sets: the author's, or cut from the whole. Raises DataError if none can be."""
        if not self.divided:
            return split_single(self.sets[WHOLE], split, valid_size, test_size)
        if "train" not in self.sets or "test" not in self.sets:
            there = ", ".join(digits.name for digits in self.sets.values())
            raise DataError(
                f"{there}: is not a set to train on; name a source with training images, or the part to use."
            )
        train, valid, test = self.sets["train"], self.sets.get("valid"), self.sets["test"]
        if valid is None:
            return split_published(train, test, split, valid_size, test_size).named(self.name)
        return join_validation(Splits(train, valid, test), split, valid_size, test_size).named(self.name)

    def part(
        self, name: Part, split: Split = "50k/10k/10k", valid_size: Size | None = None, test_size: Size | None = None
    ) -> Digits:
        """One set: "train", "valid" or "test" of `splits`, or "all" images, in their order in the source."""
        check_part(name)
        if name == "all":
            first, *others = self.sets.values()
            return concatenate(first, *others).renamed(self.name) if others else first
        if name == "test" and "test" in self.sets:  # however few images there are to train on
            return first_of(self.sets["test"], test_size, "test_size")
        if name == "valid" and "valid" in self.sets and "train" not in self.sets:
            return self.sets["valid"]
        return self.splits(split, valid_size, test_size).part(name)


def contents_of(sets: Mapping[str, Digits], name: str) -> Contents:
    """The contents of a source called `name`, from its sets by part; training images alone are one whole set.

    A validation set without a test set holds the images left out of training: it becomes the test set.
    """
    sets = {part: sets[part] for part in (*PARTS, WHOLE) if part in sets}
    if list(sets) == ["train"]:
        sets = {WHOLE: sets["train"]}
    elif "test" not in sets and "valid" in sets:
        sets["test"] = sets.pop("valid")
    return Contents(sets).named(name)
