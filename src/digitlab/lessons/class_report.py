"""Many students' runs on one page: result, settings and the curve of each."""

from collections.abc import Sequence

import numpy as np

from digitlab.errors import DataError
from digitlab.train.run_list import Run
from digitlab.viz.pages import render

WIDTH, HEIGHT = 160, 40  # of a curve, in pixels; its y axis goes from 0 to 100 %
ACCURACY = "valid_accuracy"


def class_report(runs: Sequence[Run]) -> str:
    """One HTML page with a row for each run, the best validation accuracy first. Raises DataError if no run has one."""
    measured = [run for run in runs if ACCURACY in run.history[-1]]
    if not measured:
        raise DataError(f"none of {len(runs)} runs has a validation accuracy; train with images to validate on")
    rows = [
        {
            "name": run.name,
            "best": max(run.history[ACCURACY]),
            "epoch": int(np.argmax(run.history[ACCURACY])) + 1,
            "run": run,
            "points": _points(run.history[ACCURACY]),
        }
        for run in measured
    ]
    rows.sort(key=lambda row: -float(str(row["best"])))
    return render(
        "class.html",
        "Results of the class",
        rows=rows,
        middle=float(np.median([max(run.history[ACCURACY]) for run in measured])),
        left_out=[run.name for run in runs if run not in measured],
        width=WIDTH,
        height=HEIGHT,
    )


def _points(accuracies: Sequence[float]) -> str:
    """The points of an SVG polyline."""
    places = np.linspace(0, WIDTH, max(len(accuracies), 2))
    return " ".join(f"{x:.1f},{HEIGHT * (1 - y):.1f}" for x, y in zip(places, [*accuracies, accuracies[-1]]))
