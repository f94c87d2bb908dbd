"""Figures that several rows share: curves with the spread over seeds, a line with its best as a dot, grids."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.experiment import Result, Variant
from digitlab.viz.figures import COLOURS, Figure, new_figure

Array = np.ndarray[Any, Any]
Drawn = Mapping[str, Any]
NAMES = {"train_accuracy": "training", "valid_accuracy": "validation", "test_accuracy": "test"}
DASHES = {"train_accuracy": ":", "valid_accuracy": "-", "test_accuracy": "--"}


def nothing(results: Sequence[Result], plan: Variant) -> Drawn:
    """No picture."""
    return {}


def stacked(results: Sequence[Result], key: str) -> Array | None:
    """A series of all seeds, (seeds, epochs), cut to the shortest; None where a seed has none."""
    rows = [result.series[key] for result in results if key in result.series]
    if not rows or not min(map(len, rows)):
        return None
    length = min(map(len, rows))
    return np.array([row[:length] for row in rows], dtype=np.float64)


def band(axes: Any, x: Any, values: Array, colour: str, dash: str, label: str) -> None:
    """The mean over seeds as a line, and between the least and the most a band."""
    middle = values.mean(axis=0)
    dash = "." if len(middle) == 1 else dash
    axes.plot(x, middle, dash, color=colour, label=label, linewidth=1.5)
    if len(values) > 1:
        axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)


def dressed(axes: Any, x: str, y: str, title: str = "") -> None:
    """Labels, grid and legend."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if title:
        axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8)


def accuracy_curves(
    results: Sequence[Result], plan: Variant, *, title: str = "", parts: Sequence[str] | None = None
) -> Drawn:
    """Accuracy over epochs of every training of a row: a colour a training, a line style a set, a band over seeds."""
    labels = list(dict.fromkeys(key.rpartition("/")[0] for key in results[0].series if key.endswith("_accuracy")))
    if not labels:
        return {}
    figure = new_figure(7.5, 4.5)
    axes = figure.add_subplot()
    for i, label in enumerate(labels):
        for part, dash in DASHES.items():
            values = stacked(results, f"{label}/{part}")
            if values is None or (parts is not None and part not in parts):
                continue
            text = f"{label}: {NAMES[part]}" if len(labels) > 1 else NAMES[part]
            band(axes, 1 + np.arange(values.shape[1]), 100 * values, COLOURS[i % len(COLOURS)], dash, text)
    seeds = f"mean and spread over {len(results)} seeds" if len(results) > 1 else "one seed"
    dressed(axes, "epoch", "accuracy (%)", f"{title}{', ' if title else ''}{seeds}")
    locator: Any = axes.xaxis.get_major_locator()
    locator.set_params(integer=True)
    return {"curves": figure}


def best_dot(
    values_of_x: Sequence[float] | Sequence[str],
    values: Array,
    *,
    title: str,
    x_label: str,
    y_label: str = "accuracy (%)",
    log: bool = False,
) -> Figure:
    """Values (seeds, points) over x as a line, the best mean as a dot with its number; texts stand at equal steps."""
    figure = new_figure(7.0, 4.3)
    axes = figure.add_subplot()
    words = [x if isinstance(x, str) else f"{x:g}" for x in values_of_x]
    named = any(isinstance(x, str) for x in values_of_x)
    x = list(range(len(words))) if named else list(map(float, values_of_x))
    band(axes, x, values, COLOURS[0], "-", "mean")
    middle = values.mean(axis=0)
    axes.plot(x, middle, ".", color=COLOURS[0])
    best = int(np.argmax(middle))
    axes.plot(
        x[best], middle[best], "o", color=COLOURS[1], markersize=9, label=f"best: {middle[best]:.2f} at {words[best]}"
    )
    if log:
        axes.set_xscale("log")
    if named:
        axes.set_xticks(x, words)
    dressed(axes, x_label, y_label, title)
    return figure


def bars(
    names: Sequence[str], values: Array, *, title: str, y_label: str = "accuracy (%)", book: Sequence[float | None] = ()
) -> Figure:
    """Means over seeds, (seeds, names), as points with their spread, beside the book's as diamonds."""
    figure = new_figure(max(5.0, 1.1 * len(names) + 2), 4.3)
    axes = figure.add_subplot()
    x = np.arange(len(names))
    middle = values.mean(axis=0)
    error = np.stack([middle - values.min(axis=0), values.max(axis=0) - middle])
    axes.errorbar(
        x,
        middle,
        error,
        fmt="o",
        color=COLOURS[0],
        capsize=4,
        label="here, least to most over seeds" if len(values) > 1 else "here",
    )
    if known := [(i, value) for i, value in enumerate(book) if value is not None]:
        axes.plot(*zip(*known), "D", color=COLOURS[1], label="the book", markersize=6)
    axes.set_xticks(x, names, fontsize=8, rotation=20 if len(names) > 5 else 0)
    axes.margins(x=0.1, y=0.15)
    dressed(axes, "", y_label, title)
    return figure


def picture_grid(
    pictures: Sequence[Any],
    titles: Sequence[str],
    *,
    columns: int,
    title: str,
    cmap: str = "gray_r",
    share: bool = False,
) -> Figure:
    """Pictures (H, W) in rows, dark where large; with `share` all on one scale, 0 in its middle."""
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, math.ceil(len(pictures) / columns))
    figure = new_figure(max(min(1.05 * columns, 12.0) + 0.3, 0.075 * len(title)), 1.2 * rows + 0.5)
    figure.suptitle(title, fontsize=10)
    arrays = [np.asarray(picture) for picture in pictures]
    limits: dict[str, Any] = {}
    if share and arrays:
        largest = max(float(np.abs(a).max()) for a in arrays)
        limits = {"vmin": -largest, "vmax": largest}
    for at, (array, text) in enumerate(zip(arrays, titles), 1):
        axes = figure.add_subplot(rows, columns, at)
        axes.imshow(array, cmap=cmap, **limits)
        axes.set_title(text, fontsize=8)
        axes.set_axis_off()
    return figure
