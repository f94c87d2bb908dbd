"""The four files of MNIST, and of every set published in its form: names, check sums, reading a folder of them."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from digitlab.data.digits import DIGIT_NAMES
from digitlab.data.idx import read_idx_pair
from digitlab.data.safe_gzip import SafeReader
from digitlab.data.splits import Split, Splits, join_validation, split_published
from digitlab.errors import DataError


@dataclass(frozen=True)
class PublishedFile:
    """One file: its name without .gz, SHA-256 of the .gz as published, MD5 of what it unpacks to, and that size.

    The published wrapper tells a good download. The content tells a good copy, however it was packed since.
    """

    name: str
    sha256: str
    md5: str
    size: int

    @property
    def gz(self) -> str:
        return f"{self.name}.gz"

    def find(self, folder: Path) -> Path | None:
        """This file in `folder` under one of its usual names (-idx3- or .idx3-, packed or not), or None."""
        dotted = self.name.replace("-idx", ".idx")
        names = (self.gz, self.name, f"{dotted}.gz", dotted)
        return next((folder / name for name in names if (folder / name).is_file()), None)


FILES = (
    PublishedFile(
        "train-images-idx3-ubyte",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "6bbc9ace898e44ae57da46a324031adb",
        47_040_016,
    ),
    PublishedFile(
        "train-labels-idx1-ubyte",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "a25bea736e30d166cdddb491f175f624",
        60_008,
    ),
    PublishedFile(
        "t10k-images-idx3-ubyte",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "2646ac647ad5339dbf082846283269ea",
        7_840_016,
    ),
    PublishedFile(
        "t10k-labels-idx1-ubyte",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "27ae3e4e09519cfbb04c329615203637",
        10_008,
    ),
)


def missing_files(folder: Path) -> tuple[str, ...]:
    """The names of the four that `folder` does not hold; () if it holds them all."""
    return tuple(file.gz for file in FILES if file.find(folder) is None)


def check_content(folder: Path) -> None:
    """DataError unless the four files in `folder` unpack to the very bytes that were published."""
    for file in FILES:
        path = file.find(folder)
        if path is None:
            raise DataError(f"{folder}: holds no {file.gz}. Fetch the file again.")
        md5 = hashlib.md5(usedforsecurity=False)  # against decay and mix-ups, not against forgers
        with SafeReader(path, limit=file.size) as content:
            while data := content.read(1 << 20):
                md5.update(data)
        if md5.hexdigest() != file.md5:
            raise DataError(
                f"{path}: is not the published MNIST file: its content has the MD5 {md5.hexdigest()}, "
                f"expected {file.md5}. Delete it and fetch it again."
            )


def read_folder(
    folder: str | os.PathLike[str],
    split: Split = "50k/10k/10k",
    *,
    name: str = "",
    class_names: tuple[str, ...] = DIGIT_NAMES,
) -> Splits:
    """The four IDX files in `folder`, MNIST's or others under the same names, split as asked.

    A folder that holds valid-images and valid-labels besides has its own validation set; nothing is cut from training.
    Raises DataError naming the first file that is missing, damaged or does not fit its partner.
    """
    paths = [file.find(Path(folder)) for file in FILES]
    if None in paths:
        raise DataError(f"{folder}: holds no {', '.join(missing_files(Path(folder)))}; expected all four IDX files.")
    train_images, train_labels, test_images, test_labels = (path for path in paths if path)
    train = read_idx_pair(train_images, train_labels, class_names=class_names)
    test = read_idx_pair(test_images, test_labels, class_names=class_names)
    name = name or Path(folder).name
    own = [Path(folder) / f"valid-{kind}-ubyte{end}" for end in (".gz", "") for kind in ("images-idx3", "labels-idx1")]
    for pair in (own[:2], own[2:]):
        if all(path.is_file() for path in pair):  # as `digitlab expand` writes: its training set may not be cut
            valid = read_idx_pair(*pair, class_names=class_names)
            return join_validation(Splits(train, valid, test), split).named(name)
    return split_published(train, test, split).named(name)
