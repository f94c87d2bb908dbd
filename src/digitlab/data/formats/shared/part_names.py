"""The words by which people call training, validation and test sets, in the names of files, folders and arrays."""

import re

PART_WORDS: dict[str, tuple[str, ...]] = {
    "train": ("training", "train", "trn", "tra", "tr"),
    "valid": ("validation", "valid", "val", "dev"),
    "test": ("testing", "test", "t10k", "tst", "tes", "te"),
}


def part_in(name: str) -> tuple[str, str] | None:
    """The part that a file's name says, and the name without that word: "mnist_train_100.csv" -> "train", …

    None if no word of the name is one of the usual ones, or if several parts are.
    """
    found = {}
    for part, words in PART_WORDS.items():
        if match := re.search(rf"(?<![a-z])(?:{'|'.join(words)})(?![a-z])", name.lower()):
            found[part] = name[: match.start()] + name[match.end() :]
    return next(iter(found.items())) if len(found) == 1 else None
