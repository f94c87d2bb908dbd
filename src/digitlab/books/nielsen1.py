"""Nielsen, chapter 1: the first network, and the two baselines it has to beat."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.baselines import fit, judge, make_baseline
from digitlab.books.data import Data
from digitlab.books.experiment import Experiment, Reported, Result, TaskResults, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.pictures import Drawn, accuracy_curves, bars
from digitlab.books.task import Computation
from digitlab.books.training import training
from digitlab.nn import mlp

BOOK = "Nielsen"


# The baselines


def baseline(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fit one of `digitlab.baselines` and judge it on validation and test images."""
    train, valid, test = Data(**given["data"]).load()
    classifier = make_baseline(given["name"], **given.get("settings", {}))
    seconds = fit(classifier, train)
    scores = {name: judge(classifier, part).accuracy for name, part in (("valid", valid), ("test", test)) if part}
    return {**scores, "fit_seconds": seconds, "learned": classifier.learned()}


def darkness(given: Mapping[str, Any]) -> dict[str, Any]:
    """The baseline, and how dark each digit is on average, as a share of full ink."""
    train = Data(**given["data"]).load().train
    dark = train.images.reshape(len(train), -1).mean(axis=1) / 255  # (N,)
    return {**baseline(given), "darkness": [float(dark[train.labels == digit].mean()) for digit in range(10)]}


def darkness_tasks(plan: Variant) -> Tasks:
    return {
        "darkness": Computation(
            title="average darkness", function=darkness, given={"name": "darkness", "data": data_table(plan)}
        )
    }


def darkness_query(outcomes: TaskResults, plan: Variant) -> Result:
    found = outcomes["darkness"].result
    return Result({"test": 100 * found["test"]}, {"darkness": found["darkness"]})


def darkness_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    values = 100 * np.array([result.series["darkness"] for result in results])
    title = "How dark each digit is on average, share of full ink"
    return {"darkness": bars([str(d) for d in range(10)], values, title=title, y_label="mean darkness (%)")}


def svm_task(plan: Variant, setting: str, size: int = 0) -> Computation:
    """A support vector machine with the book's γ or today's, on the first `size` images or all."""
    given = {"name": "svm", "settings": {"setting": setting}, "data": data_table(plan, size)}
    return Computation(title=f"SVM, {setting}, {size or 'all'} images", function=baseline, given=given)


def data_table(plan: Variant, size: int = 0) -> dict[str, Any]:
    """The data of a computation, small in quick runs."""
    data = plan.data(train_size=size)
    return (data.shrunk() if plan.quick else data).table()


def svm_tasks(plan: Variant) -> Tasks:
    return {setting: svm_task(plan, setting) for setting in ("book", "today")}


def baselines_query(outcomes: TaskResults, plan: Variant) -> Result:
    result = Result()
    for label, outcome in outcomes.items():
        for part in ("valid", "test"):
            result.figures[f"{label}/{part}"] = 100 * outcome.result[part]
        result.figures[f"{label}/seconds"] = outcome.seconds
        if outcome.result["learned"]:
            result.notes.append(f"{label}: {outcome.result['learned']}")
    return result


def svm_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    values = np.array([[result.figures[f"{setting}/test"] for setting in ("book", "today")] for result in results])
    names, book = ["γ = 1/784 (the book's)", "γ by variance (today's)"], [94.35, 97.9]
    return {"svm": bars(names, values, title="Support vector machine, test accuracy", book=book)}


def scale_tasks(plan: Variant) -> Tasks:
    return {
        name: Computation(title=name, function=baseline, given={"name": name, "data": data_table(plan)})
        for name in ("nearest-mean", "logistic")
    }


def scale_draw(results: Sequence[Result], plan: Variant) -> Drawn:
    names = ["nearest-mean", "logistic"]
    values = np.array([[result.figures[f"{name}/test"] for name in names] for result in results])
    return {"scale": bars(names, values, title="Without a hidden layer, test accuracy")}


# The network


def first_network(hidden: int) -> Any:
    """Tasks of [784, hidden, 10] as network.py trains it."""

    def tasks(plan: Variant) -> Tasks:
        network = mlp([784, hidden, 10], init="large", scaling="/256", seed=None)
        title = f"chapter 1, {hidden} hidden, seed {plan.seed}"
        task = training(title, network, 3.0, data=plan.data(), seed=plan.seed, epochs=30)
        return {str(hidden): task}

    return tasks


def bad_rates(plan: Variant) -> Tasks:
    tasks: Tasks = {}
    for hidden, rate in ((100, 0.001), (30, 100.0)):
        network = mlp([784, hidden, 10], init="large", scaling="/256", seed=None)
        title = f"chapter 1, {hidden} hidden, η {rate:g}, seed {plan.seed}"
        label = f"{hidden} hidden, η {rate:g}"
        tasks[label] = training(title, network, rate, data=plan.data(), seed=plan.seed, epochs=30)
    return tasks


def curves(results: Sequence[Result], plan: Variant) -> Drawn:
    return accuracy_curves(results, plan, parts=("valid_accuracy", "test_accuracy"))


SETUP = "quadratic cost, sigmoid, weights and biases N(0, 1), batches of 10, 50,000 images, shuffled every epoch"
CHOSEN = (
    "The book took the best of 30 test results, and in the first row the best of three runs. The figure `test` beside "
    "it is that of the network chosen on the validation set. Runs with N(0, 1) weights also spread by half a point."
)
ROWS = [
    Experiment(
        "average-darkness",
        BOOK,
        "1",
        "how far one gets with the mean darkness alone",
        "mean darkness per digit over 50,000 images; the nearest one wins",
        darkness_tasks,
        darkness_query,
        darkness_draw,
        (Reported("test", 22.25, text="accuracy", images=0),),
        minutes=0.02,
        chance=False,
    ),
    Experiment(
        "baselines",
        BOOK,
        "1",
        "for scale: the nearest mean image, and logistic regression on the pixels",
        "the mean image of each digit; scikit-learn's LogisticRegression, 100 steps; 50,000 images, pixels /256",
        scale_tasks,
        baselines_query,
        scale_draw,
        minutes=0.15,
        chance=False,
    ),
    Experiment(
        "svm",
        BOOK,
        "1",
        "what a support vector machine reaches out of the box",
        "scikit-learn's SVC, C = 1, pixels /256, 50,000 images; gamma='auto' was the default of the book's day",
        svm_tasks,
        baselines_query,
        svm_draw,
        (
            Reported("book/test", 94.35, text="gamma='auto'", images=0),
            Reported("today/test", 97.9, text="today's default, gamma='scale'", memory=True, step=0.1, images=0),
        ),
        minutes=11.5,
        chance=False,
    ),
    Experiment(
        "chapter1-30",
        BOOK,
        "1",
        "the first network: 30 hidden neurons",
        f"[784, 30, 10], η 3, 30 epochs; {SETUP}",
        first_network(30),
        training_figures,
        curves,
        (
            Reported("30/test_first", 91.29, text="epoch 1"),
            Reported(
                "30/test_peak", 95.42, text="peak of 30 epochs, best of 3 runs", statistic="best", chosen_on_test=True
            ),
            Reported("30/test_last", 95.34, text="epoch 30"),
        ),
        minutes=0.03,
        cause=CHOSEN,
    ),
    Experiment(
        "chapter1-100",
        BOOK,
        "1",
        "100 hidden neurons do better, if they learn at all",
        f"[784, 100, 10], η 3, 30 epochs; {SETUP}",
        first_network(100),
        training_figures,
        curves,
        (
            Reported(
                "100/test_peak",
                96.59,
                text="peak, with high variance between runs",
                statistic="best",
                chosen_on_test=True,
            ),
        ),
        minutes=0.1,
        cause=CHOSEN + " A saturated output learns nothing under the quadratic cost (chapter 3): a run may miss a "
        "digit or two altogether, and ends ten points lower for each.",
    ),
    Experiment(
        "chapter1-bad-rates",
        BOOK,
        "1",
        "learning rates far too small and far too large",
        f"100 hidden with η 0.001 and 30 hidden with η 100, 30 epochs; {SETUP}",
        bad_rates,
        training_figures,
        curves,
        (
            Reported("100 hidden, η 0.001/test_first", 11.39, text="η 0.001, epoch 1"),
            Reported("100 hidden, η 0.001/test_last", 21.42, text="η 0.001, epoch 30"),
            Reported("30 hidden, η 100/test_first", 10.09, text="η 100, epoch 1"),
            Reported("30 hidden, η 100/test_last", 9.82, text="η 100, epoch 30"),
        ),
        minutes=0.1,
        cause="At these rates the figure is that of the first random weights (η 0.001) or of the one digit that the "
        "saturated network always answers (η 100: 8 to 11 % of the images are any one digit), so it is a matter of the "
        "dice.",
    ),
]
