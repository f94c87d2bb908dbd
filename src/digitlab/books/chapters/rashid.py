"""Rashid, Make Your Own Neural Network: his notebooks.

Two modes. As written: one image at a time in file order, all 60,000 of them, and his rule for the hidden errors,
which leaves out o(1 − o) (gradients/rashid.py). Corrected: the true gradient, and a new order every epoch.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from digitlab.books.chapter import Chapter
from digitlab.books.experiment import Result, TaskResults, Variant, computed
from digitlab.books.measure import training_figures
from digitlab.books.pictures import Drawn, accuracy_curves, best_point, digit_grid, nothing, picture_grid
from digitlab.books.training import Training, training
from digitlab.gradients import Backpropagation, CentralDifferences, check_gradients, compare_gradients
from digitlab.gradients.rashid import RashidRule
from digitlab.nn import Dense, Network, Quadratic, Sigmoid
from digitlab.nn.initializers import Initializer, ScaledNormal
from digitlab.viz.inverse_query import inverse_query

LOW, HIGH = 0.01, 0.99


def rashid_network(hidden: int, weights: Initializer | None = None) -> Network:
    """784-h-10 without biases, inputs .01 to 1, targets .01 and .99."""
    chosen = weights or ScaledNormal()
    layers = [Dense(hidden, chosen, None), Sigmoid(), Dense(10, chosen, None)]
    return Network(layers, 784, Quadratic(low=LOW, high=HIGH), scaling="0.01-1", seed=None)


def rashid_training(
    variant: Variant,
    title: str,
    *,
    hidden: int = 100,
    rate: float,
    epochs: int = 1,
    expand: str = "",
    weights: Initializer | None = None,
    snapshots: Sequence[int] = (),
) -> Training:
    """One network as his programs train it, or with the true gradient and shuffled; the last epoch's is kept."""
    return training(
        f"{title}, {variant.mode}, seed {variant.seed}",
        rashid_network(hidden, weights),
        rate,
        data=variant.data(split="60k/10k", expand=expand),
        seed=variant.seed,
        epochs=epochs,
        watch=("test",),
        snapshots=snapshots,
        batch_size=1,
        keep="last",
        shuffle=not variant.as_written,
        gradient=RashidRule() if variant.as_written else Backpropagation(),
    )


# Backquery


def add_inverse_queries(result: Result, network: Network) -> list[Any]:
    """The network's picture of each digit, added to the series as "pictures"."""
    pictures = [inverse_query(network, digit) for digit in range(10)]
    result.series["pictures"] = np.round(pictures, 3).tolist()
    return pictures


def _backquery_query(task_results: TaskResults, variant: Variant) -> Result:
    result = training_figures(task_results, variant)
    network = task_results["net"].network()
    pictures = add_inverse_queries(result, network)
    read = np.argmax(network.predict(np.array(pictures).reshape(10, 784).astype(np.float32)), axis=1)
    result.figures["pictures read as meant"] = float((read == np.arange(10)).sum())
    return result


# Own images


def own_images() -> Any:
    """Ten typeset digits as 28×28 drawings, dark on white (10, 28, 28): stand-ins for a reader's own handwriting."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=24)
    drawings = []
    for digit in range(10):
        picture = Image.new("L", (28, 28), 255)
        ImageDraw.Draw(picture).text((14, 14), str(digit), fill=20, font=font, anchor="mm")
        drawings.append(np.asarray(picture))
    return np.stack(drawings)


def _own_query(task_results: TaskResults, variant: Variant) -> Result:
    result = training_figures(task_results, variant)
    ink = 255 - own_images()  # his notebook inverts: dark on white becomes light on dark
    outputs = task_results["net"].network().predict(ink)  # (10, 10)
    guesses = np.argmax(outputs, axis=1)
    result.figures["own images right (of 10)"] = float((guesses == np.arange(10)).sum())
    series = {"images": 255 - ink, "guesses": guesses, "outputs": outputs.max(axis=1)}
    result.series |= {name: values.tolist() for name, values in series.items()}
    return result


def _own_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    series = results[0].series
    titles = [f"→ {guess} ({value:.2f})" for guess, value in zip(series["guesses"], series["outputs"])]
    title = f"Images that are not from MNIST: prediction (output), {variant.mode}"
    return {"own": picture_grid(series["images"], titles, columns=5, title=title, cmap="gray")}


# Sizes and rates

HIDDEN = (5, 10, 100, 200, 500)
RATES = (0.01, 0.1, 0.2, 0.3, 0.6)


def _sizes_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    sizes = [[r.figures[f"{n} hidden/test"] for n in HIDDEN] for r in results]
    rates = [[r.figures[f"η {rate:g}/test"] for rate in RATES] for r in results]
    of_sizes, of_rates = f"η .1, 5 epochs, {variant.mode}", f"100 hidden, one epoch, {variant.mode}"
    return {
        "sizes": best_point(HIDDEN, sizes, title=of_sizes, x_label="hidden neurons", log=True),
        "rates": best_point(RATES, rates, title=of_rates, x_label="learning rate η"),
    }


# The rule


def rule(given: Mapping[str, Any]) -> dict[str, Any]:
    """Rashid's rule compared with central differences, and its angle to the gradient, on a small network."""
    rng = np.random.default_rng(given["seed"])
    layers = [Dense(8, biases=None), Sigmoid(), Dense(10, biases=None)]
    network = Network(layers, 12, Quadratic(low=LOW, high=HIGH), seed=rng, dtype="float64")
    x, labels = rng.uniform(0.01, 1, (20, 12)), rng.integers(0, 10, 20)
    rows = compare_gradients(network, x, labels, [RashidRule(), CentralDifferences()], rng)
    checked = {
        type(method).__name__: check_gradients(network, x, labels, tested=method)
        for method in (Backpropagation(), RashidRule())
    }
    errors = {name: {row.name: row.error for row in report.rows} for name, report in checked.items()}
    return {
        "cosine": rows[0].cosine,
        "relative_error": rows[0].relative_error,
        "errors": errors,
        "passed": {name: report.passed for name, report in checked.items()},
    }


def _rule_query(task_results: TaskResults, variant: Variant) -> Result:
    found = task_results["rule"].result
    verdict = {True: "passes", False: "fails"}
    verdicts = ", ".join(f"{name} {verdict[passed]}" for name, passed in found["passed"].items())
    return Result(
        {
            "cosine to the gradient": found["cosine"],
            "relative error": found["relative_error"],
            "check, first layer": found["errors"]["RashidRule"]["0.W"],
            "check, last layer": found["errors"]["RashidRule"]["2.W"],
            "check of backpropagation": max(found["errors"]["Backpropagation"].values()),
        },
        notes=[f"gradient check: {verdicts}"],
    )


BOOK = Chapter(__file__, rashid_training, partial(accuracy_curves, mode=True))
EXPERIMENTS = [
    BOOK.experiment("rashid-mnist"),
    BOOK.experiment("rashid-backquery", None, _backquery_query, partial(digit_grid, title="Backquery")),
    BOOK.experiment("rashid-rotations"),
    BOOK.experiment("rashid-own-images", None, _own_query, _own_draw),
    BOOK.experiment("rashid-sizes-rates", draw=_sizes_draw),
    BOOK.experiment("rashid-rule", computed("rule", rule, seeded=True), _rule_query, nothing),
]
