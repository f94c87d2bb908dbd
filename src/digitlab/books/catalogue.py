"""Every experiment of the modules in chapters/, by name, in the books' order."""

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from digitlab.books import chapters
from digitlab.books.experiment import Experiment
from digitlab.errors import ConfigError, did_you_mean

BOOKS = {
    "Nielsen": "Nielsen, Neural Networks and Deep Learning",
    "Rashid": "Rashid, Make Your Own Neural Network",
    "First steps": "First steps with Rashid's book",
}


def discovered() -> dict[str, Experiment]:
    """The experiments of all chapters: book by book as in BOOKS, other books last, the modules by their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(chapters.__path__))
    found = [e for name in names for e in import_module(f"{chapters.__name__}.{name}").EXPERIMENTS]
    order = [*BOOKS, *(e.book for e in found)]
    return {e.name: e for e in sorted(found, key=lambda e: order.index(e.book))}


CATALOGUE = discovered()


def find_experiments(names: Sequence[str]) -> list[Experiment]:
    """The experiments of these names, each once, in the order of the catalogue; then those of files (.toml, .py).

    Raises ConfigError for another name, and for a file with an experiment of a name that is taken.
    """
    found = {name: experiment for name, experiment in CATALOGUE.items() if name in names}
    for name in dict.fromkeys(names):
        if name.endswith((".toml", ".py")):
            from digitlab.books.own import own_experiments

            for experiment in own_experiments(Path(name)):
                if experiment.name in {**CATALOGUE, **found}:
                    raise ConfigError(f"{name}: another experiment is called {experiment.name!r}; choose another name")
                found[experiment.name] = experiment
        elif name not in CATALOGUE:
            hint = did_you_mean(name, CATALOGUE)
            raise ConfigError(
                f"no experiment is called {name!r}{hint}; `digitlab reproduce list` shows them all, "
                "and an experiment of your own is a file: own.toml"
            )
    return list(found.values())
