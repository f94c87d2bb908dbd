"""A checkpoint holds the whole state: after any epoch and with any optimizer, resuming gives the same bits.

tests/train/test_resume.py does it with schedules, regularizers, augmentation and averages as well.
"""

import pytest

from digitlab.train import resume_run, start_run

from . import moments


@pytest.mark.parametrize("optimizer", ["sgd:0.1", "momentum:0.1", "nesterov:0.1", "rmsprop", "adam", "adamw"])
def test_after_any_epoch(optimizer, tmp_path, attempts):
    if optimizer not in ("adam", "momentum:0.1") and not attempts.long:
        pytest.skip("with --long")
    whole = start_run(moments.config(optimizer), tmp_path / "whole")
    whole.fit(moments.SET, moments.SET, epochs=3)
    for epoch in (1, 2):
        folder = tmp_path / str(epoch)
        start_run(moments.config(optimizer), folder).fit(moments.SET, moments.SET, epochs=epoch)
        trainer = resume_run(folder)[1]
        trainer.fit(moments.SET, moments.SET, epochs=3)
        moments.assert_equal(trainer, whole)
        attempts.count()
