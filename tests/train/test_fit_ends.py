"""How a training ends: by itself, by a callback, by Ctrl-C, or because the loss is no longer finite."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from digitlab.errors import DivergenceError
from digitlab.nn import Dense, MeanSquaredError, Network
from digitlab.optim import SGD, HalveOnPlateau
from digitlab.train import Callback, EarlyStopping, PlainLines, TargetReached, Trainer, evaluate

from .helpers import TRAIN, VALID, At, Ctrl_C, a_line, trainer, values


class Spy(Callback):
    """Writes down which hooks were called, and with what."""

    def __init__(self):
        self.calls = []

    def on_fit_start(self, trainer):
        self.calls.append("fit start")

    def on_epoch_start(self, trainer):
        self.calls.append(f"epoch {trainer.epoch} start")

    def on_batches(self, trainer, done, total):
        self.calls.append((done, total))

    def on_epoch_end(self, trainer, row):
        self.calls.append(f"epoch {row['epoch']} end")

    def on_fit_end(self, trainer):
        self.calls.append("fit end")


# Stopping


def test_early_stopping_after_n_epochs_without_improvement():
    t = trainer(None, SGD(1e-12), callbacks=[EarlyStopping(3)])
    history = t.fit(TRAIN, VALID, epochs=50)
    assert len(history) == 4  # the first epoch is a best, then three that are none
    assert t.stop_reason == "no improvement of valid_accuracy in 3 epochs"
    assert not t.interrupted


def test_an_improvement_restarts_the_patience():
    t = trainer(callbacks=[])
    stopper = EarlyStopping(2)
    t.monitor = "valid_accuracy"
    for n, accuracy in enumerate([0.5, 0.5, 0.6, 0.6, 0.7, 0.7, 0.65], 1):
        assert t.stop_reason is None, n
        t.history.rows.append({"epoch": n, "valid_accuracy": accuracy})
        stopper.judge(t)
    assert t.stop_reason


def test_a_schedule_may_end_the_training():
    t = trainer(None, SGD(1e-12), schedule=HalveOnPlateau(patience=1, stop_at=4))
    assert len(t.fit(TRAIN, VALID, epochs=50)) == 3
    assert t.stop_reason == "the learning rate was halved to 1/4 without improvement"
    assert_allclose(np.array(t.history.column("learning_rate")) / 1e-12, [1, 1, 0.5])


@pytest.mark.parametrize("monitor, target", [("valid_accuracy", 0.0), ("valid_loss", 100.0)])
def test_a_target_that_is_reached(monitor, target):
    t = trainer(monitor=monitor, callbacks=[TargetReached(target)])
    assert len(t.fit(TRAIN, VALID, epochs=9)) == 1
    assert t.stop_reason == f"{monitor} reached {target:g}"
    t = trainer(monitor=monitor, callbacks=[TargetReached(2.0 if "acc" in monitor else -1.0)])
    assert len(t.fit(TRAIN, VALID, epochs=2)) == 2


def test_a_target_that_was_reached_before_a_resume_still_counts():
    t = trainer()
    t.fit(TRAIN, VALID, epochs=1)
    t.callbacks = [TargetReached(0.0)]
    assert len(t.fit(TRAIN, VALID, epochs=5)) == 1


def test_the_first_reason_to_stop_is_the_one_that_is_reported():
    t = trainer(callbacks=[At(2, lambda t: t.stop("first")), At(2, lambda t: t.stop("second"))])
    assert len(t.fit(TRAIN, epochs=9)) == 2
    assert t.stop_reason == "first"


def test_hooks_are_called_in_order(monkeypatch):
    monkeypatch.setattr("digitlab.train.steps.LEAST_WORK", 1)
    spy = Spy()
    trainer(batch_size=20, callbacks=[spy]).fit(TRAIN, epochs=2)
    batches = [(1, 3), (2, 3), (3, 3)]
    assert spy.calls == [
        "fit start",
        "epoch 1 start",
        *batches,
        "epoch 1 end",
        "epoch 2 start",
        *batches,
        "epoch 2 end",
        "fit end",
    ]


def test_an_epoch_comes_up_for_air_twenty_five_times(monkeypatch):
    monkeypatch.setattr("digitlab.train.steps.LEAST_WORK", 1)
    spy = Spy()
    trainer(batch_size=1, callbacks=[spy]).fit(tuple(np.repeat(part, 20, axis=0) for part in TRAIN), epochs=1)
    calls = [call for call in spy.calls if isinstance(call, tuple)]
    assert 20 <= len(calls) <= 25
    assert calls[-1] == (1060, 1060)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_ctrl_c_in_the_middle_of_an_epoch_ends_cleanly(keep):
    spy = Spy()
    t = trainer(None, SGD(3.0), keep=keep, callbacks=[Ctrl_C(3), spy])
    history = t.fit(TRAIN, VALID, epochs=9)
    assert t.interrupted
    assert t.stop_reason == "interrupted in epoch 3"
    assert len(history) == 2
    assert spy.calls[-1] == "fit end"
    if keep == "best":
        assert evaluate(t.network, *VALID).accuracy == max(history.column("valid_accuracy"))


def test_ctrl_c_in_the_first_epoch():
    t = trainer(callbacks=[Ctrl_C(1)])
    assert len(t.fit(TRAIN, VALID, epochs=9)) == 0
    assert t.interrupted
    assert all(np.isfinite(array).all() for array in values(t.network).values())


# Divergence


def test_a_rate_that_is_too_large_ends_at_once_with_place_and_cause():
    spy = Spy()
    lines = []
    t = Trainer(
        Network([Dense(20), Dense(1)], 1, MeanSquaredError()), SGD(1e6), callbacks=[spy, PlainLines(lines.append)]
    )
    with pytest.raises(DivergenceError) as raised:
        t.fit(a_line(), epochs=5)
    message = str(raised.value)
    assert re.fullmatch(
        r"the loss is no longer finite in epoch 1, step \d+; likely cause: the learning rate 1e\+06 is too large; "
        r"try 0.02",
        message,
    )
    assert raised.value.held == "the weights of before step 2 of epoch 1"
    assert raised.value.__notes__ == ["The network holds the weights of before step 2 of epoch 1."]
    assert all(np.isfinite(array).all() for array in values(t.network).values())
    assert np.isfinite(t.network.predict(np.zeros((1, 1), np.float32))).all()
    assert t.stop_reason == message and t.diverged
    assert lines == [], "the error says it, and once is enough"
    assert spy.calls[-1] == "fit end"
    assert len(t.history) == 0


def test_the_best_network_outlives_a_divergence_in_a_later_epoch():
    t = Trainer(Network([Dense(20), Dense(1)], 1, MeanSquaredError()), SGD(0.1), engine="reference")
    t.fit(a_line(), a_line(50), epochs=2)
    t.optimizer = SGD(1e6)
    with pytest.raises(DivergenceError, match="in epoch 3, step") as raised:
        t.fit(a_line(), a_line(50), epochs=5)
    assert raised.value.held == f"the weights of epoch {t.best.epoch}, the best"
    assert t.evaluate(a_line(50)).loss == min(t.history.column("valid_loss"))


def test_inputs_that_are_too_large_are_named_as_the_cause():
    x, y = a_line()
    t = Trainer(Network([Dense(1)], 1, MeanSquaredError()), SGD(0.001))
    with pytest.raises(DivergenceError, match="in epoch 1, step 1; likely cause: inputs or weights are too large"):
        t.fit((x * 1e30, y), epochs=1)


def test_a_loss_that_overflows_in_evaluation_only():
    x, y = a_line()
    t = Trainer(Network([Dense(1)], 1, MeanSquaredError()), SGD(0.01))
    with pytest.raises(DivergenceError, match="in epoch 1"):
        t.fit((x, y), (x, y * 1e30), epochs=1)


# A callback that fails


class DiskFull(Callback):
    def on_epoch_end(self, trainer, row):
        if row["epoch"] == 2:
            raise OSError("no space left on device")

    def on_fit_end(self, trainer):
        raise ValueError("and another one")


def test_a_callback_that_fails_ends_the_training_and_the_others_are_notified():
    first, last = Spy(), Spy()
    t = trainer(callbacks=[first, DiskFull(), last])
    with pytest.raises(OSError, match="no space left"):
        t.fit(TRAIN, VALID, epochs=5)
    assert first.calls[-1] == last.calls[-1] == "fit end", "screens are closed, files are written"
    assert t.stop_reason == "OSError in epoch 3" and len(t.history) == 2
    assert not t.sets
    assert t.evaluate(VALID).accuracy == t.history[t.best.epoch - 1]["valid_accuracy"], "with the best network"


def test_an_error_at_the_end_is_raised_after_the_others_are_notified():
    spy = Spy()
    t = trainer(callbacks=[DiskFull(), spy])
    with pytest.raises(ValueError, match="another one"):
        t.fit(TRAIN, VALID, epochs=1)
    assert spy.calls[-1] == "fit end"


def test_only_callbacks_that_started_are_ended():
    class NoStart(Spy):
        def on_fit_start(self, trainer):
            super().on_fit_start(trainer)
            raise OSError("no space left on device")

    first, failing, last = Spy(), NoStart(), Spy()
    t = trainer(callbacks=[first, failing, last])
    with pytest.raises(OSError, match="no space left"):
        t.fit(TRAIN, VALID, epochs=2)
    assert (first.calls, failing.calls, last.calls) == (["fit start", "fit end"], ["fit start"], [])
    t.callbacks = [first]
    t.fit(TRAIN, VALID, epochs=1)
    assert [first.calls.count(call) for call in ("fit start", "fit end")] == [2, 2], "once for each training"


def test_ctrl_c_while_callbacks_start():
    class Impatient(Spy):
        def on_fit_start(self, trainer):
            raise KeyboardInterrupt

    first, last = Spy(), Spy()
    t = trainer(callbacks=[first, Impatient(), last])
    assert len(t.fit(TRAIN, VALID, epochs=2)) == 0
    assert t.interrupted
    assert (first.calls, last.calls) == (["fit start", "fit end"], [])
