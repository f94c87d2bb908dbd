"""`digitlab test`, `info`, `compare` and `data`."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import digitlab
from digitlab.cli import COMMANDS, short_help
from digitlab.data import load
from digitlab.nn import MeanSquaredError, load_network, mlp
from digitlab.train import evaluate


def test_help_names_every_command(call):
    called = call("--help")
    assert called.code == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\S", called.out, re.MULTILINE)
        assert call(name, "--help").code == 0
        assert call(name, "-h").out.startswith(f"Usage: digitlab {name}")


def test_the_short_help_is_the_first_line_of_the_commands_own(call):
    overview = " ".join(call("--help").out.split())
    for name in COMMANDS:
        command = importlib.import_module(f"digitlab.cli.{name.replace('-', '_')}").command
        assert short_help(name) == command.help.split("\n")[0]
        assert f" {name} {short_help(name)}" in overview


def test_a_command_is_one_file(tmp_path):
    """A file put into the folder of a copy of the package is a command of it, with no other file changed."""
    package = tmp_path / "digitlab"
    shutil.copytree(Path(digitlab.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "cli" / "say_hello.py").write_text(HELLO)

    def run(*words):
        line = [sys.executable, "-m", "digitlab", *words]
        path = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(line, env=path, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    assert re.search("say-hello +Greet whoever is named.", run("--help").stdout)
    assert run("say-hello", "--name", "Emmy").stdout == "hello, Emmy\n"
    assert "did you mean 'say-hello'" in run("say-hallo").stderr


HELLO = '''
import click


@click.command("say-hello")
@click.option("--name", default="you", help="Who is greeted.")
def command(name: str) -> None:
    """Greet whoever is named."""
    print(f"hello, {name}")
'''


def test_version(call):
    assert re.fullmatch(r"digitlab \d+\.\d+\.\d+\n", call("--version").out)


@pytest.mark.parametrize("name", ["runs/001-64-30-10", "runs/001-64-30-10/network.safetensors", None])
def test_test_by_folder_by_file_and_by_nothing(train, call, name):
    trained = train().out
    called = call("test", *([name] if name else []), "--data", "digits")
    assert called.code == 0
    first, second, *_ = called.out.splitlines()
    assert first == "runs/001-64-30-10/network.safetensors on 300 test images of scikit-learn digits test"
    network = load_network("runs/001-64-30-10/network.safetensors")
    test = load("digits").test
    loss, accuracy = evaluate(network, test.images, test.labels)
    assert second == f"{100 * accuracy:.2f} % correct, {round(300 * (1 - accuracy))} wrong, loss {loss:.4f}"
    assert f"{100 * accuracy:.2f} % correct" in trained, "train and test agree"


def test_test_on_another_part(train, call):
    train()
    assert "on 1,197 train images" in call("test", "--data", "digits", "--part", "train").out


@pytest.mark.slow
def test_test_reads_what_the_run_was_trained_on(train, call):
    train("--digits", "0,1", "--train-size", "200")
    told = call("train", "--resume", "--epochs", "9").out.splitlines()
    called = call("test")
    assert called.code == 0, called.err
    assert "MNIST" not in called.err
    assert "on 58 test images" in called.out, "zeros and ones alone"
    share = re.search(r"([\d.]+) % correct", called.out)[1]
    assert any("test set, network of epoch" in line and share in line for line in told)
    for command in ("gradcheck", "gradients"):
        assert call(command).code == 0, command
    assert "MNIST is unavailable" in call("test", "--data", "auto").err


def test_compare_groups_and_what_is_no_run(train, call):
    train("--seeds", "2", "--run", "group")
    train("--run", "one")
    Path("other").mkdir()
    called = call("compare", "group", "one", "other", "group/results.csv")
    assert called.code == 0, called.err
    assert [name in called.out for name in ("000-seed-0", "001-seed-1", "one ")] == [True] * 3
    assert "left out: other: no run here; expected" in called.out and "results.csv: no run here" in called.out
    assert call("compare", "other").err.startswith("error: other: no run here; expected a folder that")


@pytest.mark.parametrize("command", ["test", "info", "gradcheck"])
def test_a_group_where_one_run_is_meant(train, fails, command):
    train("--seeds", "2", "--run", "group")
    assert re.search(r"group: is a group of 2 runs; name one of them, such as group/00", fails(1, command, "group"))


def test_info(train, call):
    train("--optimizer", "adam", "--seed", "5")
    called = call("info")
    assert called.code == 0
    lines = called.out.splitlines()
    assert re.match(r"runs/001-64-30-10/network\.safetensors, [\d,]+ bytes, float32, pixels scaled by /255", lines[0])
    assert load_network("runs/001-64-30-10/network.safetensors").summary() in called.out
    assert "trained with Adam(learning_rate=0.005), ConstantRate(), batches of 10, seed 5, on digits" in called.out
    assert re.search(r"2 epochs; best valid_accuracy 0\.\d{4} in epoch [12]; mean 0\.\d{4}, sd 0\.\d{4}", called.out)


def test_info_of_a_file_alone(call):
    mlp([4, 3, 2], loss=MeanSquaredError()).save("net.safetensors")
    called = call("info", "net.safetensors", "--engine")
    assert called.code == 0
    assert "trained with" not in called.out
    assert re.search(r"^engine: \w+: \S", called.out, re.MULTILINE)


def test_info_of_a_run_whose_history_is_empty(train, call):
    train()
    Path("runs/001-64-30-10/history.jsonl").write_text("")
    assert call("info").code == 0


def test_compare_one_table_and_one_plot(train, call):
    train("--run", "runs/a")
    train("--run", "runs/b", "--optimizer", "adam", "--epochs", "3")
    called = call("compare", "runs/a", "runs/b", "--out", "both.png")
    assert called.code == 0, called.err
    head, rule, first, second, *_ = called.out.splitlines()
    assert head.split() == ["run", "optimizer", "learning-rate", "epochs", "best", "(%)", "at", "change", "curve"]
    assert set(rule) == {"─"}
    assert re.fullmatch(r"a +SGD +3 +2 +[\d.]+ +[12] +– +[▁▄█]{2}", first)
    assert re.fullmatch(r"b +Adam +0\.005 +3 +[\d.]+ +[123] +[+-][\d.]+ +[▁▂▃▄▅▆▇█]{3}", second)
    assert called.out.splitlines()[-1] == "plot: both.png"
    with Image.open("both.png") as image:
        assert image.format == "PNG"


def test_compare_runs_of_the_same_name(train, call, monkeypatch):
    train("--run", "x/run")
    train("--run", "y/run", "--epochs", "3")
    drawn = {}
    monkeypatch.setattr("digitlab.viz.curves.curves_figure", lambda histories, **more: drawn.update(histories))
    monkeypatch.setattr("digitlab.viz.figures.save_figure", lambda figure, path: None)
    called = call("compare", "x/run", "y/run")
    assert called.code == 0
    assert [len(history) for history in drawn.values()] == [2, 3]
    assert ["x/run" in called.out, "y/run" in called.out] == [True, True]


def test_compare_leaves_out_a_run_that_was_stopped_at_once(train, call):
    train("--run", "one")
    train("--run", "two")
    Path("two/history.jsonl").unlink()
    called = call("compare", "one", "two")
    assert called.code == 0, called.err
    assert "left out: two: has no finished epoch" in called.out


def test_compare_a_run_without_an_epoch(train, fails):
    train("--run", "r")
    Path("r/history.jsonl").write_text("")
    assert "r: has no finished epoch" in fails(1, "compare", "r")
    Path("r/history.jsonl").unlink()
    assert "r: has no finished epoch" in fails(1, "compare", "r")


def test_data_list(call, tmp_path):
    called = call("data", "list")
    assert called.code == 0
    assert [line.split()[0] for line in called.out.splitlines()[:3]] == ["mnist", "digits", "PATH"]
    assert f"{tmp_path / 'cache' / 'digitlab' / 'mnist'} (cache): no MNIST" in called.out
    assert "not on this machine; downloads are forbidden by DIGITLAB_OFFLINE" in called.out


def test_data_show(call):
    called = call("data", "show", "--data", "digits", "--part", "valid", "-n", "12", "--out", "few.png")
    assert called.code == 0
    assert "Digits: 300 images 8×8" in called.out
    assert re.search(r"per class: 0 \d+  1 \d+", called.out)
    assert called.out.endswith("picture: few.png\n")
    with Image.open("few.png") as image:
        assert np.asarray(image.convert("L")).std() > 5, "not an empty sheet"


def test_data_show_of_a_set_that_is_smaller_than_asked_for(call):
    images = np.random.default_rng(0).integers(0, 256, (14, 8, 8)).astype(np.uint8)
    np.savez("few.npz", images=images, labels=np.arange(14) % 10)
    called = call("data", "show", "--data", "few.npz", "-n", "400")
    assert called.code == 0, called.err


def test_the_engine_of_a_run_is_that_of_its_settings(train, call):
    train("--net", "64-4-10", "--epochs", "1", "--gradient", "spsa", "--run", "slow")
    assert re.search(r"^engine: reference: .*SPSA", call("info", "slow", "--engine").out, re.MULTILINE)


def test_a_fresh_network_is_not_taken_for_the_run_of_this_folder(call):
    Path("config.toml").write_text("this is no run")
    for command in ("gradcheck", "gradients", "explain"):
        called = call(command, "64-4-10", "--data", "digits")
        assert called.code == 0, called.err
        assert "config.toml" not in call(command, "lenet5").err
