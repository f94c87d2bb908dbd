"""Digits.show and Digits.as_text: the images that were asked for, ink dark, labels above."""

import sys

import numpy as np
import pytest

from digitlab.data import Digits
from digitlab.errors import DataError


def test_text_has_a_line_a_row_and_two_characters_a_pixel() -> None:
    image = np.array([[0, 255], [128, 60]], dtype=np.uint8)
    digits = Digits(image[None], [4])
    assert digits.as_text(0) == "4\n  ██\n▒▒░░"
    assert digits.as_text(0, ascii_only=True) == "4\n  @@\n++::"


def test_colour_becomes_shades() -> None:
    digits = Digits(np.full((1, 1, 2, 3), 255, dtype=np.uint8), [0])
    assert digits.as_text(0) == "0\n████"


def test_grid_shows_the_first_images_under_their_labels(digits: Digits) -> None:
    figure = digits.show(7, columns=3)
    assert [axes.get_title() for axes in figure.axes] == list("0123456")
    assert np.array_equal(figure.axes[4].images[0].get_array(), digits.images[4])
    assert figure.axes[0].get_gridspec().ncols == 3
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_a_pale_image_is_not_stretched_to_black() -> None:
    pale = np.arange(4, dtype=np.uint8).reshape(1, 2, 2)
    assert Digits(pale, [0]).show().axes[0].images[0].get_clim() == (0, 255)


def test_grid_of_colour_images_can_be_drawn(tmp_path) -> None:
    digits = Digits(np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8), [0, 1, 2])
    digits.show().savefig(tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_to_show_is_reported(digits: Digits) -> None:
    with pytest.raises(DataError, match=r"columns\) got 0"):
        digits.show(columns=0)
    with pytest.raises(DataError, match="got 0"):
        digits.show(0)
