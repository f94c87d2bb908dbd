"""Fingerprints: they change with computed numbers alone; what other code computed is not used silently."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from digitlab.books import probe
from digitlab.books.catalogue import CATALOGUE
from digitlab.books.chapters import nielsen5
from digitlab.books.data import Data
from digitlab.books.experiment import Result, Variant
from digitlab.books.fingerprint import Fingerprint, of_figures, processor
from digitlab.books.pages import write_markdown
from digitlab.books.probe import numerics, of_experiment, of_package
from digitlab.books.report import make_report
from digitlab.books.results import read_result, result_path
from digitlab.books.runner import execute
from digitlab.books.schedule import schedule
from digitlab.books.store import carry_out, finished, folder_of, stored
from digitlab.books.training import training
from digitlab.nn import LSTM, Dense, mlp
from digitlab.optim import HalveOnPlateau

ROW = "single-neuron"
SMALL = Data("digits", train_size=100, valid_size=100, test_size=100)


@pytest.fixture(autouse=True)
def afresh():
    """Forget the probes of before: these tests change what they compute."""

    def forget():
        probe._known.clear()
        of_experiment.cache_clear()

    forget()
    yield
    forget()


def small(**settings):
    chosen = {"data": SMALL, "seed": 3, "epochs": 4, **settings}
    return training("small", mlp([784, 10, 10], loss="cross-entropy", seed=None), 0.5, **chosen)


@pytest.mark.slow
def test_the_same_code_has_the_same_fingerprint_in_every_process():
    program = (
        "from digitlab.books.catalogue import CATALOGUE\n"
        "from digitlab.books.experiment import Variant\n"
        "from digitlab.books.probe import numerics\n"
        "print([numerics(t) for t in CATALOGUE['rashid-mnist'].tasks(Variant()).values()])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([numerics(t) for t in CATALOGUE["rashid-mnist"].tasks(Variant()).values()])


def test_titles_seeds_and_lengths_decide_nothing():
    """The settings are in the task's key; the fingerprint is of the code."""
    same = [small(), small(seed=4), small(epochs=9), dataclasses.replace(small(), title="another")]
    assert len({numerics(task) for task in same}) == 1
    assert numerics(small()) != numerics(small(l2=1.0)) != ""


def test_a_formula_that_is_changed_shows(monkeypatch):
    monkeypatch.setenv("DIGITLAB_FAST", "0")
    before = numerics(small())
    forward = Dense.forward
    monkeypatch.setattr(Dense, "forward", lambda self, x, training=False: forward(self, x * 1.0001, training=training))
    probe._known.clear()
    assert numerics(small()) != before


def test_so_does_the_place_where_an_epoch_is_cut(monkeypatch):
    """With L2 the compiled engine rounds there, and a probe of a dense network is long enough to be cut."""
    (task,) = CATALOGUE["regularized-full"].tasks(Variant()).values()
    before = numerics(task)
    monkeypatch.setattr("digitlab.train.steps.LEAST_WORK", 1e8)
    probe._known.clear()
    assert numerics(task) != before


def test_a_computation_is_probed_by_its_function(monkeypatch):
    tasks = CATALOGUE["gradient-norms"].tasks(Variant())
    before = [numerics(task) for task in tasks.values()]
    step = nielsen5.step
    monkeypatch.setattr(nielsen5, "step", lambda network, x, y, rate, decay: step(network, x, y, 2 * rate, decay))
    probe._known.clear()
    assert all(a != b for a, b in zip(before, [numerics(task) for task in tasks.values()], strict=True))


def test_another_way_to_take_figures_shows_in_the_experiment_alone():
    experiment = CATALOGUE["chapter1-30"]
    before = of_experiment(experiment, Variant())

    def renamed(task_results, variant):
        result = experiment.query(task_results, variant)
        return Result({f"new {key}": value for key, value in result.figures.items()}, result.series)

    def other(task_results, variant):
        result = experiment.query(task_results, variant)
        return Result({key: 1.001 * value for key, value in result.figures.items()}, result.series)

    assert of_experiment(dataclasses.replace(experiment, query=renamed), Variant()) == before
    after = of_experiment(dataclasses.replace(experiment, query=other), Variant())
    assert (after.numerics, after.processor) == (before.numerics, before.processor)
    assert after.experiment != before.experiment


def test_seconds_and_texts_are_no_figures():
    assert of_figures({"a": 1.0, "b/seconds": 2.0, "c": "x"}) == of_figures({"z": 1.0, "b/seconds": 3.0})
    assert of_figures({"a": [1.0, 2.0]}) != of_figures({"a": [2.0, 1.0]})


def test_what_is_known_of_a_fingerprint():
    def state(stored):
        return stored.state(lambda: Fingerprint("n", "e", processor()))

    assert state(Fingerprint("n", "e", processor())) == "current"
    assert state(Fingerprint("m", "e", processor())) == state(Fingerprint("n", "f", processor())) == "older"
    assert state(Fingerprint()) == "unrecorded"
    assert state(Fingerprint("n", "e", "another kind")) == "other processor"


def as_if_of_other_code(task, results, **values):
    """Change a result on disk so that other code seems to have computed it."""
    path = folder_of(task, results) / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize("values", [{"numerics": "0123456789ab"}, {"numerics": ""}, {"processor": "another kind"}])
def test_a_result_of_other_code_is_computed_again(results, values):
    first = carry_out(small(), results, print)
    assert first.code == Fingerprint(numerics(small()), processor=processor())
    as_if_of_other_code(small(), results, **values, result={"epochs": -1})
    assert finished(small(), results) is None
    assert finished(small(), results, keep_old=True).result == {"epochs": -1}
    assert carry_out(small(), results, print).result["epochs"] == 4
    assert stored(small(), results).code == first.code


def test_a_schedule_and_a_checkpoint_do_not_keep_a_probe_from_ending():
    assert numerics(small(schedule=HalveOnPlateau(1, 2), early_stop=1, snapshots=(1, 3), squares=True))


def run(results, **settings):
    said = []
    runs = schedule([CATALOGUE[ROW]], source="digits", **settings)
    assert execute(runs, results, log=said.append) == []
    return said


@pytest.mark.slow
def test_an_experiment_of_other_code_is_computed_again_or_kept_by_request(results):
    run(results)
    path = result_path(results, ROW, "as-written", "default")
    table = json.loads(path.read_text())
    assert Fingerprint(**table["code"]["0"]) == of_experiment(CATALOGUE[ROW], Variant(source="digits"))
    figure = "quadratic, w .6, b .9/end"
    table["code"]["0"]["numerics"], table["results"]["0"]["figures"][figure] = "0123456789ab", 0.5
    path.write_text(json.dumps(table))
    shutil.rmtree(results / "tasks")
    said = run(results, keep_old=True)
    assert "figures of 1 seed are already stored" in said
    assert read_result(path).results["0"].figures[figure] == 0.5
    said = run(results)
    assert said[0] == "computed by other code, so computed again (--keep-old uses the old figures): single-neuron"
    assert read_result(path).results["0"].figures[figure] == pytest.approx(0.094, abs=1e-3)
    assert run(results)[0] == "figures of 1 seed are already stored"


@pytest.mark.slow
def test_tasks_of_other_code_are_mentioned(results):
    run(results)
    (task,) = CATALOGUE[ROW].tasks(Variant()).values()
    as_if_of_other_code(task, results, numerics="0123456789ab")
    shutil.rmtree(results / "rows")
    runs = schedule([CATALOGUE[ROW]], source="digits")
    (failure,) = execute(runs, results, stages=["query"], log=str)
    assert failure.endswith("some by other code (--keep-old uses those); run it with --part train first")
    assert "1 of them by other code, so done again (--keep-old uses the old results)" in run(results)


@pytest.mark.slow
def test_the_report_marks_experiments_of_other_code(results, tmp_path):
    run(results)
    path = result_path(results, ROW, "as-written", "default")

    def marked():
        write_markdown(make_report(results), tmp_path / "page.md")
        (line,) = [line for line in (tmp_path / "page.md").read_text().splitlines() if line.startswith(f"| [`{ROW}`](")]
        return line.split("|")[-2].strip()

    assert marked() == ""
    whole = path.read_text()
    table = json.loads(whole)
    for code, mark in (
        ({"0": {"numerics": "0123456789ab", "experiment": "", "processor": processor()}}, "older"),
        ({"0": {**table["code"]["0"], "experiment": "0123456789ab"}}, "older"),
        ({"0": {**table["code"]["0"], "processor": "another kind"}}, "other processor"),
        ({}, "unrecorded"),
    ):
        path.write_text(json.dumps({**table, "code": code}))
        assert marked() == mark
    several = dict.fromkeys("012", table["results"]["0"])
    codes = {"0": table["code"]["0"], "1": table["code"]["0"], "2": {**table["code"]["0"], "numerics": "0"}}
    path.write_text(json.dumps({**table, "results": several, "code": codes}))
    assert marked() == "older (1 of 3 seeds)"
    path.write_text(whole)
    report = make_report(results)
    assert report.figures[ROW]["as-written"]["code"] == [table["code"]["0"]]


@pytest.mark.slow
def test_the_package_has_a_fingerprint_that_every_kernel_decides(monkeypatch):
    before = of_package()
    assert before.numerics and before == of_package()
    forward = LSTM.forward
    monkeypatch.setattr(LSTM, "forward", lambda self, x, training=False: forward(self, 1.001 * x, training=training))
    probe._known.clear()
    assert of_package().numerics != before.numerics


def test_every_benchmark_keeps_the_fingerprint_beside_its_figures():
    """They write JSON by one helper, or by hand with a fingerprint for each entry (accuracy.py)."""
    folder = Path(__file__).parents[2] / "benchmarks"
    programs = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("**/*.py")}
    storing = {name for name, text in programs.items() if '"--json"' in text}
    assert {"accuracy.py", "growth.py", "search.py", "speed.py"} <= storing
    for name in storing:
        assert re.search(r"\b(keep|store|of_training)\(", programs[name]), name
    assert "of_package()" in programs["contest.py"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOGUE)
def test_every_experiment_has_a_fingerprint(name):
    for mode in CATALOGUE[name].modes:
        code = of_experiment(CATALOGUE[name], Variant(mode=mode))
        assert len(code.numerics) == len(code.experiment) == 12
