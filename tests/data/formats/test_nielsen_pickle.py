"""mnist.pkl.gz and its expanded sister: the bytes come back exactly, other contents are told."""

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.data import Digits, load, read_nielsen
from digitlab.errors import DataError


def pair(digits: Digits, scale: int = 256) -> tuple[np.ndarray, np.ndarray]:
    return (digits.images.reshape(len(digits), -1) / np.float32(scale)).astype(np.float32), digits.labels


def write(path: Path, value: Any, protocol: int = 2) -> Path:
    path.write_bytes(gzip.compress(pickle.dumps(value, protocol), 1))
    return path


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
@pytest.mark.parametrize("scale", [256, 255])
def test_bytes_come_back_exactly(tmp_path: Path, digits: Digits, scale: int, protocol: int) -> None:
    parts = digits.split(30, 20, 10)
    path = write(tmp_path / "mnist.pkl.gz", tuple(pair(part, scale) for part in parts), protocol)
    for part, back in zip(parts, read_nielsen(path), strict=True):
        assert back is not None
        assert np.array_equal(back.images, part.images) and np.array_equal(back.labels, part.labels)


def test_a_python_2_file_is_read(tmp_path: Path) -> None:
    """Byte strings instead of bytes objects, the old module name, protocol 2's binary form."""
    rows = np.arange(8, dtype=np.float32).reshape(2, 4) / 256
    labels = np.array([3, 9])

    def array(a: np.ndarray) -> bytes:
        raw = a.tobytes()
        code = f"{a.dtype.kind}{a.dtype.itemsize}".encode()
        shape = b"(" + b"".join(b"K" + bytes([n]) for n in a.shape) + b"t"
        return (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tU\x01btR(K\x01"
            + shape
            + b"cnumpy\ndtype\n(U\x02"
            + code
            + b"K\0K\x01tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
            + b"\x89U"
            + bytes([len(raw)])
            + raw
            + b"tb"
        )

    one = b"(" + array(rows) + array(labels) + b"t"
    (tmp_path / "old.pkl").write_bytes(b"\x80\x02(" + one * 3 + b"t.")
    train, _, test = read_nielsen(tmp_path / "old.pkl")
    assert train.images.tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    assert test.labels.tolist() == [3, 9]


def test_the_expanded_layout_is_read(tmp_path: Path, digits: Digits) -> None:
    x, y = pair(digits)
    value = ([list(x), list(y)], pair(digits.first(10)), pair(digits.first(20)))
    train, valid, test = read_nielsen(write(tmp_path / "mnist_expanded.pkl.gz", value, 0))
    assert np.array_equal(train.images, digits.images) and np.array_equal(train.labels, digits.labels)
    assert valid is not None and (len(valid), len(test)) == (10, 20)


def test_load_joins_validation_when_asked(tmp_path: Path, digits: Digits) -> None:
    path = write(tmp_path / "mnist.pkl.gz", tuple(pair(part) for part in digits.split(30, 20, 10)))
    assert [len(part) for part in load(path) if part] == [30, 20, 10]
    train, valid, test = load(path, split="60k/10k")
    assert valid is None and len(test) == 10
    assert np.array_equal(train.images, digits.images[:50])
    assert train.name == "mnist.pkl.gz train"


@pytest.mark.parametrize("value", [0.7001, -0.25, 1.5, float("nan"), float("inf")])
def test_a_value_that_was_never_a_byte_is_named(tmp_path: Path, value: float) -> None:
    x = np.zeros((3, 4))
    x[2, 1] = value
    path = write(tmp_path / "mnist.pkl.gz", ((x, np.arange(3)),) * 3)
    with pytest.raises(DataError) as error:
        read_nielsen(path)
    found = f"mnist.pkl.gz: train, image 2, pixel 1: found {value:.6g}, expected byte/256 or byte/255"
    assert found in str(error.value)


GOOD = (np.zeros((2, 4), np.float32), np.array([0, 1]))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": 1}, "holds a dict of 1, expected three pairs"),
        ((GOOD, GOOD), "holds a tuple of 2"),
        ((GOOD, GOOD, 7), "holds a tuple of 3"),
        ((GOOD, (np.zeros((2, 5)), GOOD[1]), GOOD), "valid has images of 5 values"),
        ((GOOD, GOOD, (GOOD[0], np.array([0, 10]))), "test: label number 1 is 10"),
        ((GOOD, GOOD, (GOOD[0], np.array([0]))), r"test has 2 images and labels an array \(1,\)"),
        ((GOOD, GOOD, ([[0.0] * 4, [0.0]], [0, 1])), "test holds a list of 2"),
        ((("ab", GOOD[1]), GOOD, GOOD), "train"),
        ((([], []), GOOD, GOOD), "train holds a list of 0"),
    ],
)
def test_other_layouts_are_reported(tmp_path: Path, value: object, words: str) -> None:
    with pytest.raises(DataError, match=rf"mnist\.pkl\.gz.*{words}"):
        read_nielsen(write(tmp_path / "mnist.pkl.gz", value))


def test_a_malicious_file_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(Vtouch " + str(marker).encode() + b"\ntR.")
    with pytest.raises(DataError, match=r"evil\.pkl: the pickle asks for os\.system"):
        load(tmp_path / "evil.pkl")
    assert not marker.exists()


def test_a_file_that_grows_beyond_digits_is_stopped(tmp_path: Path, monkeypatch, memory_below) -> None:
    monkeypatch.setattr("digitlab.data.formats.pickles.MAX_SMALL", 1 << 20)
    bomb = b"\x80\x04\x8e" + (1 << 27).to_bytes(8, "little")
    (tmp_path / "bomb.pkl.gz").write_bytes(gzip.compress(bomb) + gzip.compress(bytes(1 << 27), 1))
    with memory_below(100), pytest.raises(DataError, match=r"bomb\.pkl\.gz: unpacks to more than"):
        read_nielsen(tmp_path / "bomb.pkl.gz")


def test_a_cut_off_file_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.pkl.gz", (GOOD, GOOD, GOOD))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"cut\.pkl\.gz.*(cut off|damaged)"):
        read_nielsen(path)


def test_a_wrong_checksum_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "changed.pkl.gz", (GOOD, GOOD, GOOD))
    packed = bytearray(path.read_bytes())
    packed[-8] ^= 1
    path.write_bytes(packed)
    with pytest.raises(DataError, match=r"changed\.pkl\.gz.*damaged"):
        read_nielsen(path)


def test_the_value_that_was_never_a_byte_is_the_one_named(tmp_path: Path) -> None:
    """Among images of byte/256, not the first that is no byte/255."""
    images = (np.random.default_rng(0).integers(0, 256, (10, 784)) / 256).astype(np.float32)
    images[5, 100] = np.nan
    pair = images, np.zeros(10, np.int64)
    (tmp_path / "x.pkl").write_bytes(pickle.dumps((pair, pair, pair)))
    with pytest.raises(DataError, match=r"train, image 5, pixel 100: found nan"):
        read_nielsen(tmp_path / "x.pkl")


def test_lists_within_lists_are_not_unpacked(tmp_path: Path, memory_below) -> None:
    labels: list[object] = [0, 0]
    for _ in range(26):
        labels = [labels, labels]  # a few hundred bytes that stand for a hundred million numbers
    pair = np.zeros((2, 784), np.float32), labels
    (tmp_path / "x.pkl").write_bytes(pickle.dumps((pair, pair, pair)))
    with memory_below(20), pytest.raises(DataError, match="labels are no whole numbers"):
        read_nielsen(tmp_path / "x.pkl")
