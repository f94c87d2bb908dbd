"""Dates: the slashes of 24/11/2026, which look like 1s and are hardly longer than the digits."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from digitlab.data.photos.lines import text_lines
from digitlab.data.photos.mark import Mark
from digitlab.reading.partition import Answer

GROUPS = {(*two, year) for two in ((1, 1), (1, 2), (2, 1), (2, 2)) for year in (2, 4)}  # digits between the slashes
GROUPS |= {(4, *two) for two in ((1, 1), (1, 2), (2, 1), (2, 2))}  # the year first
STRAIGHT = 0.06  # of its height, how far a slash bends
LONG, BELOW = 1.03, 0.05  # of the digits' height, the height of a slash, and how far it reaches below them
SPACE = 1.5  # of the digits' height, between two numbers


def without_slashes(judged: Sequence[Answer], why: Sequence[str]) -> list[str]:
    """The reasons why marks are no digits, with those of slashes in dates.

    Two straight strokes are slashes if they part three groups of digits as in a date, and if each is longer than the
    digits and reaches below them, more than any other 1 of the date.
    """
    found = list(why)
    able = [at for at, reason in enumerate(why) if not reason]
    for line in text_lines([judged[at].mark.box for at in able]):
        for word in _words([able[number] for number in line], judged):
            for at in _slashes([judged[at] for at in word]):
                found[word[at]] = "is a slash"
    return found


def _words(line: Sequence[int], judged: Sequence[Answer]) -> list[list[int]]:
    """A line's marks, parted where there is much space."""
    height = float(np.median([judged[at].mark.height for at in line]))
    words: list[list[int]] = [[]]
    for at in line:
        if words[-1] and judged[at].mark.box[0] - judged[words[-1][-1]].mark.box[2] > SPACE * height:
            words.append([])
        words[-1].append(at)
    return words


def _slashes(word: Sequence[Answer]) -> Sequence[int]:
    """Which two marks of a word are slashes; () if it is no date."""
    digits = [answer.mark for answer in word if answer.label != 1]
    if len(digits) < 2:
        return ()
    height = float(np.median([mark.height for mark in digits]))
    below = {at: _below(at, word) / height for at in _strokes(word)}
    able = [at for at, far in below.items() if far >= BELOW and word[at].mark.height >= LONG * height]
    for pair in _pairs(able, len(word)):
        if all(far < min(below[at] for at in pair) for at, far in below.items() if at not in pair):
            return pair
    return ()


def _pairs(able: Sequence[int], length: int) -> Iterator[tuple[int, int]]:
    """Two places of a word that part it as a date."""
    for first, second in combinations(able, 2):
        if (first, second - first - 1, length - second - 1) in GROUPS:
            yield first, second


def _strokes(word: Sequence[Answer]) -> list[int]:
    """The straight strokes among the marks of a word."""
    return [at for at, answer in enumerate(word) if answer.label == 1 and _bend(answer.mark) <= STRAIGHT]


def _below(at: int, word: Sequence[Answer]) -> float:
    """How far a mark reaches below the nearest digits on both sides that are no 1s, in pixels."""
    others = sorted((abs(at - other), other) for other, answer in enumerate(word) if answer.label != 1)[:2]
    return word[at].mark.box[3] - float(np.mean([word[other].mark.box[3] for _, other in others]))


def _bend(mark: Mark) -> float:
    """How far the middles of a mark's rows are from a straight line, at most, in heights."""
    rows, middles = mark.row_middles()
    fit = np.polyfit(rows, middles, 1) if len(rows) > 1 else np.zeros(2)
    return float(np.abs(middles - np.polyval(fit, rows)).max()) / max(1, mark.height)
