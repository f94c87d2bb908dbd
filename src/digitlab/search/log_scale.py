"""The automatic test on a logarithmic scale: powers of ten first, then finer around the best.

Nielsen ch. 3, "How to choose a neural network's hyper-parameters?": find the order of magnitude first, then refine;
η before λ. One parameter after the other, in the space's order, the others at their best so far:

    1  every power of ten in its range
    2  half a power on both sides of the best, ×/÷ √10
    3  a quarter of a power on both sides of the best, ×/÷ ⁴√10

All of it is computed again from the finished trials, so there is no state to keep.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from digitlab.errors import ConfigError
from digitlab.search.space import Choice, Integer, Point, Space, rounded
from digitlab.settings.schema import option_of

if TYPE_CHECKING:
    from digitlab.search.plan import SearchPlan
    from digitlab.search.study import Trial

STEPS = {  # in powers of ten
    1.0: "powers of ten",
    0.5: "half a power of ten around it",
    0.25: "a quarter of a power around it",
}


class Progress(NamedTuple):
    """How far the test is: all points to be tried so far, and the decisions with their reasons."""

    points: list[Point]
    decisions: list[str]
    best: Point
    complete: bool


def check(space: Space) -> None:
    """Raise ConfigError for a space that has no logarithmic scale."""
    for name, p in space.items():
        if p.when or not (isinstance(p, Choice) or getattr(p, "log", False)):
            raise ConfigError(
                f"log-scale: {option_of(name)} is {p.table()}; expected parameters on a logarithmic scale "
                "(log, integer-log) or choices, without conditions"
            )


def replay(plan: "SearchPlan", trials: "Sequence[Trial]") -> Progress:
    """Walk through the test as far as the finished trials go."""
    known = {key(t.point): t for t in trials if t.state in ("done", "pruned") and t.score is not None}
    space = plan.space
    points: list[Point] = []
    decisions: list[str] = []
    best: Point = {name: start(plan, name) for name in space}
    for name in space:
        tried: list[Any] = []
        for step in STEPS:
            values = candidates(space, name, best[name], step)
            new = [v for v in values if v not in tried]
            tried += new
            wanted = [{**best, name: v} for v in new]
            points += [p for p in wanted if key(p) not in {key(q) for q in points}]
            if any(key(p) not in known for p in wanted):
                return Progress(points, decisions, best, complete=False)
            scored = {v: known[key({**best, name: v})] for v in tried}
            chosen = max(tried, key=lambda v: scored[v].score or 0.0)
            what = "the choices" if isinstance(space[name], Choice) else STEPS[step]
            seen = ", ".join(f"{_short(v)}: {scored[v].shown()}" for v in new)
            decisions.append(
                f"{option_of(name)}, {what}: {seen or 'nothing new'} → {_short(chosen)}, "
                f"the best of {len(tried)} so far ({scored[chosen].shown()}{_where(tried, chosen, space[name])})"
            )
            best = {**best, name: chosen}
            if isinstance(space[name], Choice):
                break
    return Progress(points, decisions, best, complete=True)


def start(plan: "SearchPlan", name: str) -> Any:
    """The value of a parameter before its turn: the middle power of ten of its range, or the first of the choices."""
    parameter = plan.space[name]
    if isinstance(parameter, Choice):
        return parameter.among[0]
    powers = candidates(plan.space, name, None, 1.0)
    return powers[(len(powers) - 1) // 2]


def candidates(space: Space, name: str, best: Any, step: float) -> list[Any]:
    """The values to try at this step, lowest first."""
    parameter: Any = space[name]
    if isinstance(parameter, Choice):
        return list(parameter.among)
    low, high = parameter.low, parameter.high
    if step == 1.0:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        values = [10.0**k for k in range(first, last + 1)] or [math.sqrt(low * high)]
    else:
        values = [best * 10**-step, best * 10**step]
    values = [min(max(rounded(v), low), high) for v in values if low * 0.999 <= v <= high * 1.001]
    return list(dict.fromkeys(round(v) if isinstance(parameter, Integer) else v for v in values))


def key(point: Point) -> tuple[Any, ...]:
    """A point as something to compare."""
    return tuple(sorted((name, float(v) if isinstance(v, int | float) else v) for name, v in point.items()))


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _where(tried: list[Any], chosen: Any, parameter: Any) -> str:
    if isinstance(parameter, Choice) or len(tried) < 2:
        return ""
    if chosen == max(tried):
        return "; it is the highest, so the range may end too early"
    return "; it is the lowest, so the range may begin too late" if chosen == min(tried) else ""
