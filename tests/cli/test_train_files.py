"""`digitlab train --from-file`, recipes, weights of images: where settings of a training come from."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from digitlab.data import load, write_npz
from digitlab.nn import load_network
from digitlab.run_folders import run_folder
from digitlab.train import RunConfig


def config(folder="runs/001-64-30-10"):
    return RunConfig.load(Path(folder) / "config.toml")


def weights(folder):
    return {name: p.value for name, p in load_network(Path(folder) / "network.safetensors").parameters().items()}


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
        ({"network": NETWORK | {"layers": 3}, "data": {"source": "digits"}}, "layers: got 3, expected a list"),
        ({"network": NETWORK | {"frozen": 3}, "data": {"source": "digits"}}, "frozen: got 3, expected names"),
        ({"network": NETWORK | {"layers": ["flatten", "max-pool"]}}, "layer 1"),
    ],
)
def test_files_that_make_no_sense(fails, table, words):
    write("run.toml", table)
    source = () if "data" in table else ("--data", "digits")
    line = fails(1, "train", "--from-file", "run.toml", "--epochs", "1", *source)
    assert line.startswith("error: run.toml: ") and words in line
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


def test_an_average_without_a_validation_set_is_reported(call):
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
