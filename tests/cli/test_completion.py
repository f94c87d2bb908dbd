"""Completion on TAB: what each shell is given, and patterns of file names on Windows."""

import shutil
import subprocess
from pathlib import Path

import pytest

from digitlab.cli import COMMANDS, run
from digitlab.cli.shared.windows import matched


@pytest.fixture
def complete(capsys, monkeypatch):
    """`complete("train", "--net", "le")`: what PowerShell is given for the last word, by value."""

    def complete(*words):
        monkeypatch.setenv("_DIGITLAB_COMPLETE", "powershell_complete")
        monkeypatch.setenv("COMP_WORDS", "\n".join(["digitlab", *words[:-1]]))
        monkeypatch.setenv("COMP_CWORD", words[-1])
        capsys.readouterr()
        with pytest.raises(SystemExit):
            run([])
        rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        return {value: (kind, help_) for kind, value, help_ in rows}

    return complete


def test_commands_with_their_help(complete):
    found = complete("")
    assert set(found) == set(COMMANDS) and found["train"] == (
        "plain",
        "Train a network, by default 784-30-10 on MNIST.",
    )
    assert list(complete("tr")) == ["train"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train", "--learn"], {"--learning-rate"}),
        (["train", "--net", "le"], {"lenet5"}),
        (["train", "--optimizer", "adam"], {"adam", "adamw"}),
        (["train", "--activation", "leaky"], {"leaky-relu"}),
        (["train", "--data", "fashion"], {"fashion-mnist"}),
        (["train", "--engine", "p"], {"pure"}),
        (["train", "--preset", ""], {"best", "ensemble", "minute", "sprint"}),
        (["explain", "sh"], {"shallow", "shipped"}),
        (["reproduce", "r"], {"run", "report"}),
        (["reproduce", "run", "chapter1-1"], {"chapter1-100"}),
        (["completion", "p"], {"powershell"}),
    ],
)
def test_options_and_values(complete, words, expected):
    assert expected <= set(complete(*words)) and len(complete(*words)) < 12


def test_runs_and_files(complete, tmp_path):
    for name in ("001-784-30-10", "002-lenet5"):
        Path(f"runs/{name}").mkdir(parents=True)
        Path(f"runs/{name}/network.safetensors").touch()
    assert set(complete("test", "runs/")) == {"runs/001-784-30-10", "runs/002-lenet5"}
    assert complete("test", "runs/002") == {"runs/002-lenet5": ("plain", "")}
    assert complete("test", "other/net") == {"other/net": ("file", "")}
    assert complete("train", "--from-file", "se") == {"se": ("file", "")}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_lines_for_a_shell(shell, capsys):
    assert run(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert f"{shell}_complete" in text and "_DIGITLAB_COMPLETE" in text and "digitlab" in text
    if program := shutil.which(shell) if shell != "powershell" else None:
        assert subprocess.run([program, "-n"], input=text, text=True, capture_output=True).returncode == 0


def test_patterns_on_windows_become_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.png", "c.txt"):
        (tmp_path / name).touch()
    assert matched(["read", "*.png", "?.txt", "--out=*.csv", "no*.gif"]) == [
        *["read", "a.png", "b.png", "c.txt"],
        *["--out=*.csv", "no*.gif"],
    ]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("--lr", "--learning-rate"), ("--batch", "--batch-size"), ("--lambda", "--l2"), ("--optim", "--optimizer")],
)
def test_options_are_suggested_by_meaning(typed, meant, capsys):
    assert run(["train", typed, "1"]) == 2
    assert f"No such option '{typed}'; did you mean {meant}?" in capsys.readouterr().err
