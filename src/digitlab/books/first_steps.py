"""The five experiments of a reader's first steps with Rashid's book, each in three parts: train, query, result.

As written: Rashid's rule, file order, N(0, 1/n_in). Corrected: the true gradient, shuffled. The reader's own program
saves only the last network of experiment 2, and asks in experiment 5 for the labels of the first ten test images
(7 2 1 0 4 1 4 9 5 9) where it means the ten digits. Neither is repeated here: every network is kept, and the
ten pictures are of 0 to 9.
"""

from collections.abc import Sequence

import numpy as np

from digitlab.books.animation import TurningSurface
from digitlab.books.experiment import MODES, Experiment, Reported, Result, TaskResults, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.pictures import Drawn, bars, best_dot, picture_grid
from digitlab.books.rashid import OTHER, rashid_training
from digitlab.books.training import Training
from digitlab.nn.initializers import Uniform
from digitlab.train import evaluate
from digitlab.viz.inverse_query import inverse_query

BOOK = "First steps"
HIDDEN = 100
RATES = {
    0.01: 90.9,
    0.05: 94.0,
    0.08: 94.8,
    0.1: 94.9,
    0.12: 94.9,
    0.15: 95.1,
    0.18: 95.8,
    0.2: 94.9,
    0.3: 94.4,
    0.5: 91.7,
    0.7: 90.5,
    1.0: 86.6,
}
EPOCHS = {1: 94.9, 2: 95.9, 3: 96.3, 4: 96.7, 5: 96.7, 7: 96.6, 10: 96.6, 15: 96.5, 20: 96.1}
GRID_RATES = (0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3)
GRID_EPOCHS = 15


def net(plan: Variant, rate: float, epochs: int, snapshots: Sequence[int] = ()) -> Training:
    return rashid_training(plan, HIDDEN, rate, epochs, snapshots=snapshots, name="first steps")


def snapshot_scores(outcome_label: str, outcomes: TaskResults) -> list[float]:
    """Test accuracy in per cent of every network that a training kept along the way, asked anew."""
    outcome = outcomes[outcome_label]
    assert isinstance(outcome.task, Training)
    test = outcome.task.data.load().test
    networks = [outcome.network(epoch) for epoch in outcome.task.snapshots]
    return [100 * (evaluate(network, test.images, test.labels).accuracy or 0.0) for network in networks]


# 1: one training run


def first_tasks(plan: Variant) -> Tasks:
    uniform = rashid_training(plan, HIDDEN, 0.3, 1, weights=Uniform(-0.5, 0.5), name="first steps, U(−½, ½)")
    return {"N(0, 1/n)": net(plan, 0.3, 1), "U(−½, ½)": uniform}


def first_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    labels = [key.removesuffix("/test") for key in results[0].figures if key.endswith("/test")]
    values = np.array([[result.figures[f"{label}/test"] for label in labels] for result in results])
    title = f"One epoch, η .3, {plan.mode}"
    return {"weights": bars(labels, values, title=title, y_label="test accuracy (%)", book=[95.0, None])}


# 2: learning rates


def rates_tasks(plan: Variant) -> Tasks:
    return {f"η {rate:g}": net(plan, rate, 1, [1]) for rate in RATES}


def rates_query(outcomes: TaskResults, plan: Variant) -> Result:
    scores = [snapshot_scores(label, outcomes)[0] for label in outcomes]
    figures = {f"{label}/test": score for label, score in zip(outcomes, scores)}
    figures["best rate"] = list(RATES)[int(np.argmax(scores))]
    return Result(figures, {"scores": scores})


def rates_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    values = np.array([result.series["scores"] for result in results])
    return {
        "rates": best_dot(
            list(RATES), values, title=f"One epoch, {plan.mode}", x_label="learning rate η", y_label="test accuracy (%)"
        )
    }


# 3: epochs


def epochs_tasks(plan: Variant) -> Tasks:
    return {"net": net(plan, 0.1, max(EPOCHS), list(EPOCHS))}


def epochs_query(outcomes: TaskResults, plan: Variant) -> Result:
    outcome = outcomes["net"]
    assert isinstance(outcome.task, Training)
    scores = snapshot_scores("net", outcomes)
    epochs = list(outcome.task.snapshots)
    figures = {f"epoch {epoch}/test": score for epoch, score in zip(epochs, scores)}
    figures["best epoch"] = epochs[int(np.argmax(scores))]
    return Result(figures, {"epochs": epochs, "scores": scores})


def epochs_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    values = np.array([result.series["scores"] for result in results])
    return {
        "epochs": best_dot(
            results[0].series["epochs"],
            values,
            title=f"η .1, {plan.mode}",
            x_label="epochs",
            y_label="test accuracy (%)",
        )
    }


# 4: learning rates and epochs


def grid_tasks(plan: Variant) -> Tasks:
    return {f"η {rate:g}": net(plan, rate, GRID_EPOCHS, range(1, GRID_EPOCHS + 1)) for rate in GRID_RATES}


def grid_query(outcomes: TaskResults, plan: Variant) -> Result:
    surface = np.array([snapshot_scores(label, outcomes) for label in outcomes])  # (rates, epochs)
    rate, epoch = np.unravel_index(surface.argmax(), surface.shape)
    figures = {"best": float(surface.max()), "best rate": GRID_RATES[int(rate)], "best at epoch": float(epoch + 1)}
    return Result(figures, {"surface": surface.tolist()})


def grid_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    surface = np.mean([result.series["surface"] for result in results], axis=0)  # (rates, epochs)
    epochs = list(range(1, surface.shape[1] + 1))
    labels = ("epochs", "learning rate η", "test accuracy (%)")
    title = f"Learning rates and epochs, {plan.mode}"
    return {"surface": TurningSurface(epochs, GRID_RATES, surface, labels, title, 12 if plan.quick else 360)}


# 5: the inverse query


def backquery_tasks(plan: Variant) -> Tasks:
    return {"net": net(plan, 0.025, 13)}


def backquery_query(outcomes: TaskResults, plan: Variant) -> Result:
    result = training_figures(outcomes, plan)
    network = outcomes["net"].network()
    result.series["pictures"] = np.round([inverse_query(network, digit) for digit in range(10)], 3).tolist()
    return result


def backquery_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    titles = [str(digit) for digit in range(10)]
    return {
        "digits": picture_grid(results[0].series["pictures"], titles, columns=5, title=f"Estimated digits, {plan.mode}")
    }


SETUP = "784-100-10, Rashid's network and data; one image at a time"
PLOT = "The reader's figures are one run each, read off a plot to a tenth of a per cent."
ROWS = [
    Experiment(
        "first-steps-1",
        BOOK,
        "1",
        "a training run with fixed values",
        f"η .3, one epoch, N(0, 1/n) and U(−½, ½) init; {SETUP}",
        first_tasks,
        training_figures,
        first_draw,
        (Reported("N(0, 1/n)/test", 95.0, text="about, one run", step=1.0),),
        MODES,
        0.04,
        cause=PLOT,
        corrected=OTHER,
    ),
    Experiment(
        "first-steps-2",
        BOOK,
        "2",
        "the influence of the learning rate",
        f"twelve rates, one epoch each; {SETUP}",
        rates_tasks,
        rates_query,
        rates_draw,
        (
            *(Reported(f"η {rate:g}/test", value, text=f"η {rate:g}", step=0.1) for rate, value in RATES.items()),
            Reported("best rate", 0.18, "test", "best rate of this run", "", chosen_on_test=True),
        ),
        MODES,
        0.2,
        cause=PLOT + " That .18 stands .7 above both its neighbours is chance, as our "
        "spread shows; that rates about there are best is not.",
        corrected=OTHER,
    ),
    Experiment(
        "first-steps-3",
        BOOK,
        "3",
        "many rounds",
        f"η .1, one network sampled at nine of 20 epochs; {SETUP}",
        epochs_tasks,
        epochs_query,
        epochs_draw,
        (
            *(
                Reported(f"epoch {epoch}/test", value, text=f"epoch {epoch}", step=0.1)
                for epoch, value in EPOCHS.items()
            ),
            Reported("best epoch", 5, "test", "best epoch", "", chosen_on_test=True),
        ),
        MODES,
        0.25,
        cause=PLOT,
        corrected=OTHER,
    ),
    Experiment(
        "first-steps-4",
        BOOK,
        "4",
        "learning rates against epochs, as a turning surface",
        f"eight rates × 15 epochs; 360 frames, 30 a second, seen from 20° above; {SETUP}",
        grid_tasks,
        grid_query,
        grid_draw,
        (
            Reported("best", 97.3, text="best of 120", step=0.1, chosen_on_test=True),
            Reported("best rate", 0.025, "test", "its rate", "", chosen_on_test=True),
        ),
        MODES,
        1.6,
        cause=PLOT,
        corrected=OTHER,
    ),
    Experiment(
        "first-steps-5",
        BOOK,
        "5",
        "the inverse query: ten estimated digits",
        f"η .025, 13 epochs; {SETUP}",
        backquery_tasks,
        backquery_query,
        backquery_draw,
        (),
        MODES,
        0.2,
    ),
]
