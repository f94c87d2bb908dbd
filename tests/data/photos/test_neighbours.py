import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.data.photos.mark import Mark
from digitlab.data.photos.neighbours import Neighbours


def box(left: int, top: int, width: int, height: int) -> Mark:
    return Mark((left, top, left + width, top + height), np.ones((height, width), bool), pen=2.0)


def chosen(which) -> list[int]:
    return np.flatnonzero(which).tolist()


LINE = [box(0, 0, 10, 20), box(30, 2, 10, 20), box(55, 40, 10, 20), box(20, 8, 3, 10), box(200, 0, 10, 20)]


def test_beside_is_near_on_the_line_and_no_smaller():
    places = Neighbours(LINE)
    assert chosen(places.beside(LINE[0])) == [1]  # 2 is a line below, 3 is half as high, 4 is ten heights away
    assert chosen(places.beside(LINE[3])) == [0, 1]
    assert chosen(places.beside_smaller(LINE[0])) == [1, 3]
    assert chosen(places.beside_smaller(LINE[3])) == []


def test_a_mark_of_another_list_has_all_of_these_as_others():
    places = Neighbours(LINE)
    assert chosen(places.others(LINE[1])) == [0, 2, 3, 4]
    assert chosen(places.others(box(30, 2, 10, 20))) == [0, 1, 2, 3, 4]


def test_within_counts_middles():
    middles = [box(0, 0, 10, 10), box(20, 0, 10, 10), box(0, 20, 10, 10), box(0, 21, 10, 10)]
    assert chosen(Neighbours(middles).within(middles[0], 20.5)) == [1, 2]


def test_inside_and_around():
    frame, inner, touching = box(0, 0, 50, 50), box(10, 10, 20, 20), box(0, 10, 20, 20)
    places = Neighbours([frame, inner, touching])
    assert chosen(places.inside(frame)) == [1, 2]
    assert chosen(places.around(inner)) == [0]
    assert chosen(places.around(touching)) == []  # no larger on the left side


def test_crossing_shares_much_of_the_smaller_box():
    long, across, below = box(0, 0, 100, 20), box(10, 1, 10, 18), box(40, 12, 20, 40)
    places = Neighbours([long, across, below])
    assert chosen(places.crossing(long)) == [1]  # 2 has less than half of its box there, and a middle far below
    assert chosen(places.crossing(across)) == []  # the long box holds it
    beside = [box(0, 0, 20, 30), box(16, 2, 20, 30)]  # digits of a slanted hand share some columns
    assert chosen(Neighbours(beside).crossing(beside[0])) == []


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 40)] * 2), max_size=12), st.integers(0, 30))
def test_a_mark_is_never_its_own_neighbour(boxes, reach):
    marks = [box(*numbers) for numbers in boxes]
    places = Neighbours(marks)
    for number, mark in enumerate(marks):
        for which in (places.others, places.beside, places.beside_smaller, places.inside, places.crossing):
            assert which(mark).shape == (len(marks),)
            assert number not in chosen(which(mark))
        assert number not in chosen(places.within(mark, reach))
        assert all(chosen(places.beside(marks[other])).count(number) for other in chosen(places.beside_smaller(mark)))
