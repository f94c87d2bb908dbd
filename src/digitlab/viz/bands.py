"""Settings compared over several seeds: a line for the mean, a band for how far the seeds are apart."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from digitlab.train.history import History
from digitlab.viz.figures import COLOURS, Figure, new_figure

Floats = np.ndarray[Any, np.dtype[np.float64]]
DASHES = ("-", "--", "-.", ":")
LABELS = {"loss": "mean loss per example", "accuracy": "accuracy (%)"}
PARTS = {"train": "training", "valid": "validation", "test": "test"}


class Spread(NamedTuple):
    """A column over several histories, (E,) by epoch: mean and sample standard deviation (0 where one is left)."""

    epochs: Floats
    mean: Floats
    sd: Floats
    runs: Floats  # how many histories reached that epoch


def spread(histories: Sequence[History], column: str) -> Spread:
    """Mean and sd (divided by n − 1) of a column over the histories that reached each epoch."""
    series = [np.array(history.column(column), dtype=np.float64) for history in histories if len(history)]
    longest = max(map(len, series), default=0)
    values = np.full((len(series), longest), np.nan)  # (runs, E)
    for row, one in zip(values, series):
        row[: len(one)] = one
    runs = np.sum(~np.isnan(values), axis=0)  # (E,)
    mean = np.nansum(values, axis=0) / np.maximum(runs, 1)
    squares = np.nansum((values - mean) ** 2, axis=0)
    return Spread(np.arange(1.0, longest + 1), mean, np.sqrt(squares / np.maximum(runs - 1, 1)), runs)


def bands_figure(
    groups: Mapping[str, Sequence[History]], *, title: str, columns: Sequence[str] = ("train_loss", "valid_accuracy")
) -> Figure:
    """A panel for each column of the histories, a line and a band of mean ± sd for each group of them.

    A group with a single history has no band. Lines end where the last history of their group ends.
    """
    figure: Figure = new_figure(5.4 * len(columns), 4.4)
    figure.suptitle(title, fontsize=11)
    for place, column in enumerate(columns, 1):
        axes = figure.add_subplot(1, len(columns), place)
        part, _, measure = column.partition("_")
        unit = 100.0 if measure == "accuracy" else 1.0
        for i, (name, histories) in enumerate(groups.items()):
            s = spread(histories, column)
            colour, dash = COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]
            mean, sd = unit * s.mean, unit * s.sd
            axes.plot(s.epochs, mean, dash, color=colour, marker=".", label=name)
            if len(histories) > 1:
                axes.fill_between(s.epochs, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
        axes.set_title(PARTS.get(part, part), fontsize=10)
        axes.set_xlabel("epoch")
        axes.set_ylabel(LABELS.get(measure, measure))
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if axes.get_lines():
            axes.legend(fontsize=8)
    return figure
