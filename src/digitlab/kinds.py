"""The kind of a file, from its content: `sniff("data")` -> Kind("idx", "an IDX file").

A name can be wrong: browsers unpack downloads and keep `.gz`, people rename files or leave the suffix out. So every
reader calls `sniff` first, and errors about other files name their kind. These are the kinds of file in the world;
which of them are read as data sets, and further ones, say the modules of data/formats.
"""

import gzip
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

HEAD = 4096  # bytes that are looked at


class Kind(NamedTuple):
    """A kind of file.

    name         what programs compare: "idx", "npz", "csv" ...; every name is in KINDS
    what         what people read, with its article: "an HDF5 file (Keras, h5py)"
    compressed   whether gzip is wrapped around it
    holds        "data", "network", "picture" or "archive" where it can be nothing else, else ""
    """

    name: str
    what: str
    compressed: bool = False
    holds: str = ""

    def __str__(self) -> str:
        return f"{self.what}, compressed with gzip" if self.compressed else self.what


# By what files hold, and the name of the kind: what people read, and how such files begin (at byte 0, or the number).
_TABLE: dict[str, dict[str, tuple[str | bytes | int, ...]]] = {
    "data": {
        "idx": ("an IDX file, as MNIST is published in",),
        "csv": ("a table of text (CSV)",),
        "npz": ("a NumPy archive (.npz)",),
        "mat": ("a MATLAB file (.mat)", b"MATLAB 5.0 MAT-file"),
        "mat73": ("a MATLAB 7.3 file (.mat, which is HDF5)", b"MATLAB 7.3 MAT-file"),
        "parquet": ("a Parquet file", b"PAR1"),
        "arrow": ("an Arrow or Feather file", b"ARROW1"),
        "excel": ("an Excel workbook",),
        "sqlite": ("an SQLite database", b"SQLite format 3\0"),
        "heic": ("a HEIC or AVIF picture", 4, b"ftyp"),
        "svg": ("an SVG drawing",),
        "pdf": ("a PDF document", b"%PDF-"),
    },
    "picture": {  # that Pillow reads
        "png": ("a PNG picture", b"\x89PNG\r\n\x1a\n"),
        "jpeg": ("a JPEG picture", b"\xff\xd8\xff"),
        "gif": ("a GIF picture", b"GIF87a", b"GIF89a"),
        "bmp": ("a BMP picture",),
        "tiff": ("a TIFF picture", b"II*\0", b"MM\0*"),
        "webp": ("a WebP picture", 8, b"WEBP"),
        "pnm": ("a PBM, PGM or PPM picture",),
    },
    "network": {
        "safetensors": ("a safetensors file",),
        "torch": ("a PyTorch file (.pt, .pth)", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."),  # before PyTorch 1.6
        "keras": ("a Keras network (.keras)",),
        "onnx": ("an ONNX network",),
        "tflite": ("a TensorFlow Lite network", 4, b"TFL3"),
    },
    "archive": {
        "zip": ("a zip archive",),
        "tar": ("a tar archive", 257, b"ustar"),
        "bzip2": ("a bzip2 archive", b"BZh"),
        "xz": ("an xz archive", b"\xfd7zXZ\0"),
        "zstd": ("a Zstandard archive", b"\x28\xb5\x2f\xfd"),
        "7z": ("a 7-Zip archive", b"7z\xbc\xaf\x27\x1c"),
        "rar": ("a RAR archive", b"Rar!\x1a\x07"),
    },
    "": {
        "npy": ("a NumPy array (.npy)", b"\x93NUMPY"),
        "pickle": ("a Python pickle",),
        "hdf5": ("an HDF5 file (Keras, h5py)", b"\x89HDF\r\n\x1a\n"),
        "json": ("a JSON file",),
        "gzip": ("a damaged gzip file",),
        "html": ("a web page: the server sent a page (an error, a log-in) instead of the file",),
        "xml": ("an XML document",),
        "git-lfs": ("a Git LFS pointer: the real file was not fetched (`git lfs pull`)", b"version https://git-lfs"),
        "utf-16": ("text in UTF-16", b"\xff\xfe", b"\xfe\xff"),
        "text": ("a text file",),
        "folder": ("a folder",),
        "device": ("a device or a pipe, not a file",),
        "empty": ("an empty file",),
        "unknown": ("a file of unknown kind",),
    },
}
KINDS = {name: Kind(name, str(row[0]), holds=holds) for holds, rows in _TABLE.items() for name, row in rows.items()}
PICTURES, NETWORKS, ARCHIVES = (tuple(_TABLE[holds]) for holds in ("picture", "network", "archive"))
_BEGINNINGS = [
    (at, beginning, name)
    for rows in _TABLE.values()
    for name, row in rows.items()
    for at in [next((n for n in row if isinstance(n, int)), 0)]
    for beginning in row
    if isinstance(beginning, bytes)
]

# Protocols 2 to 5 begin with their number, 0 and 1 with an instruction that fetches a name or makes a container.
_PICKLE = re.compile(rb"\x80[\x02-\x05]|\(*(?:[ci][\w.]+\r?\n\w+\r?\n|[ldt]p\d+\r?\n|[\]}]q)")
_BITMAP = re.compile(rb"BM.{8}.{4}[\x0c\x28\x40\x6c\x7c]\0\0\0", re.DOTALL)  # the last is the size of a header
_PNM = re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s")
_NUMBER = re.compile(rb"[ \"']*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[ \"']*")


def sniff(path: str | os.PathLike[str]) -> Kind:
    """The kind of a file, from its content alone; inside gzip, the kind of what is wrapped.

    Of a large file only the beginning is read. Raises OSError for a file that is not there or cannot be opened.
    """
    path = Path(path)
    if path.is_dir():
        return KINDS["folder"]
    if path.exists() and not path.is_file():
        return KINDS["device"]  # never opened: a pipe would wait for ever
    head, compressed = head_of(path)
    if head is None:
        return KINDS["gzip"]
    return KINDS[_name_of(head, None if compressed else path)]._replace(compressed=compressed)


def head_of(path: Path) -> tuple[bytes | None, bool]:
    """The beginning of a file's content, unpacked if it is gzip (None if damaged), and whether it is."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.startswith(b"\x1f\x8b"):
        return head, False
    try:
        with gzip.open(path) as unpacked:
            return unpacked.read(HEAD), True
    except (OSError, EOFError, zlib.error):
        return None, True


def sniff_bytes(head: bytes) -> Kind:
    """The kind of a file that begins with these bytes, as well as they can tell it."""
    return KINDS[_name_of(head, None)]


def _name_of(head: bytes, path: Path | None) -> str:
    """The name of the kind; `path` is where the rest of the content is, unless it is compressed."""
    if not head:
        return "empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_name(head, path)
    for at, beginning, name in _BEGINNINGS:
        if head[at : at + len(beginning)] == beginning:
            return name
    if head[:2] == b"\0\0" and len(head) >= 4 and head[2] in (8, 9, 11, 12, 13, 14) and 1 <= head[3] <= 8:
        return "idx"
    if _is_safetensors(head, path):
        return "safetensors"
    for pattern, name in ((_PICKLE, "pickle"), (_BITMAP, "bmp"), (_PNM, "pnm")):
        if pattern.match(head):
            return name
    if _is_text(head):
        return _text_name(head)
    # An ONNX file is a protocol buffer: field 1, the version of the format, then its producer or the graph.
    if len(head) > 3 and head[0] == 8 and 1 <= head[1] <= 40 and head[2] in (0x12, 0x3A, 0x42):
        return "onnx"
    return "unknown"


def _zip_name(head: bytes, path: Path | None) -> str:
    """What a zip archive holds, from the names of its members."""
    names: list[str] = []
    if path is not None:
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            pass  # cut off: the first member, whose name is in the head, tells enough
    if not names:
        names = [head[30 : 30 + int.from_bytes(head[26:28], "little")].decode("utf-8", "replace")]
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return "torch"
    if "[Content_Types].xml" in names:
        return "excel" if any(name.startswith("xl/") for name in names) or path is None else "zip"
    if any(name.endswith(".weights.h5") for name in names):
        return "keras"
    return "npz" if any(name.endswith(".npy") for name in names) else "zip"


def _is_safetensors(head: bytes, path: Path | None) -> bool:
    """Eight bytes of length, then that many of JSON."""
    if len(head) < 9 or head[8:9] != b"{":
        return False
    length = int.from_bytes(head[:8], "little")
    return length > 1 and (path is None or length <= max(path.stat().st_size, 1 << 27))


def _is_text(head: bytes) -> bool:
    """No control characters but those of text; bytes above ASCII may be UTF-8 or an older encoding."""
    return not any((byte < 32 and byte not in b"\t\n\r\f\v") or byte == 127 for byte in head)


def _text_name(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    low = text[:256].lower()
    if low.startswith((b"<!doctype html", b"<html")):
        return "html"
    if low.startswith((b"<svg", b"<?xml")):
        return "svg" if b"<svg" in text.lower() else "html" if b"<html" in text.lower() else "xml"
    if low.startswith(b"<"):
        return "html"
    if low.startswith((b"{", b"[")) and not re.match(rb"\[[\w.-]+\]\s*$", text.partition(b"\n")[0]):  # a TOML heading
        return "json"
    return "csv" if _is_table(text, whole=len(head) < HEAD) else "text"


def _is_table(text: bytes, *, whole: bool) -> bool:
    """Whether one of the first two lines has several fields, most of which are numbers."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not whole and len(lines) > 1:
        lines.pop()  # it may be cut off
    for line in lines[:2]:
        for delimiter in (b",", b";", b"\t", None):
            fields = line.split(delimiter)
            if len(fields) > 1 and 2 * sum(_NUMBER.fullmatch(field) is not None for field in fields) > len(fields):
                return True
    # A heading may be longer than what is looked at: many short names in a row.
    return len(lines) == 1 and not whole and max(lines[0].count(delimiter) for delimiter in (b",", b";", b"\t")) > 99
