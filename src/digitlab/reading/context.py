"""What the page says of its marks: the height of the writing, texture, edges, strokes."""

from collections.abc import Sequence

import numpy as np

from digitlab.data.photos.mark import Mark
from digitlab.data.photos.marks import odd_shape
from digitlab.data.photos.neighbours import Neighbours
from digitlab.reading.answers import Answers
from digitlab.reading.dates import without_slashes
from digitlab.reading.drawings import in_drawing, in_scene, least_of_crop
from digitlab.reading.partition import Answer
from digitlab.reading.signs import without_signs
from digitlab.reading.words import SURE, among_letters, no_letter

TINY = 0.2  # of the writing's height, below which a mark needs two neighbours
LOW, HIGH = 0.42, 2.5  # shares of the writing's height between which a mark needs no neighbours of its size
WIDEST = 1.9  # of its height
NEAR = 2.5  # of a mark's height, how near another one counts
TEXTURE, GRAIN = 10, 0.3  # marks around one that are no digits, and at least this share of its height
FEW_BESIDE, LONGER, BEYOND = 3, 1.35, 0.12  # digits beside a slash; their height in it, and how far it reaches further
ONES, MOSTLY_ONES = 8, 0.8  # of a page of strokes: the 1s, and their share of the digits
AMONG = 8, 0.2  # other marks on such a page: so many, and such a share of the 1s
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
    order = np.argsort(heights)
    ink = np.append(0.0, np.cumsum(weight[order]))  # of the marks up to each height
    first = np.searchsorted(heights[order], 0.99 * heights, "left")
    last = np.searchsorted(heights[order], 2 * heights, "right")
    densest = int(np.argmax(ink[last] - ink[first]))
    band = order[first[densest] : last[densest]]
    half = np.cumsum(weight[band]) >= 0.5 * weight[band].sum()
    return float(heights[band][np.argmax(half)])


def written(judged: Sequence[Answer], shape: tuple[int, ...]) -> list[bool]:
    """For each mark whether it is as high as the page's writing, and no dash or blot."""
    usual = writing_height(judged, shape)
    return [0.45 * usual <= j.mark.height <= 2.2 * usual and not no_letter(j.mark) for j in judged]


def refused(
    judged: Sequence[Answer],
    least: float,
    shape: tuple[int, int],
    crumbs: Sequence[Mark],
    *,
    noise: float = np.inf,
    scene: bool = False,
) -> list[str]:
    """For each mark why it is no digit; "" if it is one.

    crumbs  ink that was too small to be looked at: where there is much of it, a small mark is a part of a texture
    noise   of the paper, as a share of its light
    scene   whether the picture is of things rather than of writing
    """
    why = [_unsure(j, least) for j in judged]
    able = Answers([j for j, reason in zip(judged, why) if not reason])
    usual = writing_height(able.all, shape)
    doubtful = Answers([j for j in judged if j.confidence < SURE])
    dust = Neighbours(crumbs)
    depths = [j.depth for j in able.all if j.label != 1 and 0.6 * usual <= j.mark.height <= 1.7 * usual]
    deep = float(np.quantile(depths, 0.75)) if depths else 0.0
    for at, j in enumerate(judged):
        if not why[at]:
            why[at] = (
                _pale(j, deep, usual)
                or _at_edge(j, able, shape, only=len(judged) == 1)
                or _size(j, able, usual, doubtful, dust)
                or _texture(j, able, doubtful)
                or _slash(j, able)
            )
    why = without_signs(judged, without_slashes(judged, why))
    why = in_scene(judged, why, shape) if scene else in_drawing(judged, why, shape, noise)
    return _strokes(judged, among_letters(judged, why, usual, shape))


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


def _at_edge(j: Answer, able: Answers, shape: tuple[int, int], only: bool) -> str:
    """A shadow, a thumb or the table at the picture's edge; a crop that cuts close to its digits is none of them."""
    if not j.mark.touches(shape):
        return ""
    fill = float(j.mark.mask.mean())
    tight = j.mark.height > 0.5 * shape[0]
    others = able.places.others(j.mark)
    share = j.mark.height / able.places.height[others]
    alike = bool(((share > 0.6) & (share < 1.7)).any())
    if others.any() and j.label == 1:  # a long stroke beside smaller digits is the edge of a table
        tight = False
    if only and j.confidence >= least_of_crop(j, shape):
        return ""
    row = able.places.x[able.places.beside(j.mark)]
    between = row.size > 0 and row.min() < j.mark.middle[0] < row.max()  # digits: a straight 1 of a number
    if j.confidence >= SURE and (tight or alike) and (fill < 0.75 or between):
        return ""
    return "is cut off by the edge"


def _size(j: Answer, able: Answers, usual: float, doubtful: Answers, dust: Neighbours) -> str:
    """A mark much smaller or larger than the writing needs neighbours of its size, or larger ones on its line."""
    height = max(j.mark.height, 0.6 * j.mark.width)
    if LOW * usual <= height <= HIGH * usual:
        return ""
    if height > usual:
        stroke = j.label == 1  # a bar between columns, a bracket, a margin
        return "" if j.confidence >= SURE and not stroke else "is much larger than the writing"
    beside = able.those(able.places.beside(j.mark))
    near = int(dust.within(j.mark, NEAR * height).sum() + doubtful.places.within(j.mark, NEAR * height).sum())
    few = len(beside) < (2 if height < TINY * usual else 1)  # an icon and a stroke above a drawing
    if j.confidence < SURE or near > 3 or few or height < 3 * j.mark.pen:
        return "is much smaller than the writing"
    if j.label == 1 and not any(o.label != 1 and 0.6 < height / o.mark.height < 1.6 for o in beside):
        return "is much smaller than the writing"
    return ""


def _slash(j: Answer, able: Answers) -> str:
    """A stroke that reaches beyond the two nearest digits of its line, above and below, as a slash or a bracket does.

    Some hands write long 1s, too, so it must be longer than any digit of the line.
    """
    beside = able.those(able.places.beside_smaller(j.mark)) if j.label == 1 else []
    beside = [o for o in beside if o.label != 1 and o.mark.height >= LOW * j.mark.height and o.confidence >= SURE]
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

    A page where nearly all digits are 1s, among many marks that are none, holds no number.
    """
    heights = [j.mark.height for j, reason in zip(judged, why) if not reason and j.label == 1]
    if len(heights) < ONES or len(heights) < MOSTLY_ONES * why.count(""):
        return why
    least = UPRIGHT * float(np.median(heights))
    others = sum(bool(reason) and j.mark.height >= least and not no_letter(j.mark) for j, reason in zip(judged, why))
    few = others < max(AMONG[0], AMONG[1] * len(heights))
    return why if few else [reason or "is among letters" for reason in why]


def _texture(j: Answer, able: Answers, doubtful: Answers) -> str:
    """A lone mark among many of its size that are none, such as the grain of a shadow."""
    if able.places.beside(j.mark).any():
        return ""
    height = max(j.mark.height, 0.6 * j.mark.width)
    places = doubtful.places
    alike = places.within(j.mark, NEAR * height) & (np.maximum(places.height, places.width) >= GRAIN * height)
    return "is part of a texture" if alike.sum() >= TEXTURE else ""
