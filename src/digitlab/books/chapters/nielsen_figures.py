"""The books' illustrations: cost surfaces, activation functions, a helix that PCA cannot unroll, and digits."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.chapter import Chapter, Draw
from digitlab.books.chapters.nielsen1 import FIRST
from digitlab.books.experiment import Experiment, Result, TaskResults, Variant, computed
from digitlab.books.pictures import Drawn, picture_grid
from digitlab.engine.select import predict
from digitlab.viz.figures import COLOURS, Figure, axes_figure, finish_axes, new_figure

BOOK = Chapter(__file__)


def no_figures(given: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing to compute: these experiments are pictures of formulas."""
    return {}


def _formulas(name: str, draw: Draw) -> Experiment:
    return BOOK.experiment(name, computed("formulas", no_figures), lambda task_results, variant: Result(), draw)


def surface(x: Any, y: Any, z: Any, title: str) -> Figure:
    """A surface over a square, with the height's name C as in the book."""
    from matplotlib.figure import Figure as Plain

    figure = Plain(figsize=(5.5, 4.5))  # three axes need more room than a fitted layout leaves them
    axes: Any = figure.add_subplot(projection="3d")
    axes.plot_surface(x, y, z, cmap="viridis", linewidth=0.1, edgecolor="black")
    axes.set(xlabel="v₁", ylabel="v₂", zlabel="C")
    axes.set_title(title, fontsize=11)
    return figure


def _valleys(results: Sequence[Result], variant: Variant) -> Drawn:
    x, y = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41))
    wide_x, wide_y = np.meshgrid(np.linspace(-4, 4, 81), np.linspace(-4, 4, 81))
    minima = np.sin(wide_x) * np.sin(wide_y) + 0.2 * wide_x
    contours, axes = axes_figure(5.5, 4.5)
    heights = x**2 + 10 * y**2
    lines = axes.contour(x, y, heights, levels=[0.1, 0.3, 0.7, 1.5, 3, 5, 8], cmap="viridis")
    axes.clabel(lines, fontsize=7)
    path = [np.array([-0.9, 0.5])]
    for _ in range(25):  # gradient descent on it: across the valley and back, and slowly along it
        path.append(path[-1] * (1 - 0.09 * np.array([2, 20])))
    axes.plot(*np.array(path).T, ".-", color=COLOURS[1], linewidth=1, label="gradient descent, η .09")
    finish_axes(axes, "v₁", "v₂", "C = v₁² + 10 v₂²: a narrow valley")
    return {
        "valley": surface(x, y, x**2 + y**2, "C = v₁² + v₂²"),
        "narrow": surface(x, y, heights, "C = v₁² + 10 v₂²"),
        "contours": contours,
        "minima": surface(wide_x, wide_y, minima, "C = sin v₁ sin v₂ + 0.2 v₁: many minima"),
    }


def _helix(results: Sequence[Result], variant: Variant) -> Drawn:
    """Points along a helix, and their projection on the two directions of most variance (PCA by SVD)."""
    from matplotlib.figure import Figure as Plain

    rng = np.random.default_rng(0)
    z = rng.uniform(-2, 2, 300)
    curve = np.stack([np.cos(4 * z), np.sin(4 * z), z], axis=1)  # (300, 3)
    points = curve + rng.normal(0, 0.05, curve.shape)
    centred = points - points.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    flat = centred @ directions[:2].T  # (300, 2)
    share = (singular**2)[:2].sum() / (singular**2).sum()
    figure = Plain(figsize=(11, 4.4))
    figure.subplots_adjust(left=0.02, wspace=0.25)
    axes: Any = figure.add_subplot(1, 2, 1, projection="3d")
    axes.scatter(*points.T, c=z, cmap="viridis", s=8)
    axes.set(xlabel="x", ylabel="y", zlabel="z")
    axes.set_title("one number decides where on the helix", fontsize=10)
    right: Any = figure.add_subplot(1, 2, 2)
    right.scatter(*flat.T, c=z, cmap="viridis", s=8)
    title = f"PCA keeps {100 * share:.0f} % of the variance in two numbers, not in one"
    finish_axes(right, "first principal component", "second principal component", title)
    return {"helix": figure}


def _neurons(results: Sequence[Result], variant: Variant) -> Drawn:
    z = np.linspace(-5, 5, 501)
    curves = {
        "step": (z >= 0).astype(float),
        "sigmoid": 1 / (1 + np.exp(-z)),
        "tanh": np.tanh(z),
        "rectified linear": np.maximum(z, 0),
    }
    figure = new_figure(9, 6)
    for axes, colour, (name, values) in zip(figure.subplots(2, 2).flat, COLOURS, curves.items()):
        axes.plot(z, values, color=colour)
        finish_axes(axes, "z", "output", name)
    return {"neurons": figure}


# Digits


def _digits_query(task_results: TaskResults, variant: Variant) -> Result:
    found = task_results["30"]
    test = variant.scaled_data().load().test
    guesses = np.argmax(predict(found.network(), test.images), axis=1)
    wrong = np.flatnonzero(guesses != test.labels)
    figures = {"errors": float(len(wrong)), "test": 100 * (1 - len(wrong) / len(test))}
    return Result(figures, {"wrong": wrong[:24].tolist(), "guesses": guesses[wrong[:24]].tolist()})


def _digits_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    from scipy.ndimage import rotate

    train, _, test = variant.scaled_data().load()
    series = results[0].series
    bad = [f"{test.labels[i]} → {guess}" for i, guess in zip(series["wrong"], series["guesses"])]
    first = train.images[0]
    h, w = first.shape[0] // 2, first.shape[1] // 2
    quarters = [first[:h, :w], first[:h, w:], first[h:, :w], first[h:, w:]]
    turned = np.clip(rotate(first.astype(float), 15, order=1, reshape=False), 0, 255)
    names = ["top left", "top right", "bottom left", "bottom right"]
    drawn = {
        "grid": picture_grid(list(train.images[:100]), [""] * 100, columns=20, title="The first 100 training images"),
        "quadrants": picture_grid(quarters, names, columns=4, title="The quadrants of a digit", share=True),
        "rotated": picture_grid([first, turned], ["original", "rotated by 15°"], columns=2, title="A digit rotated"),
    }
    if bad:
        images = [test.images[i] for i in series["wrong"]]
        title = "Test images that the first network misclassifies: label → prediction"
        drawn["badly-drawn"] = picture_grid(images, bad, columns=8, title=title)
    return drawn


EXPERIMENTS = [
    _formulas("surfaces", _valleys),
    _formulas("helix", _helix),
    _formulas("neuron-curves", _neurons),
    BOOK.experiment("digit-figures", FIRST.tasks, _digits_query, _digits_draw),
]
