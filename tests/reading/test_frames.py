"""Frames around digits: what is one, and that the digits in them are read."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitlab.data.photos.mark import mark_of
from digitlab.data.synthetic.pages import print_digit
from digitlab.reading import read_photo
from digitlab.reading.frames import frames
from digitlab.reading.partition import Answer
from digitlab.shipped import shipped_network

from .marks import answer, ring


def framed(*answers: Answer) -> list[bool]:
    return frames(answers)


@pytest.mark.parametrize("none", [0.0, 1.0])
def test_a_ring_around_a_digit_is_a_frame_whether_it_looks_like_a_0_or_not(none: float) -> None:
    around = answer(ring(60, 60, 150, 150), 0, none)
    assert framed(around, answer(ring(110, 100, 50, 80), 5)) == [True, False]
    assert framed(around, answer(ring(110, 100, 50, 80), 5, 0.9)) == [False, False], "nothing in it is a digit"
    assert framed(around, answer(ring(180, 100, 50, 80), 5)) == [False, False], "they cross"


def test_a_frame_may_be_open_but_has_four_sides() -> None:
    digit, mask = answer(ring(110, 100, 50, 80), 5), ring(60, 60, 150, 150).mask.copy()
    mask[50:70, -6:] = False
    assert framed(answer(mark_of(mask, 60, 60), 0), digit) == [True, False]
    mask[:, 50:] = False
    mask[75:80] = True
    assert framed(answer(mark_of(mask, 60, 60), 0), digit) == [False, False]


def test_a_mark_with_a_side_missing_or_with_ink_in_the_digit_is_no_frame() -> None:
    digit, whole = answer(ring(110, 100, 50, 80), 5), ring(60, 60, 150, 150).mask
    three, barred = whole.copy(), whole.copy()
    three[20:130, -6:] = False
    barred[70:90] = True
    for mask in (three, barred):
        assert framed(answer(mark_of(mask, 60, 60), 0), digit) == [False, False]


def test_a_zero_keeps_its_slash_and_dust() -> None:
    zero = answer(ring(60, 60, 80, 150), 0)
    assert framed(zero, answer(mark_of(np.ones((80, 8), bool), 95, 95), 1)) == [False, False]
    assert framed(zero, answer(ring(90, 120, 20, 20, pen=3), 6)) == [False, False]


@pytest.mark.parametrize("kind", ["ellipse", "rectangle"])
def test_digits_in_rings_and_boxes_are_read_and_these_are_not(kind: str) -> None:
    page = Image.new("L", (760, 200), 240)
    draw = ImageDraw.Draw(page)
    for at, text in enumerate("35842"):
        ink = 255 - print_digit(text, 60, "DejaVuSans")
        page.paste(Image.fromarray(np.minimum(ink, 240)), (60 + 140 * at + 18, 70))
        getattr(draw, kind)((30 + 140 * at, 45, 150 + 140 * at, 155), outline=40, width=4)
    reading = read_photo(shipped_network(), np.repeat(np.asarray(page)[..., None], 3, axis=2))
    assert reading.text == "35842"
    assert [other.why_not for other in reading.others] == ["it is a frame around digits"] * 5
