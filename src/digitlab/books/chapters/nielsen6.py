"""Nielsen, chapter 6: convolutional networks, step by step, to 33 errors.

Two modes. As written: network3's first weights, its fixed order of the images, left-over images dropped.
Corrected: shuffled every epoch; He's first weights for ReLU, N(0, 1/n_in) for sigmoid neurons, biases 0.
network3 adds ½ λ Σ w² / (number of batches) to its cost, so its λ counts ten times ours at batches of 10.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from digitlab.books.chapter import Chapter
from digitlab.books.experiment import Result, TaskResults, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.pictures import WIDEST, Drawn, accuracy_curves, best_point, picture_grid
from digitlab.books.training import Training, training
from digitlab.engine.select import predict
from digitlab.ensemble import combine
from digitlab.nn import Conv2D, Dense, Dropout, Flatten, LogLikelihood, MaxPool2D, Network, ReLU, Sigmoid
from digitlab.nn.initializers import FanOutNormal, He, Initializer, Normal, ScaledNormal, Zeros
from digitlab.nn.network import Layer
from digitlab.viz.figures import axes_figure, without_ticks

BATCH = 10
SWEEP = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)
SHORT_SWEEP = (1e-3, 0.1, 10.0)


def network3(
    convolutions: Sequence[int], hidden: Sequence[int], *, relu: bool, as_written: bool, dropout: float = 0.0
) -> Network:
    """Convolutions 5×5, each pooled, then fully connected layers, then softmax; dropout on each layer's inputs.

    Network3 pools before it adds the bias and activates; pooling keeps the order of numbers, so that ours, with the
    bias in the convolution, gives the same.
    """
    activation: Callable[[], Layer] = ReLU if relu else Sigmoid
    plain: Initializer = He() if relu else ScaledNormal()
    layers: list[Layer] = []
    for filters in convolutions:
        book = Normal(math.sqrt(4 / (filters * 25)))  # FanOutNormal(pool=2), under the name that results are filed by
        chosen = {"weights": book, "biases": Normal()} if as_written else {"weights": plain, "biases": Zeros()}
        layers += [Conv2D(filters, 5, **chosen), MaxPool2D(2), activation()]
    layers += [Flatten()] if convolutions else []
    for neurons in hidden:
        layers += [Dropout(dropout, inverted=not as_written)] if dropout else []
        layers += [Dense(neurons, FanOutNormal(), Normal()) if as_written else Dense(neurons, plain), activation()]
    layers += [Dropout(dropout, inverted=not as_written)] if dropout else []
    layers.append(Dense(10, Zeros(), Zeros()))
    shape = (28, 28, 1) if convolutions else (784,)
    return Network(layers, shape, LogLikelihood(), scaling="/256", seed=None)


def net(
    variant: Variant,
    title: str,
    *,
    convolutions: Sequence[int] = (20, 40),
    hidden: Sequence[int] = (100,),
    relu: bool = False,
    rate: float = 0.1,
    strength: float = 0.0,
    dropout: float = 0.0,
    epochs: int = 60,
    expand: str = "",
    seed: int | None = None,
) -> Training:
    """The training of one net of this chapter; `strength` is network3's λ."""
    seed = variant.seed if seed is None else seed
    network = network3(convolutions, hidden, relu=relu, as_written=variant.as_written, dropout=dropout)
    return training(
        f"{title}, {variant.mode}, seed {seed}",
        network,
        rate,
        data=variant.data(expand=expand, whole=variant.as_written),
        seed=seed,
        epochs=epochs,
        l2=BATCH * strength,
        watch=("valid",),
        shuffle=not variant.as_written,
        batch_size=BATCH,
    )


def sweep(**settings: Any) -> Callable[[Variant], Tasks]:
    """Two convolutions with several λ."""

    def tasks(variant: Variant) -> Tasks:
        strengths = (0.0, *(SWEEP if variant.full else SHORT_SWEEP))
        return {f"{λ:g}": net(variant, f"double conv, λ {λ:g}", strength=λ, **settings) for λ in strengths}

    return tasks


def _sweep_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    strengths = [key.removesuffix("/test") for key in results[0].figures if key.endswith("/test")]
    values = [[result.figures[f"{λ}/test"] for λ in strengths] for result in results]
    title, y_label = "Test accuracy by λ", "accuracy (%)"
    return {"sweep": best_point(strengths, values, title=title, x_label="network3's λ", y_label=y_label)}


# The ensemble and its errors


def _ensemble_tasks(variant: Variant) -> Tasks:
    dropout = BOOK.trainings("ch6-dropout")["net"]
    return {f"net {i}": net(variant, f"dropout {i}", seed=i, **dropout) for i in range(5)}


def _ensemble_query(task_results: TaskResults, variant: Variant) -> Result:
    task = next(iter(task_results.values())).task
    assert isinstance(task, Training)
    test = task.data.load().test
    networks = [found.network() for found in task_results.values()]
    votes = np.stack([np.argmax(predict(network, test.images), axis=1) for network in networks])  # (5, N)
    guesses = np.argmax(predict(combine(networks, "vote"), test.images), axis=1)
    wrong = np.flatnonzero(guesses != test.labels)
    figures = {"ensemble/test": 100 * (1 - len(wrong) / len(test)), "ensemble/errors": float(len(wrong))}
    figures["single/test"] = float(100 * (votes == test.labels).mean(axis=1).mean())
    series = {"images": test.images, "labels": test.labels, "guesses": guesses}
    return Result(figures, {name: values[wrong[:60]].tolist() for name, values in series.items()})


def _errors_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    series = results[0].series
    count = int(results[0].figures["ensemble/errors"])
    titles = [f"{label} → {guess}" for label, guess in zip(series["labels"], series["guesses"])]
    shown = " (60 shown)" if count > 60 else ""
    title = f"The {count} test images that the ensemble misclassifies{shown}: label → prediction"
    return {"errors": picture_grid(series["images"], titles, columns=8, title=title)} if count else {}


# Filters


def _filters_query(task_results: TaskResults, variant: Variant) -> Result:
    network = task_results["net"].network()
    # (5, 5, 1, 20) and (5, 5, 20, 40)
    first, second = (layer.params["W"].value for layer in network.layers if isinstance(layer, Conv2D))
    result = training_figures(task_results, variant)
    result.series = {
        "first": np.round(first[:, :, 0].transpose(2, 0, 1), 3).tolist(),
        "second": np.round(second.transpose(2, 3, 0, 1), 3).tolist(),
    }
    return result


def _filters_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    first, second = np.array(results[0].series["first"]), np.array(results[0].series["second"])
    titles = [str(i + 1) for i in range(len(first))]
    title = "The 20 filters of the first layer"
    one = picture_grid(list(first), titles, columns=10, title=title, cmap="RdBu_r", share=True)
    tiled = np.pad(second, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan)  # (20, 40, 6, 6)
    inputs, filters = tiled.shape[:2]
    image = tiled.transpose(0, 2, 1, 3).reshape(6 * inputs, 6 * filters)
    figure, axes = axes_figure(WIDEST, 5.5)
    limit = float(np.abs(second).max()) or 1.0
    axes.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set(xlabel="filter (1 to 40)", ylabel="weights for each of the 20 input maps")
    without_ticks(axes, "The second layer: positive weights red, negative blue", 10)
    return {"first": one, "second": figure}


BOOK = Chapter(__file__, net, partial(accuracy_curves, mode=True, splits=("valid",)))
EXPERIMENTS = [
    BOOK.experiment("ch6-shallow"),
    BOOK.experiment("ch6-basic-conv"),
    BOOK.experiment("ch6-conv-without-fc"),
    BOOK.experiment("ch6-double-conv"),
    BOOK.experiment("ch6-double-conv-regularized", sweep(), draw=_sweep_draw),
    BOOK.experiment("ch6-double-conv-relu"),
    BOOK.experiment("ch6-relu-sweep", sweep(relu=True, rate=0.03), draw=_sweep_draw),
    BOOK.experiment("ch6-expanded"),
    BOOK.experiment("ch6-expanded-two-fc"),
    BOOK.experiment("ch6-dropout"),
    BOOK.experiment("ch6-ensemble", _ensemble_tasks, _ensemble_query, _errors_draw),
    BOOK.experiment("ch6-filters", None, _filters_query, _filters_draw),
]
