"""Drawings, and pictures of things: strokes and loops in them look like digits."""

import math
from collections.abc import Sequence

from digitlab.data.photos.mark import Mark
from digitlab.reading.answers import Answers
from digitlab.reading.partition import Answer
from digitlab.reading.words import NUMBER, no_letter

DRAWN, MOSTLY = 1.0, 3.0  # times the digits' ink: what is no digit in a drawing, and in one where no digit is alone
DRAWN_SMOOTH, FILLS = 0.3, 0.85  # the first for what a program drew; of its height, a mark that fills a picture
ALL = 0.9  # of the ink in a scene, that of a digit that is alone
ROW = 2  # sure digits beside a mark at the edge
SMOOTH = 0.0002  # noise of the paper, which no camera stays below: a program drew the picture
CENTRAL = 0.7  # least confidence of a digit alone in a picture as high as itself


def in_scene(judged: Sequence[Answer], why: list[str], shape: tuple[int, int]) -> list[str]:
    """In a picture of things, a digit needs another one beside it that is no stroke.

    Not so if it fills the picture, or has nearly all of the ink, as a blurred digit of a few pixels.
    """
    while True:
        able = Answers([j for j, reason in zip(judged, why) if not reason])
        if len(able.all) == 1 and _ink([able.all[0].mark]) >= ALL * _ink([j.mark for j in judged]):
            return why
        found = list(why)
        for at, j in enumerate(judged):
            beside = any(o.label != 1 for o in able.those(able.places.beside(j.mark)))
            if not why[at] and not beside and j.confidence < least_of_crop(j, shape):
                found[at] = "is part of a scene"
        if found == why:
            return why
        why = found  # and what had only these beside it


def in_drawing(judged: Sequence[Answer], why: list[str], shape: tuple[int, int], noise: float) -> list[str]:
    """In a drawing, most ink is no digit: what looks like one must do so surely, and a stroke needs a digit beside.

    A picture that a program drew, without any `noise`, has no shadow at its edge: what runs out of it counts, too.
    A frame around a digit does not.
    """
    able = Answers([j for j, reason in zip(judged, why) if not reason])
    smooth = noise <= SMOOTH
    if smooth:
        crossed = [bool(able.places.crossing(j.mark).any()) for j in judged]
        cut = [len(judged) > 1 and _cut_by_edge(j, able, shape) for j in judged]
        why = [reason or "is part of a drawing" * (a or b) for reason, a, b in zip(why, crossed, cut)]
        able = Answers([j for j, reason in zip(judged, why) if not reason])
    strange = [j.mark for j, reason in zip(judged, why) if reason and not no_letter(j.mark)]
    if smooth:
        strange = [mark for mark in strange if not able.places.inside(mark).any()]
    else:
        strange = [mark for mark in strange if not mark.touches(shape)]
    share = _ink(strange) / max(1, _ink([j.mark for j in able.all]))
    if share <= (DRAWN_SMOOTH if smooth else DRAWN):
        return why
    found = list(why)
    for at, j in enumerate(judged):
        beside = any(o.label != 1 for o in able.those(able.places.beside(j.mark)))
        unlikely = j.label == 1 or j.confidence < NUMBER or (smooth and share > MOSTLY)
        if not why[at] and not beside and unlikely:
            found[at] = "is part of a drawing"
    return found


def _cut_by_edge(j: Answer, able: Answers, shape: tuple[int, int]) -> bool:
    """Whether a mark of a drawing goes on beyond its edge, unless it fills the picture or stands beside a digit.

    In a row along the edge, which a sheet cut close has, the digits beside it touch the edge, too.
    """
    if not j.mark.touches(shape) or j.mark.height >= FILLS * shape[0]:
        return False
    alike = able.those(able.places.beside(j.mark) & able.places.beside_smaller(j.mark))
    alike = [o for o in alike if not j.label == o.label == 1]
    row = sum(o.label != 1 and o.confidence >= NUMBER for o in alike) >= ROW
    return not row and all(o.mark.touches(shape) for o in alike)


def _ink(marks: Sequence[Mark]) -> int:
    return sum(int(mark.mask.sum()) for mark in marks)


def least_of_crop(j: Answer, shape: tuple[int, int]) -> float:
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
