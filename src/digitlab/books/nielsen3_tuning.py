"""Nielsen, chapter 3, second half: more data, learning rates, the hunt for hyper-parameters, when to stop."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.books.experiment import Experiment, Reported, Result, TaskResults, Tasks, Variant
from digitlab.books.measure import book_costs, training_figures
from digitlab.books.nielsen1 import svm_task
from digitlab.books.nielsen3 import BOOK, SETUP, network2, valid_curves
from digitlab.books.pictures import Drawn, band, dressed, stacked
from digitlab.books.training import training
from digitlab.nn import mlp
from digitlab.optim import HalveOnPlateau
from digitlab.viz.figures import COLOURS, new_figure

# More training data

SIZES = {
    100: (69.09, 25.07),
    200: (76.37, 48.93),
    500: (85.29, 75.13),
    1000: (88.85, 83.87),
    2000: (91.27, 88.49),
    5000: (93.24, 91.46),
    10000: (94.89, 92.45),
    20000: (95.85, 93.47),
    50000: (95.97, 94.48),
}
PRESENTED = 1_500_000  # images shown in all, whatever the size


def sizes(plan: Variant) -> list[int]:
    return [100, 200, 400] if plan.quick else list(SIZES)


def more_data_tasks(plan: Variant) -> Tasks:
    tasks: Tasks = {}
    for size in sizes(plan):
        # Validation is measured once, at the end: 15,000 times would take longer than the training.
        network = mlp([784, 30, 10], loss="cross-entropy", init="large", scaling="/256", seed=None)
        tasks[f"network, {size}"] = training(
            f"more data, {size} images, seed {plan.seed}",
            network,
            0.5,
            data=plan.data(train_size=size),
            seed=plan.seed,
            epochs=PRESENTED // size,
            l2=size * 1e-4,
            watch=(),
            keep="last",
        )
        tasks[f"SVM, {size}"] = svm_task(plan, "book", 0 if size == max(SIZES) else size)
    return tasks


def more_data_query(outcomes: TaskResults, plan: Variant) -> Result:
    result = Result()
    for label, outcome in outcomes.items():
        found = outcome.result
        result.figures[f"{label}/valid"] = 100 * (
            found["valid"] if "valid" in found else found["final"]["valid_accuracy"]
        )
    result.series["sizes"] = sizes(plan)
    for kind in ("network", "SVM"):
        result.series[kind] = [result.figures[f"{kind}, {size}/valid"] for size in sizes(plan)]
    return result


def more_data_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    figure = new_figure(7.5, 4.5)
    axes = figure.add_subplot()
    x = results[0].series["sizes"]
    for i, kind in enumerate(("network", "SVM")):
        values = np.array([result.series[kind] for result in results])
        band(axes, x, values, COLOURS[i], ".-", f"{kind}, here")
        if not plan.quick:
            axes.plot(
                list(SIZES),
                [pair[i] for pair in SIZES.values()],
                "D",
                color=COLOURS[i],
                markersize=4,
                fillstyle="none",
                label=f"{kind}, the book",
            )
    axes.set_xscale("log")
    dressed(axes, "training images", "validation accuracy (%)", "More training data, as many presentations")
    return {"sizes": figure}


# Several learning rates

RATES = (0.025, 0.25, 2.5)


def rates_query(outcomes: TaskResults, plan: Variant) -> Result:
    result = training_figures(outcomes, plan)
    for label, outcome in outcomes.items():
        costs = book_costs(outcome, 5.0)["train"]
        result.series[f"{label}/cost"] = costs
        result.figures[f"{label}/cost_last"] = costs[-1]
    return result


def rates_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    figure = new_figure(7.5, 4.5)
    axes = figure.add_subplot()
    for i, rate in enumerate(RATES):
        values = stacked(results, f"η {rate:g}/cost")
        if values is not None:
            band(axes, 1 + np.arange(values.shape[1]), values, COLOURS[i], "-", f"η {rate:g}")
    dressed(axes, "epoch", "cost on the training set, with its L2 term")
    return {"costs": figure}


# The exercises: when to stop


def stopping_tasks(plan: Variant) -> Tasks:
    """No improvement in n epochs, for three n; one training goes on to show what stopping misses."""
    tasks: Tasks = {}
    for label, patience in (("n = 5", 5), ("n = 10", 10), ("n = 20", 20), ("100 epochs", 0)):
        network = mlp([784, 30, 10], loss="cross-entropy", init="scaled", scaling="/256", seed=None)
        tasks[label] = training(
            f"stopping, {label}, seed {plan.seed}",
            network,
            0.5,
            data=plan.data(),
            seed=plan.seed,
            epochs=100,
            l2=5.0,
            watch=("valid",),
            early_stop=patience,
        )
    return tasks


def stopping_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    """A seed's trainings are one curve, which each rule leaves at another epoch."""
    figure = new_figure(7.5, 4.5)
    axes = figure.add_subplot()
    for n, result in enumerate(results):
        values = 100 * np.array(result.series["100 epochs/valid_accuracy"])
        text = "a curve each seed" if not n else ""
        axes.plot(1 + np.arange(len(values)), values, color="#999999", linewidth=1, label=text)
        for i, label in enumerate(("n = 5", "n = 10", "n = 20")):
            stop = len(result.series[f"{label}/valid_accuracy"])
            text = f"stopped by {label}" if not n else ""
            axes.plot(stop, values[stop - 1], "o", color=COLOURS[i], label=text)
    dressed(axes, "epoch", "validation accuracy (%)", "When there was no improvement in n epochs")
    return {"curves": figure}


def halving_tasks(plan: Variant) -> Tasks:
    network = mlp([784, 30, 10], loss="cross-entropy", init="scaled", scaling="/256", seed=None)
    settings: dict[str, Any] = {"data": plan.data(), "seed": plan.seed, "epochs": 400, "l2": 5.0, "watch": ("valid",)}
    return {
        "halving": training(f"halving η, seed {plan.seed}", network, 0.5, schedule=HalveOnPlateau(10, 128), **settings),
        "constant": training(f"constant η, seed {plan.seed}", network, 0.5, early_stop=20, **settings),
    }


def halving_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    figure = new_figure(7.5, 4.5)
    axes = figure.add_subplot()
    for i, label in enumerate(("halving", "constant")):
        for n, result in enumerate(results):
            values = 100 * np.array(result.series[f"{label}/valid_accuracy"])
            axes.plot(
                1 + np.arange(len(values)), values, color=COLOURS[i], linewidth=1, alpha=0.8, label="" if n else label
            )
    dressed(axes, "epoch", "validation accuracy (%)", "η halved after 10 epochs without improvement, to η/128")
    return {"curves": figure}


HUNT = "30 hidden, η 10, λ 1000, 30 epochs"
SMALL = {
    "η 10, λ 1000": (10.0, 1000.0),
    "η 10, λ 20": (10.0, 20.0),
    "η 100, λ 20": (100.0, 20.0),
    "η 1, λ 20": (1.0, 20.0),
}
SMALL_BOOK = {"η 10, λ 1000": (10, 10), "η 10, λ 20": (12, 18), "η 100, λ 20": (10, 10), "η 1, λ 20": (62, 61)}


def small_hunt(plan: Variant) -> Tasks:
    settings = {
        label: {
            "hidden": (),
            "rate": rate,
            "l2": l2,
            "epochs": 4,
            "train_size": 1000,
            "valid_size": 100,
            "init": "scaled",
            "watch": ("valid",),
            "dtype": "float64",
        }
        for label, (rate, l2) in SMALL.items()
    }
    return network2(settings)(plan)


ROWS = [
    Experiment(
        "more-data",
        BOOK,
        "3",
        "what more training data is worth, to a network and to an SVM",
        f"[784, 30, 10], first 100 to 50,000 images, 1,500,000/size epochs, λ = size·10⁻⁴, η .5, N(0, 1) init; "
        f"{SETUP}; SVC with gamma='auto'",
        more_data_tasks,
        more_data_query,
        more_data_draw,
        tuple(
            Reported(
                f"{kind}, {size}/valid",
                pair[i],
                "validation",
                f"{kind}, {size:,} images",
                images=0 if kind == "SVM" else 10_000,
            )
            for i, kind in enumerate(("network", "SVM"))
            for size, pair in SIZES.items()
        ),
        minutes=14.5,
    ),
    Experiment(
        "several-rates",
        BOOK,
        "3",
        "the cost on the training set under three learning rates",
        f"30 hidden, λ 5, η .025, .25 and 2.5, scaled init, 30 epochs; {SETUP}",
        network2(
            {
                f"η {rate:g}": {
                    "hidden": 30,
                    "rate": rate,
                    "l2": 5.0,
                    "init": "scaled",
                    "squares": True,
                    "watch": ("train", "valid"),
                }
                for rate in RATES
            }
        ),
        rates_query,
        rates_draw,
        tuple(
            Reported(f"η {rate:g}/cost_last", value, "training", f"cost after 30 epochs, η {rate:g}", "")
            for rate, value in zip(RATES, (0.339, 0.339, 0.861))
        ),
        minutes=0.2,
    ),
    Experiment(
        "parameter-hunt",
        BOOK,
        "3",
        "hyper-parameters so bad that nothing is learned",
        f"{HUNT}; {SETUP}",
        network2({"hunt": {"hidden": 30, "rate": 10.0, "l2": 1000.0, "init": "scaled", "watch": ("valid",)}}),
        training_figures,
        valid_curves,
        (
            Reported("hunt/valid_first", 10.30, "validation", "epoch 1"),
            Reported("hunt/valid_last", 9.67, "validation", "epoch 30"),
        ),
        minutes=0.05,
        cause="Such a network answers the same digit whatever it is shown, and each digit is 9 to 11 % of the images.",
    ),
    Experiment(
        "parameter-hunt-small",
        BOOK,
        "3",
        "a smaller problem gives answers within seconds",
        f"[784, 10], first 1,000 images, first 100 to validate, 4 epochs, four pairs of η and λ; {SETUP}",
        small_hunt,
        training_figures,
        valid_curves,
        tuple(
            Reported(
                f"{label}/valid_{at}",
                value,
                "validation",
                f"{label}, epoch {epoch} (of 100 images)",
                step=1,
                images=100,
            )
            for label, pair in SMALL_BOOK.items()
            for at, value, epoch in zip(("first", "last"), pair, (1, 4))
        ),
        minutes=0.01,
        cause="One image is a whole per cent here, and each run has other dice: the order of the four matters, "
        "not the digits. At η 10, λ 1000 each step multiplies the weights by 1 − ηλ/n = −9: "
        "they grow to the end of float64.",
    ),
    Experiment(
        "early-stopping",
        BOOK,
        "3",
        "exercise: stop when there was no improvement in n epochs",
        f"[784, 30, 10], η .5, λ 5, scaled init, n = 5, 10, 20, at most 100 epochs; {SETUP}",
        stopping_tasks,
        training_figures,
        stopping_draw,
        minutes=0.3,
    ),
    Experiment(
        "halving-rate",
        BOOK,
        "3",
        "exercise: halve η after 10 epochs without improvement, stop at η/128",
        f"[784, 30, 10], η .5, λ 5, scaled init, beside a constant η that stops after 20 epochs without; {SETUP}",
        halving_tasks,
        training_figures,
        halving_draw,
        minutes=0.5,
    ),
]
