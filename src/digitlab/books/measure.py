"""The figures of a training, under names that all experiments share; accuracies in per cent.

30/valid_best      the best validation accuracy, and 30/valid_best_epoch its epoch
30/test            test accuracy of the network of that epoch: the honest figure
30/test_peak       the best test accuracy of any epoch, which the book's early chapters report
30/valid_first, 30/valid_last, 30/test_first, 30/test_last, 30/train_peak ...
"""

from collections.abc import Mapping

from digitlab.books.experiment import Result, TaskResults, Variant
from digitlab.books.task import TaskResult
from digitlab.books.training import Training
from digitlab.optim.regularizers import L2
from digitlab.viz.curves import PARTS


def training_figures(task_results: TaskResults, variant: Variant) -> Result:
    """The figures of all trainings among the task results, and their curves as series."""
    result = Result()
    figures = result.figures
    for label, found in task_results.items():
        if not isinstance(found.task, Training):
            continue
        history, final, diverged = (found.result[key] for key in ("history", "final", "diverged"))
        for part in PARTS:
            if values := [100 * value for value in history.get(f"{part}_accuracy", [])]:
                kind = "best" if part == "valid" else "peak"
                figures[f"{label}/{part}_first"] = values[0]
                if not diverged:  # else there is no last epoch to compare
                    figures[f"{label}/{part}_last"] = values[-1]
                figures[f"{label}/{part}_{kind}"] = max(values)
                figures[f"{label}/{part}_{kind}_epoch"] = 1 + values.index(max(values))
        figures[f"{label}/epochs"] = found.result["epochs"]
        figures[f"{label}/seconds"] = found.seconds
        figures[f"{label}/test"] = 100 * final["test_accuracy"]
        if "valid_accuracy" in final:
            figures[f"{label}/valid"] = 100 * final["valid_accuracy"]
        curves = {name: values for name, values in history.items() if name.endswith(("_accuracy", "_loss"))}
        result.series |= {f"{label}/{name}": values for name, values in curves.items()}
        if diverged:
            result.notes.append(f"{label}: {diverged}")
    return result


def book_costs(found: TaskResult) -> dict[str, list[float]]:
    """network2's costs per epoch, C = C₀ + ½ λ/n Σ w², n the size of the measured set; Nielsen ch. 3.

    On evaluation data it divides λ by the size of that set (10,000), not of the training set: `total_cost` in
    network2.py. The training must have `squares`, and watch these sets.
    """
    assert isinstance(found.task, Training)
    strength = sum(r.strength for r in found.task.config.regularizers if isinstance(r, L2))
    history = found.result["history"]
    sizes = {"train": "examples", "valid": "valid_examples", "test": "test_examples"}
    return {
        part: [
            loss + strength / (2 * found.result[sizes[part]]) * square
            for loss, square in zip(history[f"{part}_loss"], history["weight_squares"])
        ]
        for part in PARTS
        if f"{part}_loss" in history and (part != "train" or "train_accuracy" in history)
    }


def same_as_last(key: str, figures: Mapping[str, float]) -> bool:
    """Whether a test accuracy is that of the last epoch, which has its own line."""
    return key.endswith("/test") and figures.get(f"{key}_last") == figures[key]


def split_of(key: str) -> str:
    """The set that a figure was measured on, by its name."""
    last = key.rpartition("/")[2]
    return next((name for part, name in PARTS.items() if last.startswith(part)), "–")


def unit_of(key: str) -> str:
    """ "%" for accuracies."""
    name = key.rpartition("/")[2]
    return "%" if name.startswith(tuple(PARTS)) and not name.endswith("_epoch") and "cost" not in name else ""
