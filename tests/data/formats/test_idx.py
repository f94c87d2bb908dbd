"""IDX files: they come back as written, and each kind of damage is told with file and byte."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitlab.data import read_idx, read_idx_pair, write_idx
from digitlab.errors import DataError


def header(*sizes: int, kind: int = 8) -> bytes:
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, kind, len(sizes), *sizes)


@given(values=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4)), packed=st.booleans())
def test_what_is_written_is_read(values: np.ndarray, packed: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("idx") / ("values.gz" if packed else "values")
    write_idx(path, values)
    back = read_idx(path)
    assert back.dtype == np.uint8 and back.shape == values.shape
    assert np.array_equal(back, values)
    assert path.read_bytes().startswith(b"\x1f\x8b") == packed


def test_the_bytes_are_those_of_the_published_format(tmp_path: Path) -> None:
    write_idx(tmp_path / "images", np.arange(6).reshape(1, 2, 3))
    assert (tmp_path / "images").read_bytes() == b"\0\0\x08\x03" + b"\0\0\0\1\0\0\0\2\0\0\0\3" + bytes(range(6))
    assert int.from_bytes((tmp_path / "images").read_bytes()[:4], "big") == 2051
    write_idx(tmp_path / "labels", [7, 2])
    assert (tmp_path / "labels").read_bytes() == b"\0\0\x08\x01\0\0\0\2\7\2"


def test_compression_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    raw = header(2) + b"\x05\x00"
    (tmp_path / "raw.gz").write_bytes(raw)
    (tmp_path / "packed").write_bytes(gzip.compress(raw))
    assert read_idx(tmp_path / "raw.gz").tolist() == read_idx(tmp_path / "packed").tolist() == [5, 0]


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, np.arange(100))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("values", [[256], [-1], [0.5], 7])
def test_writing_refuses_what_is_no_array_of_bytes(tmp_path: Path, values: object) -> None:
    with pytest.raises(DataError, match=r"bad\.idx: an IDX file holds"):
        write_idx(tmp_path / "bad.idx", values)
    assert list(tmp_path.iterdir()) == []


BAD = {
    "wrong magic": (b"\x12\x34\x08\x03" + bytes(20), ["byte 0", "305399811", "2051"]),
    "labels for images": (header(3) + bytes(3), ["byte 0", "2049 (labels)", "2051 (images)", "swapped"]),
    "floats": (header(3, 1, 1, kind=13) + bytes(12), ["byte 2", "0x0d", "0x08"]),
    "short magic": (b"\0\0", ["2 bytes", "IDX header"]),
    "short header": (header(3, 28, 28)[:10], ["cut off at byte 10", "3 sizes"]),
    "too few bytes": (header(3, 28, 28) + bytes(2000), ["3 × 28 × 28", "2,352", "2,000", "fetch"]),
    "too many bytes": (header(3, 28, 28) + bytes(2353), ["goes on after byte 2,368"]),
    "enormous promise": (header(2**32 - 1, 2**16, 2**16) + bytes(99), ["4294967295", "promises"]),
    "a web page": (b"<!DOCTYPE html><html>not found</html>", ["byte 0", "web page"]),
    "a git pointer": (b"version https://git-lfs.github.com/spec/v1\n", ["Git LFS pointer"]),
}


@pytest.mark.parametrize("packed", [False, True], ids=["raw", "gz"])
@pytest.mark.parametrize("case", BAD)
def test_each_damage_is_reported(tmp_path: Path, case: str, packed: bool, memory_below) -> None:
    content, words = BAD[case]
    if packed and case == "too few bytes":
        words = ["cut off at byte 2,016", "found 2,000", "expected 2,352"]
    if packed and case == "a git pointer":
        words = ["found the magic number"]
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(gzip.compress(content) if packed else content)
    with memory_below(4), pytest.raises(DataError) as error:
        read_idx(path, dimensions=3)
    assert all(word in str(error.value) for word in [str(path), *words]), str(error.value)


def test_images_and_labels_come_as_one_set(idx_folder: Path) -> None:
    names = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
    digits = read_idx_pair(*(idx_folder / name for name in names), name="small")
    assert repr(digits) == "Digits: 60 images 28×28, 10 classes (0–9), small"
    assert digits.images.flags.writeable


def test_colour_images_are_read(tmp_path: Path) -> None:
    write_idx(tmp_path / "x", np.zeros((2, 4, 4, 3), np.uint8))
    write_idx(tmp_path / "y", [0, 1])
    assert read_idx_pair(tmp_path / "x", tmp_path / "y").image_shape == (4, 4, 3)


def test_counts_that_differ_name_both_files(tmp_path: Path) -> None:
    write_idx(tmp_path / "x", np.zeros((2, 4, 4), np.uint8))
    write_idx(tmp_path / "y", [0, 1, 2])
    with pytest.raises(DataError, match=r"x holds 2 images and .*y 3 labels"):
        read_idx_pair(tmp_path / "x", tmp_path / "y")


def test_a_label_without_a_class_names_its_place(tmp_path: Path) -> None:
    write_idx(tmp_path / "x", np.zeros((3, 4, 4), np.uint8))
    write_idx(tmp_path / "y", [0, 1, 11])
    with pytest.raises(DataError, match=r"y: label number 2 \(from 0\) is 11, expected 0–9"):
        read_idx_pair(tmp_path / "x", tmp_path / "y")
    assert len(read_idx_pair(tmp_path / "x", tmp_path / "y", class_names=tuple("abcdefghijkl"))) == 3
