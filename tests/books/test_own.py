"""Experiments of the reader's own: declared in a file, run, compared, drawn and reported."""

import re

import pytest

from digitlab.books.catalogue import find_experiments
from digitlab.books.experiment import Variant
from digitlab.books.own import own_experiments, own_training, settings_by_label
from digitlab.cli import run
from digitlab.errors import ConfigError

SMALL = """
teaches = "One thing. And another."
[base]
net = "784-4-10"
train_size = 60
epochs = 2
[sweep]
learning_rate = [0.1, 3.0]
batch_size = [5, 20]
[[expected]]
figure = "learning_rate 3.0, batch_size 5/test"
value = 50
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "120")  # as wide as the rows that are looked for


@pytest.mark.slow
def test_a_file_is_trained_compared_drawn_and_reported(tmp_path, capsys):
    (tmp_path / "small.toml").write_text(SMALL)
    assert run(["reproduce", "run", "small.toml", "--quick"]) == 0
    text = capsys.readouterr().out
    row = next(line for line in text.splitlines() if line.startswith("learning_rate 3.0, batch_size 5/test "))
    assert "50.00 %" in row and "(n = 1)" in row
    assert "One thing. And another." in text
    assert "digitlab reproduce report small.toml --results results --quick" in " ".join(text.split())
    assert re.search(r"^figure +split +expected +here +difference", text, re.MULTILINE)
    folder = tmp_path / "results" / "rows" / "quick"
    names = {path.name.removeprefix("small.as-written.") for path in folder.iterdir()} - {"small.as-written.json"}
    assert {"curves.png", "surface.png", "surface.gif"} <= names
    assert run(["reproduce", "report", "small.toml", "--quick", "--out", "page.md"]) == 0
    page = (tmp_path / "experiments" / "small.md").read_text(encoding="utf-8")
    assert page.startswith("# small: small") and "`digitlab reproduce run small.toml --quick" in page
    index = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| experiment | mode | figure | expected | here |" in index and "| figure | split | expected |" in page
    assert not re.search("Nielsen|Rashid|chapter|book", index + page), "the books have no part in it"
    assert capsys.readouterr().out == "report: page.md, with 1 experiment\n"
    assert run(["reproduce", "run", "small.toml", "--quick"]) == 0
    assert "figures of 1 seed are already stored" in capsys.readouterr().out


def test_the_settings_are_those_of_digitlab_train():
    task = own_training(
        Variant(seed=3),
        "name",
        {"net": "784-5-10", "activation": "relu", "optimizer": "adam", "l2": 2.0, "learning_rate": 0.01, "epochs": 7},
    )
    config = task.config
    assert (config.epochs, config.seed, config.optimizer.learning_rate) == (7, 3, 0.01)
    assert type(config.optimizer).__name__ == "Adam" and config.regularizers[0].strength == 2.0
    assert [layer["type"].lower() for layer in config.network["layers"]] == ["dense", "relu", "dense"]
    named = own_training(Variant(), "name", {"net": "lenet5", "batch_size": 32})
    assert (named.config.epochs, named.config.batch_size) == (10, 32)


def test_a_sweep_has_every_combination():
    found = settings_by_label({"epochs": 2}, {"l2": [0.0, 1.0], "net": ["784-10", "784-5-10"]})
    assert list(found) == [f"l2 {a}, net {b}" for a in (0.0, 1.0) for b in ("784-10", "784-5-10")]
    assert found["l2 1.0, net 784-10"] == {"epochs": 2, "l2": 1.0, "net": "784-10"}
    assert list(settings_by_label({}, {})) == ["net"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[base", "rates.toml: "),
        ("titel = 'x'", "unknown key 'titel' .did you mean 'title'"),
        ("[base]\nlearn_rate = 1", "unknown setting 'learn_rate' .did you mean 'learning_rate'"),
        ("[base]\nnet = 'lenett5'", "unknown network 'lenett5'"),
        ("[base]\nnet = 'lenet5'\nactivation = 'relu'", "activation: lenet5 has its own"),
        ("[base]\nepochs = 0", "epochs"),
        ("[sweep]\nepochs = 3", "expected a list of values"),
        ("[figure]\nmeasure = 'loss'", "unknown measure 'loss'"),
        ("[figure]\nlogs = true", "unknown key 'logs'"),
        ("[[expected]]\nfigure = 'a/test'", "expected figure and value"),
        ("[[expected]]\nfigure = 'a/test'\nvalue = 1", "no training is called 'a'"),
        ("[[expected]]\nfigure = 'net/test'\nvalue = 1\nsplitt = 'test'", "unknown key 'splitt'"),
        ("base = 3", r"expected a table \[base\]"),
        ("name = 'a/b'", "letters, digits"),
        ("title = 3", "got title = 3, expected text"),
        ("minutes = 'x'", "got minutes = 'x', expected a number"),
        ("expected = 3", "got expected = 3, expected tables"),
        ("[[expected]]\nfigure = 3\nvalue = 1", r"\[\[expected\]\] figure = 3, expected text"),
        ("[[expected]]\nfigure = 'net/test'\nvalue = 'x'", r"\[\[expected\]\] value = 'x', expected a number"),
        ("name = 'svm'", "another experiment is called 'svm'"),
    ],
)
def test_mistakes_in_a_file_are_named(text, message, tmp_path):
    (tmp_path / "rates.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        find_experiments(["rates.toml"])


def test_a_python_file_has_experiments(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_sizes.py").write_text(
        "from digitlab.books.experiment import Experiment\n"
        "from digitlab.books.measure import training_figures\n"
        "from digitlab.books.pictures import nothing\n"
        "from digitlab.books.training import book_trainings\n"
        "EXPERIMENTS = [Experiment('sizes', book_trainings({'5': {'hidden': 5}}), training_figures, nothing)]\n"
    )
    (experiment,) = find_experiments(["my_sizes.py", "my_sizes.py"])
    assert (experiment.name, experiment.file) == ("sizes", "my_sizes.py")
    (tmp_path / "empty_list.py").write_text("EXPERIMENTS = []\n")
    with pytest.raises(ConfigError, match="expected EXPERIMENTS"):
        own_experiments(tmp_path / "empty_list.py")
    (tmp_path / "random.py").write_text("")
    with pytest.raises(ConfigError, match="another module is called 'random'"):
        own_experiments(tmp_path / "random.py")
    with pytest.raises(ConfigError, match="no such file"):
        own_experiments(tmp_path / "nothing.toml")
