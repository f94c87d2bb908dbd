"""The figures of a history by their names: which way is better, and how they are shown."""

import pytest

from digitlab.train import columns


@pytest.mark.parametrize(
    "column, values, best, shown, heading",
    [
        ("valid_accuracy", [0.9, 0.95218, 0.91], 0.95218, "95.22 %", "valid_accuracy (%)"),
        ("test_accuracy", [1.0], 1.0, "100.00 %", "test_accuracy (%)"),
        ("train_loss", [0.5, 0.25, 0.3], 0.25, "0.25000", "train_loss"),
        ("accuracy", [0.5, 0.75], 0.75, "75.00 %", "accuracy (%)"),
        ("loss", [2.0, 1e-4], 1e-4, "0.00010", "loss"),
    ],
)
def test_better_and_shown(column, values, best, shown, heading):
    assert columns.best(column, values) == best == max(values, key=lambda value: columns.score(column, value))
    assert columns.smaller_is_better(column) == (best == min(values) and len(values) > 1)
    assert columns.unit(column).shown(best) == shown
    assert shown.startswith(columns.unit(column).text(best))
    assert columns.heading(column) == heading
