"""`digitlab reproduce`: what a person types, and what goes wrong."""

import pytest

from digitlab.books.catalogue import CATALOGUE
from digitlab.cli import run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")


def test_list_names_every_experiment(capsys):
    assert run(["reproduce", "list"]) == 0
    text = capsys.readouterr().out
    assert all(any(line.startswith(f"{name} ") for line in text.splitlines()) for name in CATALOGUE)
    assert "95.49 %, test (+1)" in text
    assert run(["reproduce", "list", "--book", "first-steps"]) == 0
    assert "5 experiments" in capsys.readouterr().out


@pytest.mark.slow
def test_run_and_report(capsys, tmp_path):
    assert run(["reproduce", "run", "helix", "universality", "--quick"]) == 0
    assert "results: results" in capsys.readouterr().out
    assert (
        run(["reproduce", "report", "--quick", "--out", "page.md", "--html", "page.html", "--json", "page.json"]) == 0
    )
    assert all((tmp_path / name).is_file() for name in ("page.md", "page.html", "page.json"))
    assert "2 experiments" in capsys.readouterr().out


@pytest.mark.slow
def test_run_prints_the_figures_the_curve_and_what_is_learned(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["reproduce", "run", "chapter1-30", "--quick"]) == 0
    text = capsys.readouterr().out
    row = next(line for line in text.splitlines() if line.startswith("epoch 30"))
    assert row.split()[2:5] == ["test", "95.34", "%"] and "(n = 1)" in row
    assert "validation accuracy (%)" in text and "⠒" in text
    assert "Thirty hidden neurons" in text and "picture: results/rows/quick/chapter1-30.as-written.curves.png" in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(
    "line, code, message",
    [
        (["run"], 2, "give the NAMEs of experiments, or --all"),
        (["run", "--all", "svm"], 2, "give the NAMEs of experiments, or --all"),
        (["run", "chapter-1"], 1, "did you mean"),
        (["run", "helix", "--seeds", "0"], 2, "--seeds"),
        (["run", "helix", "--quick", "--part", "result"], 1, "run it with --part train first"),
        (["report", "--results", "nowhere"], 1, "nowhere: no results found"),
        (["list", "--book", "bible"], 1, "expected one of nielsen, rashid, first-steps"),
    ],
)
def test_mistakes_are_one_line(line, code, message, capsys):
    assert run(["reproduce", *line]) == code
    captured = capsys.readouterr()
    assert message in captured.err and captured.err.count("\n") == 1
