"""Figures are made without pyplot, and notebooks show them by themselves."""

import sys

from digitlab.figure import as_png, new_figure


def test_a_figure_gives_its_own_png_and_opens_no_window():
    figure = new_figure(2, 1)
    figure.add_subplot().plot([0, 1])
    assert figure._repr_png_().startswith(b"\x89PNG\r\n")
    assert as_png(figure, dpi=40) != as_png(figure, dpi=80)
    assert "matplotlib.pyplot" not in sys.modules
