"""A training that is killed at any moment and resumed gives the same bits as one that never was.

kill -9 at moments spread over all steps of all writes.
"""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from . import moments

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of the tests")]


def killed(folder, moment, count=None):
    with pytest.MonkeyPatch.context() as patch:
        steps = [*moments.STEPS, (Path, "chmod"), (Path, "unlink")]
        counted = moments.at_write(patch, moment, lambda: os.kill(os.getpid(), 9), steps)
        moments.begin(folder)
        if count is not None:
            count.value = counted[0]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_resumed_equals_uninterrupted(tmp_path, attempts):
    context = multiprocessing.get_context("fork")
    count = context.Value("i")
    begun = context.Process(target=killed, args=(tmp_path / "whole", 0, count))
    begun.start()
    begun.join()
    whole = moments.resumed(tmp_path / "whole")
    for moment in np.unique(np.linspace(1, count.value, attempts.number(6, 200)).astype(int)).tolist():
        process = context.Process(target=killed, args=(tmp_path / str(moment), moment))
        process.start()
        process.join()
        assert process.exitcode == -9
        moments.assert_equal(moments.resumed(tmp_path / str(moment)), whole)
        assert not [path for path in (tmp_path / str(moment)).iterdir() if path.name.startswith(".")]
        attempts.count()
