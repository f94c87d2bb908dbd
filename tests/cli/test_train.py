"""`digitlab train`: what the options do, and what the run's folder holds."""

import re
import sys
from pathlib import Path

import pytest

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


@pytest.mark.slow
def test_the_test_set_after_each_epoch_on_request(train, call):
    assert " test " not in train("--run", "without").out.split("valid_accuracy over")[0].split("\nepoch 1")[1]
    called = train("--test-each-epoch", "--run", "with")
    assert "do not choose settings or an epoch by it" in called.out
    rows = History.load("with/history.jsonl")
    assert [line.split("test ")[1].split()[0] for line in called.out.splitlines() if line.startswith("epoch")] == [
        f"{100 * row['test_accuracy']:.2f}" for row in rows
    ]
    assert call("train", "--resume", "--run", "with", "--epochs", "3").code == 0
    assert "test_accuracy" in History.load("with/history.jsonl")[2]


def test_logs_for_other_programs(train, fails, monkeypatch):
    train("--log", "csv", "--run", "logged")
    lines = Path("logged/history.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("epoch,train_loss,valid_loss,valid_accuracy") and len(lines) == 3
    monkeypatch.setitem(sys.modules, "mlflow", None)
    line = fails(1, "train", "--data", "digits", "--epochs", "1", "--log", "mlflow")
    assert line.endswith("MLflow is not installed; install it: pip install 'digitlab[mlflow]'")
    assert "for one network" in fails(2, "train", "--seeds", "2", "--log", "csv")


def test_the_runs_folder(train):
    train()
    names = sorted(path.name for path in Path("runs/001-64-30-10").iterdir())
    assert names == [
        "checkpoint.safetensors",
        "config.toml",
        "curves.png",
        "ending.json",
        "history.jsonl",
        "network.safetensors",
    ]
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
        train("--seed", seed, "--run", name, "--dropout", "0.2", "--epochs", "3")
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


def test_early_stopping_is_reported(call):
    called = call("train", "--data", "digits", "--train-size", "100", "--learning-rate", "1e-9", "--early-stop", "2")
    assert "stopped: no improvement of valid_accuracy in 2 epochs" in called.out
    assert len(History.load("runs/001-64-30-10/history.jsonl")) == 3
