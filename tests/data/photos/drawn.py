"""Pages that the tests of this folder draw on."""

import numpy as np

from digitlab.data.synthetic.pages import print_digit


def paper(h: int = 200, w: int = 300, colour: tuple[int, int, int] = (240, 238, 230)) -> np.ndarray:
    return np.full((h, w, 3), colour, np.uint8)


def put(page: np.ndarray, ink: np.ndarray, left: int, top: int, colour: tuple[int, int, int] = (30, 30, 40)) -> None:
    h, w = ink.shape
    share = ink[..., None] / 255.0
    spot = page[top : top + h, left : left + w]
    spot[:] = np.round(spot * (1 - share) + np.array(colour) * share)


def seven(height: int = 80) -> np.ndarray:
    return print_digit("7", height, "DejaVuSans")
