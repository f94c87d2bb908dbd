"""Of the ways to see a crop that was cut to its ink, the one in which everything is a digit."""

from dataclasses import replace

import numpy as np

from digitlab.data.photos import find_digits
from digitlab.reading.crops import best_of_crop
from digitlab.reading.results import Read, Reading

PAGE = replace(find_digits(np.full((100, 100, 3), 255, np.uint8)), size=(100, 100), zoom=1.0)


def read(left: int, right: int, confidence: float, *, label: int = 3, line: int = 0, bottom: int = 98) -> Read:
    mask = np.ones((bottom - 2, right - left), bool)
    image = np.zeros((28, 28), np.uint8)
    return Read(label, confidence, np.zeros(10), (left, 2, right, bottom), line, image, mask=mask)


def reading(*digits: Read, others: tuple[Read, ...] = ()) -> Reading:
    return Reading(digits, others, PAGE)


def test_the_surest_reading_of_the_whole_picture_is_taken() -> None:
    nothing, unsure, sure = reading(), reading(read(2, 98, 0.85)), reading(read(2, 98, 0.99))
    two = reading(read(2, 48, 0.95), read(52, 98, 0.99))
    assert best_of_crop(nothing, [unsure]) is nothing
    assert best_of_crop(nothing, [unsure, two, sure]) is sure
    assert best_of_crop(nothing, [two, unsure]) is two
    assert best_of_crop(sure, [two]) is sure, "the least sure digit counts"
    assert best_of_crop(sure, [reading(read(2, 98, 0.99))]) is sure, "the same twice: the first"


def test_a_reading_that_leaves_something_is_not_taken() -> None:
    first = reading(read(2, 30, 0.99), others=(read(50, 98, 0.1, label=-1),))
    rest = reading(read(2, 98, 0.99), others=(read(2, 20, 0.1, label=-1, bottom=30),))
    narrow = reading(read(2, 60, 0.99))
    low = reading(read(2, 98, 0.99, bottom=60))
    lines = reading(read(2, 98, 0.99, bottom=50), read(2, 98, 0.99, line=1))
    for other in (rest, narrow, low, lines):
        assert best_of_crop(first, [other]) is first
    whole = reading(read(2, 98, 0.95))
    assert best_of_crop(first, [whole]) is whole, "the first one leaves half of the ink"
    assert best_of_crop(narrow, [whole]) is narrow, "a sure digit on empty paper"
