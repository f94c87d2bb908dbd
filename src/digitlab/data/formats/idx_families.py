"""Data sets published in MNIST's files: what their classes are called, and where they differ from MNIST.

    load("fashion-mnist")            a folder of that name, here or in DIGITLAB_DATA
    load("some/folder/KMNIST/raw")   the folder's name tells the family; so do file names such as emnist-letters-…
    load("kmnist:some/folder")       or you tell it

Fashion-MNIST  https://github.com/zalandoresearch/fashion-mnist    same names and form as MNIST
KMNIST         https://codh.rois.ac.jp/kmnist/                     same names and form
EMNIST         https://www.nist.gov/itl/products-and-services/emnist-dataset
               emnist-VARIANT-train-images-idx3-ubyte; images lie on their side; letters count from 1
QMNIST         https://github.com/facebookresearch/qmnist
               qmnist-train-labels-idx2-int: eight numbers per image, of which the first is the class
"""

import os
import string
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import DIGIT_NAMES
from digitlab.data.formats.safe_gzip import SafeReader
from digitlab.errors import DataError

_UPPER, _LOWER = tuple(string.ascii_uppercase), tuple(string.ascii_lowercase)
_MERGED = (*DIGIT_NAMES, *_UPPER, *"abdefghnqrt")  # EMNIST: where upper and lower case look alike, they are one class


@dataclass(frozen=True)
class Family:
    """How the files of one data set are named and read.

    prefix       of the four files; "" for MNIST's own names
    sideways     whether images are stored transposed
    first_label  the label of the first class
    columns      numbers per label: 8 in QMNIST, of which the first is the class
    """

    class_names: tuple[str, ...]
    prefix: str = ""
    sideways: bool = False
    first_label: int = 0
    columns: int = 1
    folder_words: tuple[str, ...] = ()


FAMILIES: dict[str, Family] = {
    "fashion-mnist": Family(
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        folder_words=("fashion",),
    ),
    "kmnist": Family(
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"), folder_words=("kmnist", "kuzushiji")
    ),
    "emnist-digits": Family(DIGIT_NAMES, "emnist-digits-", sideways=True),
    "emnist-mnist": Family(DIGIT_NAMES, "emnist-mnist-", sideways=True),
    "emnist-letters": Family(_UPPER, "emnist-letters-", sideways=True, first_label=1),
    "emnist-balanced": Family(_MERGED, "emnist-balanced-", sideways=True),
    "emnist-bymerge": Family(_MERGED, "emnist-bymerge-", sideways=True),
    "emnist-byclass": Family((*DIGIT_NAMES, *_UPPER, *_LOWER), "emnist-byclass-", sideways=True),
    "qmnist": Family(DIGIT_NAMES, "qmnist-", columns=8),
}


def family_called(folder: Path) -> str | None:
    """The family that a folder of files under MNIST's own names is called after, or None."""
    named = folder.parent if folder.name == "raw" else folder
    word = named.name.lower()
    return next((name for name, f in FAMILIES.items() if any(w in word for w in f.folder_words)), None)


def family_of_file(path: Path) -> Family | None:
    """The family that a single file's name tells of, as "emnist-letters-train.csv" does; None for others."""
    name = path.name.lower().replace("_", "-")
    return next((family for family in FAMILIES.values() if family.prefix and name.startswith(family.prefix)), None)


def read_idx2_int(path: str | os.PathLike[str]) -> NDArray[np.int32]:
    """A table of 32-bit numbers in an IDX file (type 0x0c, two dimensions), int32 (N, columns): QMNIST's labels.

    The header's promise is held against the file before memory is taken. Raises DataError.
    """
    with SafeReader(path) as file:
        head = file.read(12)
        if not head.startswith(b"\0\0\x0c\x02"):
            found = int.from_bytes(head[:4], "big")
            raise DataError(f"{file.path}: at byte 0 found the magic number {found}, expected 3074 (a table).")
        if len(head) < 12:
            raise DataError(f"{file.path}: cut off at byte {len(head)}, inside the header. Fetch the file again.")
        sizes = np.frombuffer(head[4:], dtype=">u4").tolist()
        promised = 4 * sizes[0] * sizes[1]
        if not sizes[1] or promised > file.most_bytes - 12:
            raise DataError(
                f"{file.path}: the header promises {sizes[0]} × {sizes[1]} numbers, more than this file can hold. "
                "It is cut off or damaged; fetch it again."
            )
        values = file.read_array(promised, "labels")
        file.expect_end()
    return values.view(">i4").reshape(sizes).astype(np.int32)
