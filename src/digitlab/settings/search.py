"""The settings of a search: fields of `SearchPlan`, entries of a plan's file, options of `digitlab search`."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from digitlab.settings.schema import Setting


@dataclass(frozen=True)
class SearchSettings:
    """How a search goes on; SearchPlan says what the first two are."""

    base: Any
    space: Any

    strategy: Annotated[
        Literal["grid", "log-scale", "random", "tpe", "cma-es", "genetic"], Setting("Strategy of the search.")
    ] = "tpe"
    trials: Annotated[int, Setting("Number of settings to try; a grid may end earlier.", ge=1, metavar="N")] = 30
    repeats: Annotated[int, Setting("Number of seeds for each setting; the mean counts.", ge=1, metavar="N")] = 1
    points: Annotated[int, Setting("Number of values per parameter of a grid.", ge=2, metavar="N")] = 5
    population: Annotated[
        int,
        Setting(
            "Number of settings per generation of the genetic algorithm (0: 10) and CMA-ES (0: 4 + ⌊3 ln d⌋).",
            ge=0,
            fits=lambda n: n != 1,
            expected="0 or a whole number of at least 2",
            metavar="N",
        ),
    ] = 0
    prune: Annotated[
        Literal["none", "halving", "hyperband"], Setting("Method that stops trials with low accuracy early.")
    ] = "none"
    min_epochs: Annotated[int, Setting("Number of epochs before the first trials are stopped.", ge=1, metavar="N")] = 1
    factor: Annotated[int, Setting("Factor by which the epochs until the next stop grow.", ge=2, metavar="N")] = 3
    seed: Annotated[
        int, Setting("Seed of the strategy's random numbers.", ge=0, flags=("--search-seed",), metavar="N")
    ] = 0
