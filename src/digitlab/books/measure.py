"""Figures that every training has, under names that all rows share; accuracies in per cent.

30/valid_best      the best validation accuracy, and 30/best_epoch where it was
30/test            test accuracy of the network of that epoch: what one may claim
30/test_peak       the best test accuracy of any epoch: what one may not, and what the book's early chapters do
30/valid_first, 30/valid_last, 30/test_first, 30/test_last, 30/train_peak ...
"""

from collections.abc import Mapping
from typing import Any

from digitlab.books.experiment import Result, TaskResults, Variant
from digitlab.books.task import TaskResult
from digitlab.books.training import Training

PARTS = ("train", "valid", "test")


def training_figures(outcomes: TaskResults, plan: Variant) -> Result:
    """The figures of all trainings among the outcomes, and their curves as series."""
    result = Result()
    for label, outcome in outcomes.items():
        if not isinstance(outcome.task, Training):
            continue
        add_figures(result, label, outcome)
    return result


def add_figures(result: Result, label: str, outcome: TaskResult) -> None:
    """Add one training's figures and curves under its label."""
    history: Mapping[str, Any] = outcome.result["history"]
    figures = result.figures
    whole = not outcome.result["diverged"]  # else it has no last epoch that could be held against another's
    for part in PARTS:
        if values := [100 * value for value in history.get(f"{part}_accuracy", [])]:
            kind = "best" if part == "valid" else "peak"
            figures[f"{label}/{part}_first"] = values[0]
            if whole:
                figures[f"{label}/{part}_last"] = values[-1]
            figures[f"{label}/{part}_{kind}"] = max(values)
            figures[f"{label}/{part}_{kind}_epoch"] = 1 + values.index(max(values))
    figures[f"{label}/epochs"] = outcome.result["epochs"]
    figures[f"{label}/seconds"] = outcome.seconds
    final = outcome.result["final"]
    figures[f"{label}/test"] = 100 * final["test_accuracy"]
    if "valid_accuracy" in final:
        figures[f"{label}/valid"] = 100 * final["valid_accuracy"]
    for name, values in history.items():
        if name.endswith(("_accuracy", "_loss")):
            result.series[f"{label}/{name}"] = values
    if outcome.result["diverged"]:
        result.notes.append(f"{label}: {outcome.result['diverged']}")


def book_costs(outcome: TaskResult, strength: float) -> dict[str, list[float]]:
    """network2's costs per epoch, C = C₀ + ½ λ/n Σ w², n the size of the set that is measured; Nielsen ch. 3.

    So on evaluation data it divides λ by the size of that set (10,000), not by that of the training set: `total_cost`
    in network2.py. Needs a training with `squares` and with those sets watched.
    """
    squares = outcome.result["history"]["weight_squares"]
    sizes = {"train": "examples", "valid": "valid_examples", "test": "test_examples"}
    return {
        part: [
            loss + strength / (2 * outcome.result[sizes[part]]) * square
            for loss, square in zip(outcome.result["history"][f"{part}_loss"], squares)
        ]
        for part in PARTS
        if f"{part}_loss" in outcome.result["history"]
        and (part != "train" or "train_accuracy" in outcome.result["history"])
    }


def same_as_last(key: str, figures: Mapping[str, float]) -> bool:
    """Whether a test accuracy is the last epoch's, which has its own line."""
    return key.endswith("/test") and figures.get(f"{key}_last") == figures[key]


def split_of(key: str) -> str:
    """Which set a figure's name says it is of."""
    for part, name in (("test", "test"), ("valid", "validation"), ("train", "training")):
        if key.rpartition("/")[2].startswith(part):
            return name
    return "–"


def unit_of(key: str) -> str:
    """ "%" for accuracies."""
    name = key.rpartition("/")[2]
    accuracy = name.startswith(("test", "valid", "train")) and not name.endswith("_epoch") and "cost" not in name
    return "%" if accuracy else ""
