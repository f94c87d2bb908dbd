"""Reading a file that may be gzip-compressed: never more of it than was agreed, and with words for what is wrong.

A gzip file of 10 MB can unpack to 10 GB. `SafeReader` counts what comes out and stops at a limit, so a hostile
or damaged file costs a small buffer and an error that says where. Compression follows from the content
(1f 8b), not from the name: browsers unpack a download and keep its name.
"""

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.errors import DataError, in_brief
from digitlab.files import require_file, unpacked_limit
from digitlab.kinds import sniff_bytes

MAX_BYTES = 1 << 30  # 1 GiB: every MNIST-like set fits (EMNIST, the largest, has 0.6 GiB of pixels)
DEFLATE_RATIO = 1032  # the most deflate can promise: 258 bytes from 2 bits; nothing unpacks to more
GZIP_MAGIC = b"\x1f\x8b"
_BUFFER = 1 << 16

# Kinds of content that is read here. Any other arrived in place of the file that was meant.
_MEANT = ("idx", "csv", "text", "pickle", "json", "utf-16", "gzip", "empty", "unknown")


def mistaken_for(head: bytes) -> str | None:
    """What a file beginning with these bytes is, if it is of a kind that is not read here; else None."""
    kind = sniff_bytes(head)
    return None if kind.name in _MEANT else kind.what


class SafeReader(io.BufferedReader):
    """The content of a file, unpacked if it is gzip: `with SafeReader(path) as file: file.read(16)`.

    `limit` is the most bytes of content that can be read; the next one is a DataError. `tell()` counts content, not
    compressed bytes. A cut-off or damaged gzip stream is a DataError naming the file and the byte.
    """

    def __init__(self, path: str | os.PathLike[str], *, limit: int = MAX_BYTES) -> None:
        self.path = require_file(path)
        self._counted = _Counted(self.path, min(limit, unpacked_limit(self.path.stat().st_size, limit)))
        super().__init__(self._counted, _BUFFER)

    @property
    def max_bytes(self) -> int:
        """The most content this file can hold: what an honest header may promise."""
        size = self.path.stat().st_size
        return min(self._counted.limit, size * DEFLATE_RATIO if self._counted.compressed else size)

    def read_array(self, size: int, where: str) -> NDArray[np.uint8]:
        """Exactly `size` bytes as a uint8 array; DataError if the file has fewer. `where` says what they are."""
        array = np.empty(size, dtype=np.uint8)  # the caller has checked `size` against max_bytes
        start, at = self.tell(), 0
        while at < size and (data := self.read(min(size - at, 1 << 20))):
            array[at : at + len(data)] = np.frombuffer(data, dtype=np.uint8)
            at += len(data)
        if at < size:
            raise DataError(
                f"{self.path}: cut off at byte {start + at:,}: found {at:,} bytes of {where}, "
                f"expected {size:,}. Fetch the file again."
            )
        return array

    def expect_end(self) -> None:
        """DataError unless everything was read. For gzip this also compares the checksum at the end."""
        position = self.tell()
        if self.read(1):
            raise DataError(
                f"{self.path}: goes on after byte {position:,}, where its own header says it ends. "
                "It is damaged or of another kind; fetch the file again."
            )


class _Counted(io.RawIOBase):
    """The raw stream under `SafeReader`: unpacks, counts, and turns gzip's complaints into ours."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.limit, self.position = path, limit, 0
        self.file = path.open("rb")
        head = self.file.read(64)
        self.file.seek(0)
        self.compressed = head.startswith(GZIP_MAGIC)
        if what := mistaken_for(head):
            self.file.close()
            raise DataError(f"{path}: at byte 0 found {what}. Fetch the file itself.")
        self.stream: Any = gzip.GzipFile(fileobj=self.file) if self.compressed else self.file

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with the next content, at most; 0 at the end."""
        try:
            data = self.stream.read1(len(buffer))
        except EOFError as error:
            raise DataError(
                f"{self.path}: the compressed data are cut off after byte {self.position:,} of their content "
                f"(the file has {self.path.stat().st_size:,} bytes). Fetch the file again."
            ) from error
        except (OSError, zlib.error) as error:  # gzip.BadGzipFile is an OSError
            raise DataError(
                f"{self.path}: the compressed data are damaged after byte {self.position:,} of their content "
                f"({in_brief(error)}). Fetch the file again."
            ) from error
        self.position += len(data)
        if self.position > self.limit:
            raise DataError(
                f"{self.path}: unpacks to more than the {self.limit:,} bytes expected of it; reading stopped there. "
                "It is not the file it claims to be; fetch it from where it was published."
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self.stream.close()
            self.file.close()
        super().close()
