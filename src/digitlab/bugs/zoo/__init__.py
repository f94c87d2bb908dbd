"""The bugs, one file each, in the order of their titles: a new file with a BUG is in the list."""

import importlib
import pkgutil

from digitlab.bugs.bug import Bug

_FOUND = [importlib.import_module(f"{__name__}.{module.name}").BUG for module in pkgutil.iter_modules(__path__)]
BUGS: tuple[Bug, ...] = tuple(sorted(_FOUND, key=lambda bug: bug.title.lower().removeprefix("the ").removeprefix("a ")))
