"""The history: rows, columns, statistics against NumPy's, and its file."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.errors import ConfigError, ModelFileError
from digitlab.train import History, Trainer

from .helpers import TRAIN, VALID, network

ACCURACIES = [0.5, 0.7, 0.9, 0.8, 0.9]


def history(values=ACCURACIES, name="valid_accuracy"):
    return History({"epoch": n, name: value} for n, value in enumerate(values, 1))


def test_statistics_by_hand():
    s = history().statistics()
    assert s.epochs == 5
    assert s.mean == pytest.approx(0.76)
    assert s.variance == pytest.approx((0.26**2 + 0.06**2 + 0.14**2 + 0.04**2 + 0.14**2) / 4)
    assert s.sd == pytest.approx(s.variance**0.5)
    assert (s.minimum, s.maximum) == (0.5, 0.9)
    assert s.range == pytest.approx(0.4)
    assert (s.best, s.best_epoch) == (0.9, 3), "the first of equal ones"


def test_over_the_last_k():
    s = history().statistics(last=2)
    assert (s.epochs, s.best, s.best_epoch) == (2, 0.9, 5)
    assert s.mean == pytest.approx(0.85)
    assert history().statistics(last=99) == history().statistics()


def test_the_best_loss_is_the_least():
    s = history([3.0, 1.0, 2.0], "valid_loss").statistics("valid_loss")
    assert (s.best, s.best_epoch) == (1.0, 2)


def test_one_epoch_has_no_spread():
    s = history([0.5]).statistics()
    assert (s.variance, s.sd, s.range) == (0, 0, 0)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.integers(1, 40))
def test_statistics_are_numpys(values, last):
    s = history(values).statistics(last=last)
    chosen = np.array(values[-last:])
    assert s.epochs == len(chosen)
    assert s.mean == pytest.approx(chosen.mean())
    if len(chosen) > 1:
        assert s.variance == pytest.approx(chosen.var(ddof=1), abs=1e-12)
        assert s.sd == pytest.approx(chosen.std(ddof=1), abs=1e-6)
    assert s.range == pytest.approx(np.ptp(chosen))
    assert values[s.best_epoch - 1] == s.best == chosen.max()


def test_a_column_that_is_not_there():
    with pytest.raises(ConfigError, match=r"no column 'accuracy' \(did you mean 'valid_accuracy'\?\); it has epoch"):
        history().column("accuracy")
    with pytest.raises(ConfigError, match="it has none, it is empty"):
        History().statistics()


@pytest.mark.parametrize("last", [0, -1])
def test_statistics_over_nothing(last):
    with pytest.raises(ConfigError, match=f"got last={last}, expected at least one epoch"):
        history().statistics(last=last)


def test_it_reads_like_a_sequence():
    h = history()
    assert len(h) == 5
    assert h[-1]["valid_accuracy"] == 0.9
    assert [row["epoch"] for row in h] == [1, 2, 3, 4, 5]


def test_there_and_back_through_a_file(tmp_path):
    h = Trainer(network()).fit(TRAIN, VALID, epochs=3)
    h.save(tmp_path / "history.jsonl")
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == h.rows
    assert History.load(tmp_path / "history.jsonl").rows == h.rows


@pytest.mark.parametrize(
    "text, words",
    [
        ('{"epoch": 1}\n{"epoch": 2', "line 2: not JSON"),
        ('{"epoch": 1}\n[2]\n', r"line 2: got '\[2\]', expected an object with an epoch"),
        ('{"loss": 1}\n', "line 1: got .* expected an object with an epoch"),
    ],
)
def test_damaged_files_are_reported_with_the_line(tmp_path, text, words):
    (tmp_path / "history.jsonl").write_text(text)
    with pytest.raises(ModelFileError, match=f"history.jsonl, {words}"):
        History.load(tmp_path / "history.jsonl")


def test_files_that_are_none(tmp_path):
    with pytest.raises(ModelFileError, match="no such file; a run folder with at least one finished epoch has one"):
        History.load(tmp_path / "history.jsonl")
    (tmp_path / "history.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelFileError, match="not text"):
        History.load(tmp_path / "history.jsonl")


def test_a_history_at_the_prompt():
    assert repr(History()) == "History: no epoch yet"
    rows = [{"epoch": e, "train_loss": 0.5, "valid_accuracy": a} for e, a in ((1, 0.9), (2, 0.95218), (3, 0.95))]
    assert repr(History(rows)) == "History: 3 epochs, valid_accuracy 95.22 % at best (epoch 2)"
    assert repr(History([{"epoch": 1, "train_loss": 0.5}])) == "History: 1 epoch, train_loss 0.50000 at best (epoch 1)"


def test_columns_slices_and_pictures():
    rows = [{"epoch": i, "train_loss": 1 / i, "valid_loss": 2 / i, "valid_accuracy": 0.5 + i / 10} for i in (1, 2, 3)]
    history = History(rows)
    assert history["valid_accuracy"] == [0.6, 0.7, 0.8]
    assert [row["epoch"] for row in history[-2:]] == [2, 3]
    assert repr(history[:1]) == "History: 1 epoch, valid_accuracy 60.00 % at best (epoch 1)"
    figure = history.plot()
    assert [axes.get_ylabel() for axes in figure.axes] == ["mean loss per example", "accuracy (%)"]
    mixed = History([*rows[:2], {"epoch": 3, "train_loss": 0.1}]).plot()  # a call without a validation set
    assert [len(line.get_xdata()) for line in mixed.axes[0].get_lines()] == [3, 2]
    with pytest.raises(ConfigError, match="did you mean 'valid_accuracy'"):
        history["val_accuracy"]
    with pytest.raises(ConfigError, match="no epoch yet"):
        History().plot()


def test_a_frame_has_a_row_per_epoch(monkeypatch):
    pandas = pytest.importorskip("pandas")
    frame = History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.4}]).to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["train_loss"].tolist() == [0.5, 0.4]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match="to_frame needs pandas, which is not installed: pip install pandas"):
        History([{"epoch": 1}]).to_frame()
