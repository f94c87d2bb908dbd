"""Rashid, Make Your Own Neural Network: his notebooks.

Two modes. As written: one image at a time in file order, all 60,000 of them, and his rule for the hidden errors,
which leaves out o(1 − o) (gradients/rashid.py). Corrected: the true gradient, and a new order every epoch.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.books.experiment import MODES, Experiment, Reported, Result, TaskResults, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.pictures import Drawn, accuracy_curves, best_dot, nothing, picture_grid
from digitlab.books.task import Computation
from digitlab.books.training import Training, training
from digitlab.gradients import Backpropagation, CentralDifferences, check_gradients, compare_gradients
from digitlab.gradients.rashid import RashidRule
from digitlab.nn import Dense, Network, Quadratic, Sigmoid
from digitlab.nn.initializers import Initializer, ScaledNormal
from digitlab.viz.inverse_query import inverse_query

BOOK = "Rashid"
LOW, HIGH = 0.01, 0.99


def rashid_network(hidden: int, weights: Initializer | None = None) -> Network:
    """784-h-10 without biases, inputs .01 to 1, targets .01 and .99."""
    chosen = weights if weights is not None else ScaledNormal()
    layers = [Dense(hidden, chosen, None), Sigmoid(), Dense(10, chosen, None)]
    return Network(layers, 784, Quadratic(low=LOW, high=HIGH), scaling="0.01-1", seed=None)


def rashid_training(
    plan: Variant,
    hidden: int,
    rate: float,
    epochs: int,
    *,
    expand: str = "",
    weights: Initializer | None = None,
    snapshots: Sequence[int] = (),
    name: str = "Rashid",
) -> Training:
    """One network as his programs train it, or with the true gradient and shuffled; the last epoch's is kept."""
    turned = ", rotations" if expand else ""
    title = f"{name}, {hidden} hidden, η {rate:g}, {epochs} epochs{turned}, {plan.mode}, seed {plan.seed}"
    return training(
        title,
        rashid_network(hidden, weights),
        rate,
        data=plan.data(split="60k/10k", expand=expand),
        seed=plan.seed,
        epochs=epochs,
        watch=("test",),
        snapshots=snapshots,
        batch_size=1,
        keep="last",
        shuffle=not plan.written,
        gradient=RashidRule() if plan.written else Backpropagation(),
    )


def one(hidden: int, rate: float, epochs: int, expand: str = "") -> Callable[[Variant], Tasks]:
    return lambda plan: {"net": rashid_training(plan, hidden, rate, epochs, expand=expand)}


def curves(results: Sequence[Result], plan: Variant) -> Drawn:
    return accuracy_curves(results, plan, title=plan.mode)


# The way back


def backquery_query(outcomes: TaskResults, plan: Variant) -> Result:
    result = training_figures(outcomes, plan)
    network = outcomes["net"].network()
    pictures = [inverse_query(network, digit) for digit in range(10)]
    result.series["pictures"] = np.round(pictures, 3).tolist()
    read = np.argmax(network.predict(np.array(pictures).reshape(10, 784).astype(np.float32)), axis=1)
    result.figures["pictures read as meant"] = float((read == np.arange(10)).sum())
    return result


def backquery_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    titles = [str(digit) for digit in range(10)]
    return {"digits": picture_grid(results[0].series["pictures"], titles, columns=5, title=f"Backquery, {plan.mode}")}


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


def own_query(outcomes: TaskResults, plan: Variant) -> Result:
    result = training_figures(outcomes, plan)
    ink = 255 - own_images()  # his notebook inverts: dark on white becomes light on dark
    outputs = outcomes["net"].network().predict(ink)  # (10, 10)
    guesses = np.argmax(outputs, axis=1)
    result.figures["own images right (of 10)"] = float((guesses == np.arange(10)).sum())
    result.series |= {
        "images": (255 - ink).tolist(),
        "guesses": guesses.tolist(),
        "outputs": outputs.max(axis=1).tolist(),
    }
    return result


def own_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    series = results[0].series
    titles = [f"read as {guess} ({value:.2f})" for guess, value in zip(series["guesses"], series["outputs"])]
    title = f"Drawings that are no MNIST, {plan.mode}"
    return {"own": picture_grid(series["images"], titles, columns=5, title=title, cmap="gray")}


# Sizes and rates

HIDDEN = (5, 10, 100, 200, 500)
RATES = (0.01, 0.1, 0.2, 0.3, 0.6)


def sizes_tasks(plan: Variant) -> Tasks:
    """Hidden neurons at his η .1 and 5 epochs; rates at 100 hidden and one epoch; with rotations his best."""
    tasks: Tasks = {f"{hidden} hidden": rashid_training(plan, hidden, 0.1, 5) for hidden in HIDDEN}
    tasks |= {f"η {rate:g}": rashid_training(plan, 100, rate, 1) for rate in RATES}
    return tasks


def sizes_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    hidden = np.array([[r.figures[f"{n} hidden/test"] for n in HIDDEN] for r in results])
    rates = np.array([[r.figures[f"η {rate:g}/test"] for rate in RATES] for r in results])
    return {
        "sizes": best_dot(
            HIDDEN,
            hidden,
            title=f"η .1, 5 epochs, {plan.mode}",
            x_label="hidden neurons",
            log=True,
            y_label="test accuracy (%)",
        ),
        "rates": best_dot(
            RATES,
            rates,
            title=f"100 hidden, one epoch, {plan.mode}",
            x_label="learning rate η",
            y_label="test accuracy (%)",
        ),
    }


# The rule


def rule(given: Mapping[str, Any]) -> dict[str, Any]:
    """Rashid's rule held against central differences, and its angle to the gradient, on a small network."""
    rng = np.random.default_rng(given["seed"])
    layers = [Dense(8, biases=None), Sigmoid(), Dense(10, biases=None)]
    network = Network(layers, 12, Quadratic(low=LOW, high=HIGH), seed=rng, dtype="float64")
    x, labels = rng.uniform(0.01, 1, (20, 12)), rng.integers(0, 10, 20)
    rows = compare_gradients(network, x, labels, [RashidRule(), CentralDifferences()], rng)
    checked = {
        type(way).__name__: check_gradients(network, x, labels, tested=way) for way in (Backpropagation(), RashidRule())
    }
    errors = {name: {row.name: row.error for row in report.rows} for name, report in checked.items()}
    return {
        "cosine": rows[0].cosine,
        "relative_error": rows[0].relative_error,
        "errors": errors,
        "passed": {name: report.passed for name, report in checked.items()},
    }


def rule_tasks(plan: Variant) -> Tasks:
    return {"rule": Computation(title=f"Rashid's rule, seed {plan.seed}", function=rule, given={"seed": plan.seed})}


def rule_query(outcomes: TaskResults, plan: Variant) -> Result:
    found = outcomes["rule"].result
    verdict = {True: "passes", False: "fails"}
    told = ", ".join(f"{name} {verdict[passed]}" for name, passed in found["passed"].items())
    return Result(
        {
            "cosine to the gradient": found["cosine"],
            "relative error": found["relative_error"],
            "check, first layer": found["errors"]["RashidRule"]["0.W"],
            "check, last layer": found["errors"]["RashidRule"]["2.W"],
            "check of backpropagation": max(found["errors"]["Backpropagation"].values()),
        },
        notes=[f"gradient check: {told}"],
    )


SETUP = "no biases, N(0, 1/n_in) init, inputs .01 to 1, targets .01 and .99, one image at a time, all 60,000"
ONE_RUN = "The book prints one run of one network; his own two runs of the same settings differ by .36 points."
OTHER = "This mode is another experiment than the book's: the true gradient, and images in another order every epoch."
ROWS = [
    Experiment(
        "rashid-mnist",
        BOOK,
        "2, MNIST",
        "the book's network",
        f"784-200-10, η .1, 5 epochs; {SETUP}",
        one(200, 0.1, 5),
        training_figures,
        curves,
        (Reported("net/test_last", 97.47, text="one run"),),
        MODES,
        0.5,
        cause=ONE_RUN,
        corrected=OTHER,
    ),
    Experiment(
        "rashid-backquery",
        BOOK,
        "3, backquery",
        "what a digit looks like from the inside",
        f"the networks of rashid-mnist; logit, Wᵀ, stretched, twice; {SETUP}",
        one(200, 0.1, 5),
        backquery_query,
        backquery_draw,
        (Reported("net/test_last", 97.11, text="one run"),),
        MODES,
        0.5,
        cause=ONE_RUN,
        corrected=OTHER,
    ),
    Experiment(
        "rashid-rotations",
        BOOK,
        "3, rotations",
        "each image turned by ±10° as well",
        f"784-200-10, η .01, 10 epochs of 180,000 images; {SETUP}",
        one(200, 0.01, 10, "rotations"),
        training_figures,
        curves,
        (
            Reported("net/test_last", 97.5, text="one run"),
            Reported(
                "net/test_peak",
                97.87,
                text="his best with rotations, settings from memory",
                memory=True,
                chosen_on_test=True,
            ),
        ),
        MODES,
        1.3,
        cause=ONE_RUN,
        corrected=OTHER,
    ),
    Experiment(
        "rashid-own-images",
        BOOK,
        "3, own images",
        "drawings from outside of MNIST",
        f"784-200-10, η .1, 10 epochs; {SETUP}; ten typeset digits stand in for the reader's own, 28×28, dark on "
        "white, inverted",
        one(200, 0.1, 10),
        own_query,
        own_draw,
        (),
        MODES,
        0.3,
    ),
    Experiment(
        "rashid-sizes-rates",
        BOOK,
        "2, tuning",
        "hidden neurons, and learning rates",
        f"5 to 500 hidden at η .1 for 5 epochs; η .01 to .6 with 100 hidden for one; {SETUP}",
        sizes_tasks,
        training_figures,
        sizes_draw,
        (
            *(
                Reported(f"{n} hidden/test", value, text=f"{n} hidden", memory=True, step=step)
                for n, value, step in ((5, 70.0, 1.0), (10, 90.0, 1.0), (200, 97.51, 0.01), (500, 97.62, 0.01))
            ),
            Reported("η 0.3/test", 94.7, text="100 hidden, η .3, one epoch", memory=True, step=0.1),
        ),
        MODES,
        1.5,
        cause="These figures are from memory, and the book's are read off a plot.",
        corrected=OTHER,
    ),
    Experiment(
        "rashid-rule",
        BOOK,
        "1",
        "his rule for the hidden layer is not the gradient: a check catches it",
        "12-8-10, float64, 20 random examples; each element against central differences",
        rule_tasks,
        rule_query,
        nothing,
        minutes=0.02,
    ),
]
