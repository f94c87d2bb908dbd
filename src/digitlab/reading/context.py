"""What the page says of its marks: the height of the writing, texture, edges, drawings; words are in words.py."""

import math
from collections.abc import Sequence

import numpy as np

from digitlab.data.photos.lines import on_its_line
from digitlab.data.photos.mark import Mark
from digitlab.data.photos.marks import odd_shape
from digitlab.reading.dates import without_slashes
from digitlab.reading.partition import Answer
from digitlab.reading.words import NUMBER, SURE, among_letters, no_letter

TINY = 0.2  # of the writing's height, below which a mark needs two neighbours
LOW, HIGH = 0.42, 2.5  # shares of the writing's height between which a mark needs no neighbours of its size
WIDEST = 1.9  # of its height
TEXTURE, GRAIN = 10, 0.3  # marks around one that are no digits, and at least this share of its height
DRAWN, MOSTLY = 1.0, 3.0  # times the digits' ink: what is no digit in a drawing, and in one where no digit is alone
CENTRAL = 0.7  # least confidence of a digit alone in a picture as high as itself
DRAWN_SMOOTH, FILLS = 0.3, 0.85  # the first for what a program drew; of its height, a mark that fills a picture
SMOOTH = 0.0002  # noise of the paper, which no camera stays below: a program drew the picture
ACROSS, ASKEW = 0.2, 0.3  # what marks that cross share of the smaller box, and the middles' distance, in heights
INSIDE = 0.9  # what they share at any distance
FEW_BESIDE, LONGER, BEYOND = 3, 1.35, 0.12  # digits beside a slash; their height in it, and how far it reaches further
ONES, MOSTLY_ONES = 8, 0.8  # of a page of strokes: the 1s, and their share of the digits
UPRIGHT = 0.25  # of their height, other marks that are counted
PALE, PALEST = 0.42, 0.25  # as shares of the usual digit's depth: of any mark, and of one that is read surely


def writing_height(judged: Sequence[Answer], shape: tuple[int, ...]) -> float:
    """The height of the writing in pixels: of the band from h to 2h with most ink that is read surely as a digit.

    Dirt, grain and letters are unsure, so they do not count, however many they are; a stroke, which dirt may be, counts
    less, and so does what runs out of a picture of this shape, (H, W): a dark table beside the paper is a long stroke.
    0 if there is nothing.
    """
    if not judged:
        return 0.0
    heights = np.array([max(j.mark.height, 0.6 * j.mark.width) for j in judged], dtype=float)
    doubt = [(0.3 if j.label == 1 else 1.0) * (0.1 if j.mark.touches(shape) else 1.0) for j in judged]
    weight = np.array([d * j.confidence**3 * j.mark.mask.sum() for d, j in zip(doubt, judged)])
    if weight.sum() <= 0:
        return float(np.median(heights))
    within = (heights[None] >= 0.99 * heights[:, None]) & (heights[None] <= 2 * heights[:, None])
    band = within[int(np.argmax((within * weight[None]).sum(axis=1)))]
    order = np.argsort(heights[band])
    half = np.cumsum(weight[band][order]) >= 0.5 * weight[band].sum()
    return float(heights[band][order][np.argmax(half)])


def written(judged: Sequence[Answer], shape: tuple[int, ...]) -> list[bool]:
    """For each mark whether it is as high as the page's writing, and no dash or blot."""
    usual = writing_height(judged, shape)
    return [0.45 * usual <= j.mark.height <= 2.2 * usual and not no_letter(j.mark) for j in judged]


def refused(
    judged: Sequence[Answer], least: float, shape: tuple[int, int], crumbs: Sequence[Mark], *, noise: float = np.inf
) -> list[str]:
    """For each mark why it is no digit; "" if it is one.

    crumbs  ink that was too small to be looked at: where there is much of it, a small mark is a part of a texture
    noise   of the paper, as a share of its light
    """
    why = [_unsure(j, least) for j in judged]
    able = [j for j, reason in zip(judged, why) if not reason]
    usual = writing_height(able, shape)
    depths = [j.depth for j in able if j.label != 1 and 0.6 * usual <= j.mark.height <= 1.7 * usual]
    deep = float(np.quantile(depths, 0.75)) if depths else 0.0
    for at, j in enumerate(judged):
        if not why[at]:
            why[at] = (
                _pale(j, deep, usual)
                or _at_edge(j, able, shape, only=len(judged) == 1)
                or _size(j, able, usual, judged, crumbs)
                or _texture(j, able, judged)
                or _slash(j, able)
            )
    why = without_slashes(judged, why)
    return _strokes(judged, among_letters(judged, _drawing(judged, why, shape, noise <= SMOOTH), usual, shape))


def _drawing(judged: Sequence[Answer], why: list[str], shape: tuple[int, int], smooth: bool) -> list[str]:
    """In a drawing, most ink is no digit: what looks like one must do so surely, and a stroke needs a digit beside.

    A picture that a program drew (`smooth`) has no shadow at its edge: what runs out of it counts, too. A frame
    around a digit does not.
    """
    able = [j for j, reason in zip(judged, why) if not reason]
    if smooth:
        crossed = [any(_cross(j.mark, o.mark) for o in able if o is not j) for j in judged]
        cut = [len(judged) > 1 and _cut_by_edge(j, able, shape) for j in judged]
        why = [reason or "is part of a drawing" * (a or b) for reason, a, b in zip(why, crossed, cut)]
        able = [j for j, reason in zip(judged, why) if not reason]
    strange = [j.mark for j, reason in zip(judged, why) if reason and not no_letter(j.mark)]
    if smooth:
        strange = [mark for mark in strange if not any(_holds(mark, j.mark) for j in able)]
    else:
        strange = [mark for mark in strange if not mark.touches(shape)]
    share = _ink(strange) / max(1, _ink([j.mark for j in able]))
    if share <= (DRAWN_SMOOTH if smooth else DRAWN):
        return why
    found = list(why)
    for at, j in enumerate(judged):
        beside = any(o.label != 1 and on_its_line(j.mark, o.mark) for o in able if o is not j)
        unlikely = j.label == 1 or j.confidence < NUMBER or (smooth and share > MOSTLY)
        if not why[at] and not beside and unlikely:
            found[at] = "is part of a drawing"
    return found


def _cut_by_edge(j: Answer, able: Sequence[Answer], shape: tuple[int, int]) -> bool:
    """Whether a mark of a drawing goes on beyond its edge, unless it fills the picture or stands beside a digit."""
    if not j.mark.touches(shape) or j.mark.height >= FILLS * shape[0]:
        return False
    whole = [o.mark for o in able if not o.mark.touches(shape) and not j.label == o.label == 1]
    return not any(on_its_line(j.mark, mark) and on_its_line(mark, j.mark) for mark in whole)


def _cross(a: Mark, b: Mark) -> bool:
    """Whether a mark crosses or surrounds another one, as a digit does not: digits beside each other share little."""
    if _holds(b, a):
        return False
    across = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    down = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    if across <= 0 or down <= 0:
        return False
    share = across * down / min(a.width * a.height, b.width * b.height)
    askew = abs(a.middle[1] - b.middle[1]) / max(a.height, b.height)
    return share > INSIDE or (share > ACROSS and askew > ASKEW)


def _holds(frame: Mark, mark: Mark) -> bool:
    """Whether a mark's box has another one's inside."""
    (left, top, right, bottom), box = frame.box, mark.box
    return left <= box[0] and top <= box[1] and right >= box[2] and bottom >= box[3]


def _ink(marks: Sequence[Mark]) -> int:
    return sum(int(mark.mask.sum()) for mark in marks)


def _unsure(j: Answer, least: float) -> str:
    if reason := odd_shape(j.mark):
        return reason
    if j.mark.width > WIDEST * j.mark.height:
        return "is wider than a digit"
    if j.confidence >= least:
        return ""
    return f"looks like no digit (best guess {j.label}, {100 * j.confidence:.0f} %)"


def _pale(j: Answer, deep: float, usual: float) -> str:
    """A paper's pattern or the back of the page: much paler than the digits of the writing's height, `deep`."""
    digit = j.confidence >= SURE and 0.6 * usual <= j.mark.height <= 1.7 * usual  # written with less pressure
    return "is much paler than the writing" if j.depth < (PALEST if digit else PALE) * deep else ""


def _at_edge(j: Answer, able: Sequence[Answer], shape: tuple[int, int], only: bool) -> str:
    """A shadow, a thumb or the table at the picture's edge; a crop that cuts close to its digits is none of them."""
    if not j.mark.touches(shape):
        return ""
    fill = float(j.mark.mask.mean())
    tight = j.mark.height > 0.5 * shape[0]
    others = [o.mark.height for o in able if o is not j]
    alike = any(0.6 < j.mark.height / other < 1.7 for other in others)
    if others and j.label == 1:  # a long stroke beside smaller digits is the edge of a table
        tight = False
    if only and j.confidence >= _least_of_crop(j, shape):
        return ""
    row = [o.mark.middle[0] for o in able if o is not j and on_its_line(j.mark, o.mark)]
    between = bool(row) and min(row) < j.mark.middle[0] < max(row)  # digits: a straight 1 of a number
    if j.confidence >= SURE and (tight or alike) and (fill < 0.75 or between):
        return ""
    return "is cut off by the edge"


def _least_of_crop(j: Answer, shape: tuple[int, int]) -> float:
    """The confidence with which a mark alone in its picture is a digit though it reaches from edge to edge.

    It is a crop that was cut to its ink if it fills the picture in both directions, and a picture made as high or as
    wide as its digit if it stands in the middle across its own direction. It is alone, so no drawing or word has it.
    """
    (height, width), (x, y) = shape, j.mark.middle
    fills = j.mark.height >= FILLS * height, j.mark.width >= FILLS * width
    if all(fills):
        return 0.0
    central = 0.25 < y / height < 0.75, 0.25 < x / width < 0.75
    if any(fills) and all(a or b for a, b in zip(fills, central)):
        return CENTRAL
    return math.inf


def _size(j: Answer, able: Sequence[Answer], usual: float, judged: Sequence[Answer], crumbs: Sequence[Mark]) -> str:
    """A mark much smaller or larger than the writing needs neighbours of its size, or larger ones on its line."""
    height = max(j.mark.height, 0.6 * j.mark.width)
    if LOW * usual <= height <= HIGH * usual:
        return ""
    if height > usual:
        stroke = j.label == 1  # a bar between columns, a bracket, a margin
        return "" if j.confidence >= SURE and not stroke else "is much larger than the writing"
    beside = [other for other in able if other is not j and on_its_line(j.mark, other.mark)]
    near = _near(j, judged, crumbs, height)
    few = len(beside) < (2 if height < TINY * usual else 1)  # an icon and a stroke above a drawing
    if j.confidence < SURE or near > 3 or few or height < 3 * j.mark.pen:
        return "is much smaller than the writing"
    if j.label == 1 and not any(o.label != 1 and 0.6 < height / o.mark.height < 1.6 for o in beside):
        return "is much smaller than the writing"
    return ""


def _slash(j: Answer, able: Sequence[Answer]) -> str:
    """A stroke that reaches beyond the two nearest digits of its line, above and below, as a slash or a bracket does.

    Some hands write long 1s, too, so it must be longer than any digit of the line.
    """
    beside = [o for o in able if o.label != 1 and on_its_line(o.mark, j.mark)] if j.label == 1 else []
    beside = [o for o in beside if o.mark.height >= LOW * j.mark.height and o.confidence >= SURE]
    if len(beside) < FEW_BESIDE or max(o.mark.height for o in beside) >= j.mark.height:
        return ""
    height = float(np.median([o.mark.height for o in beside]))
    nearest = sorted(beside, key=lambda o: abs(o.mark.middle[0] - j.mark.middle[0]))[:2]
    above = float(np.mean([o.mark.box[1] for o in nearest])) - j.mark.box[1]
    below = j.mark.box[3] - float(np.mean([o.mark.box[3] for o in nearest]))
    long = j.mark.height >= LONGER * height and min(above, below) >= BEYOND * height
    return "is a slash or a bracket" if long else ""


def _strokes(judged: Sequence[Answer], why: list[str]) -> list[str]:
    """The reasons, with those of the uprights of letters whose curves are too thin or too small to be read.

    A page where nearly all digits are 1s, among as many marks that are none, holds no number.
    """
    heights = [j.mark.height for j, reason in zip(judged, why) if not reason and j.label == 1]
    if len(heights) < ONES or len(heights) < MOSTLY_ONES * why.count(""):
        return why
    least = UPRIGHT * float(np.median(heights))
    others = sum(bool(reason) and j.mark.height >= least and not no_letter(j.mark) for j, reason in zip(judged, why))
    return why if others < len(heights) else [reason or "is among letters" for reason in why]


def _texture(j: Answer, able: Sequence[Answer], judged: Sequence[Answer]) -> str:
    """A lone mark among many of its size that are none, such as the grain of a shadow."""
    if any(on_its_line(j.mark, other.mark) for other in able if other is not j):
        return ""
    height = max(j.mark.height, 0.6 * j.mark.width)
    alike = [o for o in judged if max(o.mark.height, o.mark.width) >= GRAIN * height]
    return "is part of a texture" if _near(j, alike, (), height) >= TEXTURE else ""


def _near(j: Answer, judged: Sequence[Answer], crumbs: Sequence[Mark], height: float) -> int:
    """How many marks around one are no digits."""
    x, y = j.mark.middle
    return sum(
        abs(m.middle[0] - x) < 2.5 * height and abs(m.middle[1] - y) < 2.5 * height
        for m in [*crumbs, *(o.mark for o in judged if o is not j and o.confidence < SURE)]
    )
