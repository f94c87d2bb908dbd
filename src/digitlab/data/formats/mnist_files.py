"""The four files of MNIST, and of every set published in its form: names and check sums."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.idx import idx_header
from digitlab.errors import DataError


@dataclass(frozen=True)
class PublishedFile:
    """One file: its name without .gz, SHA-256 of the .gz as published and of what it unpacks to, bytes of the .gz.

    The check sum of the .gz verifies a download, that of the content any copy, however it was packed since.
    """

    name: str
    sha256: str
    content: str
    size: int

    @property
    def gz(self) -> str:
        """The name as published."""
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
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        9_912_422,
    ),
    PublishedFile(
        "train-labels-idx1-ubyte",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        28_881,
    ),
    PublishedFile(
        "t10k-images-idx3-ubyte",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        1_648_877,
    ),
    PublishedFile(
        "t10k-labels-idx1-ubyte",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        4_542,
    ),
)


CLASSES = "classes.txt"


def missing_files(folder: Path) -> tuple[str, ...]:
    """The names of the four that `folder` does not hold; () if it holds them all."""
    return tuple(file.gz for file in FILES if file.find(folder) is None)


def check_published(path: Path, values: NDArray[np.uint8]) -> None:
    """DataError unless these values, just read from `path`, are to the byte what was published under its name."""
    file = next((file for file in FILES if path.name.replace(".idx", "-idx").removesuffix(".gz") == file.name), None)
    if file is None:
        return  # a validation set of the user's own
    found = hashlib.sha256(idx_header(values.shape))
    found.update(values.data)
    if found.hexdigest() != file.content:
        raise DataError(
            f"{path}: is not the published MNIST file: its content has the SHA-256 {found.hexdigest()}, "
            f"expected {file.content}. Delete it and fetch it again."
        )
