"""Pictures of a study: history, importance, parallel coordinates, slices, generations. Trials in, figures out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.errors import ConfigError
from digitlab.search.space import Choice, Point, Space, unit
from digitlab.search.study import Trial, best_of
from digitlab.train import columns
from digitlab.viz.figures import COLOURS, Figure, new_figure

BLUE, RED, GREEN = COLOURS[0], COLOURS[1], COLOURS[2]


def history_figure(trials: Sequence[Trial]) -> Figure:
    """The value of each trial in order, and the best so far as a line; those that were ended early as crosses."""
    figure, axes, shown = _axes(trials, 7.0, 4.0)
    done, pruned = ([t for t in shown if t.state == state] for state in ("done", "pruned"))
    numbers, values = [t.number for t in done], [_unit(t) for t in done]
    axes.plot(numbers, values, "o", color=BLUE, ms=5, label="trial")
    if pruned:
        axes.plot([t.number for t in pruned], [_unit(t) for t in pruned], "x", color=RED, ms=5, label="ended early")
    if any(t.statistics is not None and t.statistics.n > 1 for t in done):
        sds = [0.0 if t.statistics is None else _scale(t) * t.statistics.sd for t in done]
        axes.errorbar(numbers, values, sds, fmt="none", ecolor=BLUE, alpha=0.5)
    best = [columns.best(t.monitor, values[: i + 1]) for i, t in enumerate(done)]
    axes.step(numbers, best, where="post", color="black", lw=1.2, label="best so far")
    axes.set(xlabel="trial", ylabel=_label(shown), title="History of the search")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=8)
    return figure


def importance_figure(importances: Mapping[str, float]) -> Figure:
    """How much of the values' variance each parameter explains, as bars."""
    if not importances:
        raise ConfigError("no importance yet: it needs a few finished trials that differ")
    figure = new_figure(6.0, 0.5 * len(importances) + 1.4)
    axes = figure.add_subplot()
    items = sorted(importances.items(), key=lambda item: item[1])
    bars = axes.barh([name for name, _ in items], [share for _, share in items], color=BLUE)
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes.set(xlabel="share of the explained variance", title="Parameter importance (fANOVA)", xlim=(0, 1.1))
    return figure


def slices_figure(trials: Sequence[Trial], space: Space) -> Figure:
    """For each parameter, the value of every trial over it; later trials are darker, the best is ringed."""
    shown = _shown(trials)
    columns = min(3, len(space))
    rows = math.ceil(len(space) / columns)
    figure = new_figure(3.6 * columns, 3.0 * rows + 0.4)
    figure.suptitle("Slices: each parameter alone; later trials are darker")
    best = best_of(shown)
    for i, (name, parameter) in enumerate(space.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        here = [t for t in shown if name in t.point]
        chosen = parameter.among if isinstance(parameter, Choice) else ()
        places = {t.number: chosen.index(t.point[name]) if chosen else float(t.point[name]) for t in here}
        axes.scatter(
            list(places.values()),
            [_unit(t) for t in here],
            c=[t.number for t in here],
            cmap="Blues",
            vmin=-len(shown),
            vmax=max(t.number for t in shown),
            s=22,
            edgecolor="grey",
            lw=0.3,
        )
        if best.number in places:
            axes.plot([places[best.number]], [_unit(best)], "o", mfc="none", mec=RED, ms=10, mew=1.5)
        if chosen:
            axes.set_xticks(range(len(chosen)), [str(value) for value in chosen])
        elif getattr(parameter, "log", False):
            axes.set_xscale("log")
        axes.set_xlabel(name)
        axes.grid(alpha=0.3)
        if i % columns == 0:
            axes.set_ylabel(_label(shown))
    return figure


def parallel_figure(trials: Sequence[Trial], space: Space) -> Figure:
    """Every trial as a line across one axis for each parameter, coloured by its value; the best is drawn thick."""
    import matplotlib

    shown, names = _shown(trials), list(space)
    figure = new_figure(max(1.7 * (len(names) + 1), 5.0), 4.4)
    axes = figure.add_subplot()
    values = [_unit(t) for t in shown]
    low, high = min(values), max(values)

    def line(t: Trial) -> list[float]:
        """The heights at which a trial crosses the axes, from 0 to 1."""
        return [_height(space, name, t.point) for name in names] + [(_unit(t) - low) / ((high - low) or 1.0)]

    colours = matplotlib.colormaps["viridis"]
    for t in sorted(shown, key=lambda t: t.score or 0.0):
        axes.plot(line(t), color=colours(line(t)[-1]), alpha=0.65, lw=1.0)
    best = best_of(shown)
    axes.plot(line(best), color=RED, lw=2.5, label=f"best: trial {best.number}")
    ends = [[f"{v:g}" if isinstance(v, int | float) else str(v) for v in _ends(space[name])] for name in names]
    for i, texts in enumerate([*ends, [f"{low:.4g}", f"{high:.4g}"]]):
        axes.axvline(i, color="grey", lw=0.8)
        for y, text in zip(np.linspace(0, 1, len(texts)), texts):
            box = {"fc": "white", "ec": "none", "pad": 1}
            axes.annotate(text, (i, y), fontsize=8, ha="center", va="center", bbox=box)
    axes.set_xticks(range(len(names) + 1), [*names, _label(shown)])
    axes.set_yticks([])
    axes.set_title("Every trial as a line")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.08))
    for side in axes.spines.values():
        side.set_visible(False)
    return figure


def generations_figure(trials: Sequence[Trial]) -> Figure:
    """How the values of each generation lie: every trial, the median, the best of the generation."""
    shown = [t for t in _shown(trials) if t.notes.get("generation") is not None]
    if not shown:
        raise ConfigError("these trials have no generations; the strategies genetic and cma-es make some")
    figure, axes, _ = _axes(shown, 6.5, 4.0)
    numbers = sorted({int(t.notes["generation"]) for t in shown})
    groups = [[_unit(t) for t in shown if t.notes["generation"] == g] for g in numbers]
    for g, values in zip(numbers, groups):
        axes.plot(
            [g] * len(values), values, "o", color=BLUE, alpha=0.45, ms=5, label="trial" if g == numbers[0] else None
        )
    best = [columns.best(shown[0].monitor, values) for values in groups]
    axes.plot(numbers, best, "-", color=GREEN, label="best of the generation")
    axes.plot(numbers, [float(np.median(values)) for values in groups], "--", color=RED, label="median")
    axes.set(xlabel="generation", ylabel=_label(shown), title="The generations")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=8)
    return figure


def range_figure(test: Any) -> Figure:
    """A learning-rate range test: loss over rate, the steepest, the lowest and the suggested place."""
    figure = new_figure(7.0, 4.0)
    axes = figure.add_subplot()
    axes.plot(test.rates, test.losses, color=COLOURS[5], lw=0.6, alpha=0.6, label="loss of a step")
    axes.plot(test.rates, test.smoothed, color=BLUE, lw=1.8, label="moving average")
    for rate, colour, dash, text in (
        (test.steepest, GREEN, "--", f"falls fastest: {test.steepest:.2g}"),
        (test.lowest, "black", ":", f"least: {test.lowest:.2g}"),
        (test.suggested, RED, "-", f"suggested: {test.suggested:g}"),
    ):
        axes.axvline(rate, color=colour, ls=dash, lw=1.4, label=text)
    top = float(np.max(test.smoothed[: max(len(test.smoothed) // 10, 1)]))
    axes.set_ylim(0, 1.6 * max(top, float(test.smoothed[0])))
    axes.set_xscale("log")
    axes.set(xlabel="learning rate η (log scale)", ylabel="loss of the batch", title="Learning-rate range test")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def importances(study: Any) -> dict[str, float]:
    """Each parameter's share of the explained variance over an Optuna study's finished trials (Hutter et al. 2014).

    {} while there are too few trials, or all values are one.
    """
    import warnings

    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dict(get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0)))
    except (ValueError, RuntimeError, ZeroDivisionError):
        return {}


def _shown(trials: Sequence[Trial]) -> list[Trial]:
    shown = [t for t in trials if t.state in ("done", "pruned") and t.value is not None and math.isfinite(t.value)]
    if not any(t.state == "done" for t in shown):
        raise ConfigError("no trial is finished yet; there is nothing to draw")
    return shown


def _axes(trials: Sequence[Trial], width: float, height: float) -> tuple[Figure, Any, list[Trial]]:
    shown = _shown(trials)
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    return figure, axes, shown


def _scale(t: Trial) -> float:
    return columns.unit(t.monitor).scale


def _unit(t: Trial) -> float:
    return _scale(t) * float(t.value if t.value is not None else math.nan)


def _label(trials: Sequence[Trial]) -> str:
    return columns.heading(trials[0].monitor)


def _ends(parameter: Any) -> list[Any]:
    return list(parameter.among) if isinstance(parameter, Choice) else [parameter.low, parameter.high]


def _height(space: Space, name: str, point: Point) -> float:
    """The place of a point's value between the ends of its axis, from 0 to 1; nan where the point has none."""
    parameter: Any = space[name]
    if name not in point:
        return math.nan
    if isinstance(parameter, Choice):
        return parameter.among.index(point[name]) / max(len(parameter.among) - 1, 1)
    return unit(space, name, point[name])
