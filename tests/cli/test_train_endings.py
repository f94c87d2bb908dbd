"""What `digitlab train` says of trainings that learned nothing, diverged, or take long."""

from pathlib import Path

import numpy as np
import pytest

from digitlab.nn import load_network
from digitlab.train import History, RunConfig


def test_a_training_that_learns_nothing_says_so_and_what_to_do_next(call):
    done = call("train", "--data", "digits", "--learning-rate", "100", "--epochs", "2", "--net", "64-30-10")
    seen, cause, following, saved = done.out.splitlines()[-4:]
    assert seen.startswith("warning: accuracy 10.7 % after 2 epochs, no better than guessing")
    assert cause.startswith("likely cause: the learning rate 100 is too large")
    assert following.startswith("next: digitlab train --from-file ") and saved.startswith("saved: ")
    again = call(*following.removeprefix("next: digitlab ").split())
    assert again.code == 0 and "warning" not in again.out


def test_a_training_that_learns_says_nothing_more(call):
    assert "warning" not in call("train", "--data", "digits", "--epochs", "2", "--net", "64-30-10").out


def test_groups_and_comparisons_say_it_for_each_network(call):
    short = ("--data", "digits", "--epochs", "2", "--net", "64-30-10")
    done = call("train", *short, "--grid", "learning-rate=100,3,0.001", "--run", "g")
    assert [line.split(": ")[1] for line in done.out.splitlines() if line.startswith("warning: ")] == [
        "learning-rate=100",
        "learning-rate=0.001",
    ]
    assert done.out.count("try: --learning-rate 3\n") == 2
    assert "the learning rate 100 is too large" in Path("g/results.csv").read_text()
    again = call("train", "--run", "g", "--resume")
    assert again.out.count("warning: ") == 2, "finished runs keep what was said of them"
    done = call("compare", *short, "--activations", "sigmoid,tanh", "--seeds", "1", "--learning-rate", "100")
    assert done.out.count("likely cause: the learning rate 100 is too large") == 2


@pytest.mark.slow
def test_a_curve_that_is_not_learned(call):
    done = call("fit", "sin(x)", "--optimizer", "sgd:learning_rate=1e-9", "--epochs", "20")
    assert "warning: " in done.out and "try: --optimizer sgd:learning_rate=0.05" in done.out
    assert "warning: " not in call("fit", "sin(x)", "--epochs", "20").out
    done = call("fit", "sin(x) + x", "--optimizer", "sgd", "--activation", "relu", "--epochs", "50")
    assert "warning: only the straight line in the curve is learned: the network misses" in done.out
    assert "try: --optimizer adam\n" in done.out


@pytest.mark.slow
def test_a_fit_is_a_run_that_commands_for_images_pass_over(call):
    assert "run: runs/001-fit-1-4-1\n" in call("fit", "sin(x)", "--net", "1-4-1", "--epochs", "3").out
    assert {path.name for path in Path("runs/001-fit-1-4-1").iterdir()} == {
        *("config.toml", "epochs", "fit.png", "history.jsonl", "network.safetensors")
    }
    assert "001-fit-1-4-1" in call("runs", "list").out
    assert "curve after epochs 0 to 3, 4 frames" in call("animate").out
    assert "shipped" in call("info").out
    assert "has no images" in call("test", "runs/001-fit-1-4-1").err


DIVERGES = ("--data", "digits", "--net", "64-10", "--loss", "mean-squared-error", "--epochs", "3")


@pytest.mark.parametrize(
    "rate, held", [("1e20", "the weights of before step 1 of epoch 1"), ("1.0", "the weights of epoch 1, the best")]
)
def test_a_training_that_diverges_says_what_it_saved(call, rate, held):
    done = call("train", *DIVERGES, "--learning-rate", rate, "--run", "r")
    assert done.code == 1 and "no longer finite" in done.err and "kept" not in done.err
    (saved,) = [line for line in done.out.splitlines() if line.startswith("saved: ")]
    assert saved == f"saved: r/network.safetensors ({held})"
    if held.endswith("best"):
        assert len(History.load("r/history.jsonl")) == 1
    else:
        first = RunConfig.load("r/config.toml").trainer().network
        for name, array in load_network("r/network.safetensors").state().items():
            assert np.array_equal(array, first.state()[name])


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", *DIVERGES, "--learning-rate", "1e20", "--seeds", "2"),
        ("compare", *DIVERGES, "--optimizers", "sgd:learning_rate=1e20,adam", "--seeds", "1"),
        ("fit", "x", "--optimizer", "sgd:learning_rate=1e20"),
    ],
)
def test_where_nothing_is_kept_nothing_is_said_to_be(call, arguments):
    done = call(*arguments)
    assert "no longer finite" in done.out + done.err
    assert "kept" not in done.out + done.err and "holds the weights" not in done.out + done.err


def test_a_gradient_of_many_evaluations_says_what_it_costs(call):
    short = ("--data", "digits", "--train-size", "20", "--net", "64-10", "--epochs", "1")
    done = call("train", *short, "--gradient", "central-differences")
    (line,) = [line for line in done.out.splitlines() if "evaluations of the loss" in line]
    assert line.startswith(
        "CentralDifferences() needs 1,301 evaluations of the loss per step: an epoch of 2 steps takes"
    )
    assert "evaluations of the loss" not in call("train", *short, "--gradient", "spsa").out
