"""What is printed: one line an epoch, words for durations, and why training stopped."""

import re

import numpy as np
import pytest

from digitlab.data import load
from digitlab.errors import ConfigError
from digitlab.nn import Dense, MeanSquaredError, Network, mlp
from digitlab.optim import SGD
from digitlab.train import Callback, EarlyStopping, PlainLines, Trainer
from digitlab.train.callbacks import duration, epoch_line

from .helpers import TEST, TRAIN, VALID, network

ROW = {
    "epoch": 3,
    "train_loss": 0.01234,
    "valid_loss": 0.02,
    "valid_accuracy": 0.9512,
    "change": 0.0012,
    "learning_rate": 3.0,
    "seconds": 0.251,
    "evaluation_seconds": 0.1,
    "total_seconds": 0.9,
    "seconds_left": 7.2,
}


def test_an_epoch_in_one_line():
    assert epoch_line(ROW, 30) == "epoch  3/30  loss 0.0123  valid 95.12 %  (+0.12)  0.25 s  7 s left"


def test_a_change_for_the_worse_and_no_change():
    assert "(-0.50)" in epoch_line(ROW | {"change": -0.005}, 30)
    assert "(+0.00)" in epoch_line(ROW | {"change": 0.0}, 30)
    assert "(" not in epoch_line(ROW | {"change": None}, 30)


def test_the_change_is_in_the_unit_of_what_is_monitored():
    assert "(+0.12)" in epoch_line(ROW, 30, "valid_accuracy")
    line = epoch_line(ROW | {"test_accuracy": 0.9}, 30, "valid_loss")
    assert "valid 95.12 %  valid loss 0.02000  (+0.00120)  test 90.00 %" in line, "behind the figure that changed"
    assert "loss 0.0123  (+0.00120)  valid 95.12 %" in epoch_line(ROW, 30, "train_loss")


def test_a_network_that_classes_nothing_shows_its_loss():
    row = {name: value for name, value in ROW.items() if name != "valid_accuracy"}
    assert (
        epoch_line(row, 9, "valid_loss") == "epoch 3/9  loss 0.0123  valid loss 0.02000  (+0.00120)  0.25 s  7 s left"
    )


def test_the_last_epoch_leaves_no_time():
    assert epoch_line(ROW | {"seconds_left": 0.0}, 3).endswith("0.25 s")


@pytest.mark.parametrize(
    "seconds, words",
    [(0.2, "0 s"), (45, "45 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (3599.9, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_plain_lines_of_a_training():
    lines = []
    stopping = [EarlyStopping(2), PlainLines(lines.append)]
    Trainer(network(), SGD(1e-12), callbacks=stopping).fit(TRAIN, VALID, TEST, epochs=9)
    assert len(lines) == 4
    figures = r"epoch \d/9  loss \d\.\d{4}  valid [\d.]+ %(  \([+-]\d\.\d\d\))?  test [\d.]+ %"
    pattern = figures + r"  \d+\.\d\d s(  \d+ s left)?"
    for line in lines[:3]:
        assert re.fullmatch(pattern, line), line
    assert lines[3] == "stopped: no improvement of valid_accuracy in 2 epochs"


def test_plain_lines_go_to_standard_output(capsys):
    Trainer(Network([Dense(1)], 6, MeanSquaredError()), SGD(0.001), callbacks=[PlainLines()]).fit(
        (TRAIN[0], TRAIN[0][:, :1]), epochs=2
    )
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in out] == ["1/2", "2/2"]


def test_the_base_does_nothing_at_all():
    with_it, without = Trainer(network(), callbacks=[Callback()]), Trainer(network())
    with_it.fit(TRAIN, VALID, epochs=2)
    without.fit(TRAIN, VALID, epochs=2)
    assert with_it.history.column("train_loss") == without.history.column("train_loss")


class Watches(Callback):
    """Every batch and every gradient of a training."""

    def __init__(self):
        self.losses, self.norms = [], []

    def on_batch(self, trainer, step, loss):
        self.losses.append((trainer.epoch, step, loss))

    def on_gradient(self, trainer):
        self.norms.append(float(np.linalg.norm(trainer.network.parameters()["0.W"].grad)))


def test_a_callback_sees_every_batch_and_every_gradient():
    watches, few = Watches(), load("digits").train.first(50)
    trainer = Trainer(mlp([64, 10]), "sgd:1", batch_size=20, callbacks=[watches])
    trainer.fit(few, epochs=2)
    assert [(epoch, step) for epoch, step, _ in watches.losses] == [(e, s) for e in (1, 2) for s in (1, 2, 3)]
    first = [loss for epoch, _, loss in watches.losses if epoch == 1]
    assert trainer.history["train_loss"][0] == pytest.approx(np.dot(first, [20, 20, 10]) / 50)
    assert len(watches.norms) == 6
    assert min(watches.norms) > 0
    assert "reference engine" in trainer.engine_reason


class Zeroes(Callback):
    def on_gradient(self, trainer):
        for p in trainer.network.parameters().values():
            p.grad = 0 * p.grad


def test_a_callback_may_change_the_gradient():
    network = mlp([64, 10])
    before = network.copy().state()
    Trainer(network, "sgd:1", callbacks=[Zeroes()]).fit(load("digits").train.first(50), epochs=1)
    assert all(np.array_equal(network.state()[name], array) for name, array in before.items())
    with pytest.raises(ConfigError, match=r"Zeroes\.on_gradient needs the reference engine"):
        Trainer(network, engine="fast", callbacks=[Zeroes()]).fit(load("digits").train.first(50), epochs=1)


class Halves(Callback):
    def on_epoch_end(self, trainer, row):
        trainer.learning_rate /= 2


def test_a_callback_may_change_the_rate():
    trainer = Trainer(mlp([64, 10]), "sgd:1", callbacks=[Halves()])
    assert trainer.fit(load("digits").train.first(50), epochs=3)["learning_rate"] == [1, 0.5, 0.25]
