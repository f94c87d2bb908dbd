"""Nielsen, chapter 5: why deep networks learn slowly. The early layers have the smaller gradients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.chapter import Chapter
from digitlab.books.data import Data
from digitlab.books.experiment import Result, TaskResults, Tasks, Variant, computed
from digitlab.books.pictures import WIDEST, Drawn, series_bands, valid_curves
from digitlab.nn import Dense, Network, mlp
from digitlab.viz.figures import axes_figure, new_figure


def deep_network(depth: int, seed: int) -> Network:
    """784-30-…-30-10 with so many hidden layers."""
    return mlp([784, *[30] * depth, 10], loss="cross-entropy", init="scaled", scaling="/256", seed=seed)


def _depth_curves(results: Sequence[Result], variant: Variant) -> Drawn:
    """The curves above 94 %, where they differ."""
    drawn = valid_curves(results, variant)
    for axes in drawn["curves"].axes if not variant.quick else ():
        axes.set_ylim(94, 97.5)
    return drawn


def step(network: Network, images: Any, labels: Any, rate: float, decay: float) -> list[Dense]:
    """One step of gradient descent with L2, `decay` = λ/n; returns the dense layers, with their gradients."""
    network.gradient(images, labels)
    for p in network.parameters().values():
        p.value = p.value - rate * (p.grad + (decay * p.value if p.regularized else 0))
    return [layer for layer in network.layers if isinstance(layer, Dense)]


def gradient_norms(given: Mapping[str, Any]) -> dict[str, Any]:
    """‖mean ∂C/∂b‖ of every hidden layer, before each of the steps over the whole set: generate_gradient.py."""
    train = Data(**given["data"]).load().train
    network = deep_network(given["depth"], given["seed"])
    norms: list[list[float]] = [[] for _ in range(given["depth"])]
    for _ in range(given["epochs"]):
        layers = step(network, train.images, train.labels, 0.1, 5.0 / len(train))
        for values, layer in zip(norms, layers):
            values.append(float(np.linalg.norm(layer.params["b"].grad)))
    return {"norms": norms}


def _norms_tasks(variant: Variant) -> Tasks:
    tasks: Tasks = {}
    for depth in (2, 3, 4):
        settings = {"depth": depth, "epochs": 20 if variant.quick else 500}
        tasks |= computed(f"{depth} hidden", gradient_norms, images=1000, seeded=True, **settings)(variant)
    return tasks


def _norms_query(task_results: TaskResults, variant: Variant) -> Result:
    result = Result()
    for label, found in task_results.items():
        for i, values in enumerate(found.result["norms"], 1):
            result.figures[f"{label}/layer {i} first"] = values[0]
            result.figures[f"{label}/layer {i} last"] = values[-1]
            result.series[f"{label}/layer {i}"] = values
    return result


def _norms_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    figure = new_figure(WIDEST, 3.4)
    for axes, depth in zip(figure.subplots(1, 3), (2, 3, 4)):
        keys = {f"layer {i}": f"{depth} hidden/layer {i}" for i in range(1, depth + 1)}
        text, title = "‖∂C/∂b‖" if depth == 2 else "", f"{depth} hidden layers"
        series_bands(axes, results, keys, text, title=title, first=0, log=True)
    return {"norms": figure}


def layer_speeds(given: Mapping[str, Any]) -> dict[str, Any]:
    """‖∂C/∂W‖ of every layer at each of ten batches."""
    train = Data(**given["data"]).load().train
    network = deep_network(5, given["seed"])
    order = np.random.default_rng(given["seed"]).permutation(len(train))
    norms: list[list[float]] = []
    for batch in np.array_split(order, 10):
        layers = step(network, train.images[batch], train.labels[batch], 0.01, 0.05 / len(train))
        norms.append([float(np.linalg.norm(layer.params["W"].grad)) for layer in layers])
    return {"norms": norms}


def _speed_query(task_results: TaskResults, variant: Variant) -> Result:
    norms = np.array(task_results["speed"].result["norms"])  # (batches, layers)
    figures = {f"layer {i}": float(value) for i, value in enumerate(norms.mean(axis=0), 1)}
    figures["layer 5 over layer 1"] = figures["layer 5"] / figures["layer 1"]
    return Result(figures, {f"layer {i}": column.tolist() for i, column in enumerate(norms.T, 1)})


def _speed_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    figure, axes = axes_figure(7.5, 4.3)
    keys = {f"layer {i}" if i < 6 else "output": f"layer {i}" for i in range(1, 7)}
    title = "784-30-30-30-30-30-10: gradient norm of each layer"
    series_bands(axes, results, keys, "‖∂C/∂W‖", title=title, x_label="batch", dash=".-", log=True)
    return {"speed": figure}


BOOK = Chapter(__file__)
SPEED = computed("speed", layer_speeds, images=1000, seeded=True)
EXPERIMENTS = [
    BOOK.experiment("depth", draw=_depth_curves),
    BOOK.experiment("gradient-norms", _norms_tasks, _norms_query, _norms_draw),
    BOOK.experiment("speed-per-layer", SPEED, _speed_query, _speed_draw),
]
