"""load: each kind of source is recognised, and what cannot be read says what could."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.data import Digits, MissingDataError, load, load_auto, write_csv
from digitlab.errors import ConfigError, DataError


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without MNIST and without a network."""
    monkeypatch.delenv("DIGITLAB_DATA", raising=False)
    monkeypatch.setattr("digitlab.data.download.cache_folder", lambda: tmp_path / "cache")


def test_a_folder_of_idx_files(idx_folder: Path, digits: Digits) -> None:
    train, valid, test = load(idx_folder)
    assert valid is not None and (len(train), len(valid), len(test)) == (50, 10, 20)
    assert np.array_equal(valid.images, digits.images[50:])
    assert [part.name for part in (train, valid, test)] == ["small train", "small valid", "small test"]
    assert len(load(str(idx_folder), split="60k/10k").train) == 60


@pytest.mark.parametrize("below", ["mnist", "raw", "MNIST/raw"])
def test_idx_files_further_down(idx_folder: Path, tmp_path: Path, below: str) -> None:
    place = tmp_path / "outer" / below
    place.parent.mkdir(parents=True)
    idx_folder.rename(place)
    assert len(load(tmp_path / "outer").test) == 20


def test_idx_files_under_their_other_names(idx_folder: Path) -> None:
    import gzip

    for path in list(idx_folder.iterdir()):
        plain = idx_folder / path.name.removesuffix(".gz").replace("-idx", ".idx")
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(load(idx_folder).train) == 50


def test_csv_files_alone_and_as_a_pair(tmp_path: Path, digits: Digits) -> None:
    write_csv(tmp_path / "mnist_train.csv", digits)
    alone = load(tmp_path / "mnist_train.csv")
    assert (len(alone.train), len(alone.test)) == (44, 8)
    assert alone.train.name == "mnist_train.csv (cut from one set) train"
    write_csv(tmp_path / "mnist_test.csv", digits.first(9))
    train, _, test = load(tmp_path)
    assert (len(train), len(test)) == (50, 9)
    assert np.array_equal(test.images, digits.images[:9])


def test_one_part_alone() -> None:
    assert repr(load("digits", part="test")).endswith("scikit-learn digits test")
    assert len(load("digits", part="train", per_class=3, digits=[0, 1])) == 6
    with pytest.raises(DataError, match="sets none aside"):
        load("digits", part="valid", split="60k/10k")


def test_what_cannot_be_read_says_what_could(tmp_path: Path, idx_folder: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    lone = idx_folder / "t10k-labels-idx1-ubyte.gz"
    for source, words in (
        (tmp_path / "absent.csv", "no such file"),
        ("mnits", r"no such file or folder \(did you mean 'mnist'\?\); expected 'mnist', 'digits', 'auto' or a path"),
        (tmp_path / "notes.txt", r"notes\.txt: is a text file, which is not read as a data set; expected a table"),
    ):
        with pytest.raises(DataError, match=words):
            load(source)
    lone.unlink()
    with pytest.raises(DataError, match=r"missing: t10k-labels-idx1-ubyte\.gz"):
        load(idx_folder)
    with pytest.raises(ConfigError, match=r"split: got '50/50', expected one of 50k/10k/10k, 60k/10k"):
        load("digits", split="50/50")  # type: ignore[call-overload]


@pytest.mark.usefixtures("nothing_here")
def test_auto_falls_back_on_the_bundled_digits_and_says_why() -> None:
    parts, note = load_auto("auto", train_size=100)
    assert len(parts.train) == 100 and parts.test.image_shape == (8, 8)
    assert note == (
        "MNIST is unavailable (downloads are forbidden by DIGITLAB_OFFLINE): training on scikit-learn's "
        "1,797 real digits instead; use --data mnist to require it"
    )
    assert load("auto").train.image_shape == (8, 8)


@pytest.mark.usefixtures("nothing_here")
def test_mnist_insists(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"looked in .*cache.*DIGITLAB_OFFLINE.*name their folder") as error:
        load_auto("mnist")
    assert error.value.reason == "downloads are forbidden by DIGITLAB_OFFLINE"


@pytest.mark.usefixtures("nothing_here")
def test_a_wrong_copy_of_mnist_is_an_error_even_for_auto(idx_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITLAB_DATA", str(idx_folder))
    for source in ("mnist", "auto"):
        with pytest.raises(DataError, match=r"train-images.*not the published MNIST file.*expected ba891046"):
            load(source)


def test_digits_are_chosen_in_what_is_mixed_in_too() -> None:
    parts = load("digits", digits=[3, 7], mix="digits")
    assert all(set(part.labels.tolist()) == {3, 7} for part in parts)


def test_importing_brings_nothing_heavy() -> None:
    heavy = "{'sklearn', 'scipy', 'matplotlib', 'PIL', 'pooch', 'requests', 'platformdirs', 'rich', 'numba'}"
    code = f"import digitlab.data, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"digits": 3}, "digits: got 3, expected a list of whole numbers"),
        ({"train_size": "5"}, "train_size: got '5', expected a whole number"),
        ({"fraction": "x"}, "fraction: got 'x', expected a number above 0"),
        ({"source": None}, "source: got None, expected text"),
        ({"split": 3}, "split: got 3, expected one of 50k/10k/10k, 60k/10k"),
    ],
)
def test_arguments_of_another_kind(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(**({"source": "digits"} | wrong))


def test_numbers_and_ranges_of_numpy_serve_as_well() -> None:
    some = load("digits", digits=range(3), per_class=np.int64(4))
    assert len(some.train) == 12
