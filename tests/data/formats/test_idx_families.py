"""Fashion-MNIST, KMNIST, EMNIST and QMNIST, on small files in their forms."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from digitlab.data import load, write_idx
from digitlab.data.formats.idx import WORDS, read_idx
from digitlab.data.formats.shared.families import FAMILIES
from digitlab.errors import DataError

IMAGES = np.random.default_rng(2).integers(0, 256, (24, 28, 28), dtype=np.uint8)


def write_four(folder: Path, labels: np.ndarray, prefix: str = "", test: str = "t10k", gz: str = ".gz") -> None:
    for part in ("train", test):
        write_idx(folder / f"{prefix}{part}-images-idx3-ubyte{gz}", IMAGES)
        write_idx(folder / f"{prefix}{part}-labels-idx1-ubyte{gz}", labels)


def write_qmnist_labels(path: Path, labels: np.ndarray) -> None:
    header = b"\0\0\x0c\x02" + np.array(labels.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + labels.astype(">i4").tobytes()))


@pytest.mark.parametrize(
    ("name", "family"),
    [("fashion-mnist", "fashion-mnist"), ("FashionMNIST/raw", "fashion-mnist"), ("KMNIST/raw", "kmnist")],
)
def test_told_by_the_folder(tmp_path: Path, name: str, family: str) -> None:
    write_four(tmp_path / name, np.arange(24) % 10)
    train, _, test = load(tmp_path / name.removesuffix("/raw"))
    assert train.class_names == FAMILIES[family].class_names and train.name == f"{family} train"
    assert np.array_equal(test.images, IMAGES) and len(test) == 24


def test_told_by_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_four(tmp_path / "some", np.arange(24) % 10)
    assert load(tmp_path / "some").train.class_names == tuple("0123456789")
    assert load(f"kmnist:{tmp_path / 'some'}").train.class_names[-1] == "wo"
    write_four(tmp_path / "fashion-mnist", np.arange(24) % 10)
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path))
    assert load("fashion-mnist").train.class_names[0] == "T-shirt/top"


def test_emnist_letters_lie_on_their_side_and_count_from_1(tmp_path: Path) -> None:
    write_four(tmp_path, 1 + np.arange(24) % 26, "emnist-letters-", "test", gz="")
    train, _, test = load(tmp_path)
    assert len(train.class_names) == 26 and test.labels[0] == 0
    assert np.array_equal(test.images, IMAGES.transpose(0, 2, 1))
    write_four(tmp_path, np.arange(24) % 10, "emnist-digits-", "test")
    with pytest.raises(DataError, match=r"holds emnist-digits, emnist-letters; say which: emnist-digits:"):
        load(tmp_path)
    assert load(f"emnist-digits:{tmp_path}").test.labels.tolist() == (np.arange(24) % 10).tolist()


def test_emnist_classes() -> None:
    """As the mapping files say: balanced and bymerge have 47 classes, byclass 62."""
    names = FAMILIES["emnist-balanced"].class_names
    assert len(names) == 47 and names[10] == "A" and names[36:] == tuple("abdefghnqrt")
    assert len(FAMILIES["emnist-byclass"].class_names) == 62
    assert all(len(set(family.class_names)) == len(family.class_names) for family in FAMILIES.values())


def test_qmnist_has_eight_numbers_per_label(tmp_path: Path) -> None:
    table = np.random.default_rng(0).integers(0, 100_000, (24, 8))
    table[:, 0] = np.arange(24) % 10
    for part in ("train", "test"):
        write_idx(tmp_path / f"qmnist-{part}-images-idx3-ubyte.gz", IMAGES)
        write_qmnist_labels(tmp_path / f"qmnist-{part}-labels-idx2-int.gz", table)
    assert np.array_equal(read_idx(tmp_path / "qmnist-train-labels-idx2-int.gz", code=WORDS), table)
    train, valid, test = load(tmp_path)
    assert test.labels.tolist() == (np.arange(24) % 10).tolist() and test.name == "qmnist test"
    assert len(train) == 20 and valid is not None


def test_damaged_files_say_where(tmp_path: Path) -> None:
    write_four(tmp_path, np.arange(24) % 10, "emnist-letters-", "test")  # 0 is no letter
    with pytest.raises(DataError, match=r"label number 0 \(from 0\) is 0, expected 1–26"):
        load(tmp_path)
    write_idx(tmp_path / "emnist-letters-train-labels-idx1-ubyte.gz", np.ones(7, int))
    with pytest.raises(DataError, match=r"24 images and .* 7 labels"):
        load(tmp_path)
    bad = tmp_path / "bad"
    bad.write_bytes(b"\0\0\x0c\x02" + np.array([2**31, 8], ">u4").tobytes())
    with pytest.raises(DataError, match="promises 2147483648 × 8 = 68,719,476,736 bytes"):
        read_idx(bad, dimensions=2, code=WORDS)
    bad.write_bytes(b"\0\0\x08\x01" + bytes(8))
    with pytest.raises(DataError, match="found IDX type 0x08, expected 0x0c"):
        read_idx(bad, dimensions=2, code=WORDS)
    with pytest.raises(DataError, match="holds no emnist-digits-train-images"):
        load(f"emnist-digits:{tmp_path}")
