"""Pictures to try commands with: a page of handwriting, and a folder of digits sorted by class.

Both are drawn by strokes.py, so they need no data set and no network.
"""

import os

import numpy as np
from numpy.typing import NDArray

from digitlab.data.synthetic.pages import draw_page
from digitlab.data.synthetic.strokes import draw_digit
from digitlab.files import atomic_folder, atomic_write

SIZE, HEIGHT = 80, 48  # pixels of a picture, and of the digit on it


def write_photo(path: str | os.PathLike[str], seed: int = 0) -> str:
    """Write a page of digits on ruled paper as a picture; its suffix chooses the format.

    Returns the digits on it as text, a line for each line of writing.
    """
    columns = 8
    page = draw_page("ruled", np.random.default_rng(seed), lines=3, columns=columns)
    save_picture(path, page.image)
    labels = "".join(str(digit.label) for digit in page.truth)
    return "\n".join(labels[at : at + columns] for at in range(0, len(labels), columns))


def write_own(folder: str | os.PathLike[str], count: int = 100, seed: int = 0) -> None:
    """Write `count` pictures of one digit each, dark on light, as FOLDER/LABEL/NUMBER.png, the labels in turn.

    All files are written, or none.
    """
    rng = np.random.default_rng(seed)
    with atomic_folder(folder) as temporary:
        for number in range(count):
            label = number % 10
            ink = draw_digit(label, HEIGHT, rng)  # (H, W)
            picture = np.full((SIZE, SIZE), 255, np.uint8)
            top, left = (SIZE - ink.shape[0]) // 2, (SIZE - ink.shape[1]) // 2
            picture[top : top + ink.shape[0], left : left + ink.shape[1]] -= (ink * 0.85).astype(np.uint8)
            save_picture(temporary / str(label) / f"{number // 10:03}.png", picture)


def save_picture(path: str | os.PathLike[str], image: NDArray[np.uint8]) -> None:
    """Write an image (H, W) or (H, W, 3) as a picture file, whole or not at all."""
    from PIL import Image

    with atomic_write(path) as temporary:
        Image.fromarray(image).save(temporary)
