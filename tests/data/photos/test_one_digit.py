"""One digit in one picture file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlab.data.photos import read_digit
from digitlab.data.photos.one_digit import in_mnist_form
from digitlab.data.synthetic.pages import print_digit
from digitlab.errors import DataError


def test_the_picture_of_a_28_by_28_image_is_taken_as_it_is(tmp_path: Path) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[5:24, 11:17] = 255  # in MNIST's form, and it stays so
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


def test_images_of_mnist_are_taken_as_they_are(tmp_path, mnist_splits):
    for number, (image, _) in enumerate(mnist_splits.train.first(30)):
        Image.fromarray(image).save(tmp_path / "as.png")
        assert np.array_equal(read_digit(tmp_path / "as.png"), image), number
        Image.fromarray(255 - image).save(tmp_path / "turned.png")
        assert np.array_equal(read_digit(tmp_path / "turned.png"), image), number


@pytest.mark.parametrize("shift", [(-4, -5), (3, 4), (0, 0)])
def test_a_drawing_of_28_pixels_is_brought_to_mnists_form(tmp_path, mnist_splits, shift):
    image, _ = mnist_splits.train[7]  # a 3
    small = np.asarray(Image.fromarray(image[4:24, 4:24]).resize((14, 14), Image.Resampling.BOX))
    drawing = np.full((28, 28), 255, np.uint8)
    drawing[7 + shift[0] : 21 + shift[0], 7 + shift[1] : 21 + shift[1]] -= small
    Image.fromarray(drawing).save(tmp_path / "small.png")
    found = read_digit(tmp_path / "small.png")
    assert in_mnist_form(found)
    assert np.corrcoef(found.ravel(), image.ravel())[0, 1] > 0.8


def test_a_crop_that_its_digit_fills_is_read(tmp_path):
    ink = print_digit("2", 60, "DejaVuSans")
    Image.fromarray(255 - ink).save(tmp_path / "crop.png")
    assert in_mnist_form(read_digit(tmp_path / "crop.png"))
