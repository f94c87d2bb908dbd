"""Nielsen, chapter 4: one hidden layer approximates any function, by bumps."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.chapter import Chapter
from digitlab.books.experiment import Result, TaskResults, Variant, computed
from digitlab.books.pictures import WIDEST, Drawn
from digitlab.functions import bumps_network
from digitlab.viz.figures import COLOURS, finish_axes, new_figure

BUMPS = (5, 10, 20, 50, 200)
FORMULA = "0.2 + 0.4 x² + 0.3 x sin 15x + 0.05 cos 50x"


def wavy(x: Any) -> Any:
    """The chapter's function, on 0 to 1."""
    return 0.2 + 0.4 * x**2 + 0.3 * x * np.sin(15 * x) + 0.05 * np.cos(50 * x)


def bumps(given: Mapping[str, Any]) -> dict[str, Any]:
    """For each number of bumps the network's curve and its errors."""
    x = np.linspace(0, 1, 1001)
    curves, mean, largest = {}, {}, {}
    for n in BUMPS:
        curve = bumps_network(wavy, 0.0, 1.0, n).predict(x[:, None]).ravel()
        # Nearer to an edge than a hundredth of a bump the step is not complete.
        inside = np.abs(x * n - np.round(x * n)) > 0.01
        off = np.abs(curve - wavy(x))[inside]
        curves[str(n)], mean[str(n)], largest[str(n)] = curve.tolist(), float(off.mean()), float(off.max())
    return {"curves": curves, "mean": mean, "largest": largest}


def _bumps_query(task_results: TaskResults, variant: Variant) -> Result:
    found = task_results["bumps"].result
    result = Result(series=dict(found["curves"]))
    for n in map(str, BUMPS):
        result.figures[f"{n} bumps/mean error"] = found["mean"][n]
        result.figures[f"{n} bumps/largest error"] = found["largest"][n]
    return result


def _bumps_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    figure = new_figure(WIDEST, 4)
    x = np.linspace(0, 1, 1001)
    left, right = figure.subplots(1, 2)
    left.plot(x, wavy(x), color="black", linewidth=3, alpha=0.3, label="function")
    for colour, n in zip(COLOURS, (5, 20, 50)):
        left.plot(x, results[0].series[str(n)], color=colour, linewidth=1, label=f"{n} bumps, {2 * n} neurons")
    finish_axes(left, "x", "output", FORMULA)
    for colour, kind in zip(COLOURS, ("largest error", "mean error")):
        right.plot(BUMPS, [results[0].figures[f"{n} bumps/{kind}"] for n in BUMPS], "o-", color=colour, label=kind)
    right.set(xscale="log", yscale="log")
    finish_axes(right, "bumps", "error", "All weights are set by hand")
    return {"bumps": figure}


TASKS = computed("bumps", bumps, bumps=list(BUMPS))
EXPERIMENTS = [Chapter(__file__).experiment("universality", TASKS, _bumps_query, _bumps_draw)]
