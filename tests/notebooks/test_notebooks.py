"""The notebooks run from top to bottom, here on the small digits that come with scikit-learn."""

import json
from pathlib import Path

import pytest

import digitlab

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SETTINGS = "TRAIN_SIZE = 50_000"


def code_cells(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_there_are_two():
    assert [path.stem for path in NOTEBOOKS] == ["convolutional_network", "dense_network"]


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] * path.stem.startswith("conv"), id=path.stem) for path in NOTEBOOKS],
)
def test_runs_and_learns(path, monkeypatch, capsys):
    load = digitlab.load
    monkeypatch.setattr(digitlab, "load", lambda source, **choices: load("digits", **choices), raising=False)
    cells = code_cells(path)
    assert cells[0].startswith(SETTINGS)
    cells[0] = "TRAIN_SIZE = 900\nEPOCHS = 25"
    names = {}
    for number, cell in enumerate(cells):
        exec(compile(cell, f"{path.name}, code cell {number}", "exec"), names)
    assert names["accuracy"] > 0.8  # of 300 images, after learning from 900
    assert "% correct" in capsys.readouterr().out
