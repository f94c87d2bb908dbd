"""Crops cut to their ink: of the ways to see one, the reading in which everything is a digit, and surely so."""

from collections.abc import Iterable

from digitlab.reading.results import Reading

SURE = 0.9  # least confidence of every digit of a crop
FILLS = 0.8  # of the picture's height and width, what its digits cover together
REST = 0.03  # of the digits' ink, what else there may be


def best_of_crop(first: Reading, others: Iterable[Reading]) -> Reading:
    """The first reading, or another one whose digits fill the picture and are surer."""
    best, sure = first, max(SURE, _least(first) if _is_all(first) else 0.0)
    for reading in others:
        if _is_all(reading) and _fills(reading) and _least(reading) > sure:
            best, sure = reading, _least(reading)
    return best


def _least(reading: Reading) -> float:
    return min(digit.confidence for digit in reading.digits)


def _is_all(reading: Reading) -> bool:
    """Whether the digits leave next to no ink."""
    ink, rest = (
        sum(float(read.mask.sum()) for read in reads if read.mask is not None)
        for reads in (reading.digits, reading.others)
    )
    return bool(reading.digits) and rest <= REST * ink


def _fills(reading: Reading) -> bool:
    """Whether the digits are one line from side to side, as high as the picture."""
    height, width = reading.page.size
    boxes = [reading.page.in_photo(digit.box) for digit in reading.digits]
    across = max(box[2] for box in boxes) - min(box[0] for box in boxes)
    down = max(box[3] for box in boxes) - min(box[1] for box in boxes)
    return len(reading.lines) == 1 and across >= FILLS * width and down >= FILLS * height
