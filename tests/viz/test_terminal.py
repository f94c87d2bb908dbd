"""Curves as characters: the dots are where the numbers say."""

import math

from hypothesis import given
from hypothesis import strategies as st

from digitlab.viz.terminal import BLANK, DOTS, chart, chart_text, history_charts


def dots(lines):
    """The set dots (across, down) of a chart's box, from the upper left."""
    found = set()
    for row, cells in enumerate(lines[1:-2]):
        for column, (character, _) in enumerate(cells[1:]):
            bits = ord(character) - BLANK if character != " " else 0
            found |= {(2 * column + j, 4 * row + i) for i in range(4) for j in range(2) if bits & DOTS[i][j]}
    return found


def size(lines):
    return 2 * (len(lines[1]) - 1), 4 * (len(lines) - 3)


def test_a_line_from_corner_to_corner():
    lines = chart({"a": ([1, 2], [0.0, 1.0])}, width=30, height=9)
    wide, high = size(lines)
    found = dots(lines)
    assert (0, high - 1) in found
    assert (wide - 1, 0) in found
    assert {x for x, _ in found} == set(range(wide)), "no gap"
    assert lines[1][0][0].startswith("1.0 ┤")


def test_titles_axes_and_legend():
    text = chart_text(
        chart({"train": ([1, 5], [2.0, 0.5]), "valid": ([1, 5], [2.5, 1.0])}, title="loss", x_label=" epoch ")
    )
    first, *_, axis, legend = text.split("\n")
    assert first.strip() == "loss"
    assert axis.strip().startswith("└1─")
    assert " epoch " in axis
    assert axis.endswith("5")
    assert legend.split() == ["●", "train", "0.50", "◆", "valid", "1.00"]


def test_nothing_and_one_value_and_values_that_are_none():
    assert dots(chart({})) == set()
    lines = chart({"a": ([3], [7.0])}, width=30, height=9)
    assert len(dots(lines)) == 1
    lines = chart({"a": ([1, 2, 3], [1.0, math.nan, math.inf])}, width=30, height=9)
    assert len(dots(lines)) == 1


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=20),
    st.integers(20, 100),
    st.integers(5, 30),
)
def test_a_chart_always_fits_its_box(points, width, height):
    points = sorted(points)
    lines = chart({"a": ([x for x, _ in points], [y for _, y in points])}, width=width, height=height)
    assert len(lines) == height
    boxes = {sum(len(characters) for characters, _ in cells) for cells in lines[1:-2]}
    assert len(boxes) == 1
    if width >= 50:
        assert boxes <= {width}
    assert bool(dots(lines)) == bool(points)


def test_a_trainings_curves():
    rows = [{"epoch": i, "train_loss": 1 / i, "valid_loss": 2 / i, "valid_accuracy": 1 - 1 / i} for i in (1, 2, 4)]
    loss, accuracy = history_charts(rows)
    assert [name.split()[1:3] for name, _ in loss[-1][1:]] == [["train", "0.25"], ["valid", "0.50"]]
    assert accuracy[-1][1][0].split() == ["◆", "valid", "75"]
    assert accuracy[-1][1][1] == loss[-1][2][1] == 1, "a set has one colour in both"
    assert len(history_charts([{"epoch": 1, "train_loss": 1.0}])) == 1
    assert len(history_charts([])) == 1, "an empty box while one waits"
