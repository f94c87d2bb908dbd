"""Saved networks: architecture and weights in one safetensors file, written beside and renamed, no pickle.

The file's metadata holds the network's description as JSON under "digitlab"; its tensors are the parameters
and buffers by name ("0.W", "0.b" ...). https://github.com/huggingface/safetensors
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from digitlab.arrays import to_numpy
from digitlab.errors import DigitlabError, ModelFileError
from digitlab.files import atomic_write, require_suffix
from digitlab.kinds import sniff
from digitlab.nn.io.description import allowing, build_network, describe_network
from digitlab.nn.network import Network
from digitlab.nn.scaling import as_range, describe_range

FORMAT = 1
IN_FOLDERS = ("network.safetensors", "weights_file", "saved_wih.npy")  # a run's network; those of the books' programs


def save_network(network: Network, path: str | os.PathLike[str]) -> None:
    """Write the network to `path`; any earlier file there stays whole until the new one is. See `write_arrays`."""
    metadata = {"network": describe_network(network), "input_range": describe_range(network.input_range)}
    write_arrays(path, network.state(), metadata)


def load_network(path: str | os.PathLike[str]) -> Network:
    """The network in a file that `Network.save` wrote, in a run's folder, or in one of the formats of foreign.py.

    The content says what a file is, not its name. Raises ModelFileError if it is no network, saying what it is.
    """
    path = network_path(path)
    _require_file(path)
    kind = sniff(path)
    if kind.name != "safetensors" or kind.compressed:
        from digitlab.nn.io.importers import read_foreign

        return read_foreign(path)
    metadata = read_metadata(path)
    if "network" not in metadata or "trainer_rng" in metadata:
        raise ModelFileError(f"{path}: {_other_content(path, metadata)}")
    try:
        network = build_network(allowing(metadata["network"], path), seed=None)
        network.input_range = as_range(metadata.get("input_range"))
        network.load_state(read_arrays(path))
    except DigitlabError as error:
        raise ModelFileError(f"{path}: {error}") from error
    return network


def network_path(path: str | os.PathLike[str]) -> Path:
    """The file that holds the network: `path` itself, or for a run's folder the network in it.

    Raises ModelFileError for a folder of several runs.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    found = [path / name for name in IN_FOLDERS if (path / name).is_file()]
    if not found and (runs := sorted(path.glob("*/config.toml"))):
        raise ModelFileError(f"{path}: is a group of {len(runs)} runs; name one of them, such as {runs[0].parent}")
    return found[0] if found else path / IN_FOLDERS[0]


def _other_content(path: Path, metadata: Mapping[str, Any]) -> str:
    """What a safetensors file holds that is no network, and how to go on."""
    if "trainer_rng" in metadata:
        return f"is a checkpoint, from which training resumes; name the run's folder instead, {path.parent}"
    names = sorted(read_arrays(path))
    return (
        f"holds no digitlab network but arrays alone ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''}); "
        "expected a file written by network.save(). To use the arrays, build the network and call load_weights()"
    )


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Write named arrays and JSON-able metadata as one safetensors file, atomically.

    Raises ConfigError for a path with the suffix of another format: what is written is always safetensors.
    """
    require_suffix(path, "a saved network", ".safetensors")
    tensors = {name: np.ascontiguousarray(to_numpy(array)) for name, array in arrays.items()}
    text = json.dumps({"format": FORMAT, **metadata}, ensure_ascii=False)
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, metadata={"digitlab": text})


def read_arrays(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """All tensors of a safetensors file as NumPy arrays. Raises ModelFileError."""
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The metadata that `write_arrays` put into the file; {} for a safetensors file of another origin."""
    with _opened(path) as file:
        text = (file.metadata() or {}).get("digitlab", "{}")
    try:
        metadata = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelFileError(f"{path}: its description is not JSON ({error}); the file is damaged") from None
    if not isinstance(metadata, dict):
        raise ModelFileError(f"{path}: its description is {type(metadata).__name__}, expected a table")
    if metadata.get("format", FORMAT) != FORMAT:
        raise ModelFileError(
            f"{path}: written in format {metadata['format']}, this version reads {FORMAT}; update digitlab"
        )
    return metadata


def _require_file(path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file():
        raise ModelFileError(f"{path}: no such file; `digitlab train` writes network.safetensors into its run folder")


def _opened(path: str | os.PathLike[str]) -> Any:
    _require_file(path)
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        kind = sniff(path)
        found = f" but {kind}" if kind.name != "safetensors" else ""
        raise ModelFileError(
            f"{path}: not a safetensors file{found} ({error}); it may be cut short, or no network"
        ) from None
