"""A training whose write fails, at any step, says so, keeps what was whole, and resumes to the same bits."""

import errno
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from digitlab.data import Splits, load
from digitlab.data.augment import expand, shifts, write_expanded
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


DIGITS = load("digits", train_size=12).train
OLD, NEW = (Splits(some, some[:3], some[3:6]) for some in (DIGITS, DIGITS[::-1]))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def overwrite(folder, moment, happen):
    """Write the new set over the old one; `happen` is called at this step of all writes, renamings and removals."""
    with pytest.MonkeyPatch.context() as patch:
        counted = moments.at_write(patch, moment, happen, [*moments.STEPS, (Path, "unlink")])
        write_expanded(folder, NEW, shifts())
    return counted[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of the tests")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("happen", [fail, lambda: os.kill(os.getpid(), 9)], ids=["fault", "kill"])
def test_a_folder_holds_the_old_set_or_the_new_one(happen, tmp_path, attempts):
    """`digitlab expand --overwrite` into a folder of IDX files."""
    wanted = [expand(splits.train, shifts()).images for splits in (OLD, NEW)]
    write_expanded(tmp_path / "0", OLD, shifts())
    count, found = overwrite(tmp_path / "0", 0, fail), set()
    for moment in range(1, count + 1, attempts.number(6, 1)):
        folder = tmp_path / str(moment)
        write_expanded(folder, OLD, shifts())
        process = multiprocessing.get_context("fork").Process(target=overwrite, args=(folder, moment, happen))
        process.start()
        process.join()
        found.add(next(i for i, images in enumerate(wanted) if np.array_equal(load(folder).train.images, images)))
        write_expanded(folder, NEW, shifts())
        assert np.array_equal(load(folder).train.images, wanted[1])
        assert names_in(folder) == names_in(tmp_path / "0")
        attempts.count()
    assert found == {0, 1}
