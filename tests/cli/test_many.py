"""`digitlab train --seeds --grid`: groups of networks in one folder, one table."""

import csv
import re
from pathlib import Path

import pytest

from digitlab.cli.shared.group import group_title
from digitlab.cli.shared.train_network import title
from digitlab.nn import Network
from digitlab.train import RunConfig

SMALL = [
    "train",
    "--data",
    "digits",
    "--train-size",
    "150",
    "--epochs",
    "2",
    "--net",
    "64-6-10",
    "--engine",
    "reference",
    "--workers",
    "1",
]


def results(folder):
    """The rows of a group's table."""
    return list(csv.DictReader((Path(folder) / "results.csv").read_text().splitlines()))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "28-28-1-30-10"),
        ({"net": "784-30-10"}, "28-28-1-30-10"),
        ({"net": "LeNet5"}, "lenet5"),
        ({"preset": "sprint"}, "sprint"),
        ({"start": "runs/first"}, "from-first"),
    ],
)
def test_a_folder_is_named_after_the_network_or_the_preset(given, expected):
    layers = [{"type": "Flatten"}, {"type": "Dense", "out_features": 30}, {"type": "Dense", "out_features": 10}]
    assert title(given, RunConfig({"input_shape": [28, 28, 1], "layers": layers})) == expected


@pytest.mark.parametrize(
    ("varied", "expected"),
    [((), "sprint"), (("batch-size",), "sprint-batch-size"), (("net", "l2"), "net-l2"), (("preset",), "preset")],
)
def test_a_groups_folder_is_named_after_what_varies(varied, expected):
    assert group_title("sprint", [(name, []) for name in varied]) == expected


def test_seeds(call):
    called = call(*SMALL, "--seeds", "3")
    assert called.code == 0, called.err
    assert "3 networks: one after another" in called.out
    assert [line.split(":")[0] for line in called.out.splitlines() if line[:2] in ("1/", "2/", "3/")] == [
        "1/3  seed=0",
        "2/3  seed=1",
        "3/3  seed=2",
    ]
    assert "variance" in called.out and "range" in called.out
    assert "test set: mean" in called.out
    folder = Path("runs/001-64-6-10-x3")
    rows = results(folder)
    assert [row["seed"] for row in rows] == ["0", "1", "2"]
    assert len(list(folder.glob("*/network.safetensors"))) == 3
    alone = call(*SMALL[:-2], "--seed", "2")
    assert f"valid_accuracy over 2 epochs: best {100 * float(rows[2]['valid_accuracy']):.2f} %" in alone.out


def test_without_a_validation_set_the_test_set_still_gets_its_accuracy(call):
    called = call(*SMALL, "--split", "60k/10k", "--seeds", "2")
    assert called.code == 0, called.err
    assert re.search(r"network +train_loss +at epoch +test \(%\)", called.out)
    mean = float(re.search(r"test set: mean ([\d.]+) %", called.out)[1])
    shares = [float(row["test_accuracy"]) for row in results("runs/001-64-6-10-x2")]
    assert mean == pytest.approx(50 * sum(shares), abs=0.006)


def test_a_grid_chooses_by_validation_and_looks_at_the_test_set_for_that_alone(call):
    called = call(
        *SMALL, "--grid", "learning-rate=0.01,3", "--grid", "net=64-4-10,64-8-10", "--seeds", "2", "--run", "group"
    )
    assert called.code == 0, called.err
    assert "8 networks" in called.out
    best = next(line for line in called.out.splitlines() if line.startswith("best by"))
    assert "learning-rate=3 net=64-" in best
    assert re.search(r"its networks on the test set: [\d.]+ ± [\d.]+ % \(n = 2\)", called.out)
    assert not any("test" in column for column in results("group")[0]), "the others' figures are not even known"


def test_one_network_has_no_spread(call):
    called = call(*SMALL, "--grid", "learning-rate=0.01,3", "--net", "64-8-10")
    rows = [line.split() for line in called.out.splitlines() if line.startswith("learning-rate")]
    one = [row for row in rows if len(row) == 8]
    assert [(row[1], *row[3:5], row[7]) for row in one] == [("1", "–", "–", "–")] * 2
    assert re.search(r"its networks on the test set: [\d.]+ % \(n = 1\)", called.out)


def test_values_with_commas(call):
    called = call(*SMALL, "--grid", "schedule=constant;halve:patience=1,stop_at=2")
    assert called.code == 0, called.err
    assert "2 networks" in called.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "foo=1"], "no option --foo to vary"),
        (["--grid", "learning-rate=a"], "got 'a', expected a number above 0"),
        (["--grid", "learning-rate"], "expected OPTION=value,value"),
        (["--grid", "l2=1,"], "expected OPTION=value,value"),
        (["--grid", "l2=1", "--grid", "l2=2"], "l2 is given twice"),
        (["--seeds", "0"], "--seeds"),
        (["--seeds", "2", "--record"], "for one network"),
        (["--cluster", "nonsense", "--seeds", "2"], "tcp://HOST:PORT"),
        (["--resume", "--seeds", "2", "--run", "runs/x"], "keeps its settings"),
    ],
)
def test_what_cannot_be_asked(call, options, message):
    if "--cluster" in options:
        pytest.importorskip("distributed")
    called = call("train", "--data", "digits", *options)
    assert called.code in (1, 2) and message in called.err and called.err.count("\n") == 1
    assert not Path("runs").exists() or not list(Path("runs").rglob("network.safetensors"))


def test_a_group_can_be_continued(call):
    first = call(*SMALL, "--seeds", "2", "--run", "runs/group")
    again = call("train", "--run", "runs/group", "--resume")
    assert again.code == 0, again.err
    assert first.out.split("test set: ")[1].splitlines()[0] == again.out.split("test set: ")[1].splitlines()[0]
    refused = call(*SMALL, "--seeds", "2", "--run", "runs/group")
    assert refused.code == 1 and "already holds a group of runs" in refused.err


def test_averaging(call):
    called = call(*SMALL[:-2], "--averaging", "swa:start=0.5")
    assert called.code == 0, called.err
    assert "average of the weights: valid_accuracy" in called.out and "test set, average of the weights" in called.out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--grid", "seed=1,2", "--seeds", "2"], "both set the seeds"),
        (["--grid", "learning-rate=0.1,0.1"], "contains a value twice"),
    ],
)
def test_nothing_counts_twice(fails, arguments, words):
    assert words in fails(2, "train", "--data", "digits", *arguments)


WILD = ("train", "--data", "digits", "--net", "64-10", "--loss", "mse", "--epochs", "2", "--workers", "1")


def test_trainings_that_fail_are_said_in_a_line(call):
    done = call(*WILD, "--grid", "learning-rate=1e30,0.02", "--run", "some")
    assert done.code == 0 and "warning: 1 of 2 trainings ended with an error, first learning-rate=1e30" in done.out
    done = call(*WILD, "--learning-rate", "1e30", "--seeds", "2", "--run", "all")
    assert done.code == 1 and "all 2 trainings failed, first seed=0: the loss is no longer finite" in done.err
    done = call(*WILD, "--monitor", "valid_acc", "--seeds", "2", "--run", "none")
    assert done.code == 1 and "monitor: got 'valid_acc'" in done.err


def test_one_training_builds_one_network(call, monkeypatch):
    built = []
    init = Network.__init__

    def counted(self, *args, **kwargs):
        built.append(1)
        init(self, *args, **kwargs)

    monkeypatch.setattr(Network, "__init__", counted)
    common = ("--data", "digits", "--net", "64-5-10", "--epochs", "20")
    assert call("train", *common, "--run", "one").code == 0
    assert len(built) == 2  # the second is the saved one, read at the end for the doctor
    built.clear()
    assert call("train", *common, "--run", "four", "--workers", "1", "--grid", "batch-size=10,20,40,80").code == 0
    assert 4 <= len(built) <= 5
