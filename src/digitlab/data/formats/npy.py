"""NumPy's .npy files: one array each, so that images and labels are two files, x_train.npy and y_train.npy."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.formats.shared.contents import WHOLE, Reading
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.named_arrays import IMAGES, LABELS, arrange, read_named, role
from digitlab.data.formats.shared.raw import Raw
from digitlab.data.formats.shared.safe_gzip import MAX_BYTES
from digitlab.errors import DataError, in_brief
from digitlab.files import require_file


def read_pair(path: Path, reading: Reading) -> dict[str, Raw]:
    """The set in one .npy file and its partner in the same folder: images.npy and labels.npy, x_train and y_train.

    Raises DataError if there is no such file.
    """
    mine = role(path.stem)
    for other in sorted(path.parent.glob("*.npy")) if mine is not None else ():
        theirs = role(other.stem)
        if theirs is not None and mine is not None and theirs[0] == mine[0] and theirs[1] != mine[1]:
            return {WHOLE: next(iter((read_files([path, other], reading) or {}).values()))}
    raise DataError(
        f"{path}: is one array, expected a second in the same folder: {IMAGES[0]}.npy and {LABELS[0]}.npy, "
        "or x_train.npy and y_train.npy. `digitlab predict` reads images without labels."
    )


def read_files(paths: Sequence[Path], reading: Reading) -> dict[str, Raw] | None:
    """The sets in several .npy files, by their names (see named_arrays.py); None if no names say so."""
    files = {path.stem: path for path in paths}
    if not arrange(files):
        return None
    return read_named(files, lambda stem: read_npy(files[stem]), str(paths[0].parent), reading)


def read_npy(path: Path) -> NDArray[Any]:
    """The array in a .npy file. Raises DataError."""
    return read_array(require_file(path).open, path.stat().st_size, f"{path}:", MAX_BYTES)


def read_array(open_file: Callable[..., IO[bytes]], size: int, what: str, limit: int) -> NDArray[Any]:
    """The array in an open .npy file or member of `size` bytes; objects are never loaded.

    The header is compared with the size and the `limit` before memory is taken.
    Raises DataError, beginning with `what`.
    """
    try:
        with open_file("rb") as file:
            version = np.lib.format.read_magic(file)
            read_header = (
                np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read_header(file)
            promised = math.prod(shape) * dtype.itemsize
            if not dtype.itemsize or 0 in shape[1:]:
                raise DataError(
                    f"{what} promises {shape!s:.80} of {dtype!s:.80}, which are no bytes at all; expected numbers."
                )
            if dtype.hasobject:
                raise DataError(
                    f"{what} holds Python objects, which are never loaded; expected numbers. "
                    "Save it as a uint8 array (images) or an integer array (labels)."
                )
            if promised > limit or promised != size - file.tell():
                raise DataError(
                    f"{what} promises {shape!s:.80} of {dtype!s:.80}, {promised:,} bytes, found {size:,} "
                    f"(limit {limit:,}). "
                    "The file is damaged; fetch or export it again."
                )
        with open_file("rb") as file:
            array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{what} is not a readable array ({in_brief(error)}). Export it again.") from error
    return array


FORMAT = Format(("npy",), read_pair)
