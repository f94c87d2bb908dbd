"""SafeReader: content packed or not, at most so much of it, and words for a damaged stream."""

import gzip
import time
from pathlib import Path

import pytest

from digitlab.data import read_idx
from digitlab.data.formats.shared.safe_gzip import SafeReader
from digitlab.errors import DataError

TEXT = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(20_000))


@pytest.mark.parametrize("packed", [False, True])
def test_content_is_the_same_packed_or_not(tmp_path: Path, packed: bool) -> None:
    (tmp_path / "file").write_bytes(gzip.compress(TEXT) if packed else TEXT)
    with SafeReader(tmp_path / "file") as file:
        assert file.readline() == b"0 squared is 0\n"
        assert file.tell() == 15
        assert file.read() == TEXT[15:]
        file.expect_end()


def test_members_in_a_row_are_one_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]))
    with SafeReader(tmp_path / "file") as file:
        assert file.read() == TEXT


def test_the_limit_is_the_last_byte_allowed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(gzip.compress(TEXT))
    with SafeReader(tmp_path / "file", limit=len(TEXT)) as file:
        assert file.read() == TEXT
    with SafeReader(tmp_path / "file", limit=len(TEXT) - 1) as file, pytest.raises(DataError, match="unpacks to more"):
        file.read()


def test_a_cut_off_stream_names_file_and_byte(tmp_path: Path) -> None:
    packed = gzip.compress(TEXT)
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    with SafeReader(tmp_path / "cut.gz") as file, pytest.raises(DataError) as error:
        file.read()
    assert "cut.gz: the compressed data are cut off after byte" in str(error.value)
    assert f"{len(packed) // 2:,} bytes" in str(error.value)


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-8] ^= 1  # the checksum at the end
    (tmp_path / "changed.gz").write_bytes(packed)
    with SafeReader(tmp_path / "changed.gz") as file, pytest.raises(DataError, match=r"changed\.gz.*damaged"):
        file.read()
    (tmp_path / "garbled.gz").write_bytes(gzip.compress(b"")[:10] + b"\xff" * 50)
    with SafeReader(tmp_path / "garbled.gz") as file, pytest.raises(DataError, match=r"garbled\.gz.*damaged"):
        file.read()


def test_a_gzip_bomb_costs_neither_memory_nor_time(tmp_path: Path, memory_below) -> None:
    # the header says ten images; 256 MiB of zeros follow
    head = b"\0\0\x08\x03" + b"\0\0\0\x0a" + b"\0\0\0\x1c" * 2
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(head) + gzip.compress(bytes(1 << 26), 1) * 4)
    start = time.process_time()
    with memory_below(4), pytest.raises(DataError, match=r"bomb\.gz: goes on after byte 7,856"):
        read_idx(tmp_path / "bomb.gz")
    assert time.process_time() - start < 1


def test_what_is_no_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    for name, words in (("absent", "no such file"), ("", "found a folder"), ("empty", r"empty \(0 bytes\)")):
        with pytest.raises(DataError, match=words):
            SafeReader(tmp_path / name)
