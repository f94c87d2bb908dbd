"""What a format of exported networks is, and the list of them, found in formats/."""

import importlib
import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from digitlab.arguments import checked
from digitlab.errors import ConfigError, not_among
from digitlab.files import require_suffix
from digitlab.nn import Network


@dataclass(frozen=True)
class ExportFormat:
    """A format that networks are written in.

    name     what `digitlab export --to` calls it
    suffix   of the file; "" for a folder
    about    one line for the help: what is written, and for whom
    write    writes a network to a path and returns the files that it wrote. Raises ConfigError for a network that the
             format cannot hold, naming the layer
    """

    name: str
    suffix: str
    about: str
    write: Callable[[Network, Path], list[Path]]


def export_formats() -> dict[str, ExportFormat]:
    """All formats by name."""
    names = [found.name for found in pkgutil.iter_modules([str(Path(__file__).parent / "formats")])]
    modules = (importlib.import_module(f"digitlab.exporting.formats.{name}") for name in names)
    return {module.FORMAT.name: module.FORMAT for module in modules}


@checked
def export_network(network: Network, path: str | os.PathLike[str], to: str) -> list[Path]:
    """Write a network in the format named `to` and return the files written; `export_formats()` lists the formats.

    Raises ConfigError for an unknown format, a path with another suffix, or a network that the format cannot hold.
    """
    known = export_formats()
    if to not in known:
        raise ConfigError(f"export: unknown format {not_among(to, known)}")
    chosen, path = known[to], Path(path)
    if chosen.suffix:
        require_suffix(path, f"a network as {to}", chosen.suffix)
        path = path if path.suffix == chosen.suffix else path.with_name(path.name + chosen.suffix)
    network = network.copy()
    network.to("numpy")
    return chosen.write(network, path)
