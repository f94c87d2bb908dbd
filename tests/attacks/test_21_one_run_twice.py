"""One process trains a run, and one network at a time is in its folder; the second is refused.

Eight processes in one study: tests/search/test_run.py.
"""

import multiprocessing
import re

import numpy as np
import pytest

from digitlab.errors import ConfigError
from digitlab.files import Claim
from digitlab.nn import load_network, mlp
from digitlab.parallel import train_many
from digitlab.train import Callback, RunConfig, resume_run, start_run

rng = np.random.default_rng(0)
SET = rng.random((40, 3), dtype="float32"), rng.integers(0, 2, 40)


def config(seed=1):
    return RunConfig(network=mlp([3, 2]), epochs=9, seed=seed, engine="reference")


class Meanwhile(Callback):
    """Calls a function in the middle of a training."""

    def __init__(self, function):
        self.function = function

    def on_epoch_end(self, trainer, row):
        self.function()


def test_the_second_is_refused_and_leaves_nothing(tmp_path, attempts):
    folder = tmp_path / "run"

    def second():
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(ConfigError, match="already holds a run"):
            start_run(config(2), folder)
        _, trainer = resume_run(folder)
        with pytest.raises(ConfigError, match="another process is writing there"):
            trainer.fit(SET, epochs=9)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        attempts.count()

    other = start_run(config(2), folder)  # ready before the first begins
    trainer = start_run(config(), folder, [Meanwhile(second)])
    trainer.fit(SET, epochs=2)
    with pytest.raises(ConfigError, match="already holds a run"):
        other.fit(SET, epochs=2)
    assert RunConfig.load(folder / "config.toml").seed == 1
    np.testing.assert_array_equal(
        load_network(folder / "network.safetensors").layers[0].params["W"].value,
        trainer.network.layers[0].params["W"].value,
    )
    assert not (folder / ".lock").exists()
    resume_run(folder)[1].fit(SET, epochs=3)


def test_a_run_that_cannot_begin_leaves_its_folder_to_others(tmp_path, attempts, monkeypatch):
    def fail(self, path):
        raise OSError(28, "No space left on device")

    trainer = start_run(config(), tmp_path / "run")
    with monkeypatch.context() as patched:
        patched.setattr(RunConfig, "save", fail)
        with pytest.raises(OSError, match="No space left"):
            trainer.fit(SET, epochs=2)
    assert not (tmp_path / "run").exists()
    start_run(config(), tmp_path / "run").fit(SET, epochs=2)
    attempts.count()


def test_a_group(tmp_path, attempts):
    with Claim(tmp_path / "group"), pytest.raises(ConfigError, match="another process is writing there"):
        train_many([config()], folder=tmp_path / "group")
    attempts.count()


def hold(folder, ready):
    claim = Claim(folder)
    (folder / f".half.{'0f' * 4}.npz").write_bytes(b"half")
    ready.set()
    multiprocessing.Event().wait()
    claim.release()


def test_a_dead_owners_lock_is_void_and_its_leftovers_go(tmp_path, attempts):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    owner = context.Process(target=hold, args=(tmp_path, ready))
    owner.start()
    assert ready.wait(20)
    with pytest.raises(ConfigError):
        Claim(tmp_path)
    owner.kill()
    owner.join()
    with Claim(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    attempts.count()


def test_resuming_with_other_data_is_said(tmp_path, caplog, attempts):
    start_run(config(), tmp_path / "run").fit(SET, epochs=1)
    resume_run(tmp_path / "run")[1].fit(SET, epochs=2)
    assert not caplog.messages
    x, y = SET
    for other in ((x, 1 - y), (x * 0.5, y), (x[:-1], y[:-1])):
        trainer = resume_run(tmp_path / "run")[1]
        trainer.fit(other, epochs=len(trainer.history) + 1)
        assert re.search("run: the training set is not the one of the epochs so far", caplog.text)
        caplog.clear()
        attempts.count()
