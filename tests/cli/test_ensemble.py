"""`digitlab ensemble`: saved or fresh networks as one."""

from dataclasses import replace
from pathlib import Path

import pytest

from digitlab.train.presets import PRESETS

FRESH = ["ensemble", "--data", "digits", "--train-size", "150", "--epochs", "3", "--net", "64-6-10", "--workers", "1"]


@pytest.fixture
def group(call):
    called = call(
        "train",
        "--data",
        "digits",
        "--epochs",
        "4",
        "--net",
        "64-9-10",
        "--seeds",
        "3",
        "--workers",
        "1",
        "--run",
        "group",
    )
    assert called.code == 0, called.err
    return "group"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["vote", "mean", "weighted", "stack"])
def test_saved_networks(call, group, how):
    called = call(
        "ensemble", group, "--combine", how, "--data", "digits", "--out", "e.safetensors", "--errors", "e.png"
    )
    assert called.code == 0, called.err
    together = next(line for line in called.out.splitlines() if line.startswith("ensemble ("))
    assert "Q statistic" in called.out and "errors on 300 images" in called.out
    assert Path("e.png").stat().st_size > 1000
    assert ("is too high" in called.out) == (how == "stack")
    tested = call("test", "e.safetensors", "--data", "digits")
    assert f"{together.split()[-1]} % correct" in tested.out
    info = call("info", "e.safetensors")
    assert info.code == 0 and "Branches" in info.out


@pytest.mark.parametrize("kind", ["seeds", "bagging", "shares", "specialists", "parts", "snapshots"])
def test_fresh_networks(call, kind):
    called = call(*FRESH, "--train", kind, "--members", "2", "--combine", "mean")
    assert called.code == 0, called.err
    assert "ensemble (mean)" in called.out
    assert call("test", "ensemble.safetensors", "--data", "digits").code == 0
    if kind == "specialists":
        assert "tells apart 0, 1, 2, 3, 4, other" in called.out
        again = call("ensemble", "runs/001-64-6-10-specialists", "--combine", "mean", "--data", "digits")
        assert again.code == 0, again.err
        assert again.out.splitlines()[4] == next(x for x in called.out.splitlines() if x.startswith("ensemble ("))


def test_a_preset_that_is_an_ensemble(call, monkeypatch):
    recipe = replace(PRESETS["ensemble"], net="chapter1", settings={"epochs": 2}, members=3)
    monkeypatch.setitem(PRESETS, "ensemble", recipe)
    called = call("train", "--preset", "ensemble", "--data", "digits", "--run", "three", "--workers", "1")
    assert called.code == 0, called.err
    assert "ensemble (mean)" in called.out and {path.name for path in Path("three").glob("member-*")} == {
        "member-1",
        "member-2",
        "member-3",
    }
    assert call("test", "three/ensemble.safetensors", "--data", "digits").code == 0
    refused = call("train", "--preset", "ensemble", "--data", "digits", "--seeds", "2")
    assert refused.code == 2 and "trains an ensemble" in refused.err
    refused = call("train", "--grid", "preset=sprint,ensemble", "--data", "digits")
    assert refused.code == 2 and "--grid: preset ensemble trains an ensemble" in refused.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give networks to combine"),
        (["a", "--train", "seeds"], "not both"),
        (["a", "--epochs", "3"], "training settings need --train"),
        (["nothing-there", "b", "--data", "digits"], "no such file"),
        (["--train", "magic", "--data", "digits"], "there are: seeds"),
        (["--train", "specialists", "--members", "11", "--data", "digits"], "11 specialists for 10 classes"),
    ],
)
def test_what_cannot_be_asked(call, options, message):
    called = call("ensemble", *options)
    assert called.code in (1, 2) and message in called.err and called.err.count("\n") == 1


def test_a_member_counts_once_and_is_judged_by_what_it_has_not_seen(train, fails):
    train("--run", "a")
    train("--run", "b", "--split", "60k/10k", "--monitor", "train_loss")
    assert "is named twice" in fails(2, "ensemble", "a", "a")
    for how in ("weighted", "stack"):
        assert "was trained on the validation images, too" in fails(1, "ensemble", "a", "b", "--combine", how)


def test_stacked_specialists_are_judged_by_their_own_question(call):
    called = call(
        "ensemble",
        "--train",
        "specialists",
        "--members",
        "3",
        "--combine",
        "stack",
        "--data",
        "digits",
        "--train-size",
        "600",
        "--epochs",
        "10",
        "--net",
        "64-12-10",
    )
    assert called.code == 0, called.err
    shares = [float(line.split()[-1]) for line in called.out.splitlines() if line.startswith("member-")]
    assert len(shares) == 3 and min(shares) > 50, "each tells its digits from the others"
