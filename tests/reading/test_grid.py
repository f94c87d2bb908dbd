"""Forms of rows and columns: with lines, torn or bent, beside print; and without."""

import numpy as np
import pytest
from scipy import ndimage

from digitlab.data.synthetic.strokes import draw_digit
from digitlab.errors import ConfigError, DataError
from digitlab.reading import read_grid
from digitlab.shipped import shipped_network

CELLS = ["53..7", "6..19", ".98..", "8...6"]
SIDE, EDGE = 60, 30  # pixels of a cell of `form`; of the paper around it


def text_of(photo: np.ndarray, rows: int = 4, columns: int = 5) -> list[str]:
    return read_grid(shipped_network(), photo, rows, columns).text.split("\n")


def test_lines_that_are_dashed(form):
    page = form(CELLS)
    gaps = np.arange(max(page.shape)) % 24 < 12
    for at in range(EDGE, EDGE + SIDE * 6, SIDE):
        page[at : at + 3][:, gaps[: page.shape[1]]] = 245
        page[:, at : at + 3][gaps[: page.shape[0]]] = 245
    assert text_of(page) == CELLS


def test_paper_that_is_bent(form):
    """By up to 0.3 of a cell, so that digits reach across its sides."""
    page = form(CELLS)
    y, x = np.mgrid[: page.shape[0], : page.shape[1]].astype(float)
    bent = ndimage.map_coordinates(page, [y + 18 * np.sin(np.pi * x / page.shape[1]), x], order=1, mode="nearest")
    assert text_of(bent.astype(np.uint8)) == CELLS


@pytest.mark.parametrize("side", ["right", "below"])
def test_print_beside_the_form_that_is_as_large_as_the_form(form, side):
    page = np.pad(form(CELLS), ((0, 0), (0, 300)), constant_values=245)
    for at in range(5, page.shape[0] - 20, 16):  # lines of print, which blur and shadows connect with the frame
        page[at : at + 9, EDGE + SIDE * 5 + 6 : -10 : 3] = 90
    if side == "below":
        page = np.ascontiguousarray(page.T)
        assert read_grid(shipped_network(), page, 5, 4).page.photo.shape[0] < 0.75 * page.shape[0]
    else:
        assert text_of(page) == CELLS


def test_a_frame_without_lines_inside(form):
    page = form(CELLS, lines=0)
    page[EDGE : EDGE + 3, EDGE:-EDGE] = page[-EDGE - 3 : -EDGE, EDGE:-EDGE] = 60
    page[EDGE:-EDGE, EDGE : EDGE + 3] = page[EDGE:-EDGE, -EDGE - 3 : -EDGE] = 60
    assert text_of(np.pad(page, ((0, 0), (0, 200)), constant_values=245)) == CELLS


def test_a_sheet_without_lines_whose_digits_fill_their_cells():
    """As OpenCV's digits.png: ink may reach the sides of its cell, and a little beyond."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 10, (6, 8))
    sheet = np.zeros((6 * 20, 8 * 20), np.uint8)
    for (row, column), label in np.ndenumerate(labels):
        ink = draw_digit(int(label), 18, rng)
        ink = ink[:, (ink > 60).any(axis=0)][:, :18]
        top, left = 20 * row + int(rng.integers(0, 3)), 20 * column + int(rng.integers(0, 21 - ink.shape[1]))
        sheet[top : top + ink.shape[0], left : left + ink.shape[1]] |= ink[: sheet.shape[0] - top]
    found = "".join(text_of(sheet, 6, 8))
    assert len(found) == 48 and sum(a == str(b) for a, b in zip(found, labels.ravel())) >= 46


def test_what_is_no_form(form):
    assert text_of(np.full((300, 300), 250, np.uint8)) == ["....."] * 4
    with pytest.raises(ConfigError, match="grid: got 0×5"):
        text_of(form(CELLS), 0)
    with pytest.raises(DataError, match=r"expected at least 4000×16"):
        text_of(form(CELLS), 4, 1000)
