"""`digitlab train --resume`: the same network as without an interruption, and what cannot be resumed."""

from pathlib import Path

import pytest

from digitlab.train import History
from train.helpers import without_clock


@pytest.mark.slow
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


@pytest.mark.slow
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
