"""Data sets published in MNIST's files: what their classes are called, and where they differ from MNIST.

    load("fashion-mnist")            a folder of that name, here or in DIGITLAB_DATA
    load("some/folder/KMNIST/raw")   the name of the folder, or of files such as emnist-letters-…, says the family
    load("kmnist:some/folder")       or you do

Fashion-MNIST  https://github.com/zalandoresearch/fashion-mnist    same names and form as MNIST
KMNIST         https://codh.rois.ac.jp/kmnist/                     same names and form
EMNIST         https://www.nist.gov/itl/products-and-services/emnist-dataset
               emnist-VARIANT-train-images-idx3-ubyte; images are transposed; letters count from 1
QMNIST         https://github.com/facebookresearch/qmnist
               qmnist-train-labels-idx2-int: eight numbers per image, of which the first is the class
"""

import string
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import DIGIT_NAMES
from digitlab.data.formats.shared.contents import Reading
from digitlab.data.formats.shared.raw import Raw

_UPPER, _LOWER = tuple(string.ascii_uppercase), tuple(string.ascii_lowercase)
_MERGED = (*DIGIT_NAMES, *_UPPER, *"abdefghnqrt")  # EMNIST: where upper and lower case look alike, they are one class


@dataclass(frozen=True)
class Family:
    """How the files of one data set are named and read.

    prefix        of the four files; "" for MNIST's own names
    sideways      whether images are stored transposed
    first_label   the label of the first class
    folder_words  of which a folder's name has one, where the files have MNIST's own names
    """

    class_names: tuple[str, ...]
    prefix: str = ""
    sideways: bool = False
    first_label: int = 0
    folder_words: tuple[str, ...] = ()

    def upright(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The images as they are meant."""
        return np.ascontiguousarray(images.swapaxes(1, 2)) if self.sideways else images

    def read(self, raw: Raw, reading: Reading) -> Raw:
        """A table's or an array's set with the images upright, and whole numbers as positions of the classes."""
        labels = np.asarray(raw.labels)
        whole = labels.dtype.kind in "iu" or (labels.dtype.kind == "f" and (labels == np.trunc(labels)).all())
        if whole and reading.class_names is None:
            labels = labels.astype(np.int64) - self.first_label
        return replace(raw, images=self.upright(raw.images), labels=labels, names=self.class_names)


_CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
FAMILIES: dict[str, Family] = {
    "fashion-mnist": Family(_CLOTHES, folder_words=("fashion",)),
    "kmnist": Family(_KANA, folder_words=("kmnist", "kuzushiji")),
    "emnist-digits": Family(DIGIT_NAMES, "emnist-digits-", sideways=True),
    "emnist-mnist": Family(DIGIT_NAMES, "emnist-mnist-", sideways=True),
    "emnist-letters": Family(_UPPER, "emnist-letters-", sideways=True, first_label=1),
    "emnist-balanced": Family(_MERGED, "emnist-balanced-", sideways=True),
    "emnist-bymerge": Family(_MERGED, "emnist-bymerge-", sideways=True),
    "emnist-byclass": Family((*DIGIT_NAMES, *_UPPER, *_LOWER), "emnist-byclass-", sideways=True),
    "qmnist": Family(DIGIT_NAMES, "qmnist-"),
}
PLAIN = Family(DIGIT_NAMES)  # MNIST itself, and every set without a family


def family_called(folder: Path) -> str | None:
    """The family that a folder of files under MNIST's own names is called after, or None."""
    word = (folder.parent if folder.name == "raw" else folder).name.lower()
    return next((name for name, f in FAMILIES.items() if any(w in word for w in f.folder_words)), None)


def family_of_file(path: Path) -> Family | None:
    """The family that a single file's name begins with, as "emnist-letters-train.csv" does; None for others."""
    name = path.name.lower().replace("_", "-")
    return next((family for family in FAMILIES.values() if family.prefix and name.startswith(family.prefix)), None)
