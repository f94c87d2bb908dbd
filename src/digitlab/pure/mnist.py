"""MNIST's files read by the standard library alone: each image a list of 784 floats, each label an integer."""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

Vector = list[float]
Labelled = list[tuple[Vector, int]]

IMAGES, LABELS = 0x803, 0x801  # the first four bytes: unsigned bytes in 3 axes, or in 1
SCALED = [byte / 256 for byte in range(256)]  # as in Nielsen's data; 256 float objects that all images share


def load_mnist(
    folder: str | os.PathLike[str] | None = None, *, train: int = 60_000, test: int = 10_000
) -> tuple[Labelled, Labelled]:
    """The first `train` and `test` images as (pixels, label), from the four files in a folder, packed or not.

    folder    by default the folder of the environment variable DIGITLAB_DATA, or `mnist` in it
    Pixels are byte / 256. All 60,000 images take 400 MB of memory.
    Raises ValueError if the files are missing or damaged.
    """
    place = Path(folder) if folder is not None else Path(os.environ.get("DIGITLAB_DATA", "."))
    if folder is None and (place / "mnist").is_dir():
        place = place / "mnist"
    return read_part(place, "train", train), read_part(place, "t10k", test)


def read_part(folder: Path, name: str, count: int) -> Labelled:
    """The first images of "train" or "t10k" with their labels."""
    images = read_images(find(folder, f"{name}-images-idx3-ubyte"), count)
    labels = read_labels(find(folder, f"{name}-labels-idx1-ubyte"), count)
    if len(images) != len(labels):
        raise ValueError(f"{folder}: got {len(images)} images and {len(labels)} labels in the files of {name!r}")
    return list(zip(images, labels))


def read_images(path: str | os.PathLike[str], count: int | None = None) -> list[Vector]:
    """The first `count` images of an IDX file (None: all), each row after row."""
    (height, width), content = read_idx(path, IMAGES, count)
    size = height * width
    return [[SCALED[byte] for byte in content[i : i + size]] for i in range(0, len(content), size)]


def read_labels(path: str | os.PathLike[str], count: int | None = None) -> list[int]:
    """The first `count` labels of an IDX file (None: all)."""
    return list(read_idx(path, LABELS, count)[1])


def read_idx(path: str | os.PathLike[str], magic: int, count: int | None) -> tuple[Sequence[int], bytes]:
    """The axes after the first, and the bytes of the first `count` items. Raises ValueError for another kind of file.

    The file's form: the magic number, the length of each axis, 4 bytes each with the highest first; then the items.
    """
    path = Path(path)
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            found = int.from_bytes(file.read(4), "big")
            if found != magic:
                raise ValueError(f"{path}: begins with {found:#x}, expected {magic:#x}, an IDX file of MNIST")
            total, *axes = [int.from_bytes(file.read(4), "big") for _ in range(magic & 0xFF)]
            wanted = total if count is None else min(count, total)
            for axis in axes:
                wanted *= axis
            content = file.read(wanted)
    except (EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: the compressed data are damaged ({error}); fetch the file again") from None
    if len(content) != wanted:
        raise ValueError(f"{path}: ends after {len(content):,} bytes, expected {wanted:,}; fetch the file again")
    return axes, content


def find(folder: Path, name: str) -> Path:
    """A file of MNIST under its usual names."""
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise ValueError(
        f"{folder}: has no {name}.gz; name the folder with MNIST's four files, or set DIGITLAB_DATA to it "
        "(digitlab data fetch downloads them)"
    )
