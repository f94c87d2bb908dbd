"""What the page says of its marks: the height of the writing, words of letters, texture, edges."""

from collections.abc import Sequence

import numpy as np

from digitlab.data.photos.lines import text_lines
from digitlab.data.photos.mark import Mark
from digitlab.data.photos.marks import odd_shape
from digitlab.reading.partition import Answer

LOW, HIGH = 0.42, 2.5  # shares of the writing's height between which a mark needs no neighbours of its size
SURE = 0.9
TEXT, TEXT_SHARE = 5, 0.3  # a page with so many letters, and such a share of them, is a page of words
NUMBER = 0.97  # confidence of each digit of a number there
PALE = 0.42  # as a share of the usual digit's depth; pencil next to pen has more


def writing_height(judged: Sequence[Answer]) -> float:
    """The height of the writing in pixels: of the band from h to 2h with most ink that is read surely as a digit.

    Dirt, grain and letters are unsure, so they do not count, however many they are; a stroke, which dirt may be, counts
    less. 0 if there is nothing.
    """
    if not judged:
        return 0.0
    heights = np.array([max(j.mark.height, 0.6 * j.mark.width) for j in judged], dtype=float)
    weight = np.array([(0.3 if j.label == 1 else 1.0) * j.confidence**3 * j.mark.mask.sum() for j in judged])
    if weight.sum() <= 0:
        return float(np.median(heights))
    within = (heights[None] >= 0.99 * heights[:, None]) & (heights[None] <= 2 * heights[:, None])
    band = within[int(np.argmax((within * weight[None]).sum(axis=1)))]
    order = np.argsort(heights[band])
    half = np.cumsum(weight[band][order]) >= 0.5 * weight[band].sum()
    return float(heights[band][order][np.argmax(half)])


def refused(judged: Sequence[Answer], least: float, shape: tuple[int, int], crumbs: Sequence[Mark]) -> list[str]:
    """For each mark why it is no digit; "" if it is one.

    crumbs  ink that was too small to be looked at: where there is much of it, a small mark is a part of a texture
    """
    why = [_unsure(j, least) for j in judged]
    able = [j for j, reason in zip(judged, why) if not reason]
    usual = writing_height(able)
    for at, j in enumerate(judged):
        if not why[at]:
            why[at] = _pale(j, able, usual) or _at_edge(j, able, shape) or _size(j, able, usual, judged, crumbs)
    return _letters(judged, why, usual)


def _unsure(j: Answer, least: float) -> str:
    if reason := odd_shape(j.mark):
        return reason
    if j.confidence >= least:
        return ""
    return f"looks like no digit (best guess {j.label}, {100 * j.confidence:.0f} %)"


def _pale(j: Answer, able: Sequence[Answer], usual: float) -> str:
    """A paper's pattern or the back of the page: much paler than the digits of the writing's height."""
    depths = [o.depth for o in able if o.label != 1 and 0.6 * usual <= o.mark.height <= 1.7 * usual] or [j.depth]
    return "is much paler than the writing" if j.depth < PALE * float(np.quantile(depths, 0.75)) else ""


def _at_edge(j: Answer, able: Sequence[Answer], shape: tuple[int, int]) -> str:
    """A shadow, a thumb or the table at the picture's edge; a crop that cuts close to its digits is none of them."""
    h, w = shape
    left, top, right, bottom = j.mark.box
    if left > 1 and top > 1 and right < w - 1 and bottom < h - 1:
        return ""
    fill = float(j.mark.mask.mean())
    tight = j.mark.height > 0.5 * h
    others = [o.mark.height for o in able if o is not j]
    alike = any(0.6 < j.mark.height / other < 1.7 for other in others)
    if j.confidence >= SURE and (tight or alike) and fill < 0.75:
        return ""
    return "is cut off by the edge"


def _size(j: Answer, able: Sequence[Answer], usual: float, judged: Sequence[Answer], crumbs: Sequence[Mark]) -> str:
    """A mark much smaller or larger than the writing needs neighbours of its size, or larger ones on its line."""
    height = max(j.mark.height, 0.6 * j.mark.width)
    if LOW * usual <= height <= HIGH * usual:
        return ""
    if height > usual:
        stroke = j.label == 1  # a bar between columns, a bracket, a margin
        return "" if j.confidence >= SURE and not stroke else "is much larger than the writing"
    x, y = _middle(j.mark)
    near = sum(
        abs(_middle(m)[0] - x) < 2.5 * height and abs(_middle(m)[1] - y) < 2.5 * height
        for m in [*crumbs, *(o.mark for o in judged if o is not j and o.confidence < SURE)]
    )
    beside = [other for other in able if other is not j and _on_its_line(j.mark, other.mark)]
    if j.confidence < SURE or near > 3 or not beside or height < 3 * j.mark.pen:
        return "is much smaller than the writing"
    if j.label == 1 and not any(o.label != 1 and 0.6 < height / o.mark.height < 1.6 for o in beside):
        return "is much smaller than the writing"
    return ""


def _on_its_line(mark: Mark, other: Mark) -> bool:
    """Whether another mark, no smaller, is near this one and at its height."""
    height, tall = (max(m.height, 0.6 * m.width) for m in (mark, other))
    (x, y), (ox, oy), reach = _middle(mark), _middle(other), max(height, tall)
    return tall >= 0.7 * height and abs(oy - y) < 0.6 * reach and abs(ox - x) < 3 * reach


def _letters(judged: Sequence[Answer], why: list[str], usual: float) -> list[str]:
    """Marks among letters: a word of which a good part is no digit is no number.

    On a page of words, a number must be a word of its own, of several different digits that are all read surely: two
    letters may look like digits, but hardly three together.
    """
    depths = [j.depth for j, reason in zip(judged, why) if not reason]
    deep = float(np.median(depths)) if depths else 0.0  # what is paler is the paper's pattern
    able = [
        at
        for at, j in enumerate(judged)
        if 0.45 * usual <= j.mark.height <= 2.2 * usual and not _odd(j.mark) and j.depth >= 0.6 * deep
    ]
    strange = sum(bool(why[at]) for at in able)
    text = strange >= TEXT and strange >= TEXT_SHARE * len(able)
    inside = set(able)
    found = [
        "is among letters" if text and not reason and at not in inside else reason for at, reason in enumerate(why)
    ]
    for numbers in text_lines([judged[at].mark.box for at in able]):
        line = [able[number] for number in numbers]
        words: list[list[int]] = []
        for at in line:
            gap = judged[at].mark.box[0] - judged[words[-1][-1]].mark.box[2] if words else np.inf
            if gap > 0.8 * usual:
                words.append([])
            words[-1].append(at)
        for word in words:
            letters = sum(bool(why[at]) for at in word)
            unsure = any(judged[at].confidence < SURE for at in word if not why[at])
            among = letters >= (1 if unsure else 2) and letters >= 0.4 * len(word)
            if among or (text and not _is_number([judged[at] for at in word], letters)):
                for at in word:
                    found[at] = why[at] or "is among letters"
    return found


def _is_number(word: Sequence[Answer], letters: int) -> bool:
    """Whether a word on a page of words is surely a number."""
    sure = all(answer.confidence >= NUMBER for answer in word)
    return not letters and len(word) >= 3 and sure and len({answer.label for answer in word}) >= 2


def _odd(mark: Mark) -> bool:
    """A dash or a blot, which says nothing of the marks beside it."""
    return mark.width > 3 * mark.height or mark.pen > 0.5 * max(mark.height, mark.width)


def _middle(mark: Mark) -> tuple[float, float]:
    return (mark.box[0] + mark.box[2]) / 2, (mark.box[1] + mark.box[3]) / 2
