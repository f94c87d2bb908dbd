"""Nielsen, chapter 1: the first network, and the baselines to compare it with."""

from collections.abc import Mapping, Sequence
from typing import Any

from digitlab.baselines import fit, judge, make_baseline
from digitlab.baselines.standard import SETTINGS
from digitlab.books.chapter import Chapter
from digitlab.books.data import Data
from digitlab.books.experiment import Result, TaskResults, Tasks, Variant, computed
from digitlab.books.pictures import Drawn, accuracy_points, points, valid_test_curves
from digitlab.books.task import Computation


def baseline(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fit one of `digitlab.baselines` and measure it on validation and test images."""
    train, valid, test = Data(**given["data"]).load()
    classifier = make_baseline(given["name"], **given.get("settings", {}))
    seconds = fit(classifier, train)
    scores = {name: judge(classifier, part).accuracy for name, part in (("valid", valid), ("test", test)) if part}
    return {**scores, "fit_seconds": seconds, "learned": classifier.learned()}


def darkness(given: Mapping[str, Any]) -> dict[str, Any]:
    """The baseline, and the mean darkness of each digit, as a share of full ink."""
    train = Data(**given["data"]).load().train
    dark = train.images.reshape(len(train), -1).mean(axis=1) / 255  # (N,)
    return {**baseline(given), "darkness": [float(dark[train.labels == digit].mean()) for digit in range(10)]}


def _darkness_query(task_results: TaskResults, variant: Variant) -> Result:
    found = task_results["darkness"].result
    return Result({"test": 100 * found["test"]}, {"darkness": found["darkness"]})


def _darkness_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    values = [[100 * value for value in result.series["darkness"]] for result in results]
    title = "Mean darkness of each digit (100 %: all pixels black)"
    return {"darkness": points([str(d) for d in range(10)], values, title=title, y_label="mean darkness (%)")}


def _baselines_query(task_results: TaskResults, variant: Variant) -> Result:
    result = Result()
    for label, found in task_results.items():
        for part in ("valid", "test"):
            result.figures[f"{label}/{part}"] = 100 * found.result[part]
        result.figures[f"{label}/seconds"] = found.seconds
        if found.result["learned"]:
            result.notes.append(f"{label}: {found.result['learned']}")
    return result


def _baselines_tasks(variant: Variant) -> Tasks:
    return {k: t for n in NAMES for k, t in computed(n, baseline, images=0, name=n)(variant).items()}


def _baselines_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    return {"scale": accuracy_points(results, NAMES, title="Test accuracy without a hidden layer")}


def svm_task(variant: Variant, setting: str, size: int = 0) -> Computation:
    """A support vector machine with the book's γ or today's, on the first `size` images or all."""
    data = variant.scaled_data(train_size=size).table()
    given = {"name": "svm", "settings": {"setting": setting}, "data": data}
    return Computation(title=f"SVM, {setting}, {size or 'all'} images", function=baseline, given=given)


def _svm_draw(results: Sequence[Result], variant: Variant) -> Drawn:
    values = [[result.figures[f"{setting}/test"] for setting in SETTINGS] for result in results]
    names, book = ["γ = 1/784 (book)", "γ from the variance (today)"], list(BOOK.reported("svm").values())
    return {"svm": points(names, values, title="Support vector machine, test accuracy", book=book)}


BOOK = Chapter(__file__)
NAMES = ("nearest-mean", "logistic")
DARKNESS = computed("darkness", darkness, images=0, name="darkness")
FIRST = BOOK.experiment("chapter1-30", draw=valid_test_curves)
EXPERIMENTS = [
    BOOK.experiment("average-darkness", DARKNESS, _darkness_query, _darkness_draw),
    BOOK.experiment("baselines", _baselines_tasks, _baselines_query, _baselines_draw),
    BOOK.experiment("svm", lambda variant: {s: svm_task(variant, s) for s in SETTINGS}, _baselines_query, _svm_draw),
    FIRST,
    BOOK.experiment("chapter1-100", draw=valid_test_curves),
    BOOK.experiment("chapter1-bad-rates", draw=valid_test_curves),
]
