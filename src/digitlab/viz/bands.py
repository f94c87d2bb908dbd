"""Settings compared over several seeds: a line for the mean, a band of mean ± standard deviation."""

from collections.abc import Mapping, Sequence

import numpy as np

from digitlab.statistics import Summary, summarize
from digitlab.train.history import History
from digitlab.viz.figures import COLOURS, Figure, new_figure

DASHES = ("-", "--", "-.", ":")
LABELS = {"loss": "mean loss per example", "accuracy": "accuracy (%)"}
PARTS = {"train": "training", "valid": "validation", "test": "test"}


def by_epoch(histories: Sequence[History], column: str) -> dict[int, Summary]:
    """Statistics of a column, for each epoch over the histories that reached it."""
    values: dict[int, list[float]] = {}
    for history in histories:
        for epoch, value in enumerate(history.column(column) if len(history) else (), 1):
            values.setdefault(epoch, []).append(value)
    return {epoch: summarize(some) for epoch, some in values.items()}


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
            found = by_epoch(histories, column)
            epochs, mean = list(found), unit * np.array([s.mean for s in found.values()])
            sd = unit * np.array([s.sd for s in found.values()])
            colour, dash = COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]
            axes.plot(epochs, mean, dash, color=colour, marker=".", label=name)
            if len(histories) > 1:
                axes.fill_between(epochs, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
        axes.set_title(PARTS.get(part, part), fontsize=10)
        axes.set_xlabel("epoch")
        axes.set_ylabel(LABELS.get(measure, measure))
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if axes.get_lines():
            axes.legend(fontsize=8)
    return figure
