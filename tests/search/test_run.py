"""Searches, from beginning to end and with interruptions."""

import csv
import io
import subprocess
import sys

import numpy as np
import pytest

from digitlab.data import load
from digitlab.errors import ConfigError, ModelFileError
from digitlab.nn import load_network
from digitlab.search import SearchPlan, Study, search
from digitlab.search.best_networks import best_networks, folder_beside, judge_best
from digitlab.search.storage import Owner, open_storage
from digitlab.search.study import best_of, epochs_trained, trial_line
from digitlab.train import evaluate

from .helpers import SPACE, Told, config, plan, points

MIXED = {
    "learning_rate": "log:0.1,30",
    "layers": "integer:1,2",
    "width_1": "integer:4,9",
    "width_2": {"integer": [4, 9], "when": {"layers": [2]}},
    "activation": "sigmoid,relu",
}


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("grid", "random")]


@pytest.mark.parametrize("strategy", [*SLOW, "tpe", "genetic", "cma-es", "log-scale"])
def test_each_strategy_from_beginning_to_end_and_again_the_same(strategy, tmp_path):
    space = SPACE if strategy in ("log-scale", "grid") else MIXED
    a = plan(strategy, space, trials=9, points=2, population=4)
    watcher = Told()
    study = search(a, tmp_path / "a.journal", workers=1, watcher=watcher)
    done = [t for t in study.trials() if t.state == "done"]
    assert len(done) == {"grid": 4, "log-scale": len(done)}.get(strategy, 9)
    assert watcher.counts[-1] == (len(done), len(done))
    assert study.best().value == max(t.value for t in done)
    assert points(search(a, tmp_path / "b.journal", workers=1)) == points(study)
    for t in done:
        assert ("width_2" in t.point) == (t.point.get("layers") == 2)


@pytest.mark.slow
def test_a_value_is_what_training_gives_and_the_network_is_kept(tmp_path):
    study = search(plan(trials=4, repeats=2, epochs=2), tmp_path / "s.journal", workers=1)
    best = study.best()
    sets = load("digits", train_size=200)
    values = []
    for setting in study.plan.configs(best.point):
        trainer = setting.trainer()
        trainer.fit(sets.train, sets.valid, epochs=setting.epochs)
        values.append(trainer.history.statistics("valid_accuracy").best)
    assert best.values == values and best.value == pytest.approx(np.mean(values))
    assert best.statistics.n == 2 and "±" in best.shown()
    kept = list(folder_beside(study.path).glob("*"))
    assert sorted(p.name for p in kept) == [f"{best.number}-{i}.safetensors" for i in (0, 1)], "and no other's"
    assert [evaluate(n, sets.valid.images, sets.valid.labels).accuracy for n in best_networks(study)] == values
    for path in kept:
        path.unlink()
    assert [evaluate(n, sets.valid.images, sets.valid.labels).accuracy for n in best_networks(study)] == values


def test_the_test_set_is_not_touched_before_the_end_and_once_then(tmp_path, monkeypatch):
    import digitlab.parallel.job as job_module

    looked = []
    real = job_module._test
    monkeypatch.setattr(job_module, "_test", lambda *a: looked.append(a) or real(*a))
    study = search(plan(trials=3), tmp_path / "s.journal", workers=1)
    assert not looked and study.tested() is None
    tested = judge_best(study)
    assert tested["trial"] == study.best().number and tested["trials"] == 3 and not tested["again"]
    monkeypatch.setattr("digitlab.search.best_networks.best_networks", lambda study: pytest.fail("looked twice"))
    assert judge_best(Study(study.path)) == tested


@pytest.mark.parametrize("strategy", ["random", "tpe", "genetic", "cma-es", "log-scale"])
@pytest.mark.parametrize("stop_after", [pytest.param(1, marks=pytest.mark.slow), 4])
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(strategy, stop_after, tmp_path):
    a = plan(strategy, SPACE, trials=7, population=4)
    whole = search(a, tmp_path / "whole.journal", workers=1)
    with pytest.raises(KeyboardInterrupt):
        search(a, tmp_path / "s.journal", workers=1, watcher=Told(stop_after))
    assert len([t for t in Study(tmp_path / "s.journal").trials() if t.state == "done"]) == stop_after
    went_on = search(None, tmp_path / "s.journal", workers=1)
    assert points(went_on) == points(whole)
    assert not any(t.state in ("running", "waiting") for t in went_on.trials())


def test_more_trials_on_the_same_study(tmp_path):
    search(plan(trials=3), tmp_path / "s.journal", workers=1)
    study = search(plan(trials=5), tmp_path / "s.journal", workers=1)
    assert points(study) == points(search(plan(trials=5), tmp_path / "t.journal", workers=1))
    with pytest.raises(ConfigError, match="holds a search with another strategy"):
        search(plan("tpe", trials=5), tmp_path / "s.journal")


@pytest.mark.parametrize("prune", ["halving", "hyperband"])
def test_hopeless_trials_are_ended_early_and_good_ones_are_not(prune, tmp_path):
    a = plan("grid", {"learning_rate": "0.001,3,0.0001,5,0.00001"}, epochs=4, prune=prune, factor=2)
    study = search(a, tmp_path / "s.journal", workers=1)
    by_rate = {t.point["learning_rate"]: t for t in study.trials()}
    assert by_rate[3].state == "done" and by_rate[3].notes["epochs"] == 4
    assert epochs_trained(study.trials()) < 5 * 4
    assert any(t.state == "pruned" and t.notes["epochs"] < 4 for t in study.trials())
    unpruned = search(
        plan("grid", {"learning_rate": "0.001,3,0.0001,5,0.00001"}, epochs=4), tmp_path / "u.journal", workers=1
    )
    for t in study.trials():
        if t.state == "done":
            assert t.values == unpruned.trials()[t.number].values, "trained in portions, it is the same training"


def test_generations_go_on_though_trials_are_ended_early(tmp_path):
    a = plan("genetic", MIXED, trials=12, population=3, epochs=4, prune="halving", factor=2)
    trials = search(a, tmp_path / "s.journal", workers=1).trials()
    assert sum(t.state == "pruned" for t in trials) > 2 and len(trials) == 12
    assert {t.notes["generation"] for t in trials} == {0, 1, 2, 3}


def test_a_point_that_cannot_be_is_the_worst_and_stops_nothing(tmp_path):
    a = SearchPlan(config(epochs=1), {"network.layers.0.out_features": "8,-3"}, "grid")
    study = search(a, tmp_path / "s.journal", workers=1)
    good, bad = study.trials()
    assert good.state == bad.state == "done" and bad.value == 0.0
    assert "out_features" in bad.notes["error"] and bad.notes["error"][:40] in trial_line(bad)


@pytest.mark.slow
def test_losses_are_made_small(tmp_path):
    study = search(
        SearchPlan(config(epochs=1, monitor="valid_loss"), {"learning_rate": "0.01,3"}, "grid"), tmp_path / "s.journal"
    )
    assert study.best().point == {"learning_rate": 3}
    assert study.best().value == min(t.value for t in study.trials())


def test_a_point_that_comes_again_is_not_trained_again(tmp_path):
    study = search(plan("random", {"learning_rate": "1,3"}, trials=6), tmp_path / "s.journal", workers=1)
    trials = study.trials()
    assert len(trials) == 6 and epochs_trained(trials) == 2
    for t in trials:
        assert t.value == next(u for u in trials if u.point == t.point).value


def test_two_searches_on_one_study_at_once(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    a = plan("random", trials=10)
    with ThreadPoolExecutor(2) as both:
        for future in [both.submit(search, a, tmp_path / "s.journal", workers=1) for _ in range(2)]:
            future.result()
    study = Study(tmp_path / "s.journal")
    assert [t.number for t in study.trials()] == list(range(10)), "none lost, none counted twice"
    assert all(t.state == "done" for t in study.trials())
    assert len({tuple(t.point.items()) for t in study.trials()}) == 10


def test_a_trial_of_a_process_that_died_is_tried_again_once(tmp_path):
    import optuna

    path = tmp_path / "s.journal"
    whole = search(plan(trials=4), tmp_path / "whole.journal", workers=1)
    search(plan(trials=2), path, workers=1)
    study = optuna.load_study(study_name="digitlab", storage=open_storage(path))
    dead = study.ask()
    point = whole.trials()[2].point
    dead.set_user_attr("begun", {"point": point, "owner": "nobody"})
    lost = study.ask()  # died before it had a point
    went_on = search(plan(trials=4), path, workers=1)
    assert points(went_on) == points(whole)
    states = {t.number: t.state for t in went_on.trials()}
    assert states[dead.number] == states[lost.number] == "failed"
    assert [t.notes.get("again") for t in went_on.trials() if t.state == "done"][2] == dead.number


def test_a_living_owner_keeps_its_trials(tmp_path):
    path = tmp_path / "s.journal"
    first, second = Owner(path), Owner(path)
    assert first.lives(second.name) and first.lives(first.name) and not first.lives("nobody")
    second.leave()
    assert not first.lives(second.name)
    first.leave()


def test_reading(tmp_path):
    study = search(plan(trials=3), tmp_path / "study.journal", workers=1)
    again = Study(tmp_path)
    assert [t.value for t in again.trials()] == [t.value for t in study.trials()]
    rows = list(csv.DictReader(io.StringIO(study.csv())))
    assert [float(row["valid_accuracy"]) for row in rows] == [t.value for t in study.trials()]
    assert [float(row["learning_rate"]) for row in rows] == [t.point["learning_rate"] for t in study.trials()]
    with pytest.raises(ConfigError, match="no study there"):
        Study(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="no trial is finished"):
        best_of([])
    (tmp_path / "text").write_text("hello\nthere\n")
    with pytest.raises(ModelFileError, match="is no study"):
        Study(tmp_path / "text")
    with pytest.raises(ConfigError, match="there is no study to continue"):
        search(None, tmp_path / "none.journal")
    best = load_network(next(folder_beside(study.path).glob("*")))
    assert best.shapes[-1] == (10,)


def test_the_trials_of_a_killed_process_are_free_at_once(tmp_path):
    path = tmp_path / "s.journal"
    code = (
        f"from digitlab.search.storage import Owner; from pathlib import Path; import time; "
        f"owner = Owner(Path({str(path)!r})); print(owner.name, flush=True); time.sleep(60)"
    )
    own = Owner(path)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        name = holder.stdout.readline().strip()
        assert own.lives(name)
        holder.kill()
        holder.wait()
    assert not own.lives(name)
