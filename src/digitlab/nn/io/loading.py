"""A network from a file, whichever program wrote it, or from a run's folder."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from digitlab import __version__
from digitlab.arguments import checked
from digitlab.errors import DigitlabError, ModelFileError
from digitlab.kinds import sniff
from digitlab.nn.io.building import allowing, build_network
from digitlab.nn.io.files import read_saved, require_file
from digitlab.nn.io.stored import stored
from digitlab.nn.network import Network
from digitlab.nn.scaling import as_range

__all__ = ["load_network"]

IN_FOLDERS = ("network.safetensors", "weights_file", "saved_wih.npy")  # a run's network; those of the books' programs


@checked
def load_network(path: str | os.PathLike[str]) -> Network:
    """The network in a file that `Network.save` wrote, in a run's folder, or in one of the formats of importers.py.

    The content says what a file is, not its name. Raises ModelFileError if it is no network, saying what it is.
    """
    path = network_path(path)
    require_file(path)
    kind = sniff(path)
    if kind.name != "safetensors" or kind.compressed:
        from digitlab.nn.io.importers import read_foreign

        return read_foreign(path)
    arrays, metadata, version = read_saved(path)
    if "network" not in metadata or "trainer_rng" in metadata:
        raise ModelFileError(f"{path}: {_other_content(path, metadata, arrays)}")
    try:
        with stored(sum(array.size for array in arrays.values())):
            network = build_network(allowing(metadata["network"], path), seed=None)
        network.input_range = as_range(metadata.get("input_range"))
        names = metadata.get("class_names", [])  # absent in older files
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ModelFileError(f"class_names: got {names!r}, expected a list of names")
        network.class_names = tuple(names)
        network.load_state(arrays)
    except (DigitlabError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        if version not in ("", __version__):
            reason += f"; the file was written by digitlab {version:.20}, and this is {__version__}"
        raise ModelFileError(f"{path}: {reason:.1000}") from error
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


def _other_content(path: Path, metadata: Mapping[str, Any], names: Collection[str]) -> str:
    """What a safetensors file holds that is no network, and how to go on."""
    if "trainer_rng" in metadata:
        return f"is a checkpoint, from which training resumes; name the run's folder instead, {path.parent}"
    names = sorted(names)
    return (
        f"holds no digitlab network but arrays alone ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''}); "
        "expected a file written by network.save(). To use the arrays, build the network and call load_weights()"
    )
