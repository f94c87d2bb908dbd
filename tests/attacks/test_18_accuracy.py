"""Thirty seeds give thirty accuracies within the stated band: 85 to 99 % on scikit-learn's digits in 30 epochs."""

import pytest

from digitlab.data import load
from digitlab.nn import mlp
from digitlab.train import Trainer

pytestmark = pytest.mark.slow


def test_every_seed_is_within_the_band(attempts):
    train, valid, test = load("digits")
    for seed in range(attempts.number(1, 30)):
        trainer = Trainer(mlp([64, 30, 10], seed=seed), "sgd:3", seed=seed)
        trainer.fit(train, valid, epochs=30)
        assert 0.85 <= trainer.evaluate(test).accuracy <= 0.99
        attempts.count()
