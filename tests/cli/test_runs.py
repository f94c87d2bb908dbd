"""`digitlab runs`, and what `compare` shows of finished runs: notes, filters, order, differences."""

import re
from io import StringIO
from pathlib import Path

import pytest

from digitlab.cli.shared.runs import BARS, sparkline
from digitlab.errors import ConfigError
from digitlab.nn import mlp
from digitlab.train import History, RunConfig
from digitlab.train.run_list import Note, read_note, write_note
from digitlab.viz.curves import curves_figure


@pytest.fixture
def three(train):
    """Three runs in runs/ and a group of two."""
    train()
    train("--optimizer", "adam")
    train("--loss", "log-likelihood", "--epochs", "3")
    train("--seeds", "2", "--workers", "1")


def first_words(out):
    return [line.split()[0] for line in out.splitlines()[2:]]


@pytest.mark.slow
def test_list_note_filter_and_sort(three, call, fails):
    listed = call("runs", "list").out
    assert first_words(listed) == ["001-64-30-10", "002-64-30-10", "003-64-30-10", "004-64-30-10-x2"]
    assert re.search(r"004-64-30-10-x2 +2 × 2 ", listed)
    assert call("runs", "note", "1", "the plain one", "--tag", "book").out == "runs/001-64-30-10: #book the plain one\n"
    assert call("runs", "note", "001-64-30-10", "--tag", "keep").out.endswith("#book #keep the plain one\n")
    assert call("runs", "note", "1", "--untag", "book").out.endswith(": #keep the plain one\n")
    assert first_words(call("runs", "list", "--filter", "tag=keep").out) == ["001-64-30-10"]
    assert first_words(call("runs", "list", "--filter", "note=plain").out) == ["001-64-30-10"]
    assert first_words(call("runs", "list", "--filter", "optimizer=adam").out) == ["002-64-30-10"]
    assert first_words(call("runs", "list", "--filter", "epochs>2").out) == ["003-64-30-10"]
    assert first_words(call("runs", "list", "--filter", "learning-rate<=0.01").out) == ["002-64-30-10"]
    assert first_words(call("runs", "list", "runs/004-64-30-10-x2").out)[0].endswith("000-seed-0")
    best = [float(n) for n in re.findall(r"([\d.]+) %", call("runs", "list", "--sort", "result").out)]
    assert len(best) == 4 and best == sorted(best, reverse=True)
    assert call("runs", "note", "1", "--clear").out == "runs/001-64-30-10: has no note\n"
    assert not Path("runs/001-64-30-10/note.toml").exists()
    assert "did you mean 'learning-rate'" in fails(1, "runs", "list", "--sort", "lr")
    assert "expected a number after >" in fails(1, "runs", "list", "--filter", "epochs>many")

    out = call("compare", "runs/001-64-30-10", "runs/002-64-30-10", "--sort", "result").out
    results = [float(n) for n in re.findall(r"^00\d\S+ .*?(\d+\.\d\d)(?= )", out, re.MULTILINE)]
    assert results == sorted(results, reverse=True)
    out = call("compare", "runs/001-64-30-10", "runs/003-64-30-10", "--statistics").out
    assert all(word in out.splitlines()[0].split() for word in ("loss", "mean", "sd", "range", "seconds"))
    assert "batch-size" not in out, "what is the same is not shown"
    out = call("compare", "runs/004-64-30-10-x2").out
    assert out.splitlines()[0].split() == ["run", "seed", "best", "(%)", "at", "change", "curve"]
    assert "no run is left" in fails(1, "compare", "runs/001-64-30-10", "--filter", "optimizer=rmsprop")


@pytest.mark.slow
def test_rename_and_remove(train, call, fails, monkeypatch):
    train()
    assert call("runs", "rename", "1", "plain").out == "runs/001-64-30-10 is now runs/plain\n"
    assert Path("runs/plain/network.safetensors").is_file()
    train()
    assert "runs/plain: is there already" in fails(1, "runs", "rename", "1", "plain")
    assert "expected a name without a folder" in fails(1, "runs", "rename", "1", "../other")
    monkeypatch.setattr("click.confirm", lambda question: False)
    assert call("runs", "remove", "plain").code == 0
    assert Path("runs/plain").is_dir(), "no was the answer"
    assert call("runs", "remove", "plain", "--yes").out == "removed: runs/plain\n"
    assert not Path("runs/plain").exists()
    assert Path("runs/001-64-30-10").is_dir()


def test_remove_without_an_answer_removes_nothing(fails, monkeypatch):
    RunConfig(network=mlp([4, 2])).save("one/config.toml")
    monkeypatch.setattr("sys.stdin", StringIO())  # a script, which answers nothing
    assert "got no answer; to remove without asking, add --yes" in fails(1, "runs", "remove", "one")
    assert Path("one").is_dir()


def test_remove_never_removes_what_is_no_run(train, fails):
    Path("project").mkdir()
    assert "project: no run here" in fails(1, "runs", "remove", "project", "--yes")
    Path("project/config.toml").write_text('title = "a web site"')
    fails(1, "runs", "remove", "project", "--yes")
    train("--run", "runs/one")
    Path("runs/one/thesis").mkdir()
    assert "holds the folder thesis" in fails(1, "runs", "remove", "runs/one", "--yes")
    fails(1, "runs", "remove", "runs", "--yes")
    assert Path("project/config.toml").is_file() and Path("runs/one/config.toml").is_file()


def test_a_note_is_a_small_file_in_the_run_s_folder(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    assert read_note(run) == Note()
    note = Note('with "quotes" and ü', ("a", "b"))
    write_note(run, note)
    assert read_note(run) == note
    assert [path.name for path in run.iterdir()] == ["note.toml"]


def test_sparklines():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == BARS
    assert sparkline([3.0]) == sparkline([5.0]) and len(sparkline([3.0])) == 1
    assert sparkline([2, 1]) == "█▁"
    assert len(sparkline(list(range(1000)))) == 16 and sparkline(list(range(1000)))[-1] == "█"


def test_losses_of_different_kinds_have_axes_of_their_own():
    rows = [{"epoch": i + 1, "train_loss": 1 / (i + 1), "valid_accuracy": 0.5} for i in range(3)]
    histories = {"a": History(rows), "b": History(rows), "c": History(rows)}
    figure = curves_figure(histories, losses={"a": "Quadratic", "b": "LogLikelihood", "c": "Quadratic"})
    left, middle, right = figure.axes
    assert [len(axes.get_lines()) for axes in (left, middle)] == [2, 1]
    assert [axes.get_ylabel().split(":")[0] for axes in (left, middle)] == ["Quadratic", "LogLikelihood"]
    assert right.get_ylabel() == "accuracy (%)"


def test_runs_of_very_different_length_have_logarithmic_epochs():
    def history(n):
        return History([{"epoch": i + 1, "train_loss": 1.0} for i in range(n)])

    assert curves_figure({"a": history(2), "b": history(3)}).axes[0].get_xscale() == "linear"
    figure = curves_figure({"a": history(2), "b": history(30)})
    assert figure.axes[0].get_xscale() == "log" and "logarithmic" in figure.axes[0].get_xlabel()


@pytest.mark.parametrize(
    "text", ["tags = 5", 'tags = "one"', "tags = [1]", "note = 3", "note", "\0", "a=" + "[" * 5000]
)
def test_a_damaged_note(text, tmp_path):
    (tmp_path / "note.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"note\.toml: .*; mend or remove it"):
        read_note(tmp_path)
