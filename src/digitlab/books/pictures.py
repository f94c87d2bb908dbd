"""Pictures that several experiments share: curves with the spread over seeds, a line with its best point, grids."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from digitlab.books.experiment import Result, Variant
from digitlab.train.curves import PART_DASHES
from digitlab.viz.curves import PARTS
from digitlab.viz.figures import COLOURS, Array, Figure, axes_figure, finish_axes, name_lines, new_figure

Drawn = Mapping[str, Any]
WIDEST = 9.0  # inches: a page shows a wider picture smaller, and its labels are hard to read
MOST_INSIDE = 3  # labels of a legend; more of them leave no place between curves


def nothing(results: Sequence[Result], variant: Variant) -> Drawn:
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
    """The mean over seeds as a line, with a band from the least to the largest value."""
    mean = values.mean(axis=0)
    dash = "." if len(mean) == 1 else dash
    axes.plot(x, mean, dash, color=colour, label=label, linewidth=1.5)
    if len(values) > 1:
        axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)


def series_bands(
    axes: Any,
    results: Sequence[Result],
    keys: Mapping[str, str],
    y_label: str,
    *,
    title: str = "",
    x_label: str = "epoch",
    first: int = 1,
    unit: float = 1.0,
    dash: str = "-",
    colours: Sequence[str] = COLOURS,
    log: bool = False,
) -> None:
    """Series over epochs: a band for each label of `keys`, which names its series; `first` is the first epoch.

    On a logarithmic axis the names are at the ends of the curves, which lie all over it.
    """
    for (label, key), colour in zip(keys.items(), colours):
        values = stacked(results, key)
        if values is not None:
            band(axes, first + np.arange(values.shape[1]), unit * values, colour, dash, label)
    if log:
        axes.set_yscale("log")
    finish_axes(axes, x_label, y_label, title, legend=not log)
    if log:
        name_lines(axes)


def accuracy_curves(
    results: Sequence[Result], variant: Variant, *, mode: bool = False, splits: Sequence[str] = tuple(PARTS)
) -> Drawn:
    """Accuracy over epochs: a colour for each training, a line style for each set; with `mode` it is in the title."""
    labels = list(dict.fromkeys(key.rpartition("/")[0] for key in results[0].series if key.endswith("_accuracy")))
    if not labels:
        return {}
    figure, axes = axes_figure()
    for i, label in enumerate(labels):
        colour = COLOURS[i % len(COLOURS)]
        for split in splits:
            if (values := stacked(results, f"{label}/{split}_accuracy")) is not None:
                text = f"{label}: {PARTS[split]}" if len(labels) > 1 else PARTS[split]
                band(axes, 1 + np.arange(values.shape[1]), 100 * values, colour, PART_DASHES[split], text)
    seeds = f"mean and range over {len(results)} seeds" if len(results) > 1 else "one seed"
    below = len(axes.get_legend_handles_labels()[1]) > MOST_INSIDE
    title = f"{variant.mode}, {seeds}" if mode else seeds
    finish_axes(axes, "epoch", "accuracy (%)", title, legend="below" if below else True)
    return {"curves": figure}


valid_curves = partial(accuracy_curves, splits=("valid",))
valid_test_curves = partial(accuracy_curves, splits=("valid", "test"))


def best_point(
    values_of_x: Sequence[float] | Sequence[str],
    values: Any,
    *,
    title: str,
    x_label: str,
    y_label: str = "test accuracy (%)",
    log: bool = False,
) -> Figure:
    """Values (seeds, points) over x as a line, the best mean marked with its number; texts have equal distances."""
    figure, axes = axes_figure(7.0, 4.3)
    values = np.asarray(values)
    words = [x if isinstance(x, str) else f"{x:g}" for x in values_of_x]
    named = any(isinstance(x, str) for x in values_of_x)
    x = list(range(len(words))) if named else list(map(float, values_of_x))
    band(axes, x, values, COLOURS[0], "-", "mean")
    mean = values.mean(axis=0)
    axes.plot(x, mean, ".", color=COLOURS[0])
    best = int(np.argmax(mean))
    label = f"best: {mean[best]:.2f} at {words[best]}"
    axes.plot(x[best], mean[best], "o", color=COLOURS[1], markersize=9, label=label)
    if log:
        axes.set_xscale("log")
    if named:
        axes.set_xticks(x, words)
    finish_axes(axes, x_label, y_label, title)
    return figure


def accuracy_points(
    results: Sequence[Result], labels: Sequence[str], *, title: str, book: Sequence[float | None] = ()
) -> Figure:
    """The test accuracy of several trainings as points with their spread; the book's as diamonds."""
    values = [[result.figures[f"{label}/test"] for label in labels] for result in results]
    return points(labels, values, title=title, y_label="test accuracy (%)", book=book)


def points(
    names: Sequence[str], values: Any, *, title: str, y_label: str = "accuracy (%)", book: Sequence[float | None] = ()
) -> Figure:
    """Means over seeds, (seeds, names), as points with their spread; the book's values as diamonds around them."""
    figure, axes = axes_figure(min(max(5.0, 1.1 * len(names) + 2), WIDEST), 4.3)
    values = np.asarray(values)
    x, mean = np.arange(len(names)), values.mean(axis=0)
    error = np.stack([mean - values.min(axis=0), values.max(axis=0) - mean])
    label = "digitlab, range over seeds" if len(values) > 1 else "digitlab"
    axes.errorbar(x, mean, error, fmt="o", color=COLOURS[0], capsize=4, label=label)
    if known := [(i, value) for i, value in enumerate(book) if value is not None]:
        axes.plot(*zip(*known), "D", color=COLOURS[1], label="book", markersize=10, fillstyle="none")
    crowded = len(names) > 5 and max(map(len, names)) > 6
    axes.set_xticks(x, names, fontsize=8, rotation=20 if crowded else 0)
    axes.margins(x=0.1, y=0.15)
    finish_axes(axes, "", y_label, title, legend="below")
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
    """Pictures (H, W) in rows, dark where large; with `share` all on one scale, with 0 in its middle."""
    columns = max(1, min(columns, len(pictures)))
    rows = max(1, math.ceil(len(pictures) / columns))
    figure = new_figure(max(min(1.05 * columns + 0.3, WIDEST), 0.075 * len(title)), 1.2 * rows + 0.5)
    figure.suptitle(title, fontsize=10)
    arrays = [np.asarray(picture) for picture in pictures]
    largest = max((float(np.abs(a).max()) for a in arrays), default=0.0)
    limits: dict[str, Any] = {"vmin": -largest, "vmax": largest} if share else {}
    for at, (array, text) in enumerate(zip(arrays, titles), 1):
        axes = figure.add_subplot(rows, columns, at)
        axes.imshow(array, cmap=cmap, **limits)
        axes.set_title(text, fontsize=8)
        axes.set_axis_off()
    return figure


def digit_grid(results: Sequence[Result], variant: Variant, *, title: str) -> Drawn:
    """The series "pictures" of the first seed: one picture for each digit."""
    titles, text = [str(digit) for digit in range(10)], f"{title}, {variant.mode}"
    return {"digits": picture_grid(results[0].series["pictures"], titles, columns=5, title=text)}
