"""The five experiments of a reader's first steps with Rashid's book, each in three parts: train, query, result.

As written: Rashid's rule, file order, N(0, 1/n_in). Corrected: the true gradient, shuffled. The reader's own program
saves only the last network of experiment 2, and asks in experiment 5 for the labels of the first ten test images
(7 2 1 0 4 1 4 9 5 9) instead of the ten digits. Neither is repeated here: every network is kept, and the ten pictures
are of 0 to 9.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from digitlab.books.animation import TurningSurface
from digitlab.books.chapter import Chapter
from digitlab.books.chapters.rashid import add_inverse_queries, rashid_training
from digitlab.books.experiment import Result, TaskResults, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.pictures import Drawn, accuracy_points, best_point, digit_grid
from digitlab.books.training import Training
from digitlab.nn.initializers import Uniform
from digitlab.train import evaluate

BOOK = Chapter(__file__, rashid_training)
RATES = (0.01, 0.05, 0.08, 0.1, 0.12, 0.15, 0.18, 0.2, 0.3, 0.5, 0.7, 1.0)
EPOCHS = (1, 2, 3, 4, 5, 7, 10, 15, 20)
GRID_RATES = (0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3)
GRID_EPOCHS = 15


def snapshot_scores(task_results: TaskResults, label: str) -> list[float]:
    """Test accuracy in per cent of every network that a training kept along the way, measured again."""
    found = task_results[label]
    assert isinstance(found.task, Training)
    test = found.task.data.load().test
    networks = [found.network(epoch) for epoch in found.task.snapshots]
    return [100 * (evaluate(network, test.images, test.labels).accuracy or 0.0) for network in networks]


# 1: one training run


def _first_tasks(variant: Variant) -> Tasks:
    weights = {"N(0, 1/n)": None, "U(−½, ½)": Uniform(-0.5, 0.5)}
    return {label: rashid_training(variant, label, rate=0.3, weights=chosen) for label, chosen in weights.items()}


def _first_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    labels = [key.removesuffix("/test") for key in results[0].figures if key.endswith("/test")]
    return {"weights": accuracy_points(results, labels, title=f"One epoch, η .3, {variant.mode}", book=[95.0, None])}


# 2: learning rates


def _rates_tasks(variant: Variant) -> Tasks:
    return {f"η {rate:g}": rashid_training(variant, f"η {rate:g}", rate=rate, snapshots=[1]) for rate in RATES}


def _rates_query(task_results: TaskResults, variant: Variant) -> Result:
    scores = [snapshot_scores(task_results, label)[0] for label in task_results]
    figures = {f"{label}/test": score for label, score in zip(task_results, scores)}
    figures["best rate"] = RATES[int(np.argmax(scores))]
    return Result(figures, {"scores": scores})


def _rates_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    values = [result.series["scores"] for result in results]
    return {"rates": best_point(RATES, values, title=f"One epoch, {variant.mode}", x_label="learning rate η")}


# 3: epochs


def _epochs_tasks(variant: Variant) -> Tasks:
    return {"net": rashid_training(variant, "many epochs", rate=0.1, epochs=max(EPOCHS), snapshots=EPOCHS)}


def _epochs_query(task_results: TaskResults, variant: Variant) -> Result:
    task = task_results["net"].task
    assert isinstance(task, Training)
    scores, epochs = snapshot_scores(task_results, "net"), list(task.snapshots)
    figures = {f"epoch {epoch}/test": score for epoch, score in zip(epochs, scores)}
    figures["best epoch"] = epochs[int(np.argmax(scores))]
    return Result(figures, {"epochs": epochs, "scores": scores})


def _epochs_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    values = [result.series["scores"] for result in results]
    title = f"η .1, {variant.mode}"
    return {"epochs": best_point(results[0].series["epochs"], values, title=title, x_label="epochs")}


# 4: learning rates and epochs


def _grid_tasks(variant: Variant) -> Tasks:
    settings: dict[str, Any] = {"epochs": GRID_EPOCHS, "snapshots": range(1, GRID_EPOCHS + 1)}
    return {f"η {rate:g}": rashid_training(variant, f"η {rate:g}", rate=rate, **settings) for rate in GRID_RATES}


def _grid_query(task_results: TaskResults, variant: Variant) -> Result:
    surface = np.array([snapshot_scores(task_results, label) for label in task_results])  # (rates, epochs)
    rate, epoch = np.unravel_index(surface.argmax(), surface.shape)
    figures = {"best": float(surface.max()), "best rate": GRID_RATES[int(rate)], "best at epoch": float(epoch + 1)}
    return Result(figures, {"surface": surface.tolist()})


def _grid_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    surface = np.mean([result.series["surface"] for result in results], axis=0)  # (rates, epochs)
    epochs = list(range(1, surface.shape[1] + 1))
    labels = ("epochs", "learning rate η", "test accuracy (%)")
    title = f"Learning rates and epochs, {variant.mode}"
    return {"surface": TurningSurface(epochs, GRID_RATES, surface, labels, title, 12 if variant.quick else 360)}


# 5: the inverse query


def _backquery_query(task_results: TaskResults, variant: Variant) -> Result:
    result = training_figures(task_results, variant)
    add_inverse_queries(result, task_results["net"].network())
    return result


EXPERIMENTS = [
    BOOK.experiment("first-steps-1", _first_tasks, training_figures, _first_draw),
    BOOK.experiment("first-steps-2", _rates_tasks, _rates_query, _rates_draw),
    BOOK.experiment("first-steps-3", _epochs_tasks, _epochs_query, _epochs_draw),
    BOOK.experiment("first-steps-4", _grid_tasks, _grid_query, _grid_draw),
    BOOK.experiment("first-steps-5", None, _backquery_query, partial(digit_grid, title="Estimated digits")),
]
