"""Logs of a training for other programs."""

import csv
import sys
from types import SimpleNamespace

import pytest

import digitlab
from digitlab.errors import ConfigError
from digitlab.train.logging import CsvLog, MLflowLog, TensorBoardLog


def trained(callback, epochs=2, trainer=None):
    train, valid, _ = digitlab.load("digits")
    trainer = trainer or digitlab.Trainer(digitlab.mlp([64, 5, 10]), callbacks=[callback], engine="reference")
    trainer.fit(train[:200], valid[:50], epochs=epochs)
    return trainer


def test_csv_holds_the_history(tmp_path):
    trainer = trained(CsvLog(tmp_path / "log.csv"))
    trained(None, epochs=3, trainer=trainer)
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["valid_accuracy"]) for row in rows] == trainer.history["valid_accuracy"]
    assert rows[0]["change"] == ""


class Recording(SimpleNamespace):
    """Stands in for a library: records the calls of its functions."""

    def __getattr__(self, name):
        return lambda *arguments, **named: self.calls.append((name, *arguments, named)) or self.answers.get(name)


def test_tensorboard_gets_every_number(tmp_path):
    pytest.importorskip("tensorboardX")
    trained(TensorBoardLog(tmp_path / "board"))
    (file,) = (tmp_path / "board").iterdir()
    assert file.name.startswith("events.out.tfevents")
    content = file.read_bytes()
    assert content.count(b"valid_accuracy") == content.count(b"train_loss") == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_what_was_written(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    trainer = trained(TensorBoardLog(tmp_path / "board"))
    board = accumulator.EventAccumulator(str(tmp_path / "board")).Reload()
    for name in ("train_loss", "valid_accuracy", "learning_rate"):
        events = board.Scalars(name)
        assert [event.step for event in events] == [1, 2]
        assert [event.value for event in events] == pytest.approx(trainer.history[name])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_keeps_the_figures(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    from mlflow import MlflowClient, set_tracking_uri

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    set_tracking_uri((tmp_path / "mlruns").as_uri())
    trainer = trained(MLflowLog(rate=3.0))
    client = MlflowClient()
    (run,) = client.search_runs(["0"])
    assert run.info.status == "FINISHED" and run.data.params == {"rate": "3.0"}
    logged = client.get_metric_history(run.info.run_id, "valid_accuracy")
    assert [metric.step for metric in logged] == [1, 2]
    assert [metric.value for metric in logged] == trainer.history["valid_accuracy"]


def test_mlflow_logs_into_a_run_of_the_training(monkeypatch):
    mlflow = Recording(calls=[], answers={"active_run": None})
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    trainer = trained(MLflowLog(rate=3.0))
    assert [call[0] for call in mlflow.calls] == [
        "active_run",
        "start_run",
        "log_params",
        "log_metrics",
        "log_metrics",
        "end_run",
    ]
    _, metrics, named = mlflow.calls[4]
    assert metrics["valid_loss"] == trainer.history[-1]["valid_loss"] and named == {"step": 2}
    assert mlflow.calls[2][1] == {"rate": 3.0}


def test_mlflow_leaves_an_active_run_open(monkeypatch):
    mlflow = Recording(calls=[], answers={"active_run": "theirs"})
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    trained(MLflowLog())
    assert not {"start_run", "end_run"} & {call[0] for call in mlflow.calls}


def test_mlflow_ends_its_run_if_the_settings_are_refused(monkeypatch):
    mlflow = Recording(calls=[], answers={"active_run": None})
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)

    def refuse(parameters):
        raise ValueError("a parameter is too long")

    mlflow.log_params = refuse
    with pytest.raises(ValueError, match="too long"):
        trained(MLflowLog(rate=3.0))
    assert mlflow.calls[-1][0] == "end_run"


@pytest.mark.parametrize(("module", "log"), [("tensorboardX", TensorBoardLog), ("mlflow", MLflowLog)])
def test_without_the_library_one_line_says_what_to_install(module, log, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match="pip install 'digitlab"):
        log(*(["board"] if log is TensorBoardLog else []))
