"""Weights that other programs saved without their layers, taken over by a network that has these layers.

    safetensors   PyTorch's state dict, and others
    npz           arrays by name, such as Keras's `get_weights`
    h5            Keras: `save_weights` and `save`

Arrays are matched by shape, in the order of the file among equal shapes. Names that end in .weight and .bias are
PyTorch's: (out, in) for a dense layer, (F, C, kh, kw) for a convolution, and pictures flattened channels first.
"""

import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.errors import ModelFileError, in_brief, not_among
from digitlab.files import unpacked_limit
from digitlab.kinds import sniff
from digitlab.nn.io.files import read_arrays
from digitlab.nn.network import Dense, Network
from digitlab.nn.reshaping import Flatten

LARGEST = 256 * 2**20  # bytes
DAMAGED = (ValueError, OSError, EOFError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)


def take_weights(network: Network, path: Path, names: Mapping[str, str] | None = None) -> list[str]:
    """Load the arrays of a file into the network; returns a line for each: "0.W ← layers.0.weight, transposed".

    `names` says which array of the file a parameter takes, {"0.W": "encoder.weight"}; the others are matched by shape.
    Raises ModelFileError for a file of another kind, an unknown name, or if a parameter has no array or an array no
    parameter.
    """
    arrays = read_weights(path)
    torch = any(name.endswith((".weight", ".bias")) for name in arrays)
    left, state, lines, names = dict(arrays), {}, [], names or {}
    for known, wanted, where in ((network.parameters(), names, "the network"), (arrays, names.values(), path)):
        if unknown := [name for name in wanted if name not in known]:
            raise ModelFileError(f"map: {where} has no array {not_among(unknown[0], known)}")
    named = set(names.values())
    for name, parameter in network.parameters().items():
        shape = parameter.value.shape
        free = [names[name]] if name in names else [key for key in left if key not in named]
        found = next((key for key in free if key in left and _as_ours(left[key], torch).shape == shape), None)
        if found is None:
            have = ", ".join(f"{key} {array.shape}" for key, array in left.items()) or "nothing"
            raise ModelFileError(f"{path}: has no array for {name} {shape}; left are {have}")
        array = _as_ours(left.pop(found), torch)
        changed = ", transposed" if torch and array.ndim > 1 else ""
        if torch and (picture := _picture_before(network, name)) is not None:
            h, w, c = picture
            array = array.reshape(c, h, w, -1).transpose(1, 2, 0, 3).reshape(shape)
            changed += " and its rows in the order of channels-last pictures"
        state[name] = array
        lines.append(f"{name} ← {found}{changed}")
    if left:
        raise ModelFileError(f"{path}: has arrays that the network has no place for: {', '.join(left)}")
    network.load_state({**network.state(), **state})
    return lines


def read_weights(path: Path) -> dict[str, Any]:
    """The arrays of numbers in a file by name, in natural order. Raises ModelFileError."""
    kind = sniff(path)
    readers = {"safetensors": lambda p: read_arrays(p).items(), "npz": _npz, "hdf5": _hdf5}
    if kind.name not in readers or kind.compressed:
        raise ModelFileError(f"{path}: is {kind}; expected weights as safetensors, .npz or .h5")
    if path.stat().st_size > LARGEST:
        raise ModelFileError(f"{path}: has more than {LARGEST:,} bytes; expected weights of at most that")
    try:
        found = dict(readers[kind.name](path))
    except DAMAGED as error:
        raise ModelFileError(f"{path}: cannot be read as weights: {in_brief(error)}") from error
    for name, array in found.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFileError(f"{path}: {name} contains NaN or infinity")
    numbers = {name: array for name, array in found.items() if array.dtype.kind == "f"}
    return dict(sorted(numbers.items(), key=lambda item: _natural(item[0])))


def _npz(path: Path) -> Iterator[tuple[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        limit = unpacked_limit(path.stat().st_size, LARGEST)
        if sum(member.file_size for member in archive.infolist()) > limit:
            raise ValueError(f"its arrays have more than {limit:,} bytes")
        for member in archive.infolist():
            with archive.open(member) as file:
                yield member.filename.removesuffix(".npy"), read_npy(file.read(), member.filename)


def read_npy(content: bytes, name: str) -> Any:
    """The array in a .npy file. Raises ValueError for objects, or fewer numbers than the header promises."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)  # the header first: it says how much would be allocated
    if dtype.hasobject or dtype.itemsize * math.prod(shape) > len(content):
        raise ValueError(f"{name} holds objects, or fewer numbers than it says")
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _hdf5(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        import h5py
    except ImportError:
        raise ModelFileError(f"{path}: is an HDF5 file, and h5py is not installed; pip install h5py") from None
    found: list[Any] = []
    with h5py.File(path, "r") as file:
        file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
        weights = [d for d in found if d.dtype.kind == "f" and d.ndim and not d.name.startswith("/optimizer")]
        if any(d.is_virtual or d.external for d in weights):
            raise ValueError("its arrays are in other files")
        limit = unpacked_limit(path.stat().st_size, LARGEST)
        if sum(d.nbytes for d in weights) > limit:
            raise ValueError(f"its arrays have more than {limit:,} bytes")
        for dataset in weights:
            yield dataset.name.strip("/"), dataset[()]


def _as_ours(array: Any, torch: bool) -> Any:
    """PyTorch's array with its axes in our order; another program's as it is."""
    if torch and array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    return array.T if torch and array.ndim == 2 else array


def _picture_before(network: Network, name: str) -> tuple[int, ...] | None:
    """The shape (H, W, C) of the pictures that a dense layer's weights see through a Flatten; None for all others."""
    place, _, key = name.rpartition(".")
    if key != "W" or not place.isdecimal() or not isinstance(network.layers[int(place)], Dense):
        return None
    before = [i for i in range(int(place)) if isinstance(network.layers[i], Flatten)]
    if not before or any(network.layers[i].params for i in range(before[-1], int(place))):
        return None
    shape = network.shapes[before[-1]]
    return shape if len(shape) == 3 else None


def _natural(name: str) -> list[Any]:
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
