"""Drawings and pictures of things, where strokes and loops look like digits."""

import pytest

from digitlab.reading.context import refused
from digitlab.reading.partition import Answer

from .marks import answer, ring, stroke

PAGE = (300, 400)
PART = "is part of a drawing"


def reasons(*answers: Answer, noise: float = 0.0) -> list[str]:
    return [reason.split(" (")[0] for reason in refused(answers, 0.5, PAGE, (), noise=noise)]


@pytest.mark.parametrize("down", [20, 35])
def test_marks_that_cross_are_a_drawing_where_a_program_drew_them(down: int) -> None:
    crossing = answer(ring(100, 100, 60, 60), 0), answer(ring(120, 100 + down, 60, 60), 8)
    assert reasons(*crossing) == [PART, PART]
    assert reasons(*crossing, noise=0.005) == ["", ""]


def test_digits_beside_each_other_may_share_some_columns() -> None:
    assert reasons(answer(ring(100, 100, 60, 90), 0), answer(ring(150, 105, 60, 90), 8)) == ["", ""]


@pytest.mark.parametrize("label, none", [(0, 0.0), (9, 1.0)])
def test_a_digit_with_a_line_around_it_is_read_and_the_line_is_not(label: int, none: float) -> None:
    around, inside = answer(ring(60, 60, 150, 150), label, none), answer(ring(110, 100, 50, 80), 1)
    assert [bool(reason) for reason in reasons(around, inside)] == [True, False]


def test_a_digit_alone_beside_much_else_that_runs_out_of_a_drawing_is_a_part_of_it() -> None:
    rest, lone = answer(ring(200, 150, 200, 150, pen=12), 8, 1.0), answer(ring(40, 40, 40, 60), 7)
    assert reasons(rest, lone)[1] == PART
    assert reasons(rest, lone, answer(ring(95, 40, 40, 60), 2))[1:] == ["", ""]
    assert reasons(rest, lone, noise=0.005)[1] == ""


def test_a_stroke_alone_beside_a_little_else_is_a_part_of_a_drawing() -> None:
    rest, lone = answer(ring(250, 200, 30, 30), 8, 1.0), answer(stroke(60, 40, 140), 1)
    assert reasons(rest, lone)[1] == PART
    assert reasons(rest, lone, answer(ring(95, 50, 60, 90), 2))[1:] == ["", ""]
    assert reasons(rest, lone, noise=0.005)[1] == ""


def test_a_mark_that_goes_on_beyond_the_edge_of_a_drawing_is_a_part_of_it() -> None:
    far, cut = answer(ring(40, 20, 60, 80), 7), answer(ring(340, 110, 60, 170), 6)
    assert reasons(far, cut) == ["", PART]
    assert reasons(far, cut, answer(ring(270, 120, 60, 150), 3)) == ["", "", ""], "a number"
    assert reasons(answer(ring(340, 10, 60, 280), 6), far)[0] == "", "a crop as high as its digits"
    assert reasons(cut) == [""], "nothing else is drawn"
    assert reasons(far, cut, noise=0.005) == ["", ""]


def test_a_row_of_digits_at_the_edge_of_a_drawn_sheet_is_read() -> None:
    row = [answer(ring(left, 240, 40, 60), label) for left, label in ((40, 2), (100, 7), (160, 6), (220, 5))]
    above = answer(ring(40, 60, 60, 80), 8)
    assert reasons(*row, above) == [""] * 5
    assert reasons(row[0], above) == [PART, ""], "one mark goes on beyond the edge"


def in_scene(*answers: Answer) -> list[str]:
    return [reason.split(" (")[0] for reason in refused(answers, 0.5, PAGE, (), noise=0.005, scene=True)]


def test_in_a_scene_a_digit_needs_another_one_beside_it() -> None:
    scene = "is part of a scene"
    two, seven, one = (answer(ring(left, 100, 50, 80), label) for left, label in ((100, 2), (160, 7), (220, 1)))
    assert in_scene(two, seven, one) == ["", "", ""]
    assert in_scene(two, answer(ring(100, 200, 50, 80), 7)) == [scene, scene]
    assert in_scene(two, answer(ring(300, 10, 12, 12), 7, 1.0))[0] == "", "nearly all of the ink"
    assert in_scene(two, answer(ring(250, 190, 50, 80), 7, 1.0))[0] == scene
    assert in_scene(two, one) == [scene, scene], "what stands beside a stroke only, and then the stroke"


def test_a_digit_that_fills_a_picture_of_things_is_read() -> None:
    assert in_scene(answer(ring(120, 10, 160, 280), 0)) == [""]
