"""Saved networks: architecture and weights in one safetensors file, written atomically, without pickle.

The file's metadata holds the network's description as JSON under "digitlab"; its tensors are the parameters
and buffers by name ("0.W", "0.b" ...). https://github.com/huggingface/safetensors
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save, save_file

from digitlab.arrays import to_numpy
from digitlab.errors import ModelFileError
from digitlab.files import atomic_write, require_suffix
from digitlab.kinds import sniff
from digitlab.nn.io.description import describe_network
from digitlab.nn.scaling import describe_range

if TYPE_CHECKING:
    from digitlab.nn.network import Network

FORMAT = 1


def save_network(network: "Network", path: str | os.PathLike[str]) -> None:
    """Write the network to `path`; any earlier file there stays whole until the new one is. See `write_arrays`."""
    write_arrays(path, network.state(), network_metadata(network))


def network_bytes(network: "Network") -> bytes:
    """What `save_network` writes, for a program that sends it or puts it into a file of its own."""
    return save(*_contents(network.state(), network_metadata(network)))


def network_metadata(network: "Network") -> dict[str, Any]:
    """What a file says of a network besides its arrays."""
    metadata: dict[str, Any] = {
        "network": describe_network(network),
        "input_range": describe_range(network.input_range),
    }
    if network.class_names:
        metadata["class_names"] = list(network.class_names)
    return metadata


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Write named arrays and JSON-able metadata as one safetensors file, atomically.

    Raises ConfigError for a path with the suffix of another format: what is written is always safetensors.
    """
    require_suffix(path, "a saved network", ".safetensors")
    tensors, text = _contents(arrays, metadata)
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, metadata=text)


def _contents(
    arrays: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    """Tensors and metadata as safetensors takes them."""
    tensors = {name: np.ascontiguousarray(to_numpy(array)) for name, array in arrays.items()}
    return tensors, {"digitlab": json.dumps({"format": FORMAT, **metadata}, ensure_ascii=False)}


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


def require_file(path: str | os.PathLike[str]) -> None:
    """Raise ModelFileError if there is no such file."""
    if not Path(path).is_file():
        raise ModelFileError(f"{path}: no such file; `digitlab train` writes network.safetensors into its run folder")


def _opened(path: str | os.PathLike[str]) -> Any:
    require_file(path)
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        kind = sniff(path)
        found = f" but {kind}" if kind.name != "safetensors" else ""
        raise ModelFileError(
            f"{path}: not a safetensors file{found} ({error}); it may be cut short, or no network"
        ) from None
