"""What all tests of training share."""

import pytest


@pytest.fixture(autouse=True)
def epochs_in_pieces(monkeypatch):
    """Up to 25 pieces an epoch, as with large sets: else no callback would be called in the middle of one."""
    monkeypatch.setattr("digitlab.train.steps.LEAST_WORK", 1)
