"""Words of letters: marks that look like digits, but are parts of a word.

Marks are compared with those of their size: the writing, what is much smaller, such as print beside a handwritten
number, and what is much larger.
"""

from collections.abc import Sequence

import numpy as np

from digitlab.data.photos.lines import text_lines
from digitlab.data.photos.mark import Mark
from digitlab.data.photos.neighbours import Neighbours
from digitlab.reading.partition import Answer

SMALLEST, LARGEST = 0.45, 2.2  # of the writing's height, what is neither much smaller nor much larger
SURE = 0.9
TEXT, TEXT_SHARE = 5, 0.3  # a page with so many letters, and such a share of them, is a page of words
WITHIN = 4  # marks that the picture's edge does not cut: enough to say what is written there
NUMBER = 0.97  # confidence of each digit of a number there
LOOPS = 10  # more than any word has
SPACE = 0.55  # of the height of a line's letters, between two words


def among_letters(judged: Sequence[Answer], why: Sequence[str], usual: float, shape: tuple[int, int]) -> list[str]:
    """The reasons why marks are no digits, with those that are among letters; `usual` is the writing's height.

    `shape` is the picture's, (H, W): what its edge cuts may be a table around the paper.
    A word of which a good part is no digit is no number. On a page of words, a number must be a word of its own, of
    several different digits that are all read surely: two letters may look like digits, but hardly three together.
    """
    depths = [j.depth for j, reason in zip(judged, why) if not reason]
    deep = float(np.median(depths)) if depths else 0.0  # what is paler is the paper's pattern
    able = [at for at, j in enumerate(judged) if not no_letter(j.mark) and j.depth >= 0.6 * deep]
    heights = [judged[at].mark.height for at in able]
    writing = [at for at, height in zip(able, heights) if SMALLEST * usual <= height <= LARGEST * usual]
    small = [at for at, height in zip(able, heights) if height < SMALLEST * usual]
    large = [at for at, height in zip(able, heights) if height > LARGEST * usual]
    digits = Neighbours([judged[at].mark for at in writing if not why[at]])
    small = [at for at in small if not digits.beside(judged[at].mark).any()]
    within = [at for at in writing if not judged[at].mark.touches(shape)]
    text = _is_text(within if len(within) >= WITHIN else writing, why)
    inside = {*writing, *small, *large}
    found = [
        "is among letters" if text and not reason and at not in inside else reason for at, reason in enumerate(why)
    ]
    _check_words(judged, why, found, writing, text)
    for some in (small, large):
        _check_words(judged, why, found, some, text or _is_text(some, why))
    return found


def _is_text(marks: Sequence[int], why: Sequence[str]) -> bool:
    """Whether so many of the marks are no digits that they are text."""
    strange = sum(bool(why[at]) for at in marks)
    return strange >= TEXT and strange >= TEXT_SHARE * len(marks)


def _check_words(
    judged: Sequence[Answer], why: Sequence[str], found: list[str], marks: Sequence[int], text: bool
) -> None:
    """Write into `found` which of the marks, all of about one size, are among letters; `text`: on a page of words."""
    for numbers in text_lines([judged[at].mark.box for at in marks]):
        words: list[list[int]] = []
        height = float(np.median([judged[marks[number]].mark.height for number in numbers]))
        for at in (marks[number] for number in numbers):
            gap = judged[at].mark.box[0] - judged[words[-1][-1]].mark.box[2] if words else np.inf
            if gap > SPACE * height:
                words.append([])
            words[-1].append(at)
        for word in words:
            letters = _columns([judged[at].mark for at in word if why[at]])
            unsure = any(judged[at].confidence < SURE for at in word if not why[at])
            among = letters >= (1 if unsure else 2) and letters > 0.4 * len(word)
            if among or (text and not _is_number([judged[at] for at in word], letters)):
                for at in word:
                    found[at] = why[at] or "is among letters"


def _columns(marks: Sequence[Mark]) -> int:
    """How many letters they are: marks above each other, such as the pieces of a broken digit, count once."""
    count, end = 0, -1.0
    for mark in sorted(marks, key=lambda mark: mark.box[0]):
        count += mark.box[0] + 0.4 * mark.width > end
        end = max(end, mark.box[2])
    return count


def _is_number(word: Sequence[Answer], letters: int) -> bool:
    """Whether a word on a page of words is surely a number."""
    sure = all(answer.confidence >= NUMBER for answer in word)
    return not letters and len(word) >= 3 and sure and len({answer.label for answer in word}) >= 2


def no_letter(mark: Mark) -> bool:
    """Whether a mark is a dash, a blot or a shadow's edge full of holes, which says nothing of the marks beside it."""
    return mark.width > 3 * mark.height or mark.pen > 0.5 * max(mark.height, mark.width) or mark.loops >= LOOPS
