"""Networks saved by the books' programs and those written after them, read as networks of ours.

    network2's JSON       "sizes", "weights" (a list of [out][in]), "biases" (a list of [[b], ...]), "cost"
    a pair of pickles     `weights_file` and `biases_file`: lists of arrays (out, in) and (out, 1)
    a pickled object      a whole `network.Network` with sizes, weights, biases; or a table or pair of these
    a pair of .npy files  Rashid's `saved_wih.npy` and `saved_who.npy`: (hidden, in) and (out, hidden), no biases

Their neurons are sigmoids, and their weights (out, in): ours are the transpose. Pickles are read without running
them (restricted_pickle.py), so a file can at worst be refused. Files are recognized by content, not suffix, and
may be compressed with gzip; every other kind of file is named, and the message says how to continue.
"""

import gzip
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab import restricted_pickle
from digitlab.errors import ModelFileError, in_brief, quoted
from digitlab.kinds import Kind, sniff
from digitlab.nn.io.foreign_weights import read_npy
from digitlab.nn.losses import CrossEntropy
from digitlab.nn.network import Dense, Layer, Loss, Network, Quadratic, Sigmoid

LARGEST = 256 * 2**20  # bytes; the books' networks are a thousandth of it
GROWTH, SMALL = 10, 8 << 20  # what a compressed file may unpack to: so many times its size, or so many bytes
MOST_LAYERS = 1000
MODULES = ("network", "network2", "neural_net", "__main__")  # where the pickled classes were defined
CLASSES = tuple(f"{m}.{name}" for m in MODULES for name in ("Network", "Net", "CrossEntropyCost", "QuadraticCost"))
LOSSES: dict[str, Loss] = {"CrossEntropyCost": CrossEntropy(), "QuadraticCost": Quadratic()}
PAIRS = (("weights", "biases"), ("wih", "who"))  # what tells the names of a pair apart, the first file's first

_ARRAYS = (
    "Build the same layers with digitlab.Network and give it the weights as arrays: "
    "network.load_state({'0.W': ..., '0.b': ...}), each W of shape (in, out)"
)
_MEND = {
    "torch": f"{_ARRAYS}, such as model[0].weight.detach().numpy().T",
    "hdf5": f"{_ARRAYS}, such as model.layers[0].get_weights()[0]",
    "keras": f"{_ARRAYS}, such as model.layers[0].get_weights()[0]",
    "onnx": f"{_ARRAYS}, such as onnx.numpy_helper.to_array(model.graph.initializer[0])",
    "tflite": _ARRAYS,
    "npz": f"Name it as data if it holds images. If it holds weights: {_ARRAYS}",
    "html": "Fetch the file itself",
    "git-lfs": "Fetch the file itself",
}
_EXPECTED = "expected a .safetensors file, a run's folder, or a file of the books' programs (JSON, pickle, .npy)"


def read_foreign(path: str | os.PathLike[str]) -> Network:
    """The network in a file of another program; for a pair of files name either one.

    Raises ModelFileError saying what the file is, what is wrong with it, and how to go on.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"{path}: no such file; expected a saved network")
    kind = sniff(path)
    if kind.name == "onnx":
        from digitlab.nn.io.onnx_reader import read_onnx

        try:
            return read_onnx(path)
        except ModelFileError as error:
            fault = f"not a safetensors file but {kind}, which cannot be read as a network: {error}"
            raise ModelFileError(f"{path}: {fault}. {_MEND['onnx']}") from error
    try:
        if kind.name == "npy":
            pair = [read_npy(_content(file), file.name) for file in _pair(path)]
            return _network(pair, None, Quadratic(low=0.01, high=0.99), path, scaling="0.01-1")
        if kind.name == "json":
            return _from_parts(_parsed(path), path)
        if kind.name == "pickle":
            return _from_parts(_unpickled(path), path)
    except Exception as error:  # a damaged file fails in many ways
        if isinstance(error, ModelFileError) and str(path) in str(error):
            raise
        named = f"not a safetensors file but {kind}, which " if path.suffix == ".safetensors" else ""
        reason = f"it lacks {in_brief(error)}" if isinstance(error, KeyError) else in_brief(error, 600)
        if isinstance(error, RecursionError):
            reason = "its lists are nested too deeply"
        raise ModelFileError(f"{path}: {named}cannot be read as a network: {reason}") from error
    raise ModelFileError(
        f"{path}: not a safetensors file but {kind}, which cannot be read as a network. {_way_on(path, kind)}"
    )


def _way_on(path: Path, kind: Kind) -> str:
    """What to do with a file of a kind that is not read here."""
    run = path.parent
    if kind.name in _MEND:
        return f"{_MEND[kind.name]}."
    if kind.name == "safetensors":
        return f"Unpack it first: gunzip -c {path} > network.safetensors"
    if path.name != "network.safetensors" and (run / "config.toml").is_file():
        return f"It belongs to a run: name the run's folder, {run}."
    if kind.holds == "archive":
        return "Unpack it first."
    if kind.holds in ("data", "picture"):
        return "It holds data: name a network first, then the data."
    return f"It may be cut short, or no network; {_EXPECTED}."


def _content(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is gzip, LARGEST of them at most."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    size = path.stat().st_size
    # Lists in JSON take twenty times the memory of their text.
    limit = min(LARGEST, max(SMALL, GROWTH * size)) if packed else LARGEST
    try:
        with gzip.open(path) if packed else path.open("rb") as content:
            # `read` makes room for all the bytes that it is asked for, so it is not asked for more than there are.
            data: bytes = content.read((limit if packed else min(limit, size)) + 1)
    except (EOFError, zlib.error) as error:
        raise ModelFileError(
            f"the compressed data are damaged ({in_brief(error)}); save or fetch the file again"
        ) from error
    if len(data) > limit:
        unpacked = "unpacks to" if packed else "has"
        raise ModelFileError(f"it {unpacked} more than {limit:,} bytes; expected a network of at most that")
    return data


def _pair(path: Path) -> list[Path]:
    """The two files of a network that was saved as two, in their order; ValueError for a name of no such pair."""
    for first, second in PAIRS:
        for one, other in ((first, second), (second, first)):
            if one in path.name:
                partner = path.with_name(path.name.replace(one, other))
                if not partner.is_file():
                    raise ValueError(f"it is half of a network, and the other half, {partner}, is missing")
                return [path, partner] if one == first else [partner, path]
    names = " or ".join(f"..{first}.. beside ..{second}.." for first, second in PAIRS)
    raise ValueError(f"it holds arrays and its name does not say which; expected a pair of files named {names}")


def _parsed(path: Path) -> Any:
    saved = json.loads(_content(path).decode("utf-8-sig"))
    if isinstance(saved, dict) and "layers" in saved and "weights" not in saved:
        way_on = f"digitlab train --from-file {quoted(path)}"
        raise ValueError(f"it describes layers and holds no weights; train them with: {way_on}")
    if isinstance(saved, dict) and "class_name" in saved:
        raise ValueError(f"it is Keras's description of layers and holds no weights. {_ARRAYS}")
    return saved


def _unpickled(path: Path) -> Any:
    """What was pickled: an object, a table, or a pair of lists; of a pair of files, both."""
    saved = restricted_pickle.load(_content(path), allowed=CLASSES, what=str(path))
    if isinstance(saved, list) and saved and all(isinstance(array, np.ndarray) for array in saved):
        saved = [restricted_pickle.load(_content(file), allowed=CLASSES, what=str(file)) for file in _pair(path)]
    if isinstance(saved, tuple | list) and len(saved) == 3:
        raise ValueError("it holds three parts, as data sets do. Name a network first, then the data")
    return saved


def _from_parts(saved: Any, path: Path) -> Network:
    """A network of weights and biases: attributes of an object, entries of a table, or a pair of lists."""
    if isinstance(saved, tuple | list) and len(saved) == 2 and all(isinstance(part, tuple | list) for part in saved):
        saved = dict(zip(("weights", "biases"), saved))
    if isinstance(saved, restricted_pickle.PickledObject):
        saved = saved.attributes
    if not isinstance(saved, Mapping):
        raise ValueError(f"it holds a {type(saved).__name__}; expected weights and biases")
    cost = saved.get("cost", "QuadraticCost")
    cost = cost.__name__ if isinstance(cost, type) else cost
    if not isinstance(cost, str) or cost not in LOSSES:
        # The text of lists that hold one another twice would fill the memory: they are named, not shown.
        found = repr(cost[:80]) if isinstance(cost, str) else f"a {type(cost).__name__}"
        raise ValueError(f"unknown cost: {found}; expected {' or '.join(LOSSES)}")
    return _network(saved["weights"], saved["biases"], LOSSES[cost], path)


def _array(value: Any, made: dict[int, NDArray[np.float64]], depth: int = 2) -> NDArray[np.float64]:
    """An array of numbers, or lists of numbers or arrays nested up to `depth` deep, as float64.

    `made` holds the arrays of lists by identity: a pickle may name one list many times. Raises ValueError.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        return np.asarray(value, np.float64)
    if not isinstance(value, list | tuple) or depth == 0:
        raise ValueError(f"its weights or biases contain a {type(value).__name__}; expected arrays of numbers")
    if id(value) not in made:
        lists = [item for item in value if not isinstance(item, int | float | np.number)]
        rows: Sequence[Any] = [_array(item, made, depth - 1) for item in lists] or value
        if len(rows) != len(value):
            raise ValueError("its weights or biases contain numbers beside arrays")
        if lists and sum(row.nbytes for row in rows) > LARGEST:
            raise ValueError(f"its weights have more than {LARGEST:,} bytes")
        try:
            made[id(value)] = np.array(rows, np.float64)
        except OverflowError as error:
            raise ValueError("it holds a number too large for a weight") from error
    return made[id(value)]


def _arrays(values: Any, name: str) -> list[NDArray[np.float64]]:
    """The layers' weights or biases. Raises ValueError for anything but a list of finite numbers for each layer."""
    if not isinstance(values, list | tuple) or not 0 < len(values) <= MOST_LAYERS:
        found = f"{len(values):,}" if isinstance(values, list | tuple) else f"a {type(values).__name__}"
        raise ValueError(
            f"{name}: got {found}, expected a list of arrays, one for each of at most {MOST_LAYERS} layers"
        )
    made: dict[int, NDArray[np.float64]] = {}
    arrays = [_array(value, made) for value in values]
    if sum(array.nbytes for array in arrays) > LARGEST:
        raise ValueError(f"{name}: more than {LARGEST:,} bytes")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(f"{name}: contain NaN or infinity, as after a training that diverged")
    return arrays


def _network(weights: Any, biases: Any, loss: Loss, path: Path, scaling: str = "/256") -> Network:
    """Dense layers with these weights (out, in), sigmoids between them; /256 is how the book's data was scaled."""
    matrices = [w.T for w in _arrays(weights, "weights")]  # (in, out)
    vectors = [b.ravel() for b in _arrays(biases, "biases")] if biases is not None else []  # (out,)
    fits = all(m.ndim == 2 for m in matrices) and all(a.shape[1] == b.shape[0] for a, b in pairwise(matrices))
    if not fits or (biases is not None and [len(v) for v in vectors] != [m.shape[1] for m in matrices]):
        shapes = [m.T.shape for m in matrices], [v.shape for v in vectors]
        raise ModelFileError(f"{path}: weights and biases of shapes {shapes[0]} and {shapes[1]} do not make a chain")
    layers: list[Layer] = []
    for matrix in matrices:
        layers += [Dense(matrix.shape[1]) if biases is not None else Dense(matrix.shape[1], biases=None), Sigmoid()]
    network = Network(layers[:-1], matrices[0].shape[0], loss, scaling=scaling, seed=None)
    arrays = {f"{2 * i}.W": matrix for i, matrix in enumerate(matrices)}
    network.load_state(arrays | {f"{2 * i}.b": vector for i, vector in enumerate(vectors)})
    return network
