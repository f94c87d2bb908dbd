"""A training whose write fails, at any step, says so, keeps what was whole, and resumes to the same bits."""

import errno
import os

import numpy as np
import pytest

from digitlab.errors import ModelFileError
from digitlab.nn import load_network

from . import moments

pytestmark = pytest.mark.slow


def fail():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_fault_at_every_write(tmp_path, attempts):
    with pytest.MonkeyPatch.context() as patch:
        counted = moments.at_write(patch, 0, fail)
        moments.begin(tmp_path / "whole")
    whole = moments.resumed(tmp_path / "whole")
    for moment in np.unique(np.linspace(1, counted[0], attempts.number(8, 200)).astype(int)).tolist():
        folder = tmp_path / str(moment)
        with pytest.MonkeyPatch.context() as patch:
            moments.at_write(patch, moment, fail)
            with pytest.raises(OSError, match="cannot be written: No space left on device") as error:
                moments.begin(folder)
        assert str(folder) in error.value.filename
        for path in folder.glob("network.safetensors"):
            load_network(path)  # whole, whichever epoch's it is
        moments.assert_equal(moments.resumed(folder), whole)
        attempts.count()


def test_a_damaged_checkpoint_is_refused(tmp_path, attempts):
    moments.begin(tmp_path / "run")
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ModelFileError, match=r"checkpoint\.safetensors"):
        moments.resumed(tmp_path / "run")
    attempts.count()
