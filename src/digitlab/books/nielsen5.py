"""Nielsen, chapter 5: why deep networks learn slowly. The early layers have the smaller gradients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.data import Data
from digitlab.books.experiment import Experiment, Reported, Result, TaskResults, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.nielsen1 import data_table
from digitlab.books.nielsen3 import BOOK, SETUP, network2, valid_curves
from digitlab.books.pictures import Drawn, band, dressed, stacked
from digitlab.books.task import Computation
from digitlab.nn import Dense, Network, mlp
from digitlab.viz.figures import COLOURS, new_figure

DEPTH_BOOK = (96.48, 96.90, 96.57, 96.53)


def depth_curves(results: Sequence[Result], plan: Variant) -> Drawn:
    """Only the upper part: below, the four lie on one line."""
    drawn = valid_curves(results, plan)
    for axes in drawn["curves"].axes if not plan.quick else ():
        axes.set_ylim(94, 97.5)
    return drawn


def step(network: Network, images: Any, labels: Any, rate: float, decay: float) -> list[Dense]:
    """One step of gradient descent with L2, `decay` = λ/n; the dense layers, which still hold their gradients."""
    network.gradient(images, labels)
    for p in network.parameters().values():
        p.value = p.value - rate * (p.grad + (decay * p.value if p.regularized else 0))
    return [layer for layer in network.layers if isinstance(layer, Dense)]


def gradient_norms(given: Mapping[str, Any]) -> dict[str, Any]:
    """‖mean ∂C/∂b‖ of every hidden layer, before each of the steps over the whole set: generate_gradient.py."""
    train = Data(**given["data"]).load().train
    network = mlp(
        [784, *[30] * given["depth"], 10], loss="cross-entropy", init="scaled", scaling="/256", seed=given["seed"]
    )
    norms: list[list[float]] = [[] for _ in range(given["depth"])]
    for _ in range(given["epochs"]):
        layers = step(network, train.images, train.labels, 0.1, 5.0 / len(train))
        for values, layer in zip(norms, layers):
            values.append(float(np.linalg.norm(layer.params["b"].grad)))
    return {"norms": norms}


def norms_tasks(plan: Variant) -> Tasks:
    return {
        f"{depth} hidden": Computation(
            title=f"gradient norms, {depth} hidden layers, seed {plan.seed}",
            function=gradient_norms,
            given={
                "data": data_table(plan, 1000),
                "depth": depth,
                "epochs": 20 if plan.quick else 500,
                "seed": plan.seed,
            },
        )
        for depth in (2, 3, 4)
    }


def norms_query(outcomes: TaskResults, plan: Variant) -> Result:
    result = Result()
    for label, outcome in outcomes.items():
        for i, values in enumerate(outcome.result["norms"], 1):
            result.figures[f"{label}/layer {i} first"] = values[0]
            result.figures[f"{label}/layer {i} last"] = values[-1]
            result.series[f"{label}/layer {i}"] = values
    return result


def norms_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    figure = new_figure(12, 4)
    for place, depth in enumerate((2, 3, 4), 1):
        axes = figure.add_subplot(1, 3, place)
        for i in range(1, depth + 1):
            values = stacked(results, f"{depth} hidden/layer {i}")
            if values is not None:
                band(axes, np.arange(values.shape[1]), values, COLOURS[i - 1], "-", f"layer {i}")
        axes.set_yscale("log")
        dressed(axes, "epoch", "‖∂C/∂b‖, mean over the images", f"{depth} hidden layers")
    return {"norms": figure}


def layer_speeds(given: Mapping[str, Any]) -> dict[str, Any]:
    """‖∂C/∂W‖ of every layer at each of ten batches."""
    train = Data(**given["data"]).load().train
    network = mlp([784, *[30] * 5, 10], loss="cross-entropy", init="scaled", scaling="/256", seed=given["seed"])
    order = np.random.default_rng(given["seed"]).permutation(len(train))
    batches = np.array_split(order, 10)
    norms: list[list[float]] = []
    for batch in batches:
        layers = step(network, train.images[batch], train.labels[batch], 0.01, 0.05 / len(train))
        norms.append([float(np.linalg.norm(layer.params["W"].grad)) for layer in layers])
    return {"norms": norms}


def speed_tasks(plan: Variant) -> Tasks:
    given = {"data": data_table(plan, 1000), "seed": plan.seed}
    return {"speed": Computation(title=f"speed per layer, seed {plan.seed}", function=layer_speeds, given=given)}


def speed_query(outcomes: TaskResults, plan: Variant) -> Result:
    norms = np.array(outcomes["speed"].result["norms"])  # (batches, layers)
    figures = {f"layer {i}": float(value) for i, value in enumerate(norms.mean(axis=0), 1)}
    figures["layer 5 over layer 1"] = figures["layer 5"] / figures["layer 1"]
    return Result(figures, {f"layer {i}": column.tolist() for i, column in enumerate(norms.T, 1)})


def speed_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    figure = new_figure(7.5, 4.3)
    axes = figure.add_subplot()
    for i in range(1, 7):
        values = stacked(results, f"layer {i}")
        if values is not None:
            band(
                axes,
                np.arange(1, values.shape[1] + 1),
                values,
                COLOURS[i - 1],
                ".-",
                f"layer {i}" if i < 6 else "output",
            )
    axes.set_yscale("log")
    dressed(axes, "batch", "‖∂C/∂W‖", "784-30-30-30-30-30-10: how fast each layer learns")
    return {"speed": figure}


NORMS_BOOK = {2: (0.0657, 0.3092), 3: (0.0118, 0.0600, 0.2831), 4: (0.0030, 0.0171, 0.0695, 0.2851)}
ROWS = [
    Experiment(
        "depth",
        BOOK,
        "5",
        "more hidden layers of the same kind do not help",
        f"1 to 4 hidden layers of 30, η .1, λ 5, scaled init, 30 epochs; {SETUP}",
        network2(
            {
                f"{n} hidden": {"hidden": (30,) * n, "rate": 0.1, "l2": 5.0, "init": "scaled", "watch": ("valid",)}
                for n in (1, 2, 3, 4)
            }
        ),
        training_figures,
        depth_curves,
        tuple(
            Reported(f"{n} hidden/valid_best", value, "validation", f"{n} hidden layer{'s' if n > 1 else ''}")
            for n, value in enumerate(DEPTH_BOOK, 1)
        ),
        minutes=0.7,
        cause="The book gives one run each. A second hidden layer adds about as much here as there; more add nothing.",
    ),
    Experiment(
        "gradient-norms",
        BOOK,
        "5",
        "before training the gradient grows from layer to layer",
        "2, 3 and 4 hidden layers of 30, first 1,000 images as one batch, η .1, λ 5, scaled init, 500 epochs",
        norms_tasks,
        norms_query,
        norms_draw,
        tuple(
            Reported(f"{n} hidden/layer {i} first", value, "", f"{n} hidden layers, layer {i}, before training", "")
            for n, values in NORMS_BOOK.items()
            for i, value in enumerate(values, 1)
        ),
        minutes=0.15,
        cause="The norms before training are those of random weights: the book shows one draw of them.",
    ),
    Experiment(
        "speed-per-layer",
        BOOK,
        "5",
        "in a network of five hidden layers the first learns slowest",
        "784-30-30-30-30-30-10, cross-entropy, scaled init, ten batches of 100, η .01, λ .05; ‖∂C/∂W‖ per layer",
        speed_tasks,
        speed_query,
        speed_draw,
        minutes=0.01,
    ),
]
