"""A training that ends at any of its writes, by a kill or by an error, and what a resume makes of it."""

import os
from pathlib import Path

import numpy as np

from digitlab.nn import BatchNorm, Dense, Dropout, Network, ReLU
from digitlab.train import RunConfig, resume_run, start_run

EPOCHS = 3
rng = np.random.default_rng(0)
SET = rng.random((40, 4), dtype="float32"), rng.integers(0, 2, 40)
STEPS = ((Path, "touch"), (Path, "write_bytes"), (os, "fsync"), (Path, "replace"))


def config(optimizer="adam"):
    network = Network([Dense(5), BatchNorm(), ReLU(), Dropout(0.3), Dense(2)], 4)
    return RunConfig(network=network, optimizer=optimizer, epochs=EPOCHS, batch_size=8, engine="reference")


def begin(folder):
    start_run(config(), folder).fit(SET, SET, epochs=EPOCHS)


def at_write(monkeypatch, moment, happen, steps=STEPS):
    """Let `happen` be called in place of the step number `moment` of all writes; returns the count of steps."""
    counted = [0]

    def counting(real):
        def step(*arguments, **options):
            counted[0] += 1
            if counted[0] == moment:
                happen()
            return real(*arguments, **options)

        return step

    for place, name in steps:
        monkeypatch.setattr(place, name, counting(getattr(place, name)))
    return counted


def resumed(folder):
    """The trainer of the run, ended at its last epoch; begun again if there is no run yet."""
    if not (folder / "config.toml").exists():
        begin(folder)
    _, trainer = resume_run(folder)
    trainer.fit(SET, SET, epochs=EPOCHS)
    return trainer


def assert_equal(trainer, other):
    """Weights, buffers, history (but for the clock) and random generators are the same, bit for bit."""
    for name, array in other.network.state().items():
        np.testing.assert_array_equal(trainer.network.state()[name], array, err_msg=name)
    rows = [[{k: v for k, v in row.items() if "seconds" not in k} for row in t.history.rows] for t in (trainer, other)]
    assert rows[0] == rows[1]
    assert trainer.rng.bit_generator.state == other.rng.bit_generator.state
    for name, array in other.best.arrays.items():
        np.testing.assert_array_equal(trainer.best.arrays[name], array, err_msg=name)
