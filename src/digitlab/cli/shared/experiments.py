"""The result of an experiment in the terminal: figures beside the book's, curves, what it teaches, its pictures."""

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from digitlab.cli.shared.console import LINE, columns, say, table

if TYPE_CHECKING:
    from digitlab.books.experiment import Experiment
    from digitlab.books.results import ExperimentResult

MOST_CURVES = 5  # more are not told apart by their marks


def show_result(experiment: "Experiment", found: "ExperimentResult", folder: Path) -> None:
    """Print the result of one mode; `folder` holds its pictures."""
    from digitlab.books.report import figure_rows, headings_of
    from digitlab.viz.terminal import chart_text

    mode = f" ({found.mode})" if len(experiment.modes) > 1 else ""
    say(f"\n{experiment.name}{mode}: {experiment.title}")
    if rows := [
        [cell.replace("**", "").replace("`", "") for cell in row[:5]] for row in figure_rows(experiment, found)
    ]:
        say(table(headings_of([experiment])[:5], rows, left=2))
    if curves := accuracy_chart(found):
        say(chart_text(curves))
    if experiment.teaches:
        say(textwrap.fill(experiment.teaches, columns(sys.stdout) or LINE))
    for picture in found.pictures:
        say(f"picture: {folder / picture}")


def accuracy_chart(found: "ExperimentResult") -> "list[list[tuple[str, int | None]]]":
    """The first trainings' accuracies over epochs, the mean over seeds; [] without curves of two epochs or more."""
    from digitlab.books.pictures import stacked
    from digitlab.viz.terminal import chart

    results = list(found.results.values())
    keys = [key for key in results[0].series if key.endswith("_accuracy")]
    part = next((part for part in ("valid", "test") if any(key.endswith(f"/{part}_accuracy") for key in keys)), "")
    curves = {}
    for key in [key for key in keys if key.endswith(f"/{part}_accuracy")][:MOST_CURVES]:
        values = stacked(results, key)
        if values is not None and values.shape[1] > 1:
            mean = (100 * values.mean(axis=0)).tolist()
            curves[key.rpartition("/")[0]] = (range(1, len(mean) + 1), mean)
    if not curves:
        return []
    name = {"valid": "validation accuracy (%)", "test": "test accuracy (%)"}[part]
    width = min(columns(sys.stdout) or LINE, LINE)
    return chart(curves, title=name, x_label=" epoch ", width=width, height=10)
