"""How the next point is chosen, one class a strategy; every choice follows from the study and the seed.

A strategy keeps no state between two choices, and its random generator is made for each from the seed and the trial's
number. So a search that was killed continues as if it had not been, and with one worker it chooses the same points.
"""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from digitlab.errors import ConfigError
from digitlab.search import cma, log_scale
from digitlab.search.space import Point, grid

if TYPE_CHECKING:
    from digitlab.search.plan import SearchPlan
    from digitlab.search.study import Trial

POPULATION = 10
MUTATION_SPREAD = 5.0  # η_m of the polynomial mutation: the lower, the farther


class Strategy:
    """Base, and a strategy of its own: an Optuna sampler draws the next point, here at random from the whole space.

    `about` says what it does, for help texts. `learns_from_pruned`: its sampler makes something of trials that were
    ended early; for others they are finished, with what they reached.
    """

    about = "points drawn at random from the whole space (Bergstra & Bengio 2012)"
    learns_from_pruned = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.about}"

    def check(self, plan: "SearchPlan") -> None:
        """Raise ConfigError for a plan that this strategy cannot follow."""

    def points(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> "list[Point] | None":
        """The points to be tried, in order, those running or done included; None: the sampler draws them."""
        return None

    def label(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> dict[str, Any]:
        """What to write down with the next trial."""
        return {}

    def sampler(self, plan: "SearchPlan", index: int) -> Any:
        """The Optuna sampler for the trial with this index."""
        from optuna.samplers import RandomSampler

        return RandomSampler(seed=plan.trial_seed(index))

    def goal(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> int:
        """How many trials there are to be, as far as that is known now."""
        points = self.points(plan, trials)
        return plan.trials if points is None else len(points)

    def description(self, plan: "SearchPlan") -> str:
        """One line that says what this plan's strategy is, with its numbers."""
        return self.about

    def decisions(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> list[str]:
        """What was decided so far and why; the lines before stay as they are when trials are added."""
        return []


class Grid(Strategy):
    """Every combination of the values of a space, in order."""

    about = "every combination of the values on each side"

    def points(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> "list[Point] | None":
        """Every combination; a range has `plan.points` values."""
        return grid(plan.space, plan.points)

    def description(self, plan: "SearchPlan") -> str:
        return f"grid: every combination, {self.goal(plan, [])} points"


class LogScale(Strategy):
    """Nielsen's search: one parameter at a time, by powers of ten, then finer."""

    about = "powers of ten first, then finer around the best, one parameter after the other (Nielsen ch. 3)"
    learns_from_pruned = False

    def check(self, plan: "SearchPlan") -> None:
        log_scale.check(plan.space)

    def points(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> "list[Point] | None":
        """The points decided so far, from the results of the trials before."""
        return log_scale.replay(plan, trials).points

    def decisions(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> list[str]:
        return log_scale.replay(plan, trials).decisions


class TPE(Strategy):
    """Optuna's tree-structured Parzen estimator; the first trials are random."""

    about = "tree-structured Parzen estimator: draws where good points are denser than bad ones (Bergstra et al. 2011)"

    def sampler(self, plan: "SearchPlan", index: int) -> Any:
        """Optuna's TPESampler, after `random_trials` random ones."""
        from optuna.samplers import TPESampler

        return TPESampler(seed=plan.trial_seed(index), n_startup_trials=self.random_trials(plan))

    def random_trials(self, plan: "SearchPlan") -> int:
        """How many trials come before the estimator's first."""
        return min(10, max(plan.trials // 3, 1))

    def description(self, plan: "SearchPlan") -> str:
        return f"TPE: the first {self.random_trials(plan)} trials at random, then where good ones are denser"


class Genetic(Strategy):
    """Optuna's NSGA-II with a single aim: a genetic algorithm that keeps the best of parents and children."""

    about = "genetic algorithm (NSGA-II with a single aim, Deb et al. 2002)"
    learns_from_pruned = False

    def sampler(self, plan: "SearchPlan", index: int) -> Any:
        """Optuna's NSGAIISampler with uniform crossover and polynomial mutation."""
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
            seed=plan.trial_seed(index),
        )

    def description(self, plan: "SearchPlan") -> str:
        return (
            f"genetic algorithm: population {plan.population or POPULATION}, the best of parents and children survive; "
            f"uniform crossover (each gene of either parent, with probability 0.9); each gene mutates with probability "
            f"1/{len(plan.space)} (polynomial, spread {MUTATION_SPREAD:g})"
        )


class CmaEs(Strategy):
    """Optuna's covariance matrix adaptation, for the numbers of a space; other choices are drawn at random."""

    about = "CMA-ES: a normal distribution that moves and takes the shape of what was good (Hansen 2016)"

    def check(self, plan: "SearchPlan") -> None:
        """Raises ConfigError without a number to vary, and for a population below 4."""
        if not cma.numeric(plan.space):
            raise ConfigError("cma-es needs at least one number to vary that depends on no condition")
        if 0 < plan.population < 4:
            raise ConfigError(f"cma-es: got a population of {plan.population}, expected at least 4")

    def label(self, plan: "SearchPlan", trials: "Sequence[Trial]") -> dict[str, Any]:
        """The generation, and as `fixed` the point that CMA-ES proposes."""
        generation, point = cma.propose(plan, trials)
        return {"generation": generation, "fixed": point}

    def description(self, plan: "SearchPlan") -> str:
        names = ", ".join(cma.numeric(plan.space))
        return f"CMA-ES over {names}: population {cma.population(plan)}, from the space's middle"


STRATEGIES: dict[str, Strategy] = {
    "grid": Grid(),
    "log-scale": LogScale(),
    "random": Strategy(),
    "tpe": TPE(),
    "cma-es": CmaEs(),
    "genetic": Genetic(),
}


def pruner(plan: "SearchPlan") -> Any:
    """Optuna's pruner for a plan."""
    from optuna.pruners import HyperbandPruner, NopPruner, SuccessiveHalvingPruner

    settings = {"min_resource": plan.min_epochs, "reduction_factor": plan.factor}
    if plan.prune == "halving":
        return SuccessiveHalvingPruner(**settings)
    if plan.prune == "hyperband":
        return HyperbandPruner(max_resource=max(plan.base.epochs, plan.min_epochs), **settings)
    return NopPruner()
