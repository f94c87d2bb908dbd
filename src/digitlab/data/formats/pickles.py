"""Data sets in pickles, read without running them (restricted_pickle.py): the books' files and dictionaries.

three pairs          Nielsen's mnist.pkl.gz and mnist_expanded.pkl.gz: training, validation, test
two pairs            ((x_train, y_train), (x_test, y_test)), as Keras's load_data gives
one pair             (images, labels)
a dictionary         {"train_img": …, "train_label": …, "test_img": …, "test_label": …} of "Deep Learning from
                     Scratch", {"data": …, "target": …}, or dictionaries within one: {"train": {"x": …, "y": …}, …}

In mnist.pkl.gz x is one float32 array (n, 784); in its expanded sister training is a list of 250,000 rows and a list
of labels. Values are byte / 256, so the bytes come back exactly. See Nielsen, mnist_loader.py and expand_mnist.py.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab import restricted_pickle
from digitlab.data.dataset import Digits, require_classes
from digitlab.data.formats.shared.contents import WHOLE, Contents, Reading, contents_of
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.named_arrays import paired_arrays, read_named
from digitlab.data.formats.shared.raw import Raw
from digitlab.data.formats.shared.safe_gzip import MAX_BYTES, SafeReader
from digitlab.data.splits import PARTS, Splits
from digitlab.errors import DataError, in_brief
from digitlab.files import require_file

# Real digits shrink to a thirteenth, as float64 to a twenty-fifth; a file that would grow fortyfold is none of them.
MAX_GROWTH, MAX_SMALL, MAX_LARGE = 40, 64 << 20, 4 << 30
_ROWS = 4096  # rows converted at a time, so that the floats need little memory


def read_nielsen(path: str | os.PathLike[str]) -> Splits:
    """The three sets of a `mnist.pkl.gz` (gzip or not), as uint8 images (n, 28, 28) and labels.

    Raises DataError for a pickle that asks for anything but arrays (nothing of it is run), for another layout,
    and for values that are not byte/256 or byte/255.
    """
    value = _load_pickle(path)
    if not _is_sequence(value, 3) or not all(_is_sequence(pair, 2) for pair in value):
        raise DataError(
            f"{path}: holds {_described(value)}, expected three pairs (images, labels) as in mnist.pkl.gz. "
            "If it is a saved network, load it as one."
        )
    return Splits(*_three_pairs(path, value))


def _load_pickle(path: str | os.PathLike[str]) -> Any:
    """The value in a pickle, gzip or not, without running it. Raises DataError."""
    limit = min(MAX_LARGE, max(MAX_SMALL, MAX_GROWTH * require_file(path).stat().st_size))
    with SafeReader(path, limit=limit) as file:
        # Byte strings stay bytes: turning 150 MB of pixels into text and back would cost twice the memory.
        value = restricted_pickle.load(file, what=str(file.path), encoding="bytes")
        file.expect_end()
    return value


def _three_pairs(path: str | os.PathLike[str], value: Sequence[Any]) -> list[Digits]:
    """Training, validation and test sets from three pairs (x, y) of values 0 … 1."""
    return [_read_pair(path, part, *pair) for part, pair in zip(PARTS, value)]


def _read_pair(path: str | os.PathLike[str], part: str, x: Any, y: Any) -> Digits:
    where = f"{path}: {part}"
    try:
        count = len(x)
        if isinstance(y, list | tuple) and not all(isinstance(label, int | np.integer) for label in y):
            raise TypeError("labels are no whole numbers")  # lists within lists could unpack to any size
        labels = np.asarray(y)  # (n,)
        if isinstance(x[0], list | tuple) and any(isinstance(value, list | tuple) for value in x[0]):
            raise TypeError("images are lists within lists")
        pixels = np.size(x[0])
        side = math.isqrt(pixels)
        if side * side != pixels:
            raise DataError(f"{where} has images of {pixels} values, expected a square number such as 784.")
        images = _bytes_of(where, x, count, pixels).reshape(count, side, side)
    except (TypeError, ValueError, IndexError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{where} holds {_described(x)} and {_described(y)}, expected rows of 784 numbers and their labels "
            f"({in_brief(error)})."
        ) from error
    if labels.dtype.kind not in "iu" or labels.shape != (count,):
        raise DataError(f"{where} has {count:,} images and labels {_described(y)}, expected {count:,} whole numbers.")
    require_classes(labels, 10, where)
    return Digits(images, labels.astype(np.int64))


def _bytes_of(where: str, x: Any, count: int, pixels: int) -> NDArray[np.uint8]:
    """Rows of values 0 … 1 as the bytes they came from: (count, pixels). The book's scale is 256; others use 255."""
    images = np.empty((count, pixels), dtype=np.uint8)
    furthest, found = -1, 0.0
    for scale in (256, 255):
        for start in range(0, count, _ROWS):
            rows = np.asarray(x[start : start + _ROWS], dtype=np.float64).reshape(-1, pixels)  # (≤4096, 784)
            exact = np.rint(rows * scale)
            with np.errstate(invalid="ignore"):  # infinity less infinity; NaN then fails the comparison, as it should
                good = (np.abs(rows * scale - exact) < 1e-3) & (exact >= 0) & (exact <= 255)  # float32 has 7 digits
            if not good.all():
                at = start * pixels + int(np.argmin(good))
                if at > furthest:  # the scale that got further is the one the values were meant for
                    furthest, found = at, float(rows.ravel()[at - start * pixels])
                break
            images[start : start + len(rows)] = exact
        else:
            return images
    row, column = divmod(furthest, pixels)
    raise DataError(
        f"{where}, image {row}, pixel {column}: found {found:.6g}, expected byte/256 or byte/255 "
        "(0 to 1). Export images as bytes 0–255, for instance with numpy.savez('data.npz', images=..., labels=...)."
    )


def _is_sequence(value: object, length: int) -> bool:
    """Whether a value is a tuple or a list of this length."""
    return isinstance(value, tuple | list) and len(value) == length


def _described(value: object) -> str:
    """What a value is, for messages."""
    if isinstance(value, np.ndarray):
        return f"an array {value.shape} of {value.dtype}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, tuple | list | dict) else "")


def read_pickle(path: Path, reading: Reading) -> Contents | dict[str, Raw]:
    """What a pickle holds. Raises DataError if it asks for anything but arrays and plain values, or is no data set."""
    value = _load_pickle(path)
    where = str(path)
    if isinstance(value, dict):
        arrays = _flat(value)
        return read_named(arrays, lambda name: _array(arrays[name], f"{where}: {name}"), where, reading)
    if _is_sequence(value, 3) and all(_is_sequence(pair, 2) for pair in value):
        return contents_of(dict(zip(PARTS, _three_pairs(path, value))), path.name)
    if _is_sequence(value, 2) and all(_is_sequence(pair, 2) for pair in value) and _has_rows(value[0][0]):
        pairs = dict(zip(("train", "test"), value))
    elif _is_sequence(value, 2) and isinstance(value[0], np.ndarray):
        pairs = {WHOLE: value}
    else:
        raise DataError(
            f"{path}: holds {_described(value)}, expected three pairs (images, labels) as in mnist.pkl.gz, or a "
            "dictionary with images and labels. If it is a saved network, name it as NET."
        )
    return {
        part: paired_arrays(_array(x, f"{where}: {part}"), _array(y, f"{where}: {part}"), f"{where}: {part}", reading)
        for part, (x, y) in pairs.items()
    }


def _has_rows(value: Any) -> bool:
    """Whether a value has two axes or more. NumPy would follow lists that name one list many times."""
    if isinstance(value, np.ndarray):
        return value.ndim > 1
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], list | tuple | np.ndarray)


def _flat(value: dict[Any, Any], before: str = "") -> dict[str, Any]:
    """A dictionary's values by name; those of dictionaries within it as "train/images"."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = before + (key.decode("latin-1") if isinstance(key, bytes) else str(key))
        found |= _flat(item, f"{name}/") if isinstance(item, dict) and not before else {name: item}
    return found


def _array(value: Any, where: str) -> NDArray[Any]:
    """An array, or a list of numbers or of arrays of one shape, as a plain array. Raises DataError."""
    if isinstance(value, list | tuple) and value:
        # Lists within lists could unpack to any size, since a pickle may name one list many times.
        plain = all(isinstance(item, int | float | np.number | bytes | str) for item in value)
        alike = all(isinstance(item, np.ndarray) and item.shape == np.shape(value[0]) for item in value)
        if alike and len(value) * value[0].nbytes > MAX_BYTES:
            raise DataError(f"{where}: holds {len(value):,} arrays, more than {MAX_BYTES:,} bytes; it was refused.")
        if plain and any(isinstance(item, bytes) for item in value):
            value = [item.decode("latin-1") if isinstance(item, bytes) else item for item in value]
        if plain or alike:
            return np.asarray(value)
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    raise DataError(f"{where}: holds {_described(value)}, expected an array of numbers.")


FORMAT = Format(("pickle",), read_pickle, gzip=True)
