"""The bugs, one file each, in alphabetical order: a new file with a BUG is in the list."""

import importlib
import pkgutil

from digitlab.bugs.bug import Bug

BUGS: tuple[Bug, ...] = tuple(
    importlib.import_module(f"{__name__}.{module.name}").BUG
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
)
