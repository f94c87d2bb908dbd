"""What the command-line tests share: an empty folder to work in, no network, no MNIST, and a way to call a command."""

import os
from pathlib import Path
from typing import NamedTuple

import platformdirs
import pytest

from digitlab.cli import run

# Compiled kernels may come from this machine's own cache: compiling them for each test would take its time.
KERNELS = Path(os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_path("digitlab") / "kernels")


class Called(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def empty_machine(tmp_path, monkeypatch):
    """A working folder of its own; MNIST neither here nor to be had."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for size in ("COLUMNS", "LINES"):  # what is printed is as wide as the first
        monkeypatch.delenv(size, raising=False)
        os.unsetenv(size)  # GNU readline, which pytest imports, sets it where os.environ does not show it
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")
    monkeypatch.setenv("DIGITLAB_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(KERNELS))
    return work


@pytest.fixture
def call(capsys):
    """`call("train", "--net", "64-10")`: the command's exit code and what it wrote."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Called(code, *capsys.readouterr())

    return call


@pytest.fixture
def train(call):
    """A short training on the bundled digits that must succeed; more arguments add to it."""

    def train(*arguments):
        called = call("train", "--data", "digits", "--train-size", "200", "--epochs", "2", *arguments)
        assert called.code == 0, called.err
        return called

    return train


@pytest.fixture
def fails(call):
    """A command that must fail with this code and one line on standard error, which is returned."""

    def fails(code, *arguments):
        called = call(*arguments)
        assert called.code == code, called
        lines = called.err.splitlines()
        assert len(lines) == 1, called.err
        assert "Traceback" not in called.err
        return lines[0]

    return fails
