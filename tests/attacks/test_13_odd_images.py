"""Every odd picture is read or refused in a line: all modes of Pillow, one pixel, thin ones, damaged ones."""

import random
from collections import defaultdict

import pytest
from PIL import Image

from digitlab.data.photos import open_photo, read_digit
from digitlab.errors import DataError

from . import fuzz

pytestmark = pytest.mark.slow

MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "RGBX", "RGBa", "I;16")


@pytest.mark.parametrize("mode", MODES)
def test_every_mode(mode, tmp_path, attempts):
    for size in ((1, 1), (28, 28), (1, 300), (300, 1)):
        for form in ("png", "tiff", "jpeg", "webp", "gif", "bmp", "ppm"):
            path = tmp_path / f"it.{form}"
            try:
                Image.new(mode, size).save(path)
            except (OSError, KeyError, ValueError, TypeError):
                continue  # the format has no such mode
            for read in (open_photo, read_digit):
                try:
                    read(path)
                except DataError as error:
                    assert "it." in str(error)
                attempts.count()
        if not attempts.long:
            break
    assert attempts.made, f"no format keeps pictures of mode {mode}"


def test_damaged_pictures(tmp_path, attempts):
    sound = {"pictures": fuzz.corpus()["pictures"]}
    outcomes = defaultdict(fuzz.Outcome)
    fuzz.attack("pictures", sound, outcomes, random.Random(13), tmp_path, attempts.number(40, 3000))
    for outcome in outcomes.values():
        assert not outcome.faults
        attempts.count(outcome.files)
