"""Ctrl-C in the middle of an epoch, and the same trainer asked to go on."""

import numpy as np
import pytest

from digitlab.engine import ReferenceEngine
from digitlab.nn import Dense, Dropout, LogLikelihood, Network, Sigmoid
from digitlab.optim import Momentum
from digitlab.train import Callback, ExponentialMovingAverage, NoAveraging, StochasticWeightAveraging, Trainer

RNG = np.random.default_rng(0)
X, Y = RNG.random((120, 6)).astype(np.float32), RNG.integers(0, 3, 120)


class CtrlC(Callback):
    """Presses Ctrl-C once, in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batches(self, trainer, done, total):
        if trainer.epoch == self.epoch and done > total // 2:
            assert done < total, "the epoch was in one piece"
            self.epoch = 0
            raise KeyboardInterrupt


def trainer(*callbacks):
    network = Network([Dense(8), Sigmoid(), Dropout(0.3), Dense(3)], 6, LogLikelihood(), seed=1)
    return Trainer(network, Momentum(0.1), batch_size=7, keep="last", engine="reference", callbacks=callbacks, seed=2)


@pytest.mark.parametrize("epoch", [2, 4])
@pytest.mark.parametrize("average", [NoAveraging, ExponentialMovingAverage, lambda: StochasticWeightAveraging(0.2)])
def test_going_on_with_the_same_trainer_equals_never_stopping(epoch, average):
    straight, stopped = trainer(average()), trainer(CtrlC(epoch), average())
    straight.fit((X, Y), epochs=5)
    assert len(stopped.fit((X, Y), epochs=5)) == epoch - 1
    assert stopped.interrupted
    stopped.fit((X, Y), epochs=5)
    assert not stopped.interrupted
    assert stopped.history.column("train_loss") == straight.history.column("train_loss")
    for name, p in straight.network.parameters().items():
        np.testing.assert_array_equal(stopped.network.parameters()[name].value, p.value)


def test_an_epoch_is_done_or_it_is_not(monkeypatch):
    """Ctrl-C while the optimizer's state is taken, after the last step of an epoch."""
    straight, stopped = trainer(), trainer()
    straight.fit((X, Y), epochs=4)
    state, calls = ReferenceEngine.state, []

    def interrupted(engine):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return state(engine)

    with monkeypatch.context() as patched:
        patched.setattr(ReferenceEngine, "state", interrupted)
        assert len(stopped.fit((X, Y), epochs=4)) == 2
    stopped.fit((X, Y), epochs=4)
    for name, p in straight.network.parameters().items():
        np.testing.assert_array_equal(stopped.network.parameters()[name].value, p.value)


def test_half_of_the_first_epoch_is_kept():
    stopped = trainer(CtrlC(1))
    before = stopped.network.parameters()["0.W"].value.copy()
    assert len(stopped.fit((X, Y), epochs=5)) == 0
    assert np.abs(stopped.network.parameters()["0.W"].value - before).max() > 0
