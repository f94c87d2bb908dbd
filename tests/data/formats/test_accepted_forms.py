"""Every form of data that docs/data.md lists is read, and gives the true images and labels.

Each row of its tables has a writer in forms_of_….py, by the words in its first cell, and no writer is without a row.
The same for what is refused (forms_refused.py), and the message.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.formats import forms_of_arrays, forms_of_pictures, forms_of_tables, forms_refused  # noqa: F401 (they register forms)
from data.formats.forms import DIVIDED, ONE, REFUSED, TEST, TRAIN, WHOLE, Expected, by_name, lines, pictures, png, write
from digitlab.data import load, write_idx
from digitlab.errors import DigitlabError
from digitlab.notices import DataWarning

DOCS = Path(__file__).parents[3] / "docs" / "data.md"


def cases(table: dict[str, Callable[[Path], Any]], folder: Path, words: str) -> list[Expected]:
    made = table[words](folder)
    some = made if isinstance(made, list) else [made]
    return [Expected(*case) if isinstance(case, tuple) else Expected(case) for case in some]


def labels_of(images: np.ndarray) -> list[int]:
    """The labels of images of TRAIN and TEST, told by their pixels."""
    grey = images[..., 0] if images.ndim == 4 else images
    known = {image.tobytes(): label for digits in (TRAIN, TEST) for image, label in digits}
    return [known[image.tobytes()] for image in grey]


@pytest.mark.parametrize("words", ONE)
def test_one_set(tmp_path: Path, words: str) -> None:
    for case in cases(ONE, tmp_path, words):
        digits = load(case.source, part="all", **case.how)
        assert np.array_equal(digits.images, case.train), case.source
        assert digits.labels.tolist() == labels_of(case.train), case.source
        assert digits.class_names == case.how.get("class_names", case.names), case.source
        if len(digits) == 30:
            train, valid, test = load(case.source, **case.how)
            assert valid is not None and [len(train), len(valid), len(test)] == [22, 4, 4]  # cut 5 : 1 : 1


@pytest.mark.parametrize("words", DIVIDED)
def test_training_and_test_sets(tmp_path: Path, words: str) -> None:
    for case in cases(DIVIDED, tmp_path, words):
        train, valid, test = load(case.source, split="60k/10k", **case.how)
        assert valid is None
        for part, true in ((train, case.train), (test, case.test)):
            assert np.array_equal(part.images, true), case.source
            assert part.labels.tolist() == labels_of(true), case.source
            assert part.class_names == case.names, case.source
        assert len(load(case.source, part="all", **case.how)) == len(case.train) + len(case.test)


def test_test_images_alone(tmp_path: Path) -> None:
    pictures(tmp_path / "own" / "test", TEST)
    write_idx(tmp_path / "idx" / "t10k-images-idx3-ubyte", TEST.images)
    write_idx(tmp_path / "idx" / "t10k-labels-idx1-ubyte.gz", TEST.labels)
    write(tmp_path / "csv" / "mnist_test.csv", lines(TEST))
    for source in ("own", "idx", "csv"):
        assert len(load(tmp_path / source, part="test")) == len(load(tmp_path / source, part="all")) == 12
        assert len(load(tmp_path / source, part="test", test_size=5)) == 5
        with pytest.raises(DigitlabError, match="test: is not a set to train on"):
            load(tmp_path / source)


def test_a_few_training_images_do_not_keep_a_test_set_from_being_read(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", lines(TRAIN.first(2)))
    write(tmp_path / "test.csv", lines(TEST))
    assert len(load(tmp_path, part="test")) == 12 and len(load(tmp_path, part="all")) == 14
    with pytest.raises(DigitlabError, match="too few images to set a sixth aside"):
        load(tmp_path)


def test_an_unusable_picture_is_skipped_and_named(tmp_path: Path) -> None:
    pictures(tmp_path, WHOLE)
    write(tmp_path / "3" / "broken.png", png(WHOLE.images[3])[:60])
    with pytest.warns(DataWarning, match=r"skipped 1 of 31 pictures that cannot be used: .*3/broken\.png"):
        assert np.array_equal(load(tmp_path, part="all").images, by_name(WHOLE))


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_refused_is_named(tmp_path: Path, words: str) -> None:
    expected = refusals()[words]
    for case in cases(REFUSED, tmp_path, words):
        with pytest.raises(DigitlabError) as caught:
            load(case.source, **case.how)
        message = str(caught.value)
        assert Path(case.source).name in message
        assert any(all(piece in message for piece in option.split("…")) for option in expected), (message, expected)
        assert "\n" not in message


def table_rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading of docs/data.md, without the tables' own headings."""
    text = DOCS.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    tables = [part.splitlines()[2:] for part in text.split("\n\n") if part.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for table in tables for line in table]


def refusals() -> dict[str, list[str]]:
    """The messages by the kind of fault; "…" stands for what differs from file to file."""
    return {cells[0]: re.findall(r"`([^`]+)`", cells[1]) for cells in table_rows("Errors")}


def test_the_docs_list_what_is_tested() -> None:
    listed = table_rows("Files")
    assert sorted(cells[0] for cells in listed) == sorted([*ONE, *DIVIDED])
    for cells in listed:
        assert cells[-1] == ("one set" if cells[0] in ONE else "training and test sets"), cells[0]
    assert list(refusals()) == list(REFUSED)
