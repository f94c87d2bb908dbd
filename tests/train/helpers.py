"""Small sets and networks that the training tests share."""

import numpy as np
from numpy.testing import assert_array_equal

from digitlab.nn import mlp
from digitlab.train import Callback, Trainer

CLOCK = ("seconds", "evaluation_seconds", "total_seconds", "seconds_left")


def blobs(n=53, inputs=6, classes=3, seed=0):
    """Points around one centre per class, so that there is something to learn: x (n, inputs), labels (n,)."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    centres = np.random.default_rng(99).normal(size=(classes, inputs))
    return (centres[labels] + 0.7 * rng.normal(size=(n, inputs))).astype(np.float32), labels


TRAIN, VALID, TEST = blobs(53, seed=1), blobs(40, seed=2), blobs(30, seed=3)


def network(seed=0, **settings):
    """6-5-3."""
    return mlp([6, 5, 3], seed=seed, **settings)


def trainer(net=None, optimizer=None, **settings):
    """A trainer of `network()`."""
    return Trainer(net if net is not None else network(), optimizer, **settings)


def values(net):
    """Copies of everything that a network holds."""
    return {name: np.array(array) for name, array in net.state().items()}


def without_clock(history):
    """The rows without what a clock measured."""
    return [{name: value for name, value in row.items() if name not in CLOCK} for row in history]


def assert_same_arrays(a, b):
    """Bit for bit, in value and type."""
    assert sorted(a) == sorted(b)
    for name in a:
        assert np.asarray(a[name]).dtype == np.asarray(b[name]).dtype, name
        assert_array_equal(a[name], b[name], err_msg=name, strict=True)


def assert_same_state(a, b):
    """Two trainers stand at the same place: networks, best, optimizer, randomness, history."""
    assert_same_arrays(values(a.network), values(b.network))
    assert (a.last is None) == (b.last is None)
    if a.last is not None:
        assert_same_arrays(a.last, b.last)
    assert (a.best.epoch, a.best.score) == (b.best.epoch, b.best.score)
    assert_same_arrays(a.best.arrays, b.best.arrays)
    assert sorted(a.optimizer_state) == sorted(b.optimizer_state)
    for name, parts in a.optimizer_state.items():
        assert_same_arrays(parts, b.optimizer_state[name])
    assert a.rng.bit_generator.state == b.rng.bit_generator.state
    for (_, mine), (_, theirs) in zip(a.network.named_layers(), b.network.named_layers(), strict=True):
        assert (mine.rng is None) == (theirs.rng is None)
        if mine.rng is not None:
            assert mine.rng.bit_generator.state == theirs.rng.bit_generator.state
    assert without_clock(a.history) == without_clock(b.history)
    assert a.stop_reason == b.stop_reason


class At(Callback):
    """Does something at the end of one epoch."""

    def __init__(self, epoch, action):
        self.epoch, self.action = epoch, action

    def on_epoch_end(self, trainer, row):
        if row["epoch"] == self.epoch:
            self.action(trainer)


def a_line(n=200):
    """Points on a line: x (n, 1), y (n, 1)."""
    x = np.linspace(-1, 1, n, dtype=np.float32)[:, None]
    return x, 3 * x + 1


class Ctrl_C(Callback):
    """A person who presses Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batches(self, trainer, done, total):
        if trainer.epoch == self.epoch and done >= total // 2:
            assert done < total or total == 1, "the epoch was in one piece"
            raise KeyboardInterrupt
