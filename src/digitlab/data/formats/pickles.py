"""Data sets in pickles, read without running them (restricted_pickle.py): the books' files and dictionaries.

three pairs          Nielsen's mnist.pkl.gz: training, validation, test
two pairs            ((x_train, y_train), (x_test, y_test)), as Keras's load_data gives
one pair             (images, labels)
a dictionary         {"train_img": …, "train_label": …, "test_img": …, "test_label": …} of "Deep Learning from
                     Scratch", {"data": …, "target": …}, or dictionaries within one: {"train": {"x": …, "y": …}, …}
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.contents import Contents, Reading
from digitlab.data.formats.named_arrays import paired_arrays, read_named
from digitlab.data.formats.nielsen_pickle import described, is_sequence, load_pickle, three_pairs
from digitlab.data.formats.raw import WHOLE, to_contents
from digitlab.data.formats.safe_gzip import MOST_BYTES
from digitlab.errors import DataError


def pickle_contents(path: Path, reading: Reading) -> Contents:
    """What a pickle holds. Raises DataError if it asks for anything but arrays and plain values, or is no data set."""
    value = load_pickle(path)
    where = str(path)
    if isinstance(value, dict):
        arrays = _flat(value)
        return read_named(arrays, lambda name: _array(arrays[name], f"{where}: {name}"), where, reading, path.name)
    if is_sequence(value, 3) and all(is_sequence(pair, 2) for pair in value):
        train, valid, test = three_pairs(path, value)
        return Contents(train, valid, test).named(path.name)
    if is_sequence(value, 2) and all(is_sequence(pair, 2) for pair in value) and np.ndim(value[0][0]) > 1:
        pairs = dict(zip(("train", "test"), value))
    elif is_sequence(value, 2) and isinstance(value[0], np.ndarray):
        pairs = {WHOLE: value}
    else:
        raise DataError(
            f"{path}: holds {described(value)}, expected three pairs (images, labels) as in mnist.pkl.gz, or a "
            "dictionary with images and labels. If it is a saved network, name it where NET stands."
        )
    raws = {
        part: paired_arrays(_array(x, f"{where}: {part}"), _array(y, f"{where}: {part}"), f"{where}: {part}", reading)
        for part, (x, y) in pairs.items()
    }
    return to_contents(raws, reading.class_names, path.name)


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
        if alike and len(value) * value[0].nbytes > MOST_BYTES:
            raise DataError(f"{where}: holds {len(value):,} arrays, more than {MOST_BYTES:,} bytes; it was refused.")
        if plain and any(isinstance(item, bytes) for item in value):
            value = [item.decode("latin-1") if isinstance(item, bytes) else item for item in value]
        if plain or alike:
            return np.asarray(value)
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    raise DataError(f"{where}: holds {described(value)}, expected an array of numbers.")
