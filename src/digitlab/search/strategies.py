"""How the next point is chosen, one class a strategy; every choice comes of what the study holds and of the seed.

A strategy keeps nothing between two choices; each has a new generator, made from the seed and the number of the trial.
So a search that was killed continues as if it had not been, and with one worker chooses the same points.
"""

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from digitlab.errors import ConfigError
from digitlab.search import log_scale
from digitlab.search.space import Choice, Point, Space, grid, rounded

if TYPE_CHECKING:
    from digitlab.search.plan import SearchPlan
    from digitlab.search.study import Trial

PRUNING = ("none", "halving", "hyperband")
POPULATION = 10
MUTATION_SPREAD = 5.0  # η_m of the polynomial mutation: the lower, the farther


class Strategy:
    """Base. A strategy either names the next point itself, or has a sampler of Optuna's draw it.

    `about` says what it does, for help texts; `told` what it decided and why, line by line. `learns_from_pruned`:
    its sampler makes something of trials that were ended early; for others they are finished, with what they reached.
    """

    about = ""
    learns_from_pruned = True

    def check(self, plan: "SearchPlan") -> None:
        """Raise ConfigError for a plan that this strategy cannot follow."""

    def points(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> "list[Point] | None":
        """Points that are to be tried now, in order, those under way or done included; None: the sampler draws."""
        return None

    def label(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> dict[str, Any]:
        """What to write down with the next trial."""
        return {}

    def sampler(self, plan: "SearchPlan", index: int) -> Any:
        """The Optuna sampler for the trial with this index."""
        from optuna.samplers import RandomSampler

        return RandomSampler(seed=seed_of(plan.seed, index))

    def goal(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> int:
        """How many trials there are to be, as far as that is known now."""
        return plan.trials

    def stated(self, plan: "SearchPlan") -> str:
        """One line that says what this plan's strategy is, with its numbers."""
        return self.about

    def told(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> list[str]:
        """What was decided so far and why; the lines before stay as they are when trials are added."""
        return []


class Grid(Strategy):
    """Every combination."""

    about = "every combination of the values on each side"

    def points(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> "list[Point] | None":
        return grid(plan.space, plan.points)

    def goal(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> int:
        return len(grid(plan.space, plan.points))

    def stated(self, plan: "SearchPlan") -> str:
        return f"grid: every combination, {self.goal(plan, [])} points"


class LogScale(Strategy):
    """Powers of ten first, then finer around the best, one parameter after the other (log_scale.py)."""

    about = "powers of ten first, then finer around the best, one parameter after the other (Nielsen ch. 3)"
    learns_from_pruned = False

    def check(self, plan: "SearchPlan") -> None:
        log_scale.check(plan.space)

    def points(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> "list[Point] | None":
        return log_scale.follow(plan, trials).points

    def goal(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> int:
        return len(log_scale.follow(plan, trials).points)

    def told(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> list[str]:
        return log_scale.follow(plan, trials).decisions


class Random(Strategy):
    """Points drawn alike from the whole space."""

    about = "points drawn at random from the whole space (Bergstra & Bengio 2012)"


class TPE(Strategy):
    """Tree-structured Parzen estimator."""

    about = "tree-structured Parzen estimator: draws where good points are denser than bad ones (Bergstra et al. 2011)"

    def sampler(self, plan: "SearchPlan", index: int) -> Any:
        from optuna.samplers import TPESampler

        return TPESampler(seed=seed_of(plan.seed, index), n_startup_trials=min(10, max(plan.trials // 3, 1)))

    def stated(self, plan: "SearchPlan") -> str:
        return f"TPE: the first {min(10, max(plan.trials // 3, 1))} trials at random, then where good ones are denser"


class Genetic(Strategy):
    """Optuna's NSGA-II with a single aim: a genetic algorithm that keeps the best of parents and children."""

    about = "genetic algorithm (NSGA-II with a single aim, Deb et al. 2002)"
    learns_from_pruned = False

    def sampler(self, plan: "SearchPlan", index: int) -> Any:
        from optuna.exceptions import ExperimentalWarning
        from optuna.samplers import NSGAIISampler
        from optuna.samplers.nsgaii import PolynomialMutation, UniformCrossover

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)  # new in Optuna 5
            mutation = PolynomialMutation(eta=MUTATION_SPREAD)
        return NSGAIISampler(
            population_size=plan.population or POPULATION,
            crossover=UniformCrossover(swapping_prob=0.5),
            crossover_prob=0.9,
            mutation=mutation,
            seed=seed_of(plan.seed, index),
        )

    def stated(self, plan: "SearchPlan") -> str:
        d = len(plan.space)
        return (
            f"genetic algorithm: population {plan.population or POPULATION}, the best of parents and children survive; "
            f"uniform crossover (each gene of either parent, with probability 0.9); each gene mutates with probability "
            f"1/{d} (polynomial, spread {MUTATION_SPREAD:g})"
        )


class CmaEs(Strategy):
    """Covariance matrix adaptation (cma.py)."""

    about = "CMA-ES: a normal distribution whose mean and covariance adapt to good points (Hansen 2016)"

    def check(self, plan: "SearchPlan") -> None:
        from digitlab.search.cma import numeric

        if not numeric(plan.space):
            raise ConfigError("cma-es needs at least one number to vary that depends on no condition")
        if 0 < plan.population < 4:
            raise ConfigError(f"cma-es: got a population of {plan.population}, expected at least 4")

    def points(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> "list[Point] | None":
        return None

    def label(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> dict[str, Any]:
        from digitlab.search.cma import propose

        generation, point = propose(plan, trials)
        return {"generation": generation, "fixed": point}

    def stated(self, plan: "SearchPlan") -> str:
        from digitlab.search.cma import numeric, population

        return f"CMA-ES over {', '.join(numeric(plan.space))}: population {population(plan)}, from the space's middle"


STRATEGIES: dict[str, Strategy] = {
    "grid": Grid(),
    "log-scale": LogScale(),
    "random": Random(),
    "tpe": TPE(),
    "cma-es": CmaEs(),
    "genetic": Genetic(),
}


def pruner(plan: "SearchPlan") -> Any:
    """Optuna's pruner for a plan."""
    from optuna.pruners import HyperbandPruner, NopPruner, SuccessiveHalvingPruner

    if plan.prune == "halving":
        return SuccessiveHalvingPruner(min_resource=plan.min_epochs, reduction_factor=plan.factor)
    if plan.prune == "hyperband":
        return HyperbandPruner(
            min_resource=plan.min_epochs,
            max_resource=max(plan.base.epochs, plan.min_epochs),
            reduction_factor=plan.factor,
        )
    return NopPruner()


def seed_of(seed: int, index: int) -> int:
    """A seed for the trial with this index."""
    import numpy as np

    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0])


def unit(space: Space, name: str, value: Any) -> float:
    """A number of the space as its place between low (0) and high (1), on its own scale."""
    parameter: Any = space[name]
    low, high = parameter.low, parameter.high
    if parameter.log:
        return math.log(value / low) / math.log(high / low) if high > low else 0.5
    return (value - low) / (high - low) if high > low else 0.5


def at_unit(space: Space, name: str, place: float) -> Any:
    """The inverse of `unit`, to six digits or to whole numbers."""
    parameter: Any = space[name]
    low, high, place = parameter.low, parameter.high, min(max(place, 0.0), 1.0)
    value = low * (high / low) ** place if parameter.log else low + (high - low) * place
    return round(value) if not isinstance(parameter, Choice) and isinstance(low, int) else rounded(value)
