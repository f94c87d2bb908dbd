"""Settings at the command line: what is not given stays, what a run's file holds, what grids and runs are called."""

import csv
import re
import tomllib
from pathlib import Path

import pytest
import tomli_w

from digitlab.nn import ZOO, Dense, Network, Sigmoid, describe_network, mlp
from digitlab.optim import SGD, Adam, Cosine, HalveOnPlateau, Momentum
from digitlab.optim.regularizers import L1, L2, MaxNorm
from digitlab.train import RunConfig, Trainer

SMALL = ("train", "--data", "digits", "--train-size", "150", "--epochs", "2", "--engine", "reference")


def config(folder):
    return RunConfig.load(Path(folder) / "config.toml")


@pytest.fixture
def run(train):
    """A run whose settings are its own, in the folder "run"."""
    train(
        "--run",
        "run",
        "--net",
        "64-12-10",
        "--optimizer",
        "momentum:momentum=0.5",
        "--learning-rate",
        "0.7",
        "--l2",
        "2",
        "--l1",
        "0.1",
        "--batch-size",
        "20",
        "--schedule",
        "halve:patience=3,stop_at=4",
        "--augment",
        "shift,rotate:5",
        "--averaging",
        "swa:start=0.5",
        "--loss",
        "cross-entropy",
        "--split",
        "60k/10k",
        "--seed",
        "3",
        "--keep",
        "last",
    )
    return config("run")


def begun(call, *options):
    """The settings of a training that goes on from the run, and what it printed first."""
    called = call("train", "--from", "run", "--run", "on", *options)
    assert called.code == 0, called.err
    return config("on"), called.out.splitlines()[0]


def test_what_is_not_given_stays_the_runs(run, call):
    after, line = begun(call, "--learning-rate", "0.25")
    assert line == "changed from run: learning-rate 0.7 → 0.25"
    assert after.optimizer == Momentum(0.25, momentum=0.5)
    before, now = run.full_table(), after.full_table()
    assert [name for name in before if before[name] != now[name]] == ["start", "optimizer"]


@pytest.mark.parametrize(
    "options, line",
    [
        ([], "all settings as in run"),
        (["--epochs", "1"], "changed from run: epochs 2 → 1"),
        (["--batch-size", "5", "--seed", "4"], "changed from run: batch-size 20 → 5, seed 3 → 4"),
        (["--l2", "5"], "changed from run: l2 2 → 5"),
        (["--optimizer", "momentum:momentum=0.8"], "changed from run: momentum 0.5 → 0.8"),
        (["--optimizer", "adam"], "changed from run: optimizer Momentum → Adam, learning-rate 0.7 → 0.005"),
        (["--schedule", "halve:patience=9"], "changed from run: patience 3 → 9"),
        (["--schedule", "cosine"], "changed from run: schedule HalveOnPlateau → Cosine"),
        (["--augment", "none"], "changed from run: augment shift:1,rotate:5 → none"),
        (["--train-size", "100"], "changed from run: train-size 200 → 100"),
        (["--per-class", "4"], "changed from run: train-size 200 → none, per-class none → 4"),
        (["--split", "50k/10k/10k"], "changed from run: split 60k/10k → 50k/10k/10k"),
    ],
)
def test_one_line_says_what_differs(run, call, options, line):
    assert begun(call, *options)[1] == line


def test_the_weights_and_the_rest_of_the_settings_are_taken_over(run, call):
    after, _ = begun(call, "--l2", "5", "--epochs", "1")
    assert after.start == str(Path("run/network.safetensors").resolve())
    assert set(after.regularizers) == {L1(0.1), L2(5.0)}
    assert (after.schedule, after.batch_size, after.seed, after.keep) == (HalveOnPlateau(3, stop_at=4), 20, 3, "last")
    assert after.averaging == run.averaging and after.augment == "shift:1,rotate:5"
    assert after.data == run.data


def test_a_file_in_a_run_stands_for_the_run(run, call):
    called = call("train", "--from", "run/network.safetensors", "--learning-rate", "0.25", "--run", "on")
    assert called.out.startswith("changed from run/network.safetensors: learning-rate 0.7 → 0.25\n")


def test_a_network_without_a_run_says_what_it_is_trained_with(call):
    mlp([64, 12, 10]).save("net.safetensors")
    called = call("train", "--from", "net.safetensors", "--data", "digits", "--train-size", "50", "--epochs", "1")
    assert called.out.startswith(
        "net.safetensors comes without the settings of a run; fine-tuning with Adam at 0.0005, batches of 16\n"
    )
    called = call("train", "--from", "net.safetensors", "--data", "digits", "--valid-size", "0", "--epochs", "1")
    assert called.code == 0 and "train_loss after 1 epoch: " in called.out  # not valid_loss, as with a validation set


@pytest.mark.parametrize(("images", "kept"), [(29, "last"), (30, "best")])
def test_fine_tuning_with_few_validation_images_keeps_the_last_epoch(call, images, kept):
    mlp([64, 12, 10]).save("net.safetensors")
    sizes = ("--train-size", "50", "--valid-size", str(images), "--epochs", "1")
    assert call("train", "--from", "net.safetensors", "--data", "digits", *sizes, "--run", "on").code == 0
    assert RunConfig.load(Path("on/config.toml"), run=True).keep == kept


def test_other_data_leave_behind_what_counted_the_runs_images(run, call):
    import numpy as np

    from digitlab.data import load

    digits = load("digits")
    np.savez("own.npz", images=digits.test.images[:70], labels=digits.test.labels[:70])
    after, line = begun(call, "--data", "own.npz")
    assert "train-size 200 → none" in line and "split" not in line
    assert "train_size" not in after.data and after.data["split"] == "60k/10k"


def test_a_group_from_a_run_says_it_once(run, call):
    called = call("train", "--from", "run", "--grid", "learning-rate=0.1,0.2", "--epochs", "1", "--run", "g")
    assert called.code == 0, called.err
    assert called.out.splitlines()[0] == "changed from run: epochs 2 → 1"
    assert {config(path).optimizer.momentum for path in Path("g").glob("*/")} == {0.5}


@pytest.mark.parametrize("option", ["--learning-rate", "--batch-size", "--l2", "--train-size", "--seed"])
def test_a_resume_that_cannot_change_something_says_what_can(run, fails, option):
    line = fails(2, "train", "--resume", "--run", "run", option, "5")
    assert f"{option} cannot change" in line.replace("cannot change them", "cannot change")
    value = "5.0" if option in ("--learning-rate", "--l2") else "5"
    assert f"digitlab train --from run {option} {value}" in line


def test_a_resume_with_another_network_is_another_training(run, fails):
    line = fails(2, "train", "--resume", "--run", "run", "--net", "64-30-10")
    assert "--net cannot change them" in line and "leave --resume out to train another network" in line


# Recipes of named networks, presets and files below the options


@pytest.mark.slow
def test_a_named_network_keeps_its_recipe(call):
    for options, optimizer in (
        (("--learning-rate", "0.1"), Adam(0.1)),
        (("--optimizer", "adam:beta1=0.8"), Adam(0.001, beta1=0.8)),
        (("--optimizer", "sgd"), SGD(0.1)),
    ):
        called = call(*SMALL[:-2], "--epochs", "1", "--net", "rows-rnn", *options, "--run", (run := options[-1]))
        assert called.code == 0, called.err
        assert config(run).optimizer == optimizer
        assert config(run).batch_size == 64
    called = call(*SMALL, "--net", "shallow", "--optimizer", "sgd", "--max-norm", "3", "--run", "shallow")
    assert config("shallow").optimizer == SGD(0.1), "of the same kind: the recipe's rate stays"
    called = call(*SMALL, "--net", "chapter3", "--max-norm", "3", "--run", "chapter3")
    assert called.code == 0, called.err
    assert set(config("chapter3").regularizers) == {L2(5.0), MaxNorm(3.0)}


def test_another_loss_keeps_the_targets_of_a_named_network(call):
    assert call(*SMALL, "--net", "rashid", "--loss", "cross-entropy", "--run", "r").code == 0
    loss = config("r").network["loss"]
    assert (loss["type"], loss["low"], loss["high"]) == ("CrossEntropy", 0.01, 0.99)


def test_a_file_keeps_what_options_do_not_name(call):
    table = {
        "optimizer": {"type": "momentum", "momentum": 0.5, "learning_rate": 0.3},
        "schedule": {"type": "cosine"},
        "regularizers": [{"type": "l1", "strength": 1.0}],
        "data": {"source": "digits", "split": "60k/10k", "train_size": 100},
    }
    Path("s.toml").write_text(tomli_w.dumps(table))
    options = ("--epochs", "1", "--l2", "2", "--optimizer", "momentum")
    called = call("train", "--from-file", "s.toml", *options, "--run", "r")
    assert called.code == 0, called.err
    c = config("r")
    assert (c.optimizer, c.schedule) == (Momentum(0.3, momentum=0.5), Cosine())
    assert {type(r) for r in c.regularizers} == {L1, L2}
    assert c.data == {"source": "digits", "split": "60k/10k", "train_size": 100}
    assert call("train", "--from-file", "s.toml", "--epochs", "1", "--fraction", "0.1", "--run", "f").code == 0
    assert config("f").data == {"source": "digits", "split": "60k/10k", "fraction": 0.1}


def test_compare_keeps_the_recipe_of_a_named_network(call):
    called = call("compare", "--losses", "log-likelihood,cross-entropy", "--net", "shallow", *SMALL[1:], "--seeds", "1")
    assert called.code == 0, called.err
    rows = [line.split() for line in called.out.splitlines()]
    assert [row[1] for row in rows if row[:1] in (["log-likelihood"], ["cross-entropy"])] == ["0.1", "0.1"]


# Every setting in full


@pytest.mark.slow
def test_a_runs_file_holds_every_setting(call):
    assert call(*SMALL, "--learning-rate", "0.1", "--run", "r").code == 0
    text = Path("r/config.toml").read_text()
    table = tomllib.loads(text)
    assert table["optimizer"] == {"type": "SGD", "learning_rate": 0.1}
    assert table["network"]["loss"] == {"type": "Quadratic", "label_smoothing": 0.0, "low": 0.0, "high": 1.0}
    assert table["network"]["layers"][0] == {
        "type": "Dense",
        "out_features": 30,
        "connections": "none",
        "weights": {"type": "ScaledNormal"},
        "biases": {"type": "Normal", "std": 1.0},
    }
    assert table["data"]["split"] == "50k/10k/10k" and table["data"]["per_class"] == "none"
    again = call("train", "--from-file", "r/config.toml", "--run", "again")
    assert again.code == 0, again.err
    assert Path("again/config.toml").read_text() == text
    assert Path("again/network.safetensors").read_bytes() == Path("r/network.safetensors").read_bytes()


@pytest.mark.parametrize("optimizer", ["adam", "adam-w", "rms-prop", "momentum", "nesterov"])
def test_so_it_does_of_every_optimizer(call, optimizer):
    import dataclasses

    from digitlab.nn.describe import find
    from digitlab.optim import Optimizer

    assert call(*SMALL, "--optimizer", optimizer, "--run", "r").code == 0
    table = tomllib.loads(Path("r/config.toml").read_text())["optimizer"]
    assert set(table) == {"type", *(f.name for f in dataclasses.fields(find(Optimizer, optimizer)))}


def test_a_run_from_before_still_loads_and_can_be_continued(call):
    assert call(*SMALL, "--run", "r").code == 0
    path = Path("r/config.toml")
    path.write_text(tomli_w.dumps(config("r").table()), encoding="utf-8")  # as it was written then: without defaults
    called = call("train", "--run", "r", "--resume", "--epochs", "3")
    assert called.code == 0, called.err
    assert config("r").epochs == 3


def test_a_run_that_ends_with_an_activation_from_before_the_rule_can_be_continued(call, caplog):
    network = describe_network(Network([Dense(10), Sigmoid()], 64, allow_output_activation=True))
    old = RunConfig(network, data={"source": "digits", "train_size": 50}, epochs=1, engine="reference")
    table = old.table()
    del table["network"]["allow_output_activation"]
    Path("r").mkdir()
    Path("r/config.toml").write_text(tomli_w.dumps(table))
    called = call("train", "--run", "r", "--resume")
    assert called.code == 0, called.err
    assert "ends with an activation although its loss has one of its own" in caplog.text
    assert call("train", "--from-file", "r/config.toml").code == 1, "a file of one's own is held to the rule"


def test_settings_in_full_are_the_same_settings():
    network = describe_network(mlp([64, 30, 10], dropout=0.2))
    short, full = RunConfig(network), RunConfig.from_table(RunConfig(network).full_table())
    assert short == full and short.full_table() == full.full_table()
    assert short != RunConfig(network, seed=1)
    assert isinstance(full.trainer(), Trainer)


# Labels


def test_a_grid_is_labelled_as_it_was_typed(call):
    grid = ("--grid", "learning-rate=0.1,.50", "--grid", "net=64-10,64-5-10")
    called = call(*SMALL, "--workers", "1", *grid, "--run", "g")
    assert called.code == 0, called.err
    for label in ("learning-rate=0.1 net=64-10", "learning-rate=.50 net=64-5-10"):
        assert f"{label}: valid_accuracy" in called.out
        assert called.out.count(f"\n{label} ") == 2, "in both tables"
    assert sorted(path.name for path in Path("g").glob("*/"))[0] == "000-learning-rate-0.1-net-64-10"
    rows = list(csv.DictReader(Path("g/results.csv").read_text().splitlines()))
    assert [(row["learning-rate"], row["net"]) for row in rows] == [
        ("0.1", "64-10"),
        ("0.1", "64-5-10"),
        (".50", "64-10"),
        (".50", "64-5-10"),
    ]
    again = call("train", "--run", "g", "--resume")
    assert "learning-rate=.50 net=64-5-10  " in again.out, "also after a resume"


def test_a_grid_over_seeds_and_settings(call):
    called = call(*SMALL, "--workers", "1", "--grid", "optimizer=sgd,adam", "--seeds", "2", "--run", "g")
    assert called.code == 0, called.err
    assert "optimizer=adam seed=1: valid_accuracy" in called.out
    best = next(line for line in called.out.splitlines() if line.startswith("best by"))
    assert best.endswith(("optimizer=sgd", "optimizer=adam"))


def test_a_groups_folder_says_what_was_varied(call):
    for grid, name in (("net=64-10,64-5-10", "001-net-x2"), ("learning-rate=1,2", "002-64-30-10-learning-rate-x2")):
        assert call(*SMALL, "--workers", "1", "--grid", grid).code == 0
        assert Path("runs", name).is_dir()


def test_a_value_that_is_typed_in_two_ways_counts_once(fails):
    assert "learning-rate has the value .1 twice" in fails(2, *SMALL, "--grid", "learning-rate=0.1,.1")


# What is called the book's first network is that network


def test_the_default_network_is_not_called_chapter_1s_own(call):
    own, default = ZOO["chapter1"].build(seed=None).layers[0], mlp([784, 30, 10], seed=None).layers[0]
    assert (repr(own.weights), repr(default.weights)) == ("Normal()", "ScaledNormal()"), "or these pages may say so"
    root = Path(__file__).parents[2]
    pages = [root / "README.md", *(root / "docs").glob("*.md"), *(root / "src").rglob("*.py")]
    called_so = re.compile(r"books?'s? first (network|one)")
    assert [path.name for path in pages if called_so.search(path.read_text(encoding="utf-8"))] == []
    assert "--net chapter1" in call("train", "--help").out


# Offline: MNIST is neither here nor to be had (conftest.py)


@pytest.mark.parametrize("net", [(), ("--net", "784-30-10")])
def test_offline_a_run_is_named_by_what_it_trained(call, net):
    called = call("train", *net, "--epochs", "1", "--train-size", "100")
    assert called.code == 0, called.err
    assert config("runs/001-64-30-10").data["source"] == "digits"
    assert ("64 inputs instead of 784" in called.err) == bool(net)
    grid = call("train", *net, "--epochs", "1", "--train-size", "100", "--grid", "learning-rate=1,2", "--workers", "1")
    assert grid.code == 0, grid.err


@pytest.mark.parametrize("net", ["lenet5", "double-conv", "best-light"])
def test_offline_a_network_for_larger_images_says_what_to_do(fails_in_two, net):
    line = fails_in_two("train", "--net", net)
    assert f"{net} needs images of 28×28, and MNIST is unavailable" in line
    assert "digitlab data fetch" in line and "DIGITLAB_DATA" in line and "--net 64-30-10" in line


def test_offline_the_shipped_network_says_so_as_well(fails_in_two):
    assert "the network of shipped needs inputs of 28×28×1, and MNIST is unavailable" in fails_in_two(
        "train", "--from", "shipped"
    )


@pytest.mark.parametrize("command", [["test", "shipped"], ["gradcheck", "lenet5"], ["look", "shipped"]])
def test_offline_other_commands_say_so_too(fails_in_two, command):
    line = fails_in_two(*command)
    assert "MNIST is unavailable, and 8×8 digits took its place: fetch MNIST with `digitlab data fetch`" in line


@pytest.fixture
def fails_in_two(call):
    """A command that fails with the note that MNIST is unavailable, and a line of its own, which is returned."""

    def fails(*arguments):
        called = call(*arguments)
        assert called.code == 1
        note, line = called.err.splitlines()
        assert note.startswith("MNIST")
        return line

    return fails


def test_small_images_that_were_asked_for_name_their_size(fails):
    assert "lenet5 does not fit images of 8×8; it needs 28×28" in fails(
        1, "train", "--data", "digits", "--net", "lenet5"
    )
