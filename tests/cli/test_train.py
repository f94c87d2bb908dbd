"""`digitlab train`: what the options do, what the run's folder holds, resuming, and settings from files."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from digitlab.cli.shared.networks import run_folder
from digitlab.data import load, write_npz
from digitlab.data.formats.shared.contents import Contents
from digitlab.nn import describe_network, load_network, mlp
from digitlab.train import History, RunConfig
from train.helpers import without_clock


def config(folder="runs/001-64-30-10"):
    return RunConfig.load(Path(folder) / "config.toml")


def weights(folder):
    return {name: p.value for name, p in load_network(Path(folder) / "network.safetensors").parameters().items()}


def test_the_shortest_call(train):
    called = train()
    lines = called.out.splitlines()
    assert lines[0].startswith("Digits: 200 images 8×8, 10 classes (0–9)")
    assert lines[0].endswith("300 to validate, 300 to test")
    assert "Dense(30, biases=Normal())" in called.out
    epochs = [line for line in lines if line.startswith("epoch")]
    assert [line.split()[1] for line in epochs] == ["1/2", "2/2"]
    assert re.search(r"valid_accuracy over 2 epochs: best \d+\.\d\d % \(epoch [12]\), mean [\d.]+, sd", called.out)
    assert re.search(r"test set, network of epoch [12]: \d+\.\d\d % correct", called.out)
    assert lines[-1] == "saved: runs/001-64-30-10/network.safetensors"
    assert called.err == ""
    assert "\x1b" not in called.out, "no colours in a pipe"


def test_the_runs_folder(train):
    train()
    names = sorted(path.name for path in Path("runs/001-64-30-10").iterdir())
    assert names == ["checkpoint.safetensors", "config.toml", "curves.png", "history.jsonl", "network.safetensors"]
    assert Path("runs/001-64-30-10/curves.png").read_bytes().startswith(b"\x89PNG")
    assert len(History.load("runs/001-64-30-10/history.jsonl")) == 2


def test_runs_are_numbered(train):
    for _ in range(2):
        train()
    train("--net", "64-12-10")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["001-64-30-10", "002-64-30-10", "003-64-12-10"]


def test_a_folder_of_ones_own(train, fails):
    train("--run", "mine/first")
    assert Path("mine/first/network.safetensors").is_file()
    line = fails(1, "train", "--data", "digits", "--epochs", "1", "--run", "mine/first")
    assert line == "error: mine/first: already holds a run; continue it by --resume, or choose another folder"


def test_the_settings_reach_the_run(train):
    train(
        "--net",
        "64-20-12-10",
        "--activation",
        "leaky-relu:slope=0.2",
        "--loss",
        "cross-entropy",
        "--init",
        "glorot",
        "--dropout",
        "0.1",
        "--scaling",
        "/256",
        "--batch-size",
        "20",
        "--optimizer",
        "momentum:momentum=0.8",
        "--learning-rate",
        "0.05",
        "--schedule",
        "halve:patience=5",
        "--l2",
        "0.5",
        "--l1",
        "0.1",
        "--max-norm",
        "4",
        "--early-stop",
        "7",
        "--monitor",
        "valid_loss",
        "--keep",
        "last",
        "--file-order",
        "--evaluate-train",
        "--engine",
        "reference",
        "--seed",
        "11",
        "--digits",
        "0,1,7",
        "--run",
        "r",
    )
    table = config("r").table()
    expected = {
        "optimizer": {"type": "Momentum", "learning_rate": 0.05, "momentum": 0.8},
        "schedule": {"type": "HalveOnPlateau", "patience": 5},
        "regularizers": [
            {"type": "L2", "strength": 0.5},
            {"type": "L1", "strength": 0.1},
            {"type": "MaxNorm", "limit": 4.0},
        ],
        "epochs": 2,
        "batch_size": 20,
        "shuffle": False,
        "early_stop": 7,
        "keep": "last",
        "monitor": "valid_loss",
        "evaluate_train": True,
        "engine": "reference",
        "seed": 11,
        "data": {"source": "digits", "train_size": 200, "digits": [0, 1, 7]},
    }
    assert {name: table[name] for name in expected} == expected
    settings = {"activation": {"type": "leaky-relu", "slope": 0.2}, "dropout": 0.1, "loss": "cross-entropy"}
    from digitlab.nn import LeakyReLU

    settings["activation"] = LeakyReLU(0.2)
    net = mlp([64, 20, 12, 10], init="glorot", scaling="/256", **settings)
    assert table["network"] == describe_network(net)
    row = History.load("r/history.jsonl")[0]
    assert "train_accuracy" in row


@pytest.mark.parametrize(
    "arguments, rate",
    [
        ((), 3.0),
        (("--loss", "cross-entropy"), 0.5),
        (("--optimizer", "momentum", "--loss", "log-likelihood"), 0.05),
        (("--optimizer", "adam"), 0.005),
        (("--optimizer", "adam:learning_rate=0.02"), 0.02),
        (("--optimizer", "adam:learning-rate=0.02", "--learning-rate", "0.03"), 0.03),
        (("--learning-rate", "1.5"), 1.5),
    ],
)
def test_the_default_learning_rate_follows_loss_and_optimizer(train, arguments, rate):
    train("--epochs", "1", *arguments)
    assert config().optimizer.learning_rate == rate


def test_the_seed_decides_everything(train):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train("--seed", seed, "--run", name, "--dropout", "0.2")
    a, b, c = (weights(name)["0.W"] for name in "abc")
    assert (a == b).all()
    assert (a != c).any()
    assert without_clock(History.load("a/history.jsonl")) == without_clock(History.load("b/history.jsonl"))


def test_without_mnist_one_visible_line_and_the_bundled_digits(call):
    called = call("train", "--epochs", "1", "--train-size", "100")
    assert called.code == 0
    (line,) = called.err.splitlines()
    assert "MNIST is unavailable (downloads are forbidden by DIGITLAB_OFFLINE)" in line
    assert line.endswith("use --data mnist to require it")
    assert config().data["source"] == "digits", "a resume must read the same"
    assert call("train", "--net", "784-30-10", "--epochs", "1", "--train-size", "100", "--run", "x").code == 0
    assert config("x").network["input_shape"] == [64]


def test_mnist_insisted_upon_without_mnist(fails):
    line = fails(1, "train", "--data", "mnist")
    assert line.startswith("error: MNIST is not on this machine (looked in ")
    assert "downloads are forbidden by DIGITLAB_OFFLINE" in line
    assert not Path("runs").exists()


@pytest.mark.mnist
def test_mnist_where_it_is(mnist_splits, call, monkeypatch):
    """The fixture skips where MNIST is not; the command then finds it where the fixture did."""
    monkeypatch.setattr("digitlab.data.loading._open_mnist", lambda: Contents(mnist_splits._asdict()))
    called = call("train", "--epochs", "1", "--train-size", "2000")
    assert called.code == 0, called.err
    assert called.err == ""
    assert config("runs/001-784-30-10").data["source"] == "mnist"


def test_early_stopping_is_told(call):
    called = call("train", "--data", "digits", "--train-size", "100", "--learning-rate", "1e-9", "--early-stop", "2")
    assert "stopped: no improvement of valid_accuracy in 2 epochs" in called.out
    assert len(History.load("runs/001-64-30-10/history.jsonl")) == 3


# Resuming


@pytest.mark.parametrize("extra", [(), ("--optimizer", "adam", "--dropout", "0.2", "--schedule", "step:every=1")])
def test_resumed_equals_uninterrupted(train, call, extra):
    train("--epochs", "4", "--run", "straight", *extra)
    train("--epochs", "2", "--run", "parts", *extra)
    called = call("train", "--resume", "--run", "parts", "--epochs", "4")
    assert called.code == 0, called.err
    assert "resuming parts after epoch 2" in called.out
    for name in ("network.safetensors", "config.toml"):
        assert Path("parts", name).read_bytes() == Path("straight", name).read_bytes(), name
    histories = [without_clock(History.load(f"{name}/history.jsonl")) for name in ("parts", "straight")]
    assert histories[0] == histories[1]


def test_the_newest_run_is_resumed(train, call):
    train("--run", "runs/old")
    train("--run", "runs/new")
    called = call("train", "--resume")
    assert called.code == 0
    assert "resuming runs/new after epoch 2" in called.out
    assert "all 2 epochs are done; continue with --epochs 4" in called.out


def test_nothing_but_the_goal_can_change(train, fails):
    train("--run", "r")
    assert "--net cannot change them (--epochs can)" in fails(2, "train", "--resume", "--run", "r", "--net", "64-10")
    assert "--data cannot change them" in fails(2, "train", "--resume", "--run", "r", "--data", "digits")
    assert "--from-file cannot change" in fails(2, "train", "--resume", "--run", "r", "--from-file", "x.toml")


def test_nothing_to_resume(fails):
    assert "there is no run in runs/; train one with `digitlab train`" in fails(1, "train", "--resume")
    assert "no run to resume" in fails(1, "train", "--resume", "--run", "nowhere")


def test_a_damaged_checkpoint(train, fails):
    train("--run", "r")
    file = Path("r/checkpoint.safetensors")
    file.write_bytes(file.read_bytes()[:500])
    assert "r/checkpoint.safetensors: not a safetensors file" in fails(1, "train", "--resume", "--run", "r")


# Settings from files


def write(name, table):
    Path(name).write_text(tomli_w.dumps(table), encoding="utf-8")


def test_a_runs_settings_give_the_same_run_again(train, call):
    train("--run", "a", "--optimizer", "adam", "--dropout", "0.1")
    called = call("train", "--from-file", "a/config.toml", "--run", "b")
    assert called.code == 0, called.err
    assert config("a") == config("b")
    a, b = weights("a"), weights("b")
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_options_win_over_the_file(train):
    train("--run", "a", "--optimizer", "momentum:momentum=0.5", "--l2", "1")
    train("--from-file", "a/config.toml", "--run", "b", "--seed", "9", "--learning-rate", "0.7")
    assert (config("b").seed, config("b").optimizer.learning_rate, config("b").optimizer.momentum) == (9, 0.7, 0.5)
    assert config("b").regularizers == config("a").regularizers


def test_a_file_with_a_network_alone(train):
    write(
        "net.toml",
        {
            "input_shape": [64],
            "loss": "softmax",
            "layers": [{"type": "Dense", "out_features": 12}, {"type": "tanh"}, {"type": "Dense", "out_features": 10}],
        },
    )
    train("--from-file", "net.toml")
    assert Path("runs/001-64-12-10").is_dir()
    assert config("runs/001-64-12-10").optimizer.learning_rate == 0.1


def test_short_forms_in_a_file(train):
    write("net.toml", {"input_shape": 64, "layers": ["tanh", {"type": "dense", "out_features": 10}]})
    train("--from-file", "net.toml")
    write("run.toml", {"optimizer": "adam", "schedule": "cosine", "regularizers": [{"type": "l2", "strength": 1}]})
    train("--from-file", "run.toml", "--run", "r", "--learning-rate", "0.01")
    assert repr(config("r").optimizer) == "Adam(learning_rate=0.01)"


def test_a_file_without_a_network_takes_the_first_one(train):
    write("run.toml", {"epochs": 9, "batch_size": 50})
    train("--from-file", "run.toml")
    assert (config().epochs, config().batch_size) == (2, 50)


NETWORK = {"input_shape": [64], "layers": [{"type": "Dense", "out_features": 10}]}


@pytest.mark.parametrize(
    "table, words",
    [
        ({"network": "64-10"}, "network: got '64-10', expected a table"),
        ({"layers": [{"type": "Dense", "out_features": 10}]}, "a network's description needs 'input_shape'"),
        ({"network": NETWORK, "epoch": 3}, "unknown setting 'epoch'"),
        ({"network": NETWORK, "optimizer": 3}, "an optimizer: got 3"),
        ({"network": NETWORK, "optimizer": {"learning_rate": 3.0}}, "an optimizer: got"),
        ({"network": NETWORK, "data": "digits"}, "data: got 'digits', expected a table"),
        ({"network": NETWORK, "data": {"size": 5}}, "data: there is no setting 'size' (did you mean 'train_size'?)"),
        ({"network": NETWORK, "data": {"source": 5}}, "data.source: got 5, expected text"),
        ({"network": NETWORK, "data": {"source": "digits", "digits": 5}}, "data.digits: got 5, expected a list"),
        ({"network": NETWORK, "data": {"source": "digits", "seed": "x"}}, "data.seed: got 'x', expected a whole"),
        ({"network": NETWORK, "data": {"source": "digits", "split": "1/1"}}, "split: got '1/1', expected one of"),
        ({"network": NETWORK | {"layers": [{"type": "Dnse"}]}, "data": {"source": "digits"}}, "did you mean 'dense'?"),
    ],
)
def test_files_that_make_no_sense(fails, table, words):
    write("run.toml", table)
    source = () if "data" in table else ("--data", "digits")
    assert words in fails(1, "train", "--from-file", "run.toml", "--epochs", "1", *source)
    assert not Path("runs").exists()


def test_a_network_in_a_file_and_on_the_line_contradict_each_other(fails):
    write("run.toml", {"network": NETWORK})
    line = fails(2, "train", "--data", "digits", "--from-file", "run.toml", "--net", "64-10")
    assert "--net and the network in run.toml contradict each other; leave one out" in line


@pytest.mark.parametrize("name", ["basic-conv", "Basic_Conv"])
def test_a_recipe_by_another_spelling_is_trained_as_it_says(name):
    from digitlab.cli.shared.train_settings import settings

    config, _ = settings({"net": name, "source": "digits"}, None)
    assert (config.epochs, config.optimizer.learning_rate) == (60, 0.1)


def test_a_network_in_json(call):
    Path("n.json").write_text(json.dumps({"input_shape": [64], "layers": [{"type": "Dense", "out_features": 10}]}))
    called = call("train", "--data", "digits", "--train-size", "50", "--epochs", "1", "--from-file", "n.json")
    assert called.code == 0, called.err
    for text, words in (("{", "n.json: not JSON"), ("[]", "n.json: got a list, expected a table of settings")):
        Path("n.json").write_text(text)
        assert words in call("train", "--from-file", "n.json").err


def test_two_trainings_that_begin_together_have_a_folder_each():
    with run_folder(None, "784-30-10") as first, run_folder(None, "784-30-10") as second:
        assert [first.name, second.name] == ["001-784-30-10", "002-784-30-10"]
        (second / "config.toml").touch()
    assert [path.name for path in Path("runs").iterdir()] == ["002-784-30-10"], "one into which nothing came is gone"


def test_a_run_finds_its_data_from_another_folder(call, train, monkeypatch):
    splits = load("digits", train_size=60)
    write_npz("own.npz", splits.train, splits.test)
    trained = call("train", "--data", "own.npz", "--epochs", "1", "--run", "own")
    assert trained.code == 0, trained.err
    assert RunConfig.load("own/config.toml").data["source"] == str(Path("own.npz").resolve())
    here = Path.cwd()
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert call("test", here / "own").code == 0
    assert call("train", "--run", here / "own", "--resume", "--epochs", "2").code == 0


def test_an_average_without_a_validation_set_is_told(call):
    called = call(
        "train", "--data", "digits", "--train-size", "50", "--epochs", "2", "--split", "60k/10k", "--averaging", "ema"
    )
    assert called.code == 0, called.err
    assert "test set, average of the weights: " in called.out


@pytest.mark.slow
def test_weights_of_classes_and_of_images(train, fails):
    def ends(*arguments):
        train("--run", "run", *arguments)
        try:
            return weights("run"), config("run")
        finally:
            shutil.rmtree("run")

    plain, _ = ends()
    by_class, kept = ends("--class-weights", "0:2,7:1.5")
    assert kept.class_weights == {"0": 2.0, "7": 1.5}
    assert any(not np.array_equal(array, plain[name]) for name, array in by_class.items())
    _, kept = ends("--class-weights", "balanced")
    assert kept.class_weights == "balanced"
    labels = load("digits").train.labels[:200]
    Path("own.txt").write_text("\n".join(map(str, np.where(labels == 0, 2, np.where(labels == 7, 1.5, 1)))))
    by_image, kept = ends("--sample-weights", "own.txt")
    assert kept.sample_weights == str(Path("own.txt").resolve())
    for name, array in by_class.items():
        np.testing.assert_array_equal(by_image[name], array)
    line = fails(1, "train", "--data", "digits", "--train-size", "100", "--sample-weights", "own.txt")
    assert line == "error: sample_weights: got shape (200,), expected (100,): one number for each example"
    assert "the classes are 0 to 9" in fails(1, "train", "--data", "digits", "--class-weights", "12:2")
    assert "expected a finite number" in fails(2, "train", "--data", "digits", "--class-weights", "1:-2")


def test_a_resumed_run_keeps_its_weights(train, call):
    Path("own.txt").write_text("\n".join(map(str, np.linspace(0, 2, 200))))
    chosen = ("--class-weights", "balanced", "--sample-weights", "own.txt")
    train("--run", "straight", *chosen, "--epochs", "3")
    train("--run", "halved", *chosen)
    assert call("train", "--run", "halved", "--resume", "--epochs", "3").code == 0
    for name, array in weights("straight").items():
        np.testing.assert_array_equal(weights("halved")[name], array)


# What a training that learned nothing says, and what one that diverged leaves


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


def test_a_curve_that_is_not_learned(call):
    done = call("fit", "sin(x)", "--optimizer", "sgd:learning_rate=1e-9", "--epochs", "20")
    assert "warning: " in done.out and "try: --optimizer sgd:learning_rate=0.05" in done.out
    assert "warning: " not in call("fit", "sin(x)", "--epochs", "20").out
    done = call("fit", "sin(x) + x", "--optimizer", "sgd", "--activation", "relu", "--epochs", "50")
    assert "warning: only the straight line in the curve is learned: the network misses" in done.out
    assert "try: --optimizer adam\n" in done.out


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
