"""`digitlab doctor`, and the lines at the end of a training that went badly."""

import json
from pathlib import Path

import pytest

from digitlab.doctor import AILMENTS
from digitlab.train import RunConfig

ILL = ("train", "--data", "digits", "--net", "64-30-10", "--epochs", "2", "--init", "zeros", "--run", "a")


@pytest.mark.slow
def test_it_names_the_ailment_draws_the_evidence_and_trains_the_fix(call):
    trained = call(*ILL)
    assert trained.code == 0, trained.err
    warning, cause, following, _ = trained.out.splitlines()[-4:]
    assert warning.startswith("warning: all 30 neurons of layer 0, Dense(30, ")
    assert cause.startswith("likely cause: ") and following == "next: digitlab doctor a --fix"
    called = call(*following.removeprefix("next: digitlab ").split())
    assert called.code == 0, called.err
    assert (
        "\n1. Equal first weights: all 30 neurons" in called.out and "after:  2 epochs, valid_accuracy " in called.out
    )
    assert Path("a/doctor.png").read_bytes().startswith(b"\x89PNG")
    assert "weights" not in RunConfig.load("a-fixed/config.toml").network["layers"][0]  # the default ones
    healthy = call("doctor", "a-fixed", "--json")
    assert json.loads(healthy.out) == {"run": "a-fixed", "findings": []}


@pytest.mark.slow
def test_as_json(call):
    call(*ILL[:-2], "--run", "b")
    found = json.loads(call("doctor", "b", "--json").out)
    assert found["findings"][0]["ailment"] == "equal-first-weights" and found["figure"] == "b/doctor.png"


@pytest.mark.slow
def test_a_training_that_diverged_names_the_doctor(call):
    options = ("--net", "64-10", "--loss", "mean-squared-error", "--learning-rate", "50", "--run", "d")
    called = call("train", "--data", "digits", *options)
    assert called.code == 1 and called.out.endswith("next: digitlab doctor d\n")
    found = json.loads(call("doctor", "d", "--out", "d.svg", "--json").out)["findings"]
    assert found[0]["seen"].startswith("the loss is no longer finite in epoch 1")


def test_the_list_has_every_ailment(call):
    listed = call("doctor", "--list").out
    assert [a.title for a in AILMENTS if a.title not in listed] == []


@pytest.mark.parametrize("run", ["nothing", "."])
def test_a_folder_without_a_run(fails, run):
    assert "no run here" in fails(1, "doctor", run)


def test_no_run_at_all(fails):
    assert "no RUN was named and there is none in runs/" in fails(1, "doctor")
