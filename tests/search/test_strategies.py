"""How points are chosen."""

import math

import numpy as np
import pytest

from digitlab.errors import ConfigError
from digitlab.search import STRATEGIES, SearchPlan, Trial, log_scale
from digitlab.search.cma import population, propose
from digitlab.search.rate_range import judged
from digitlab.search.space import grid
from digitlab.settings import settings_of
from digitlab.settings.search import SearchSettings

from .helpers import SPACE, plan


def walk(a_plan, value):
    """The log-scale test, with a function for the networks: all points in the order they are wanted, and the end."""
    trials = []
    while True:
        progress = log_scale.replay(a_plan, trials)
        known = {log_scale.key(t.point) for t in trials}
        new = [p for p in progress.points if log_scale.key(p) not in known]
        if progress.complete:
            assert not new
            return trials, progress
        assert new, "there is something to do, or it is over"
        trials.append(Trial(len(trials), new[0], "done", value(new[0]), [value(new[0])], "valid_accuracy"))


@pytest.mark.parametrize("rate", [0.02, 0.3, 1.0, 4.0, 70.0])
@pytest.mark.parametrize("strength", [0.05, 0.5, 8.0])
def test_log_scale_finds_the_top_of_a_hill(rate, strength):
    space = {"learning_rate": "log:0.01,100", "l2": "log:0.01,10"}
    trials, progress = walk(
        plan("log-scale", space),
        lambda p: 1 - 0.01 * math.log10(p["learning_rate"] / rate) ** 2 - 0.01 * math.log10(p["l2"] / strength) ** 2,
    )
    assert abs(math.log10(progress.best["learning_rate"] / rate)) <= 0.13, "an eighth of a power of ten away at most"
    assert abs(math.log10(progress.best["l2"] / strength)) <= 0.13
    assert len(trials) <= 5 + 4 + 4 + 4
    assert len(progress.decisions) == 6


def test_log_scale_begins_with_powers_of_ten_and_says_why():
    trials, progress = walk(
        plan("log-scale", {"learning_rate": "log:0.01,100"}), lambda p: -abs(math.log10(p["learning_rate"]))
    )
    assert [t.point["learning_rate"] for t in trials[:5]] == [0.01, 0.1, 1, 10, 100]
    assert trials[5].point["learning_rate"] == pytest.approx(10**-0.5, rel=1e-5)
    assert progress.decisions[0].startswith("learning-rate, powers of ten: 0.01: -200.00 %, 0.1: -100.00 %")
    assert "→ 1, the best of 5 so far" in progress.decisions[0]


def test_log_scale_warns_at_the_ends_of_the_range():
    _, progress = walk(plan("log-scale", {"learning_rate": "log:0.01,100"}), lambda p: p["learning_rate"])
    assert "the range may end too early" in progress.decisions[-1]


def test_log_scale_takes_choices_too():
    space = {"learning_rate": "log:0.1,10", "activation": "sigmoid,relu,tanh"}
    _, progress = walk(plan("log-scale", space), lambda p: float(p["activation"] == "tanh"))
    assert progress.best["activation"] == "tanh"


def cma_run(a_plan, value, n, order=None):
    trials = []
    for number in range(n):
        generation, point = propose(a_plan, trials)
        trials.append(Trial(number, point, "done", value(point), [], "valid_accuracy", {"generation": generation}))
    return trials


def sphere(p):
    return -(math.log10(p["learning_rate"] / 3) ** 2) - math.log10(p["l2"] / 0.2) ** 2


def test_cma_es_comes_closer():
    trials = cma_run(plan("cma-es", trials=60), sphere, 60)
    generations = {t.notes["generation"] for t in trials}
    assert generations == set(range(60 // population(plan("cma-es"))))
    first, last = (np.mean([t.value for t in trials if t.notes["generation"] in g]) for g in ({0, 1}, {8, 9}))
    assert last > first / 5 and max(t.value for t in trials) > -0.003


def test_cma_es_goes_on_from_the_trials_alone():
    whole = cma_run(plan("cma-es"), sphere, 30)
    for n in (1, 7, 13, 29):
        assert propose(plan("cma-es"), whole[:n]) == (whole[n].notes["generation"], whole[n].point)


def test_cma_es_counts_what_failed_as_not_there():
    whole = cma_run(plan("cma-es"), sphere, 9)
    lost = Trial(99, whole[3].point, "failed", None, [], "valid_accuracy", {"generation": 0})
    assert propose(plan("cma-es"), [*whole[:4], lost]) == propose(plan("cma-es"), whole[:4])


def test_the_grid_is_every_combination():
    g = STRATEGIES["grid"]
    assert g.goal(plan("grid", points=4), []) == 16
    assert g.points(plan("grid", points=4), []) == grid(plan("grid").space, 4)


def test_every_strategy_is_a_choice_of_the_setting():
    assert settings_of(SearchSettings)["strategy"].choices == tuple(STRATEGIES)


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_each_says_what_it_is(strategy):
    text = STRATEGIES[strategy].description(plan(strategy))
    assert text and "\n" not in text
    if strategy == "genetic":
        for word in ("population 10", "crossover", "0.9", "mutates with probability 1/2"):
            assert word in text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strategy": "magic"}, "expected one of grid, log-scale"),
        ({"strategy": "log-scale", "space": {"batch_size": "int:1,100"}}, "parameters on a logarithmic scale"),
        ({"strategy": "cma-es", "space": {"activation": "sigmoid,relu"}}, "at least one number"),
        ({"strategy": "cma-es", "population": 3}, "expected at least 4"),
        ({"prune": "scissors"}, "expected one of none, halving, hyperband"),
        ({"trials": 0}, "trials: got 0"),
        ({"population": 1}, "population: got 1"),
        ({"space": {"nonsense": "1,2"}}, "not a setting"),
    ],
)
def test_plans_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        plan(**settings)


def test_a_plan_survives_being_written_down():
    a = plan("genetic", trials=7, repeats=2, prune="hyperband", seed=5, space={**SPACE, "activation": "sigmoid,relu"})
    assert SearchPlan.from_table(a.table()) == a
    with pytest.raises(ConfigError, match="no setting 'speed'"):
        SearchPlan.from_table({**a.table(), "speed": 1})
    with pytest.raises(ConfigError, match="needs 'space'"):
        SearchPlan.from_table({"base": a.base.table()})


def test_rungs():
    assert plan(epochs=30, prune="halving", min_epochs=2).rungs(30) == [2, 6, 18, 30]
    assert plan(epochs=9, prune="halving").rungs(9) == [1, 3, 9]
    assert plan(epochs=30).rungs(30) == [30]


def test_a_range_that_ends_before_the_loss_rises_suggests_nothing():
    rates, losses = np.geomspace(1e-3, 1.0, 200), np.linspace(2.0, 0.5, 200)
    with pytest.raises(ConfigError, match="still falling at the highest rate, 1;"):
        judged(rates, losses, losses)


@pytest.mark.parametrize("wrong", [{"strategy": ["tpe"]}, {"prune": 3}])
def test_names_are_text(wrong):
    with pytest.raises(ConfigError, match=r"expected (text|one of)"):
        plan(**wrong)
