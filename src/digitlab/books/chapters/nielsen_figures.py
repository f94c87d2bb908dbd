"""The books' illustrations: surfaces to roll down, neurons' curves, a helix that PCA cannot unroll, and digits."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.chapter import Chapter
from digitlab.books.chapters.nielsen1 import FIRST
from digitlab.books.experiment import Result, TaskResults, Variant, computed
from digitlab.books.pictures import Drawn, axes_figure, finish_axes, picture_grid
from digitlab.engine.select import predict
from digitlab.viz.figures import COLOURS, Figure, new_figure

BOOK = Chapter(__file__)


def no_figures(given: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing to compute: these experiments are pictures of formulas."""
    return {}


formula_tasks = computed("formulas", no_figures)


def no_query(task_results: TaskResults, variant: Variant) -> Result:
    return Result()


def surface(x: Any, y: Any, z: Any, title: str) -> Figure:
    """A surface over a square, with the height's name C as in the book."""
    from matplotlib.figure import Figure as Plain

    figure = Plain(figsize=(5.5, 4.5))  # three axes need more room than a fitted layout leaves them
    axes: Any = figure.add_subplot(projection="3d")
    axes.plot_surface(x, y, z, cmap="viridis", linewidth=0.1, edgecolor="black")
    axes.set_xlabel("v₁")
    axes.set_ylabel("v₂")
    axes.set_zlabel("C")
    axes.set_title(title, fontsize=11)
    return figure


def valleys(results: Sequence[Result], variant: Variant) -> Drawn:
    x, y = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41))
    wide_x, wide_y = np.meshgrid(np.linspace(-4, 4, 81), np.linspace(-4, 4, 81))
    contours, axes = axes_figure(5.5, 4.5)
    heights = x**2 + 10 * y**2
    lines = axes.contour(x, y, heights, levels=[0.1, 0.3, 0.7, 1.5, 3, 5, 8], cmap="viridis")
    axes.clabel(lines, fontsize=7)
    place = np.array([-0.9, 0.5])
    path = [place]
    for _ in range(25):  # gradient descent on it: across the valley and back, and slowly along it
        place = place - 0.09 * np.array([2 * place[0], 20 * place[1]])
        path.append(place)
    steps = np.array(path)
    axes.plot(steps[:, 0], steps[:, 1], ".-", color=COLOURS[1], linewidth=1, label="gradient descent, η .09")
    finish_axes(axes, "v₁", "v₂", "C = v₁² + 10 v₂²: a narrow valley")
    return {
        "valley": surface(x, y, x**2 + y**2, "C = v₁² + v₂²"),
        "narrow": surface(x, y, heights, "C = v₁² + 10 v₂²"),
        "contours": contours,
        "minima": surface(
            wide_x, wide_y, np.sin(wide_x) * np.sin(wide_y) + 0.2 * wide_x, "C = sin v₁ sin v₂ + 0.2 v₁: many minima"
        ),
    }


def helix(results: Sequence[Result], variant: Variant) -> Drawn:
    """Points along a helix, and the same seen along the two directions of most variance (PCA by SVD)."""
    rng = np.random.default_rng(0)
    z = rng.uniform(-2, 2, 300)
    curve = np.stack([np.cos(4 * z), np.sin(4 * z), z], axis=1)  # (300, 3)
    points = curve + rng.normal(0, 0.05, curve.shape)
    centred = points - points.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    flat = centred @ directions[:2].T  # (300, 2)
    share = (singular**2)[:2].sum() / (singular**2).sum()
    from matplotlib.figure import Figure as Plain

    figure = Plain(figsize=(11, 4.4))
    figure.subplots_adjust(left=0.02, wspace=0.25)
    axes: Any = figure.add_subplot(1, 2, 1, projection="3d")
    axes.scatter(*points.T, c=z, cmap="viridis", s=8)
    axes.set_title("one number decides where on the helix", fontsize=10)
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.set_zlabel("z")
    right: Any = figure.add_subplot(1, 2, 2)
    right.scatter(*flat.T, c=z, cmap="viridis", s=8)
    finish_axes(
        right,
        "first principal component",
        "second",
        f"PCA keeps {100 * share:.0f} % of the variance in two numbers, not in one",
    )
    return {"helix": figure}


def neurons(results: Sequence[Result], variant: Variant) -> Drawn:
    z = np.linspace(-5, 5, 501)
    curves = {
        "step": (z >= 0).astype(float),
        "sigmoid": 1 / (1 + np.exp(-z)),
        "tanh": np.tanh(z),
        "rectified linear": np.maximum(z, 0),
    }
    figure = new_figure(9, 6)
    for place, (name, values) in enumerate(curves.items(), 1):
        axes = figure.add_subplot(2, 2, place)
        axes.plot(z, values, color=COLOURS[place - 1])
        finish_axes(axes, "z", "output", name)
    return {"neurons": figure}


# Digits


def digits_query(task_results: TaskResults, variant: Variant) -> Result:
    """Which test images the first network reads wrongly."""
    found = task_results["30"]
    test = variant.scaled_data().load().test
    guesses = np.argmax(predict(found.network(), test.images), axis=1)
    wrong = np.flatnonzero(guesses != test.labels)
    figures = {"errors": float(len(wrong)), "test": 100 * (1 - len(wrong) / len(test))}
    return Result(figures, {"wrong": wrong[:24].tolist(), "guesses": guesses[wrong[:24]].tolist()})


def digits_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    from scipy.ndimage import rotate

    train, _, test = variant.scaled_data().load()
    series = results[0].series
    bad = [f"{test.labels[i]} read as {guess}" for i, guess in zip(series["wrong"], series["guesses"])]
    first = train.images[0]
    h, w = first.shape[0] // 2, first.shape[1] // 2
    quarters = [first[:h, :w], first[:h, w:], first[h:, :w], first[h:, w:]]
    turned = np.clip(rotate(first.astype(float), 15, order=1, reshape=False), 0, 255)
    names = ["above left", "above right", "below left", "below right"]
    drawn = {
        "grid": picture_grid(list(train.images[:100]), [""] * 100, columns=20, title="The first 100 training images"),
        "quadrants": picture_grid(quarters, names, columns=4, title="A digit by its quarters", share=True),
        "rotated": picture_grid(
            [first, turned], ["as it is", "by 15°"], columns=2, title="To turn a digit is to shift all its pixels"
        ),
    }
    if bad:
        images = [test.images[i] for i in series["wrong"]]
        drawn["badly-drawn"] = picture_grid(images, bad, columns=8, title="Test images that the first network misreads")
    return drawn


EXPERIMENTS = [
    BOOK.experiment("surfaces", formula_tasks, no_query, valleys),
    BOOK.experiment("helix", formula_tasks, no_query, helix),
    BOOK.experiment("neuron-curves", formula_tasks, no_query, neurons),
    BOOK.experiment("digit-figures", FIRST.tasks, digits_query, digits_draw),
]
