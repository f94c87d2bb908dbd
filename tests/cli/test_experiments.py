"""`digitlab expand`, `augment`, `baseline`, and `compare` of settings: what they print, write and refuse."""

import importlib
from pathlib import Path

import pytest
from PIL import Image

from digitlab.cli.shared.comparing import monitored
from digitlab.data import load
from digitlab.errors import ConfigError
from digitlab.train import History, RunConfig


def test_expand_writes_what_train_reads(call, train, empty_machine):
    done = call("expand", "--data", "digits", "--train-size", 50, "--out", "large")
    assert done.code == 0, done.err
    assert "50 images of scikit-learn digits train, each also shifted by 1 pixel: 250" in done.out
    assert "train on them with: digitlab train --data large\n" in done.out
    assert len(load("large").train) == 250
    assert "Digits: 200 images 8×8" in train("--data", "large", "--run", "r").out
    again = call("expand", "--data", "digits", "--out", "large")
    assert again.code == 1
    assert "already exists; choose another name, or replace it by --overwrite" in again.err
    assert call("expand", "--data", "digits", "--by", "rotations", "--out", "large", "--overwrite", "--raw").code == 0
    assert len(load("large").train) == 3 * 1197


def test_expand_without_validation_says_how_to_train(call):
    done = call("expand", "--data", "digits", "--split", "60k/10k", "--by", "rotations", "--out", "x.npz")
    assert "turned by 10° both ways: 4,491" in done.out
    assert done.out.endswith("digitlab train --data x.npz --split 60k/10k\n")


def test_the_seed_mixes_and_in_order_does_not(call):
    for name, *options in (("a",), ("b",), ("c", "--seed", 1), ("d", "--in-order")):
        assert call("expand", "--data", "digits", "--train-size", 20, "--out", f"{name}.npz", *options).code == 0
    a, b, c, d = (load(f"{name}.npz").train.labels.tolist() for name in "abcd")
    assert a == b != c
    assert d == [label for label in load("digits").train.labels[:20].tolist() for _ in range(5)]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--out", "x.pkl"], "expected a folder (IDX files) or a file name that ends in .npz"),
        ([], "Missing option '--out'"),
        (["--out", "x", "--pixels", "0"], "expected a whole number of at least 1"),
    ],
)
def test_expand_refuses(call, arguments, words):
    refused = call("expand", "--data", "digits", *arguments)
    assert refused.code != 0 and words in refused.err and refused.err.count("\n") == 1
    assert "Traceback" not in refused.err


@pytest.mark.slow
def test_augment_draws_a_picture(call, empty_machine):
    done = call("augment", "--data", "digits", "-n", 3, "--augment", "rotate:20,elastic", "--out", "a.png")
    assert done.code == 0, done.err
    assert "Rotate(degrees=20)\nElastic(alpha=34.0, sigma=4.0)\npicture: a.png\n" in done.out
    with Image.open("a.png") as image:
        assert image.width > image.height > 200


def test_augment_refuses_more_pictures_than_anybody_could_see(fails):
    line = fails(2, "augment", "--data", "digits", "-n", 40, "--draws", 10, "--augment", "shift,rotate:5")
    assert "these are 1240 pictures; the maximum is 600: use a smaller -n or --draws" in line
    assert not Path("augment.png").exists()


@pytest.mark.slow
def test_train_with_augmentation_and_resume(call, train):
    done = train("--augment", "shift,rotate:5", "--run", "r")
    assert "training images augmented in every epoch: shift,rotate:5" in done.out
    assert RunConfig.load("r/config.toml").augment == "shift:1,rotate:5"
    assert call("train", "--run", "r", "--resume", "--epochs", 3).code == 0
    refused = call("train", "--run", "r", "--resume", "--augment", "shift")
    assert refused.code == 2 and "--augment cannot change them" in refused.err
    assert "afresh" not in train("--augment", "none", "--run", "q").out


@pytest.mark.parametrize("command", ["train", "augment", "compare"])
def test_an_augmentation_that_is_none(call, command):
    refused = call(command, "--augment", "rotat:3")
    assert refused.code == 2
    assert "unknown augmentation 'rotat' (did you mean 'rotate'?)" in refused.err
    assert refused.err.count("\n") == 1


@pytest.mark.parametrize("name", ["darkness", "nearest-mean", "logistic", "svm"])
def test_baselines(call, empty_machine, name):
    done = call("baseline", name, "--data", "digits", "--train-size", 300, "--out", "c.png")
    assert done.code == 0, done.err
    assert done.err == ""
    assert "fitting on 300 images of scikit-learn digits train, pixels byte/256" in done.out
    assert "% of scikit-learn digits test correct" in done.out
    lines = done.out.splitlines()
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("is \\ said")) + 2 :][:10]
    assert sum(int(n) for line in table for n in line.split()[1:]) == 300
    assert (empty_machine / "c.png").is_file()


def test_baselines_by_setting_and_part(call):
    book, today = (
        call("baseline", "svm", "--data", "digits", "--setting", s, "--part", "valid").out for s in ("book", "today")
    )
    assert "gamma='auto'" in book and "gamma='scale'" in today
    assert "% of scikit-learn digits valid correct" in book
    refused = call("baseline", "darkness", "--setting", "book")
    assert refused.code == 2 and "--setting is of svm; darkness has none" in refused.err
    refused = call("baseline", "svm", "--data", "digits", "--train-size", 5000)
    assert refused.code == 1 and "Traceback" not in refused.err


def offered(command, option):
    """The values that an option of a command takes."""
    module = importlib.import_module(f"digitlab.cli.{command}")
    (parameter,) = [p for p in module.command.params if p.name == option]
    return list(parameter.type.choices)


def test_the_names_on_the_command_line_are_the_packages():
    """They are written there once more, so that --help need not import what they belong to."""
    from digitlab.baselines import BASELINES
    from digitlab.baselines.standard import SETTINGS
    from digitlab.cli.look import KINDS
    from digitlab.cli.train import PREDICTIONS
    from digitlab.data.splits import SPLITS
    from digitlab.engine.select import NAMES
    from digitlab.ensemble import WAYS
    from digitlab.train import recorders
    from digitlab.viz.look import WHAT

    assert offered("baseline", "name") == list(BASELINES)
    assert offered("baseline", "setting") == list(SETTINGS)
    assert list(KINDS) == list(WHAT)
    assert offered("ensemble", "how") == list(WAYS)
    for command in ("train", "compare"):
        assert offered(command, "engine") == list(NAMES)
    for command in ("train", "expand", "search"):
        assert offered(command, "split") == list(SPLITS)
    assert PREDICTIONS == recorders.PREDICTIONS


def test_compare_settings(call, empty_machine):
    done = call(
        "compare",
        "--data",
        "digits",
        "--train-size",
        100,
        "--epochs",
        2,
        "--seeds",
        2,
        "--optimizers",
        "sgd,momentum:momentum=0.8,adam:beta1=0.8,beta2=0.9",
    )
    assert done.code == 0, done.err
    assert "3 settings, 2 seeds each, 2 epochs on Digits: 100 images" in done.out
    for setting, rate in (("sgd", "3"), ("momentum:momentum=0.8", "0.23"), ("adam:beta1=0.8,beta2=0.9", "0.005")):
        (line,) = [line.split() for line in done.out.splitlines() if line.startswith(f"{setting} ")]
        assert line[1] == rate and line[3] == "±"
    assert "mean ± sd over the seeds 0 to 1; the test images were not used" in done.out
    assert (empty_machine / "compare.png").is_file()
    assert not (empty_machine / "runs").exists()


def test_every_family_with_a_plural_can_be_compared(call):
    done = call(
        "compare",
        "--data",
        "digits",
        "--train-size",
        50,
        "--epochs",
        1,
        "--seeds",
        1,
        "--net",
        "64-10",
        "--schedules",
        "constant,halve:patience=2",
        "--gradients",
        "backpropagation,spsa",
    )
    assert done.code == 0, done.err
    assert "4 settings, 1 seed each" in done.out
    assert "halve:patience=2, spsa, seed 0: valid_accuracy" in done.out


def test_ctrl_c_ends_the_comparison_without_a_plot(call, monkeypatch):
    from digitlab.train import Trainer

    begun = []

    def interrupted(trainer, *arguments, **settings):
        begun.append(trainer)
        trainer.interrupted = True  # as after Ctrl-C, on which a trainer ends cleanly
        return trainer.history

    monkeypatch.setattr(Trainer, "fit", interrupted)
    called = call("compare", "--data", "digits", "--train-size", 50, "--optimizers", "sgd,adam")
    assert (called.code, called.err.splitlines()[-1]) == (130, "interrupted")
    assert len(begun) == 1, "no further training is begun"
    assert not Path("compare.png").exists()


def test_every_combination_and_one_seed(call):
    done = call(
        "compare",
        "--data",
        "digits",
        "--train-size",
        50,
        "--epochs",
        1,
        "--seeds",
        1,
        "--inits",
        "large,scaled",
        "--activations",
        "sigmoid,relu",
        "--loss",
        "cross-entropy",
    )
    assert done.code == 0, done.err
    assert "4 settings, 1 seed each" in done.out
    for name in ("large, sigmoid", "large, relu", "scaled, sigmoid", "scaled, relu"):
        assert f"{name}, seed 0: valid_accuracy" in done.out
    assert "±" not in done.out


def test_a_seed_of_compare_is_the_training_of_that_seed(call, train):
    """The first line of each is the same training as `digitlab train` of that seed."""
    done = call(
        "compare",
        "--data",
        "digits",
        "--train-size",
        200,
        "--epochs",
        2,
        "--seeds",
        2,
        "--losses",
        "quadratic,cross-entropy",
    )
    for loss in ("quadratic", "cross-entropy"):
        alone = train("--loss", loss, "--seed", "1", "--run", loss).out
        best = next(line.split("best ")[1].split(" %")[0] for line in alone.splitlines() if " over 2 epochs" in line)
        assert f"{loss}, seed 1: valid_accuracy {best} %" in done.out


def test_a_training_that_diverges_is_reported_and_the_others_go_on(call):
    done = call(
        "compare",
        "--data",
        "digits",
        "--train-size",
        100,
        "--epochs",
        2,
        "--seeds",
        1,
        "--net",
        "64-10",
        "--loss",
        "mean-squared-error",
        "--optimizers",
        "sgd:learning_rate=1e30,adam",
    )
    assert done.code == 0, done.err
    assert "sgd:learning_rate=1e30, seed 0: the loss is no longer finite" in done.out
    assert "diverged" in done.out
    (line,) = [line for line in done.out.splitlines() if line.startswith("sgd:learning_rate=1e30  ")]
    assert line.split()[-1] == "1" and "–" in line


def test_what_went_wrong_is_said_at_the_end(call):
    short = ("--data", "digits", "--net", "64-10", "--loss", "mse", "--epochs", "2")
    done = call("compare", *short, "--optimizers", "sgd:learning_rate=1e30,adam,sgd:learning_rate=1e-7", "--seeds", "1")
    lines = done.out.splitlines()
    end = lines[[i for i, line in enumerate(lines) if line.startswith("mean ±") or line.startswith("sgd:")][-1] :]
    assert any(line.startswith("warning: sgd:learning_rate=1e-7, seed 0: the loss went from ") for line in end)
    assert any("1 of 3 trainings ended with an error, first sgd:learning_rate=1e30, seed 0" in line for line in end)


@pytest.mark.slow
def test_runs_that_learned_nothing_or_are_judged_differently(call, train):
    short = ("train", "--data", "digits", "--net", "64-30-10", "--epochs", "2")
    for name, options in (("good", ()), ("bad", ("--learning-rate", "100")), ("loss", ("--monitor", "valid_loss"))):
        assert call(*short, *options, "--run", name).code == 0
    done = call("compare", "good", "bad", "loss")
    assert "warning: bad: accuracy" in done.out and "warning: good" not in done.out
    assert "warning: the runs are judged by different columns" in done.out


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "name the folders of runs, or what to compare"),
        (["runs/x", "--epochs", "3"], "--epochs is for trainings to be done"),
        (["--epochs", "3"], "what to compare"),
        (["--optimizers", "sgd"], "expected at least two"),
        (["--optimizers", "sgd,sgd"], "one of them occurs twice"),
        (["--optimizers", "sgd,adm"], "did you mean 'adam'?"),
        (["--activations", "relu,dense"], "unknown activation 'dense'"),
        (["--optimizers", "sgd,adam", "--optimizer", "sgd"], "leave one out"),
        (["--optimizers", "sgd,adam", "--seeds", "60", "--data", "digits"], "120 trainings; the maximum is 100"),
        (["--losses", "quadratic,cross-entropy", "--net", "lenet9", "--data", "digits"], "lenet5"),
        (["runs/none"], "no run here"),
    ],
)
def test_compare_refuses(call, arguments, words):
    refused = call("compare", *arguments)
    assert refused.code in (1, 2) and words in refused.err
    assert refused.err.count("\n") == 1


def test_every_training_diverged(call):
    refused = call(
        "compare",
        "--data",
        "digits",
        "--train-size",
        50,
        "--epochs",
        1,
        "--seeds",
        1,
        "--net",
        "64-10",
        "--loss",
        "mean-squared-error",
        "--learning-rate",
        "1e30",
        "--activations",
        "relu,tanh",
    )
    assert refused.code == 1
    assert "every training diverged in its first epoch" in refused.err
    assert isinstance(ConfigError("x"), ValueError)


@pytest.mark.parametrize("columns, name", [(("valid_loss", "valid_accuracy"), "valid_accuracy"), ((), "train_loss")])
def test_what_a_comparison_judges_by(columns, name):
    row = {"epoch": 1, "train_loss": 0.5, **dict.fromkeys(columns, 0.5)}
    assert monitored([History(), History([row])]) == name


def test_two_rates_contradict_each_other(fails):
    line = fails(2, "compare", "--optimizers", "sgd,adam:learning_rate=0.005", "--learning-rate", "0.5")
    assert "contradict each other" in line
