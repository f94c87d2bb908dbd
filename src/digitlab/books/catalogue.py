"""Every experiment of both books and of the first steps, in their order."""

from collections.abc import Sequence

from digitlab.books import (
    figures,
    first_steps,
    nielsen1,
    nielsen3,
    nielsen3_tuning,
    nielsen4,
    nielsen5,
    nielsen6,
    rashid,
)
from digitlab.books.experiment import Experiment
from digitlab.errors import ConfigError, did_you_mean

MODULES = (nielsen1, nielsen3, nielsen3_tuning, nielsen4, nielsen5, nielsen6, figures, rashid, first_steps)
CATALOGUE: dict[str, Experiment] = {row.name: row for module in MODULES for row in module.ROWS}


def find_rows(names: Sequence[str]) -> list[Experiment]:
    """The rows of these names, each once, in the ledger's order. Raises ConfigError with the nearest name."""
    for name in names:
        if name not in CATALOGUE:
            hint = did_you_mean(name, CATALOGUE)
            raise ConfigError(f"no experiment is called {name!r}{hint}; `digitlab reproduce list` shows them all")
    return [row for name, row in CATALOGUE.items() if name in names]
