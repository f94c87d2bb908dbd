"""The ledger is whole: every experiment of both books and of the first steps, each with its modes and figures."""

import re

import pytest

from digitlab.books.catalogue import CATALOGUE, find_experiments
from digitlab.books.experiment import MODES, Variant
from digitlab.books.results import read_result, result_path
from digitlab.books.runner import execute
from digitlab.books.schedule import schedule
from digitlab.books.training import Training
from digitlab.errors import ConfigError

# What is reported, by experiment: enough to notice a line that got lost.
FOREMOST = {
    "average-darkness": 22.25,
    "svm": 94.35,
    "chapter1-30": 95.42,
    "chapter1-100": 96.59,
    "chapter1-bad-rates": 21.42,
    "single-neuron": 0.09,
    "cross-entropy": 96.82,
    "overfitting": 82.27,
    "overfitting-full": 95.33,
    "regularized": 87.1,
    "regularized-full": 96.49,
    "regularized-100": 97.92,
    "barrier-98": 98.04,
    "more-data": 95.97,
    "weight-initialization": 97.81,
    "several-rates": 0.861,
    "parameter-hunt": 9.67,
    "parameter-hunt-small": 62,
    "depth": 96.90,
    "gradient-norms": 0.2851,
    "ch6-shallow": 97.80,
    "ch6-basic-conv": 98.78,
    "ch6-double-conv": 99.06,
    "ch6-double-conv-relu": 99.23,
    "ch6-expanded": 99.46,
    "ch6-expanded-two-fc": 99.48,
    "ch6-dropout": 99.60,
    "ch6-ensemble": 99.67,
    "rashid-mnist": 97.47,
    "rashid-backquery": 97.11,
    "rashid-rotations": 97.5,
    "rashid-sizes-rates": 97.62,
    "first-steps-1": 95,
    "first-steps-2": 95.8,
    "first-steps-3": 96.7,
    "first-steps-4": 97.3,
}
WITHOUT = [
    "baselines",
    "early-stopping",
    "halving-rate",
    "universality",
    "speed-per-layer",
    "ch6-conv-without-fc",
    "ch6-double-conv-regularized",
    "ch6-filters",
    "surfaces",
    "helix",
    "neuron-curves",
    "digit-figures",
    "rashid-own-images",
    "rashid-rule",
    "first-steps-5",
]


def test_every_experiment_is_there():
    assert {*FOREMOST, *WITHOUT, "ch6-relu-sweep"} == set(CATALOGUE)
    for name, value in FOREMOST.items():
        assert value in [reported.value for reported in CATALOGUE[name].reported], name
    for name in WITHOUT:
        assert CATALOGUE[name].reported == ()


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_experiment_is_complete(name):
    experiment = CATALOGUE[name]
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert experiment.title and experiment.setup and experiment.minutes > 0
    assert set(experiment.modes) <= set(MODES)
    for scale in ("default", "full"):
        keys = []
        for mode in experiment.modes:
            tasks = experiment.tasks(Variant(scale, mode, 0))
            assert tasks
            keys.append({task.key for task in tasks.values()})
            assert len(keys[-1]) == len(tasks)  # each label is a task of its own
        assert len(keys) == 1 or not keys[0] & keys[1], "the modes differ in nothing"


@pytest.mark.parametrize("name", CATALOGUE)
def test_seeds_change_the_tasks_and_the_full_scale_contains_the_default_one(name):
    experiment = CATALOGUE[name]
    tasks = [experiment.tasks(Variant("default", experiment.modes[0], seed)) for seed in (0, 1)]
    if experiment.seeded:
        assert {t.key for t in tasks[0].values()} != {t.key for t in tasks[1].values()}
    full = {task.key for task in experiment.tasks(Variant("full", experiment.modes[0], 0)).values()}
    assert {task.key for task in tasks[0].values()} <= full


def test_the_modes_are_what_they_are_called():
    written, corrected = (CATALOGUE["rashid-mnist"].tasks(Variant(mode=mode))["net"] for mode in MODES)
    assert isinstance(written, Training) and isinstance(corrected, Training)
    assert (written.config.shuffle, corrected.config.shuffle) == (False, True)
    assert repr(written.config.gradient) == "RashidRule()"
    assert repr(corrected.config.gradient) == "Backpropagation()"
    assert written.config.batch_size == corrected.config.batch_size == 1
    written, corrected = (CATALOGUE["ch6-double-conv-relu"].tasks(Variant(mode=mode))["net"] for mode in MODES)
    assert (written.data.whole, corrected.data.whole) == (True, False)
    assert written.config.regularizers[0].strength == 1.0  # network3's λ .1 at batches of 10
    assert written.config.network["layers"][0] != corrected.config.network["layers"][0]


def test_the_ensemble_is_made_of_the_dropout_nets():
    nets = CATALOGUE["ch6-ensemble"].tasks(Variant())
    assert CATALOGUE["ch6-dropout"].tasks(Variant(seed=2))["net"].key == nets["net 2"].key
    assert len(nets) == 5


def test_names():
    assert [e.name for e in find_experiments(["svm", "average-darkness", "svm"])] == ["average-darkness", "svm"]
    with pytest.raises(ConfigError, match=r"'chapter1-3'.*did you mean 'chapter1-30'"):
        find_experiments(["chapter1-3"])


QUICK = [
    "average-darkness",
    "chapter1-30",
    "overfitting",
    "more-data",
    "several-rates",
    "parameter-hunt-small",
    "halving-rate",
    "depth",
    "gradient-norms",
    "ch6-shallow",
    "ch6-filters",
    "digit-figures",
    "rashid-own-images",
    "rashid-rotations",
    "first-steps-2",
    "first-steps-3",
    "first-steps-4",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_handful_of_experiments_in_small(name, results):
    experiment = CATALOGUE[name]
    runs = schedule([experiment], scale="quick", seeds=1, source="digits")
    assert execute(runs, results, log=str) == []
    for mode in experiment.modes:
        found = read_result(result_path(results, name, mode, "quick"))
        known = {key for result in found.results.values() for key in result.figures}
        missing = [reported.figure for reported in experiment.reported if reported.figure not in known]
        # In small there are fewer sizes and epochs, and nothing is learned perfectly.
        assert all(re.search(r"0/valid|epoch \d+/|perfect|_last", figure) for figure in missing), missing
        assert found.pictures
        assert all((results / "rows" / "quick" / picture).stat().st_size > 1000 for picture in found.pictures)


@pytest.mark.parametrize("experiment", CATALOGUE.values(), ids=CATALOGUE)
def test_every_experiment_says_in_two_or_three_sentences_what_it_teaches(experiment):
    assert 2 <= len(re.findall(r"[.!?](?= [A-Z]|$)", experiment.teaches)) <= 3
    assert len(experiment.teaches) < 300
