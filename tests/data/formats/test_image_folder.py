"""A folder of your own pictures as a data set."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlab.data import load
from digitlab.data.formats.image_folder import looks_like_image_folder, read_image_folder
from digitlab.data.synthetic.strokes import draw_digit
from digitlab.errors import DataError
from digitlab.notices import DataWarning


def drawn(path: Path, digit: int, *, seed: int = 0, height: int = 90) -> Path:
    """A dark digit on light paper, as a picture file."""
    page = np.full((160, 140), 240, np.uint8)
    ink = draw_digit(digit, height, np.random.default_rng(seed), width=0.08)
    page[30 : 30 + ink.shape[0], 30 : 30 + ink.shape[1]] -= (ink * 0.85).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(page).save(path)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Four digits in each of the ways to name them."""
    folder = tmp_path / "own"
    for seed in range(3):
        drawn(folder / "3" / f"{'abc'[seed]}.png", 3, seed=seed)
        drawn(folder / f"7_{'abc'[seed]}.jpg", 7, seed=seed)
    drawn(folder / "5.png", 5)
    drawn(folder / "2-slanted.bmp", 2)
    light = np.full((28, 28), 230, np.uint8)
    light[4:24, 12:16] = 20
    (folder / "1_raw").write_bytes(light.tobytes())
    (folder / "notes.txt").write_text("not a picture")
    drawn(folder / "IMG_0815.png", 4)  # says no class
    (folder / ".hidden_1.png").write_bytes(b"")
    return folder


def test_every_way_to_name_them(own: Path) -> None:
    digits = read_image_folder(own)
    assert sorted(digits.labels.tolist()) == [1, 2, 3, 3, 3, 5, 7, 7, 7]
    assert digits.images.shape == (9, 28, 28) and digits.class_names == tuple("0123456789")
    assert digits.name == "own"
    assert (digits.images[:, 0, :] == 0).mean() > 0.95 and digits.images.max(axis=(1, 2)).min() > 200  # white on black


def test_load_and_its_parts(own: Path) -> None:
    parts = load(own)
    assert (len(parts.train), len(parts.valid), len(parts.test)) == (7, 1, 1)  # type: ignore[arg-type]
    assert repr(parts.train).endswith("own (cut from one set) train")
    assert len(load(str(own), split="60k/10k").train) == 8


def test_sets_that_were_split_before(tmp_path: Path) -> None:
    for part, count in (("train", 4), ("valid", 2), ("test", 3)):
        for seed in range(count):
            drawn(tmp_path / "own" / part / str(seed % 2) / f"{seed}.png", seed % 2, seed=seed)
    train, valid, test = load(tmp_path / "own")
    assert valid is not None and (len(train), len(valid), len(test)) == (4, 2, 3)
    assert len(load(tmp_path / "own", split="60k/10k").train) == 6


def test_classes_that_are_no_digits(tmp_path: Path) -> None:
    drawn(tmp_path / "cat" / "a.png", 3)
    drawn(tmp_path / "apple" / "a.png", 5)
    digits = read_image_folder(tmp_path)
    assert digits.class_names == ("apple", "cat") and digits.labels.tolist() == [0, 1]


def test_what_cannot_be_read_names_the_file(tmp_path: Path, own: Path) -> None:
    Image.fromarray(np.full((60, 60), 250, np.uint8)).save(own / "3" / "blank.png")
    with pytest.warns(DataWarning, match=r"skipped 1 of 10 pictures .*3/blank\.png: found no digit.*Is it blank"):
        assert len(load(own, part="all")) == 9
    (own / "3" / "blank.png").write_bytes(b"%PDF-1.4")
    with pytest.warns(DataWarning, match=r"blank\.png: is a PDF document"):
        assert len(load(own, part="all")) == 9
    drawn(tmp_path / "none" / "1.png", 1).write_bytes(b"%PDF-1.4")
    with pytest.raises(DataError, match=r"none/1\.png: is a PDF document"):
        load(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert not looks_like_image_folder(tmp_path / "empty") and not looks_like_image_folder(tmp_path / "absent")
    with pytest.raises(DataError, match=r"expected four IDX files.*pictures named by their classes"):
        load(tmp_path / "empty")
    with pytest.raises(DataError, match="found no labelled pictures"):
        read_image_folder(tmp_path / "empty")
    drawn(tmp_path / "few" / "1.png", 1)
    with pytest.raises(DataError, match="too few images"):
        load(tmp_path / "few")
