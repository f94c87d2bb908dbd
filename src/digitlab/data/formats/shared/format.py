"""What a format of data declares, and the formats there are: the `FORMAT` of every module in data/formats."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from digitlab.data.formats.shared.contents import Contents, Reading
from digitlab.data.formats.shared.raw import Raw
from digitlab.kinds import Kind, head_of, sniff


@dataclass(frozen=True)
class Format:
    """How files of some kinds are read as data sets.

    kinds       the names of the kinds of file, as `sniff` gives them (kinds.py)
    read        the sets in a file: Contents, or Raw by part, whose labels then get their classes
    table       whether files are tables: a column is the label, and several files of a folder may make one set
    gzip        whether files are read that gzip compressed
    what        of a kind that kinds.py does not know: what it is called in messages, with its article,
    recognizes  and whether a file that begins with these bytes is of this kind
    """

    kinds: tuple[str, ...]
    read: Callable[[Path, Reading], Contents | Mapping[str, Raw]]
    table: bool = False
    gzip: bool = False
    what: str = ""
    recognizes: Callable[[bytes], bool] | None = None


@cache
def formats() -> dict[str, Format]:
    """The format of each kind of file; its modules are imported at the first call."""
    package = importlib.import_module(__package__.rpartition(".")[0])
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if not module.ispkg)
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return {kind: module.FORMAT for module in modules if hasattr(module, "FORMAT") for kind in module.FORMAT.kinds}


def kind_of(path: Path) -> Kind:
    """The kind of a file: that of a format which recognizes it, else that of `sniff`."""
    asked = [format for format in formats().values() if format.recognizes is not None]
    head, compressed = head_of(path) if asked and path.is_file() else (None, False)
    for format in asked:
        if head is not None and format.recognizes is not None and format.recognizes(head):
            return Kind(format.kinds[0], format.what, compressed)
    return sniff(path)
