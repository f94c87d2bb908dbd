"""CMA-ES over the study: the distribution is worked out again from the finished trials for every choice.

Optuna's own sampler keeps its state in the study as a pickle. Here the trials themselves are the state, which takes
microseconds to replay, so that reading somebody's study never runs their code. Hansen 2016, "The CMA evolution
strategy: a tutorial"; the algorithm is the `cmaes` package's.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from digitlab.search.space import Choice, Point, Space, at_unit, unit

if TYPE_CHECKING:
    from digitlab.search.plan import SearchPlan
    from digitlab.search.study import Trial

SPREAD = 0.3  # the first standard deviation, as a share of each parameter's range
RESTING = ("failed", "running", "waiting")


def numeric(space: Space) -> list[str]:
    """The parameters it moves: numbers under no condition. The others are drawn at random."""
    return [name for name, p in space.items() if not isinstance(p, Choice) and not p.when]


def population(plan: "SearchPlan") -> int:
    """How many points make a generation."""
    return plan.population or 4 + math.floor(3 * math.log(len(numeric(plan.space))))


def propose(plan: "SearchPlan", trials: "Sequence[Trial]") -> tuple[int, Point]:
    """The generation of the next trial and its numbers, given all trials so far."""
    import numpy as np
    from cmaes import CMA

    names = numeric(plan.space)
    d, size = len(names), population(plan)
    optimizer = CMA(
        mean=np.full(d, 0.5),
        sigma=SPREAD,
        bounds=np.tile([0.0, 1.0], (d, 1)),
        seed=plan.trial_seed(0),
        population_size=size,
    )
    alive = [t for t in trials if t.state != "failed"]
    generation = 0
    while True:
        mine = [t for t in alive if t.notes.get("generation") == generation]
        done = [t for t in mine if t.state not in RESTING and t.score is not None]
        if len(done) < size:
            break
        for _ in range(size):  # the random numbers that were drawn for this generation
            optimizer.ask()
        results = [
            (np.array([unit(plan.space, n, t.point[n]) for n in names]), -float(t.score or 0.0)) for t in done[:size]
        ]
        optimizer.tell(results)
        generation += 1
    for _ in range(len(mine) + 1):
        x = optimizer.ask()
    return generation, {name: at_unit(plan.space, name, float(place)) for name, place in zip(names, x)}
