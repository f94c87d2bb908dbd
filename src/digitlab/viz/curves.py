"""Training histories as curves, one for each or mean ± standard deviation over several."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab.statistics import Summary, summarize
from digitlab.train.callbacks import Callback
from digitlab.train.columns import MEASURES, unit
from digitlab.train.curves import curves_figure as curves_figure
from digitlab.train.history import History, Row
from digitlab.viz.figures import COLOURS, Figure, finish_axes, new_figure, save_figure

if TYPE_CHECKING:
    from digitlab.train.trainer import Trainer

DASHES = ("-", "--", "-.", ":")
PARTS = {"train": "training", "valid": "validation", "test": "test"}
FEW = 4  # histories with a marked best value; with more of them, the names are beside the curves


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
        scale = unit(column).scale
        for i, (name, histories) in enumerate(groups.items()):
            found = by_epoch(histories, column)
            epochs, mean = list(found), scale * np.array([s.mean for s in found.values()])
            sd = scale * np.array([s.sd for s in found.values()])
            colour, dash = COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)]
            axes.plot(epochs, mean, dash, color=colour, marker=".", label=name)
            if len(histories) > 1:
                axes.fill_between(epochs, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
        finish_axes(axes, "epoch", MEASURES.get(measure, measure), PARTS.get(part, part))
    return figure


class CurvesPicture(Callback):
    """Keeps `curves.png` in a run folder, drawn when training ends, and at most every 30 seconds before.

    A single epoch is no curve; loading the drawing library would take half a second.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = Path(folder) / "curves.png"
        self._drawn_at = 0.0

    def on_epoch_end(self, trainer: "Trainer", row: Row) -> None:
        if row["total_seconds"] - self._drawn_at > 30:
            self._draw(trainer)
            self._drawn_at = row["total_seconds"]

    def on_fit_end(self, trainer: "Trainer") -> None:
        self._draw(trainer)

    def _draw(self, trainer: "Trainer") -> None:
        if len(trainer.history) > 1:
            save_figure(curves_figure({self.path.parent.name: trainer.history}, title=self.path.parent.name), self.path)
