"""Saved networks: architecture and weights in one safetensors file, written atomically, without pickle.

The file's metadata holds the network's description as JSON under "digitlab"; its tensors are the parameters
and buffers by name ("0.W", "0.b" ...). https://github.com/huggingface/safetensors
The JSON also holds the version of digitlab that wrote it and the SHA-256 of the content, which is compared on reading.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from digitlab import __version__
from digitlab.arrays import to_numpy
from digitlab.errors import ModelFileError, in_brief
from digitlab.files import atomic_write, require_suffix, special
from digitlab.kinds import sniff
from digitlab.nn.io.description import describe_network
from digitlab.nn.scaling import describe_range

if TYPE_CHECKING:
    from digitlab.nn.network import Network

Array = np.ndarray[Any, Any]
FORMAT = 1
NUMBERS = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")  # safetensors' names
VERSION, CHECKSUM = "digitlab_version", "sha256"  # in the metadata, the checksum last
logger = logging.getLogger("digitlab")
_noted = False


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
        temporary.write_bytes(save(tensors, text))  # safetensors' own writer hides which error it was


def _contents(
    arrays: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    """Tensors and metadata as safetensors takes them."""
    tensors = {name: np.ascontiguousarray(to_numpy(array)) for name, array in arrays.items()}
    text = json.dumps({"format": FORMAT, **metadata, VERSION: __version__}, ensure_ascii=False)
    return tensors, {"digitlab": f'{text[:-1]}, "{CHECKSUM}": "{_checksum(text, tensors)}"}}'}


class Saved(NamedTuple):
    """A safetensors file's content: what `write_arrays` was given, and the version of digitlab that wrote it or ""."""

    arrays: dict[str, Array]
    metadata: dict[str, Any]
    version: str


def read_saved(path: str | os.PathLike[str]) -> Saved:
    """Tensors and metadata of a safetensors file, compared with its checksum; {} for the metadata of another origin.

    A digitlab file without a checksum, as older versions wrote it, is read with a note in the log, one per process.
    Raises ModelFileError for a file that is none, is damaged, holds NaN or infinite weights, or has a newer format.
    """
    require_file(path)
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("digitlab", "{}")
            _check_types(path, file)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except ModelFileError:
        raise
    except Exception as error:  # safetensors has errors of several kinds for files that are damaged
        kind = sniff(path)
        found = f" but {kind}" if kind.name != "safetensors" else ""
        raise ModelFileError(
            f"{path}: not a safetensors file{found} ({in_brief(error)}); it may be cut short, or no network"
        ) from None
    metadata = _parsed(path, text)
    version, checksum = str(metadata.pop(VERSION, "")), metadata.pop(CHECKSUM, None)
    if version or checksum is not None:
        content = text.rpartition(f', "{CHECKSUM}"')[0] + "}"
        if checksum != _checksum(content, arrays):
            raise ModelFileError(f"{path}: its content differs from its checksum; the file is damaged. Fetch it again")
    elif metadata:
        _note_old(path)
    for name, array in arrays.items():
        learned = not name.startswith(("optimizer/", "callback/"))  # of a checkpoint: they may hold an infinity
        if learned and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFileError(f"{path}: {name} contains NaN or infinity, as after a training that diverged")
    return Saved(arrays, metadata, version)


def _check_types(path: str | os.PathLike[str], file: Any) -> None:
    """Raises ModelFileError for a tensor of a type that NumPy lacks, such as BF16."""
    for name in file.keys():  # noqa: SIM118 (not a dict)
        if (kind := file.get_slice(name).get_dtype()) not in NUMBERS:
            raise ModelFileError(
                f"{path}: {name} has type {kind}, expected one that NumPy has, such as F32; "
                "convert it before you save it, in PyTorch by tensor.float()"
            )


def read_arrays(path: str | os.PathLike[str]) -> dict[str, Array]:
    """All tensors of a safetensors file as NumPy arrays. Raises ModelFileError."""
    return read_saved(path).arrays


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The metadata that `write_arrays` put into the file; {} for a safetensors file of another origin."""
    return read_saved(path).metadata


def _note_old(path: str | os.PathLike[str]) -> None:
    global _noted
    if not _noted:
        logger.warning("%s: has no checksum (digitlab 0.2 or older wrote it); damage would not be noticed", path)
    _noted = True


def _parsed(path: str | os.PathLike[str], text: str) -> dict[str, Any]:
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: its description is not JSON ({in_brief(error)}); the file is damaged") from None
    if not isinstance(metadata, dict):
        raise ModelFileError(f"{path}: its description is {type(metadata).__name__}, expected a table")
    if metadata and metadata.get("format", FORMAT) != FORMAT:
        raise ModelFileError(
            f"{path}: written in format {metadata['format']!s:.20}, this version reads {FORMAT}; update digitlab"
        )
    return metadata


def _checksum(text: str, arrays: Mapping[str, Array]) -> str:
    """SHA-256 of the metadata's text and of every array's name, type, shape and bytes."""
    content = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        content.update(f"\0{name}\0{array.dtype.str}{array.shape}\0".encode())
        content.update(array.data if array.size else b"")
    return content.hexdigest()


def require_file(path: str | os.PathLike[str]) -> None:
    """Raise ModelFileError if there is no such file."""
    if Path(path).exists() and not Path(path).is_file():
        found = "a folder" if Path(path).is_dir() else special(Path(path))
        raise ModelFileError(f"{path}: is {found}; expected the file of a network, network.safetensors")
    if not Path(path).exists():
        raise ModelFileError(f"{path}: no such file; `digitlab train` writes network.safetensors into its run folder")
