"""Figures are made without pyplot, and notebooks show them by themselves."""

import sys

from digitlab.figure import as_png, finish_axes, new_figure


def test_a_figure_gives_its_own_png_and_opens_no_window():
    figure = new_figure(2, 1)
    figure.add_subplot().plot([0, 1])
    assert figure._repr_png_().startswith(b"\x89PNG\r\n")
    assert as_png(figure, dpi=40) != as_png(figure, dpi=80)
    assert "matplotlib.pyplot" not in sys.modules


def test_dollars_in_names_are_no_formulas(tmp_path):
    figure = new_figure()
    figure.suptitle("a$_$b")
    axes = figure.add_subplot()
    axes.plot([1, 10, 100], [1, 2, 3], label=r"cost $\foo$ x")
    axes.set_xscale("log")
    axes.set_yticks([1, 2], ["$_$", "one $"])
    axes.legend()
    assert as_png(figure).startswith(b"\x89PNG")
    assert as_png(figure).startswith(b"\x89PNG"), "once more, as a notebook does"
    assert figure.get_suptitle() == r"a\$_\$b"
    assert any("mathdefault" in label.get_text() for label in axes.get_xticklabels()), "10² stays 10²"


def test_a_legend_below_covers_no_axes_and_fits():
    figure = new_figure(7.5, 4.5)
    axes = figure.add_subplot()
    for number in range(4):
        axes.plot([0, number], label=f"100 hidden, η 0.001: validation {number}")
    finish_axes(axes, "epoch", "accuracy (%)", legend="below")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.y1 < axes.get_tightbbox().y0
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width


def test_ticks_of_epochs_are_round():
    figure = new_figure()
    axes = figure.add_subplot()
    axes.plot(range(61))
    finish_axes(axes, "epoch", "accuracy (%)")
    assert list(axes.get_xticks()[1:-1]) == [0, 10, 20, 30, 40, 50, 60]
