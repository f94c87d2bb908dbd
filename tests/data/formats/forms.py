"""What the tests of accepted forms share: the true images and labels, and how to write them in this form or that.

A writer is a function of a folder; it gives back the source to load, or one or more cases (see `Expected`).
It is registered under the words of its row in docs/data.md.
"""

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from digitlab.data import DIGIT_NAMES, Digits, write_idx
from digitlab.data.formats.shared.families import FAMILIES


def images(n: int, seed: int) -> np.ndarray:
    """n images of 28×28 with ink inside and a blank rim, as digits have."""
    inside = np.random.default_rng(seed).integers(0, 256, (n, 20, 20), dtype=np.uint8)
    return np.pad(inside, ((0, 0), (4, 4), (4, 4)))


TRAIN = Digits(images(30, 1), np.arange(30) % 10)
TEST = Digits(images(12, 2), np.arange(12) % 10)
WHOLE = TRAIN
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
FASHION = FAMILIES["fashion-mnist"].class_names

Case = tuple[Any, ...]  # what a writer gives back: a source, and as much of `Expected` as is not the usual


class Expected(NamedTuple):
    """A source, how it is loaded, and what that gives. All of a source of one set is TRAIN."""

    source: Any
    how: dict[str, Any] = {}  # noqa: RUF012 (nothing changes it)
    train: np.ndarray = TRAIN.images
    names: tuple[str, ...] = DIGIT_NAMES
    test: np.ndarray = TEST.images


ONE: dict[str, Callable[[Path], Any]] = {}  # rows of one set: all of it is WHOLE
DIVIDED: dict[str, Callable[[Path], Any]] = {}  # rows of training and test sets: TRAIN and TEST
REFUSED: dict[str, Callable[[Path], Any]] = {}


def row(table: dict[str, Callable[[Path], Any]], words: str) -> Callable[[Any], Any]:
    def keep(writer: Callable[[Path], Any]) -> Callable[[Path], Any]:
        assert words not in table
        table[words] = writer
        return writer

    return keep


def lines(digits: Digits, *, label_at: int = 0, heading: bool = False, delimiter: str = ",", spell=str) -> str:
    """The digits as CSV."""
    rows = [[f"pixel{i}" for i in range(784)]] if heading else []
    rows += [[spell(pixel) for pixel in image.ravel().tolist()] for image in digits.images]
    labels = ["label" if label_at == 0 else "class"] if heading else []
    for cells, label in zip(rows, [*labels, *map(spell, digits.labels.tolist())]):
        cells.insert(label_at if label_at >= 0 else len(cells), label)
    return "\n".join(delimiter.join(cells) for cells in rows) + "\n"


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def flat(digits: Digits) -> np.ndarray:
    return digits.images.reshape(len(digits), -1)


def parquet(path: Path, columns: dict[str, Any], metadata: dict[str, str] | None = None) -> Path:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
    return path


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def pickled(path: Path, value: Any, protocol: int = 4) -> Path:
    return write(path, pickle.dumps(value, protocol))


def idx(folder: Path, *names: str) -> Path:
    for name, array in zip(names, (TRAIN.images, TRAIN.labels, TEST.images, TEST.labels)):
        write_idx(folder / name, array)
    return folder


def pair(folder: Path, train: str, test: str) -> Path:
    write(folder / train, lines(TRAIN))
    write(folder / test, lines(TEST))
    return folder


def pictures(folder: Path, digits: Digits, name: str = "{label}/{i:03}.png") -> Path:
    for i, (image, label) in enumerate(digits):
        write(folder / name.format(label=label, i=i), png(image))
    return folder


def by_name(digits: Digits) -> np.ndarray:
    """In the order of the names "label/number"."""
    return digits.images[np.argsort(digits.labels, kind="stable")]
