"""Data files at the command line: what is doubtful is told in a line, and undivided files are one set."""

import numpy as np
import pytest

from digitlab.data import load, write_csv
from digitlab.nn import mlp


@pytest.fixture
def net(tmp_path):
    """A network for the bundled digits, saved."""
    path = tmp_path / "net.safetensors"
    mlp([64, 10], seed=0).save(path)
    return path


def test_a_single_class_is_told_in_a_line(call, tmp_path):
    digits = load("digits", part="test")
    write_csv(tmp_path / "threes.csv", digits.only([3]))
    called = call("train", "--data", tmp_path / "threes.csv", "--epochs", "1")
    assert called.code == 0
    (line,) = called.err.splitlines()
    assert line.startswith("warning: threes.csv (cut from one file) train: all ") and "of one class, 3" in line
