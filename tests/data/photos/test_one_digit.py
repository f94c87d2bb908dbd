"""One digit in one picture file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlab.data.photos import read_digit
from digitlab.data.synthetic.pages import print_digit
from digitlab.errors import DataError


def test_the_picture_of_a_28_by_28_image_is_taken_as_it_is(tmp_path: Path) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[5:23, 3:9] = 255  # off its middle, and it stays so
    Image.fromarray(image).save(tmp_path / "white.png")
    Image.fromarray(255 - image).save(tmp_path / "black.png")
    assert np.array_equal(read_digit(tmp_path / "white.png"), image)
    assert np.array_equal(read_digit(tmp_path / "black.png"), image)


def test_raw_bytes_on_light_paper(tmp_path: Path) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[5:23, 12:16] = 255
    for name, raw in (("dark", image), ("light", 255 - image)):
        (tmp_path / name).write_bytes(raw.tobytes())
        assert np.array_equal(read_digit(tmp_path / name), image)


def test_a_picture_of_several_digits_is_none_of_one(tmp_path):
    page = np.full((120, 420), 245, np.uint8)
    for at in range(4):
        ink = print_digit(str(at + 2), 60, "DejaVuSans")
        page[30 : 30 + ink.shape[0], 30 + 100 * at : 30 + 100 * at + ink.shape[1]] -= (ink * 0.85).astype(np.uint8)
    Image.fromarray(page).save(tmp_path / "3_row.png")
    with pytest.raises(DataError, match=r"3_row\.png: found 4 marks as large as a digit; expected a picture of one"):
        read_digit(tmp_path / "3_row.png")
