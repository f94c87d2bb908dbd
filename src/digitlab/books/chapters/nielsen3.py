"""Nielsen, chapter 3: the cross-entropy, overfitting, regularization, first weights, hyper-parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.chapter import Chapter
from digitlab.books.chapters.nielsen1 import svm_task
from digitlab.books.experiment import Result, TaskResults, Tasks, Variant, computed
from digitlab.books.measure import book_costs, training_figures
from digitlab.books.pictures import WIDEST, Drawn, band, series_bands, valid_test_curves
from digitlab.books.training import book_training
from digitlab.nn import CrossEntropy, Dense, Given, Loss, Network, Quadratic
from digitlab.optim import HalveOnPlateau
from digitlab.viz.figures import COLOURS, axes_figure, finish_axes, new_figure

BOOK = Chapter(__file__)


# A single neuron that learns to turn 1 into 0

NEURONS: dict[str, tuple[type[Loss], float, float, float]] = {  # loss, first weight, first bias, η
    "quadratic, w .6, b .9": (Quadratic, 0.6, 0.9, 0.15),
    "quadratic, w 2, b 2": (Quadratic, 2.0, 2.0, 0.15),
    "cross-entropy, w .6, b .9": (CrossEntropy, 0.6, 0.9, 0.005),
    "cross-entropy, w 2, b 2": (CrossEntropy, 2.0, 2.0, 0.005),
    "cross-entropy, η .15, w .6, b .9": (CrossEntropy, 0.6, 0.9, 0.15),
    "cross-entropy, η .15, w 2, b 2": (CrossEntropy, 2.0, 2.0, 0.15),
}


def neuron(given: Mapping[str, Any]) -> dict[str, Any]:
    """The neuron's output before each of its epochs and after the last, for every setting of NEURONS."""
    curves: dict[str, list[float]] = {}
    x, target = np.ones((1, 1)), np.zeros((1, 1))
    for label, (loss, weight, bias, rate) in NEURONS.items():
        network = Network([Dense(1, Given([[weight]]), Given([bias]))], 1, loss(), dtype="float64")
        outputs = [float(network.predict(x)[0, 0])]
        for _ in range(given["epochs"]):
            network.gradient(x, target)
            for p in network.parameters().values():
                p.value = p.value - rate * p.grad
            outputs.append(float(network.predict(x)[0, 0]))
        curves[label] = outputs
    return {"curves": curves}


def _neuron_query(task_results: TaskResults, variant: Variant) -> Result:
    result = Result(series=dict(task_results["neuron"].result["curves"]))
    for label, outputs in result.series.items():
        result.figures[f"{label}/start"] = outputs[0]
        result.figures[f"{label}/end"] = outputs[-1]
        # "Flat": until the output has gone a tenth of the way from its start to 0.
        result.figures[f"{label}/flat"] = next((i for i, a in enumerate(outputs) if a < 0.9 * outputs[0]), len(outputs))
    return result


def _neuron_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    figure = new_figure(WIDEST, 3.4)
    all_axes = figure.subplots(1, 3)
    for axes, loss in zip(all_axes, ("quadratic", "cross-entropy", "cross-entropy, η .15")):
        labels = [label for label in NEURONS if label.rpartition(", w")[0] == loss]
        for colour, label in zip(COLOURS, labels):
            axes.plot(results[0].series[label], color=colour, label=f"w{label.rpartition(', w')[2]}")
        axes.set_ylim(0, 1)
        title = f"{loss.partition(',')[0]}, η {NEURONS[labels[0]][3]:g}"
        first = axes is all_axes[0]
        finish_axes(axes, "epoch", "output (target 0)" if first else "", title, legend="below" if first else False)
    return {"neuron": figure}


# Overfitting and regularization


def _costs_query(task_results: TaskResults, variant: Variant) -> Result:
    """Figures of the training, with the book's regularized costs among its series and their least values."""
    result = training_figures(task_results, variant)
    ((label, found),) = task_results.items()
    for part, costs in book_costs(found).items():
        result.series[f"{label}/{part}_cost"] = costs
        result.figures[f"{label}/{part}_cost_least_epoch"] = 1 + costs.index(min(costs))
        result.figures[f"{label}/{part}_cost_last"] = costs[-1]
    accuracy = result.series[f"{label}/train_accuracy"]
    if 1.0 in accuracy:
        result.figures[f"{label}/train_perfect_epoch"] = 1.0 + accuracy.index(1.0)
    return result


def _overfitting_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    """The book's four plots in one figure: cost and accuracy, on training and on test data."""
    figure = new_figure(WIDEST, 6.5)
    label = next(key for key in results[0].series if key.endswith("/train_cost")).rpartition("/")[0]
    panels = [
        ("train_cost", "cost on the training set", 1.0),
        ("test_cost", "cost on the test set", 1.0),
        ("train_accuracy", "accuracy on the training set (%)", 100.0),
        ("test_accuracy", "accuracy on the test set (%)", 100.0),
    ]
    for axes, colour, (key, text, unit) in zip(figure.subplots(2, 2).flat, COLOURS, panels):
        series_bands(axes, results, {"": f"{label}/{key}"}, text, unit=unit, colours=[colour])
    return {"curves": figure}


# More training data

SIZES = (100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)
PRESENTED = 1_500_000  # images shown in all, whatever the size


def _sizes(variant: Variant) -> Sequence[int]:
    return (100, 200, 400) if variant.quick else SIZES


def _more_data_tasks(variant: Variant) -> Tasks:
    tasks: Tasks = {}
    for size in _sizes(variant):
        # Validation is measured once, at the end: 15,000 times would take longer than the training.
        epochs, l2 = PRESENTED // size, size * 1e-4
        tasks[f"network, {size}"] = book_training(
            variant, f"{size} images", init="large", train_size=size, epochs=epochs, l2=l2, watch=(), keep="last"
        )
        tasks[f"SVM, {size}"] = svm_task(variant, "book", 0 if size == max(SIZES) else size)
    return tasks


def _more_data_query(task_results: TaskResults, variant: Variant) -> Result:
    result = Result()
    for label, found in task_results.items():
        scores = found.result
        share = scores["valid"] if "valid" in scores else scores["final"]["valid_accuracy"]
        result.figures[f"{label}/valid"] = 100 * share
    result.series["sizes"] = list(_sizes(variant))
    for kind in ("network", "SVM"):
        result.series[kind] = [result.figures[f"{kind}, {size}/valid"] for size in _sizes(variant)]
    return result


def _more_data_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    figure, axes = axes_figure()
    x, book = results[0].series["sizes"], BOOK.reported("more-data")
    for colour, kind in zip(COLOURS, ("network", "SVM")):
        values = np.array([result.series[kind] for result in results])
        band(axes, x, values, colour, ".-", f"{kind}, digitlab")
        if not variant.quick:
            theirs = [book[f"{kind}, {size}/valid"] for size in SIZES]
            axes.plot(SIZES, theirs, "D", color=colour, markersize=4, fillstyle="none", label=f"{kind}, book")
    axes.set_xscale("log")
    finish_axes(axes, "training images", "validation accuracy (%)", "More training data, as many steps")
    return {"sizes": figure}


# Several learning rates


def _rates_query(task_results: TaskResults, variant: Variant) -> Result:
    result = training_figures(task_results, variant)
    for label, found in task_results.items():
        costs = book_costs(found)["train"]
        result.series[f"{label}/cost"] = costs
        result.figures[f"{label}/cost_last"] = costs[-1]
    return result


def _rates_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    figure, axes = axes_figure()
    keys = {key.removesuffix("/cost"): key for key in results[0].series if key.endswith("/cost")}
    series_bands(axes, results, keys, "cost on the training set, including L2")
    return {"costs": figure}


# The exercises: when to stop


def _stopping_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    """One curve per seed, since its trainings differ only in when they stop."""
    figure, axes = axes_figure()
    for n, result in enumerate(results):
        values = 100 * np.array(result.series["100 epochs/valid_accuracy"])
        text = "" if n else "one curve per seed"
        axes.plot(1 + np.arange(len(values)), values, color="#999999", linewidth=1, label=text)
        for colour, label in zip(COLOURS, ("n = 5", "n = 10", "n = 20")):
            stop = len(result.series[f"{label}/valid_accuracy"])
            axes.plot(stop, values[stop - 1], "o", color=colour, label="" if n else f"stopped by {label}")
    finish_axes(axes, "epoch", "validation accuracy (%)", "Stopped after n epochs without improvement")
    return {"curves": figure}


def _halving_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    figure, axes = axes_figure()
    for colour, label in zip(COLOURS, ("halving", "constant")):
        for n, result in enumerate(results):
            values = 100 * np.array(result.series[f"{label}/valid_accuracy"])
            x = 1 + np.arange(len(values))
            axes.plot(x, values, color=colour, linewidth=1, alpha=0.8, label="" if n else label)
    title = "η halved after 10 epochs without improvement, down to η/128"
    finish_axes(axes, "epoch", "validation accuracy (%)", title)
    return {"curves": figure}


def _halving_tasks(variant: Variant) -> Tasks:
    settings: dict[str, Any] = {"epochs": 400, "l2": 5.0, "watch": ("valid",)}
    halving = book_training(variant, "halving η", schedule=HalveOnPlateau(10, 128), **settings)
    return {"halving": halving, "constant": book_training(variant, "constant η", early_stop=20, **settings)}


EXPERIMENTS = [
    BOOK.experiment("single-neuron", computed("neuron", neuron, epochs=300), _neuron_query, _neuron_draw),
    BOOK.experiment("cross-entropy", draw=valid_test_curves),
    BOOK.experiment("overfitting", None, _costs_query, _overfitting_draw),
    BOOK.experiment("overfitting-full", None, _costs_query, _overfitting_draw),
    BOOK.experiment("regularized", None, _costs_query, _overfitting_draw),
    BOOK.experiment("regularized-full", None, _costs_query, _overfitting_draw),
    BOOK.experiment("regularized-100"),
    BOOK.experiment("barrier-98"),
    BOOK.experiment("weight-initialization"),
    BOOK.experiment("more-data", _more_data_tasks, _more_data_query, _more_data_draw),
    BOOK.experiment("several-rates", None, _rates_query, _rates_draw),
    BOOK.experiment("parameter-hunt"),
    BOOK.experiment("parameter-hunt-small"),
    BOOK.experiment("early-stopping", draw=_stopping_draw),
    BOOK.experiment("halving-rate", _halving_tasks, draw=_halving_draw),
]
