"""Cuts between digits that touch, and the stroke that is left of one."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitlab.data.photos.cuts import cuts, piece, stroke
from digitlab.data.photos.mark import mark_of
from digitlab.reading import read_photo
from digitlab.shipped import shipped_network


def drawn(*lines, width=7, size=(150, 100)):
    """Ink (H, W) of polygons with round ends."""
    image = Image.new("1", size)
    draw = ImageDraw.Draw(image)
    for line in lines:
        draw.line(line, fill=1, width=width, joint="curve")
        for x, y in line:
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=1)
    return np.asarray(image)


FOUR = ((62, 90), (66, 15), (20, 66), (82, 64))
SEVEN = ((82, 20), (128, 22), (96, 90))


@pytest.mark.parametrize("lean", [0, 3])
def test_a_one_between_two_digits_whose_bars_touch_it(lean):
    ink = drawn(FOUR, ((82 + lean, 14), (82 - lean, 90)), SEVEN)
    photo = np.where(ink, 40, 250).astype(np.uint8)
    assert read_photo(shipped_network(), photo).text == "417"


def test_a_stroke_loses_what_is_beside_it():
    ink = drawn(((60, 10), (56, 90)), ((40, 30), (76, 30)))
    mark = mark_of(ink[5:96, 48:70], 48, 5)
    alone = stroke(mark)
    assert alone is not None and alone.height == mark.height
    expected = drawn(((60, 10), (56, 90)))[5:96]
    left = alone.box[0]
    assert (alone.mask != expected[:, left : left + alone.width]).mean() < 0.08


@pytest.mark.parametrize(
    "lines",
    [
        [((60, 10), (56, 90))],  # nothing is beside it
        [((50, 10), (80, 50), (50, 90))],  # bent
        [((50, 10), (90, 10), (60, 90))],  # too wide
    ],
)
def test_what_is_no_stroke_with_something_beside_it(lines):
    ink = drawn(*lines)
    assert stroke(mark_of(ink[:, 40:100], 40, 0)) is None


def test_of_cuts_that_cross_as_much_the_steepest_is_taken():
    ink = drawn(((20, 10), (20, 90)), ((20, 50), (100, 50)), ((100, 10), (100, 90)))
    columns = np.flatnonzero(ink.any(axis=0))
    mark = mark_of(ink[:, columns[0] : columns[-1] + 1], int(columns[0]), 0)
    between = [cut for cut in cuts(mark) if 15 < cut.columns.mean() < mark.width - 15]
    assert between and all(np.ptp(cut.columns) == 0 for cut in between)
    part = piece(mark, None, between[0])
    assert part is not None and part.box[0] == mark.box[0]
