"""Marks and answers that the tests of this folder are drawn with."""

import numpy as np

from digitlab.data.photos.mark import Mark, mark_of
from digitlab.reading.partition import Answer


def ring(left: int, top: int, width: int, height: int, pen: int = 6) -> Mark:
    mask = np.ones((height, width), bool)
    mask[pen:-pen, pen:-pen] = False
    return mark_of(mask, left, top)


def stroke(left: int, top: int, bottom: int) -> Mark:
    return mark_of(np.ones((bottom - top, 8), bool), left, top)


def answer(mark: Mark, label: int, not_digit: float = 0.0) -> Answer:
    return Answer(mark, np.zeros((28, 28), np.uint8), np.eye(10)[label], not_digit)
