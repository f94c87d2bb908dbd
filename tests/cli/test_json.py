"""--json: one JSON object on standard output, everything else on standard error."""

import json

import numpy as np
import pytest

import digitlab
from digitlab.cli import run
from digitlab.cli.shared.json_output import plain
from digitlab.train.evaluation import evaluate


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs on scikit-learn's digits."""
    place = tmp_path_factory.mktemp("runs")
    for seed in ("0", "1"):
        options = ["--data", "digits", "--net", "64-12-10", "--epochs", "2", "--seed", seed, "--run", str(place / seed)]
        assert run(["train", *options]) == 0
    return place


@pytest.fixture
def result(capsys, tmp_path, monkeypatch):
    """Runs a command with --json and returns the object that it printed."""
    monkeypatch.chdir(tmp_path)

    def of(*arguments):
        capsys.readouterr()
        assert run([*map(str, arguments), "--json"]) == 0
        printed = capsys.readouterr()
        assert len(printed.out.splitlines()) == 1
        return json.loads(printed.out)

    return of


def test_test(result, folder):
    found = result("test", folder / "0")
    network, test = digitlab.load_network(folder / "0"), digitlab.load("digits").test
    assert found["accuracy"] == evaluate(network, test).accuracy
    assert found["images"] == len(test) and np.trace(found["confusion"]) == len(test) - found["wrong"]


def test_info(result, folder):
    found = result("info", folder / "0", "--engine")
    assert found["parameters"] == 64 * 12 + 12 + 12 * 10 + 10 == sum(layer["parameters"] for layer in found["layers"])
    assert [layer["type"] for layer in found["layers"]] == ["Dense", "Sigmoid", "Dense"]
    assert found["run"]["epochs"] == 2 and found["run"]["settings"]["seed"] == 0 and found["engine"]


def test_failures(result, folder):
    found = result("failures", folder / "0", "--limit", 8)
    test = digitlab.load("digits").test
    assert len(found["failures"]) == found["wrong"]
    for failure in found["failures"]:
        assert str(test.labels[failure["image"]]) == failure["label"] != failure["prediction"]


def test_compare_runs(result, folder):
    found = result("compare", folder / "0", folder / "1")
    assert [one["settings"]["seed"] for one in found["runs"]] == [0, 1]
    assert all(one["last"]["epoch"] == 2 and 0 < one["best"] <= 1 for one in found["runs"])


def test_compare_settings(result):
    options = ["--data", "digits", "--net", "64-5-10", "--epochs", 1, "--seeds", 2]
    found = result("compare", "--optimizers", "sgd,adam", *options)
    assert [choice["setting"] for choice in found["settings"]] == ["sgd", "adam"]
    assert all(len(choice["trainings"]) == 2 for choice in found["settings"])


def test_ensemble(result, folder):
    found = result("ensemble", folder / "0", folder / "1")
    assert len(found["members"]) == 2 and len(found["errors"]) == round((1 - found["test"]) * found["images"])


def test_baseline(result):
    found = result("baseline", "nearest-mean", "--data", "digits")
    assert found["accuracy"] > 0.8 and np.sum(found["confusion"]) == found["images"]


def test_lr_find(result):
    found = result("lr-find", "--data", "digits", "--net", "64-5-10", "--steps", 300)
    assert len(found["rates"]) == len(found["losses"]) and found["suggested"] > 0


@pytest.mark.slow
def test_search(result):
    options = ["--data", "digits", "--net", "64-5-10", "--epochs", 1, "--trials", 3, "--workers", 1]
    found = result("search", "--space", "learning-rate=log:0.1,10", *options)
    assert [trial["trial"] for trial in found["trials"]] == [0, 1, 2]
    best = max(found["trials"], key=lambda trial: trial["value"] or 0)
    assert found["best"] == best["trial"] == found["test"]["trial"]


def test_an_error_prints_no_json(capsys, tmp_path):
    assert run(["test", str(tmp_path / "none.safetensors"), "--json"]) == 1
    assert capsys.readouterr().out == ""


def test_plain_values():
    assert plain({"a": np.float32(0.5), 1: (np.arange(2), np.nan, True, None)}) == {
        "a": 0.5,
        "1": [[0, 1], None, True, None],
    }
