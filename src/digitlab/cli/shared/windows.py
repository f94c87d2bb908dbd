"""What shells of other systems do before a program starts, and Windows leaves to the program."""

from collections.abc import Sequence
from glob import glob


def matched(words: Sequence[str]) -> list[str]:
    """The words with patterns such as `*.png` replaced by the files that match; a pattern without any stays."""
    found: list[str] = []
    for word in words:
        pattern = bool(set(word) & set("*?[")) and not word.startswith("-")
        files = sorted(glob(word, recursive=True)) if pattern else []  # noqa: PTH207, which keeps `./` and absolute paths
        found += files or [word]
    return found
