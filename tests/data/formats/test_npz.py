"""NumPy archives: Keras's names and ours, no pickles inside, no promise believed."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from digitlab.data import Digits, load, read_npz, write_npz
from digitlab.errors import DataError


def test_keras_names_are_split_as_published(tmp_path: Path, digits: Digits) -> None:
    np.savez(
        tmp_path / "mnist.npz",
        x_train=digits.images,
        y_train=digits.labels.astype(np.uint8),
        x_test=digits.images[:7],
        y_test=digits.labels[:7],
    )
    train, valid, test = read_npz(tmp_path / "mnist.npz")
    assert valid is not None and (len(train), len(valid), len(test)) == (50, 10, 7)
    assert np.array_equal(valid.images, digits.images[50:])
    assert train.name == "mnist.npz train"


def test_one_set_comes_back_in_parts(tmp_path: Path, digits: Digits) -> None:
    write_npz(tmp_path / "mine.npz", digits)
    parts = read_npz(tmp_path / "mine.npz", "60k/10k")
    assert parts.valid is None and (len(parts.train), len(parts.test)) == (52, 8)
    assert "cut from one set" in parts.test.name
    both = np.concatenate([parts.train.images, parts.test.images])
    assert sorted(image.tobytes() for image in both) == sorted(image.tobytes() for image in digits.images)


def test_other_keys_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weights=np.ones(3))
    with pytest.raises(DataError, match=r"other\.npz: holds weights; expected images and labels"):
        load(tmp_path / "other.npz")


@pytest.mark.parametrize("scale", [255, 256])
def test_fractions_are_shares_of_full_ink(tmp_path: Path, digits: Digits, scale: int) -> None:
    np.savez(tmp_path / "floats.npz", images=digits.images / scale, labels=digits.labels)
    assert np.array_equal(load(tmp_path / "floats.npz", part="all").images, digits.images)
    np.savez(tmp_path / "floats.npz", images=digits.images / 127.5 - 1, labels=digits.labels)
    with pytest.raises(DataError, match=r"floats\.npz: images and labels: image 0, pixel \d+: found '-0"):
        read_npz(tmp_path / "floats.npz")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return open, (str(marker), "w")  # type: ignore[return-value]

    np.savez(tmp_path / "evil.npz", images=np.array([Malicious()], dtype=object), labels=[0])
    with pytest.raises(DataError, match=r"evil\.npz: images holds Python objects"):
        read_npz(tmp_path / "evil.npz")
    assert not marker.exists()


def member(shape: tuple[int, ...], data: bytes) -> bytes:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return head.getvalue() + data


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (member((10**9, 28, 28), bytes(99)), "images promises"),
        (member((3, 2, 2), bytes(11)), "images promises"),
        (member((3, 2, 2), bytes(13)), "images promises"),
        (b"not an array at all", "images is not a readable array"),
    ],
)
def test_a_member_that_lies_takes_no_memory(tmp_path: Path, content: bytes, words: str, memory_below) -> None:
    with zipfile.ZipFile(tmp_path / "lie.npz", "w") as archive:
        archive.writestr("images.npy", content)
        archive.writestr("labels.npy", member((3,), bytes(3)))
    with memory_below(4), pytest.raises(DataError, match=rf"lie\.npz: {words}"):
        read_npz(tmp_path / "lie.npz")


def test_a_zip_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_below) -> None:
    monkeypatch.setattr("digitlab.data.formats.npz.MAX_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("images.npy", member((1 << 14, 1 << 6, 1 << 6), bytes(1 << 26)))
        archive.writestr("labels.npy", member((3,), bytes(3)))
    with memory_below(4), pytest.raises(DataError, match=r"bomb\.npz: images promises .*limit 1,048,576"):
        read_npz(tmp_path / "bomb.npz")


def test_cut_off_damaged_and_other_files_are_reported(tmp_path: Path, digits: Digits) -> None:
    path = tmp_path / "bad.npz"
    write_npz(path, digits)
    good = path.read_bytes()
    damaged = bytearray(good)
    damaged[500] ^= 0xFF
    for content in (good[: len(good) // 2], b"<html>", bytes(damaged)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.npz: not a readable \.npz"):
            read_npz(path)


def test_a_zip_without_arrays_is_reported(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("images", b"1")
        archive.writestr("labels", b"1")
    with pytest.raises(DataError, match="holds nothing; expected images and labels"):
        read_npz(tmp_path / "x.npz")
