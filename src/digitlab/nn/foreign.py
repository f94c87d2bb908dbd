"""Networks saved by the books' programs and those written after them, read as networks of ours.

    network2's JSON       "sizes", "weights" (a list of [out][in]), "biases" (a list of [[b], ...]), "cost"
    a pair of pickles     `weights_file` and `biases_file`: lists of arrays (out, in) and (out, 1)
    a pickled object      a whole `network.Network` with sizes, weights, biases
    a pair of .npy files  Rashid's `saved_wih.npy` and `saved_who.npy`: (hidden, in) and (out, hidden), no biases

Their neurons are sigmoids, and their weights (out, in): ours are the transpose. Pickles are read without running
them (restricted_pickle.py), so a file can at worst be refused.
"""

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from digitlab import restricted_pickle
from digitlab.errors import DataError, ModelFileError
from digitlab.nn.losses import CrossEntropy
from digitlab.nn.network import Dense, Layer, Loss, Network, Quadratic, Sigmoid

LARGEST = 256 * 2**20  # bytes; the books' networks are a thousandth of it
CLASSES = ("network.Network", "network2.Network", "neural_net.Net")  # whose pickled objects hold sizes and weights


def read_foreign(path: str | os.PathLike[str]) -> Network:
    """The network in a file of another program, told by its name; for a pair of files name either one.

    Raises ModelFileError saying what is wrong with the file, or which kinds are read.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"{path}: no such file; expected a saved network")
    if path.stat().st_size > LARGEST:
        raise ModelFileError(f"{path}: is {path.stat().st_size:,} bytes; expected a network of at most {LARGEST:,}")
    try:
        if path.name in ("weights_file", "biases_file"):
            weights, biases = (_pickled(path.with_name(name)) for name in ("weights_file", "biases_file"))
            return _network(weights, biases, Quadratic(), path)
        if path.suffix == ".npy":
            pair = [np.load(path.with_name(name), allow_pickle=False) for name in ("saved_wih.npy", "saved_who.npy")]
            return _network(pair, None, Quadratic(low=0.01, high=0.99), path, scaling="0.01-1")
        if path.suffix == ".json":
            return _from_json(path)
        if path.suffix in (".pkl", ".pickle"):
            saved = _pickled(path)
            return _network(saved.weights, saved.biases, Quadratic(), path)
    except (DataError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, ModelFileError):
            raise
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise ModelFileError(f"{path}: cannot be read as a network: {reason}") from error
    raise ModelFileError(
        f"{path}: a network of no kind read here; expected .safetensors, network2's .json, a pickled network .pkl, "
        "weights_file beside biases_file, or saved_wih.npy beside saved_who.npy"
    )


def _from_json(path: Path) -> Network:
    saved = json.loads(path.read_text(encoding="utf-8"))
    losses: dict[str, Loss] = {"CrossEntropyCost": CrossEntropy(), "QuadraticCost": Quadratic()}
    cost = saved.get("cost", "QuadraticCost")
    if cost not in losses:
        raise ModelFileError(f"{path}: unknown cost {cost!r}; expected {' or '.join(losses)}")
    return _network(saved["weights"], saved["biases"], losses[cost], path)


def _pickled(path: Path) -> Any:
    with path.open("rb") as file:
        return restricted_pickle.load(file, allowed=CLASSES, what=str(path))


def _network(
    weights: Sequence[Any], biases: Sequence[Any] | None, loss: Loss, path: Path, scaling: str = "/256"
) -> Network:
    """Dense layers with these weights (out, in), sigmoids between them; /256 is how the book's data was scaled."""
    matrices = [np.asarray(w, dtype=np.float64).T for w in weights]  # (in, out)
    vectors = [np.asarray(b, dtype=np.float64).ravel() for b in biases] if biases is not None else []  # (out,)
    fits = all(m.ndim == 2 for m in matrices) and all(a.shape[1] == b.shape[0] for a, b in pairwise(matrices))
    if not matrices or not fits or (biases is not None and [len(v) for v in vectors] != [m.shape[1] for m in matrices]):
        shapes = [m.T.shape for m in matrices], [v.shape for v in vectors]
        raise ModelFileError(f"{path}: weights and biases of shapes {shapes[0]} and {shapes[1]} do not make a chain")
    layers: list[Layer] = []
    for matrix in matrices:
        layers += [Dense(matrix.shape[1]) if biases is not None else Dense(matrix.shape[1], biases=None), Sigmoid()]
    network = Network(layers[:-1], matrices[0].shape[0], loss, scaling=scaling, seed=None)
    arrays = {f"{2 * i}.W": matrix for i, matrix in enumerate(matrices)}
    network.load_state(arrays | {f"{2 * i}.b": vector for i, vector in enumerate(vectors)})
    return network
