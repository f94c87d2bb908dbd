"""Nielsen, chapter 6: convolutional networks, rung by rung, to 33 errors.

Two modes. As written: network3's first weights, its fixed order of the images, left-over images dropped.
Corrected: shuffled every epoch; He's first weights for ReLU, N(0, 1/n_in) for sigmoid neurons, biases 0.
network3 adds ½ λ Σ w² / (number of batches) to its cost, so its λ counts ten times ours at batches of 10.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.experiment import MODES, Experiment, Reported, Result, TaskResults, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.pictures import Drawn, accuracy_curves, best_dot, picture_grid
from digitlab.books.training import Training, training
from digitlab.engine.select import predict
from digitlab.ensemble import combine
from digitlab.nn import (
    Conv2D,
    Dense,
    Dropout,
    FanOutNormal,
    Flatten,
    He,
    LogLikelihood,
    MaxPool2D,
    Network,
    Normal,
    ReLU,
    ScaledNormal,
    Sigmoid,
    Zeros,
)
from digitlab.nn.initializers import Initializer
from digitlab.nn.network import Layer
from digitlab.viz.figures import new_figure

BOOK = "Nielsen"
BATCH = 10
SWEEP = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)
SHORT_SWEEP = (1e-3, 0.1, 10.0)


def network3(
    convolutions: Sequence[int], hidden: Sequence[int], *, relu: bool, written: bool, dropout: float = 0.0
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
        chosen = {"weights": book, "biases": Normal()} if written else {"weights": plain, "biases": Zeros()}
        layers += [Conv2D(filters, 5, **chosen), MaxPool2D(2), activation()]
    layers += [Flatten()] if convolutions else []
    for neurons in hidden:
        layers += [Dropout(dropout, inverted=not written)] if dropout else []
        layers += [Dense(neurons, FanOutNormal(), Normal()) if written else Dense(neurons, plain), activation()]
    layers += [Dropout(dropout, inverted=not written)] if dropout else []
    layers.append(Dense(10, Zeros(), Zeros()))
    shape = (28, 28, 1) if convolutions else (784,)
    return Network(layers, shape, LogLikelihood(), scaling="/256", seed=None)


def net(
    plan: Variant,
    name: str,
    convolutions: Sequence[int],
    hidden: Sequence[int],
    *,
    relu: bool = False,
    rate: float = 0.1,
    strength: float = 0.0,
    dropout: float = 0.0,
    epochs: int = 60,
    expand: str = "",
    seed: int | None = None,
) -> Training:
    """The training of one net of this chapter; `strength` is network3's λ."""
    seed = plan.seed if seed is None else seed
    network = network3(convolutions, hidden, relu=relu, written=plan.written, dropout=dropout)
    return training(
        f"{name}, {plan.mode}, seed {seed}",
        network,
        rate,
        data=plan.data(expand=expand, whole=plan.written),
        seed=seed,
        epochs=epochs,
        l2=BATCH * strength,
        watch=("valid",),
        shuffle=not plan.written,
        batch_size=BATCH,
    )


def one(name: str, convolutions: Sequence[int], hidden: Sequence[int], **settings: Any) -> Callable[[Variant], Tasks]:
    return lambda plan: {"net": net(plan, name, convolutions, hidden, **settings)}


def by_size(name: str, layers: int) -> Callable[[Variant], Tasks]:
    """Expanded data, one or two fully connected layers of 100, 300 and 1,000."""
    return lambda plan: {
        str(n): net(plan, f"{name}, {n}", (20, 40), (n,) * layers, relu=True, rate=0.03, strength=0.1, expand="shifts")
        for n in (100, 300, 1000)
    }


def sweep(name: str, **settings: Any) -> Callable[[Variant], Tasks]:
    def tasks(plan: Variant) -> Tasks:
        strengths = (0.0, *(SWEEP if plan.full else SHORT_SWEEP))
        return {f"{λ:g}": net(plan, f"{name}, λ {λ:g}", (20, 40), (100,), strength=λ, **settings) for λ in strengths}

    return tasks


def sweep_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    strengths = [key.removesuffix("/test") for key in results[0].figures if key.endswith("/test")]
    values = np.array([[result.figures[f"{λ}/test"] for λ in strengths] for result in results])
    return {"sweep": best_dot(strengths, values, title="Test accuracy by λ", x_label="network3's λ")}


def curves(results: Sequence[Result], plan: Variant) -> Drawn:
    return accuracy_curves(results, plan, title=plan.mode, parts=("valid_accuracy",))


# The ensemble and its errors


def dropout_net(plan: Variant, seed: int) -> Training:
    return net(
        plan,
        "dropout",
        (20, 40),
        (1000, 1000),
        relu=True,
        rate=0.03,
        dropout=0.5,
        epochs=40,
        expand="shifts",
        seed=seed,
    )


def ensemble_tasks(plan: Variant) -> Tasks:
    return {f"net {i}": dropout_net(plan, i) for i in range(5)}


def ensemble_query(outcomes: TaskResults, plan: Variant) -> Result:
    task = next(iter(outcomes.values())).task
    assert isinstance(task, Training)
    test = task.data.load().test
    networks = [outcome.network() for outcome in outcomes.values()]
    votes = np.stack([np.argmax(predict(network, test.images), axis=1) for network in networks])  # (5, N)
    guesses = np.argmax(predict(combine(networks, "vote"), test.images), axis=1)
    wrong = np.flatnonzero(guesses != test.labels)
    result = Result({"ensemble/test": 100 * (1 - len(wrong) / len(test)), "ensemble/errors": float(len(wrong))})
    single = 100 * (votes == test.labels).mean(axis=1)
    result.figures["single/test"] = float(single.mean())
    shown = wrong[:60]
    result.series = {
        "images": test.images[shown].tolist(),
        "labels": test.labels[shown].tolist(),
        "guesses": guesses[shown].tolist(),
    }
    return result


def errors_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    series = results[0].series
    count = int(results[0].figures["ensemble/errors"])
    titles = [f"{label} read as {guess}" for label, guess in zip(series["labels"], series["guesses"])]
    title = f"The {count} test images that the ensemble gets wrong" + (" (the first 60)" if count > 60 else "")
    return {"errors": picture_grid(series["images"], titles, columns=8, title=title)} if count else {}


# Filters


def filters_query(outcomes: TaskResults, plan: Variant) -> Result:
    network = outcomes["net"].network()
    kernels = [layer.params["W"].value for layer in network.layers if isinstance(layer, Conv2D)]
    first, second = kernels  # (5, 5, 1, 20), (5, 5, 20, 40)
    result = training_figures(outcomes, plan)
    result.series = {
        "first": np.round(first[:, :, 0].transpose(2, 0, 1), 3).tolist(),
        "second": np.round(second.transpose(2, 3, 0, 1), 3).tolist(),
    }
    return result


def filters_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    first, second = np.array(results[0].series["first"]), np.array(results[0].series["second"])
    titles = [str(i + 1) for i in range(len(first))]
    one = picture_grid(
        list(first), titles, columns=10, title="The 20 filters of the first layer", cmap="RdBu_r", share=True
    )
    tiled = np.pad(second, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan)  # (20, 40, 6, 6)
    inputs, filters = tiled.shape[:2]
    image = tiled.transpose(0, 2, 1, 3).reshape(6 * inputs, 6 * filters)
    figure = new_figure(11, 6)
    axes = figure.add_subplot()
    limit = float(np.abs(second).max()) or 1.0
    axes.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set_xlabel("filter (1 to 40)")
    axes.set_ylabel("what it does to each of the 20 maps before it")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title("The second layer: red weighs for, blue against", fontsize=10)
    return {"first": one, "second": figure}


WRITTEN = "log-likelihood, softmax, batches of 10, pixels /256; the network of the best validation epoch is tested"
RELU: dict[str, Any] = {"relu": True, "rate": 0.03}
NOTE = "Each of the book's figures is the mean of three networks whose spread it does not give."
ONE = "The book's is one vote of five networks, and so is ours."


def rung(
    name: str,
    shows: str,
    setup: str,
    tasks: Callable[[Variant], Tasks],
    book: Mapping[str, float],
    minutes: float,
    draw: Callable[[Sequence[Result], Variant], Drawn] = curves,
) -> Experiment:
    """A rung of the chapter's ladder: test accuracy at the best validation epoch, by label."""
    reported = tuple(
        Reported(f"{label}/test", value, text=f"{label} neurons" if label.isdigit() else "mean of 3 nets", runs=3)
        for label, value in book.items()
    )
    return Experiment(
        name,
        BOOK,
        "6",
        shows,
        f"{setup}; {WRITTEN}",
        tasks,
        training_figures,
        draw,
        reported,
        MODES,
        minutes,
        cause=NOTE,
    )


ROWS = [
    rung(
        "ch6-shallow",
        "the network to beat: no convolution",
        "FC 100, softmax, η .1, 60 epochs",
        one("shallow", (), (100,)),
        {"net": 97.80},
        0.3,
    ),
    rung(
        "ch6-basic-conv",
        "one convolution",
        "20 maps 5×5, pool 2, FC 100, softmax, η .1, 60 epochs",
        one("basic conv", (20,), (100,)),
        {"net": 98.78},
        4.5,
    ),
    rung(
        "ch6-conv-without-fc",
        "exercise: the same without the fully connected layer",
        "20 maps 5×5, pool 2, softmax, η .1, 60 epochs",
        one("conv without FC", (20,), ()),
        {},
        2,
    ),
    rung(
        "ch6-double-conv",
        "two convolutions",
        "20 and 40 maps 5×5, each pooled, FC 100, softmax, η .1, 60 epochs",
        one("double conv", (20, 40), (100,)),
        {"net": 99.06},
        11,
    ),
    rung(
        "ch6-double-conv-regularized",
        "two convolutions with L2",
        "as double conv; λ 0, .001, .1, 10; with --full 0, 1e-5 … 100",
        sweep("regularized double conv"),
        {},
        45,
        sweep_draw,
    ),
    rung(
        "ch6-double-conv-relu",
        "rectified linear units",
        "20 and 40 maps 5×5, pool 2, FC 100, ReLU, η .03, λ .1, 60 epochs",
        one("double conv, ReLU", (20, 40), (100,), strength=0.1, **RELU),
        {"net": 99.23},
        12,
    ),
    rung(
        "ch6-relu-sweep",
        "how much L2 the rectified network wants",
        "as the row before; λ 0, .001, .1, 10; with --full 0, 1e-5 … 100",
        sweep("double conv, ReLU", **RELU),
        {"0.1": 99.23},
        30,
        sweep_draw,
    ),
    rung(
        "ch6-expanded",
        "five times the data: each image shifted by a pixel in four directions",
        "250,000 images, ReLU, FC 100, 300 or 1,000, η .03, λ .1, 60 epochs",
        by_size("expanded", 1),
        {"100": 99.37, "300": 99.46, "1000": 99.43},
        130,
    ),
    rung(
        "ch6-expanded-two-fc",
        "a second fully connected layer",
        "250,000 images, ReLU, two FC layers of 100, 300 or 1,000, η .03, λ .1, 60 epochs",
        by_size("expanded, two FC", 2),
        {"100": 99.43, "300": 99.48, "1000": 99.47},
        160,
    ),
    rung(
        "ch6-dropout",
        "dropout in the fully connected layers: the book's best network",
        "250,000 images, ReLU, two FC layers of 1,000, dropout .5 on their inputs and the softmax's, η .03, 40 epochs",
        lambda plan: {"net": dropout_net(plan, plan.seed)},
        {"net": 99.60},
        55,
    ),
    Experiment(
        "ch6-ensemble",
        BOOK,
        "6",
        "five of them vote; the grid of the images that they still get wrong",
        "plurality vote of five networks of the row before, seeds 0 to 4 (equal votes: the larger mean probability)",
        ensemble_tasks,
        ensemble_query,
        errors_draw,
        (
            Reported("ensemble/test", 99.67, text="five networks"),
            Reported("ensemble/errors", 33, text="wrong of 10,000", unit="errors"),
        ),
        MODES,
        220,
        chance=False,
        cause=ONE,
    ),
    Experiment(
        "ch6-filters",
        BOOK,
        "6",
        "what the convolutions have learned to look for",
        "the filters of both layers of the ReLU network, seed 0",
        lambda plan: {"net": net(plan, "double conv, ReLU", (20, 40), (100,), strength=0.1, **RELU)},
        filters_query,
        filters_draw,
        (),
        MODES,
        12,
        chance=False,
    ),
]
