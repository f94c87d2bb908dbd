"""The pictures to try commands with: the same for the same seed, readable, and with the truth told."""

import numpy as np
import pytest
from PIL import Image

from digitlab import load, open_photo, read_photo, shipped_network
from digitlab.data.synthetic.samples import write_own, write_photo


@pytest.mark.slow
def test_a_photo_says_what_stands_on_it(tmp_path):
    text = write_photo(tmp_path / "photo.png", seed=3)
    assert [len(line) for line in text.splitlines()] == [8, 8, 8]
    assert read_photo(shipped_network(), open_photo(tmp_path / "photo.png")).text == text
    assert write_photo(tmp_path / "again.png", seed=3) == text
    assert (tmp_path / "photo.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert write_photo(tmp_path / "other.jpg", seed=4) != text
    with Image.open(tmp_path / "other.jpg") as photo:
        assert photo.format == "JPEG"


def test_own_pictures_are_a_data_set(tmp_path):
    write_own(tmp_path / "own", 35, seed=1)
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == list("0123456789")
    train, valid, test = load(tmp_path / "own")
    assert len(train) + len(valid) + len(test) == 35
    assert train.counts().sum() == len(train) and train.images.shape[1:] == (28, 28)
    guesses = shipped_network().predict(train.images).argmax(axis=1)
    assert np.mean(guesses == train.labels) > 0.9


@pytest.mark.parametrize("suffix", ["", ".xyz"])
def test_nothing_is_left_of_a_photo_that_cannot_be_written(tmp_path, suffix):
    with pytest.raises(ValueError, match="unknown file extension"):
        write_photo(tmp_path / f"photo{suffix}")
    assert list(tmp_path.iterdir()) == []
