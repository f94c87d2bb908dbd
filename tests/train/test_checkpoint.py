"""Checkpoints that cannot be resumed from: each is reported in one line, and nothing is changed."""

import json
from pathlib import Path

import numpy as np
import pytest

from digitlab.errors import ModelFileError
from digitlab.nn import freeze, mlp
from digitlab.optim import SGD, Adam, Momentum
from digitlab.train import ExponentialMovingAverage, Trainer, load_checkpoint, save_checkpoint

from .helpers import TRAIN, VALID, assert_same_arrays, assert_same_state, network, values, without_clock


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint of two epochs."""
    trainer = Trainer(network(), Momentum(0.3))
    trainer.fit(TRAIN, VALID, epochs=2)
    save_checkpoint(trainer, tmp_path / "checkpoint.safetensors")
    return tmp_path / "checkpoint.safetensors"


def refused(file, trainer=None):
    """The one line with which a file is refused."""
    trainer = trainer or Trainer(network(), Momentum(0.3))
    with pytest.raises(ModelFileError) as raised:
        load_checkpoint(trainer, file)
    message = str(raised.value)
    assert str(file) in message
    assert "\n" not in message
    return message


def test_a_missing_checkpoint(tmp_path):
    assert "no such file" in refused(tmp_path / "checkpoint.safetensors")


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.99])
def test_a_checkpoint_cut_short(checkpoint, share):
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: int(share * len(whole))])
    assert "not a safetensors file" in refused(checkpoint)


def test_a_file_of_another_kind(checkpoint):
    checkpoint.write_text("<!DOCTYPE html><html>not found</html>")
    assert "not a safetensors file" in refused(checkpoint)


def test_a_network_is_no_checkpoint(tmp_path):
    network().save(tmp_path / "network.safetensors")
    assert "is no checkpoint (it lacks 'history')" in refused(tmp_path / "network.safetensors")


@pytest.mark.parametrize(
    "other, words",
    [
        (lambda: mlp([6, 7, 3]), "layers is"),
        (lambda: mlp([6, 5, 3], loss="cross-entropy"), "loss is {'type': 'Quadratic'} there and"),
        (lambda: mlp([6, 5, 3], dtype="float64"), "dtype is 'float32' there and 'float64' here"),
        (lambda: mlp([6, 5, 3], scaling="/256"), "scaling is '/255' there"),
    ],
)
def test_a_checkpoint_of_another_network(checkpoint, other, words):
    message = refused(checkpoint, Trainer(other(), Momentum(0.3)))
    assert "was written for another network" in message
    assert words in message


def test_a_checkpoint_of_a_network_with_other_frozen_parts(checkpoint):
    frozen = network()
    freeze(frozen, "0")
    assert "frozen is None there" in refused(checkpoint, Trainer(frozen, Momentum(0.3)))


def test_a_checkpoint_of_a_frozen_network_for_a_free_one(tmp_path):
    frozen = network()
    freeze(frozen, "0")
    trainer = Trainer(frozen, Momentum(0.3))
    trainer.fit(TRAIN, VALID, epochs=1)
    save_checkpoint(trainer, tmp_path / "c.safetensors")
    assert "was written for another network: frozen" in refused(tmp_path / "c.safetensors")


def test_a_checkpoint_of_another_optimizer(checkpoint):
    trainer = Trainer(network(), Adam())
    message = refused(checkpoint, trainer)
    assert "another optimizer" in message


def rewritten(file, change):
    """The same checkpoint with its metadata changed."""
    from digitlab.nn.io.files import read_arrays, read_metadata, write_arrays

    metadata, arrays = read_metadata(file), read_arrays(file)
    change(metadata, arrays)
    write_arrays(file, arrays, metadata)


@pytest.mark.parametrize(
    "change",
    [
        lambda m, a: m.update(best={"epoch": 1}),
        lambda m, a: m.update(history=5),
        lambda m, a: m.update(history=[{}]),
        lambda m, a: m.update(optimizer_counts=[]),
        lambda m, a: m.update(optimizer_counts={}),
        lambda m, a: m.update(trainer_rng={"bit_generator": "NoSuchGenerator"}),
        lambda m, a: m.update(trainer_rng=6),
        lambda m, a: m.update(network=7),
        lambda m, a: a.pop("network/0.W"),
        lambda m, a: a.pop("best/0.W"),
        lambda m, a: a.update({"network/0.W": np.zeros((2, 2), np.float32)}),
        lambda m, a: a.pop("optimizer/0.W/velocity"),
        lambda m, a: a.update({"optimizer/0.W/velocity": np.zeros((2, 2), np.float32)}),
    ],
)
def test_a_damaged_checkpoint_is_reported_and_changes_nothing(checkpoint, change):
    rewritten(checkpoint, change)
    trainer = Trainer(network(), Momentum(0.3))
    before = values(trainer.network), json.dumps(trainer.rng.bit_generator.state)
    refused(checkpoint, trainer)
    assert len(trainer.history) == 0
    assert trainer.best is None
    assert trainer.optimizer_state is None
    assert_same_arrays(values(trainer.network), before[0])
    assert json.dumps(trainer.rng.bit_generator.state) == before[1]


def test_a_checkpoint_of_a_later_format(checkpoint):
    rewritten(checkpoint, lambda m, a: m.update(format=2))
    assert "written in format 2, this version reads 1; update digitlab" in refused(checkpoint)


def test_a_kill_while_a_checkpoint_is_written_leaves_the_old_one(checkpoint, monkeypatch):
    old, files = checkpoint.read_bytes(), sorted(checkpoint.parent.iterdir())
    trainer = Trainer(network(), Momentum(0.3))
    load_checkpoint(trainer, checkpoint)
    trainer.fit(TRAIN, VALID, epochs=3)

    def half(path, content):
        path.write_text("half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(trainer, checkpoint)
    assert checkpoint.read_bytes() == old
    assert sorted(checkpoint.parent.iterdir()) == files, "nothing may be left lying about"


def test_a_checkpoint_before_any_training(tmp_path):
    save_checkpoint(Trainer(network(), SGD(3.0)), tmp_path / "c.safetensors")
    begun, fresh = (Trainer(network(), SGD(3.0)) for _ in range(2))
    load_checkpoint(begun, tmp_path / "c.safetensors")
    begun.fit(TRAIN, VALID, epochs=2)
    fresh.fit(TRAIN, VALID, epochs=2)
    assert without_clock(begun.history) == without_clock(fresh.history)
    assert_same_state(begun, fresh)


def test_two_callbacks_of_one_class_keep_what_is_theirs(tmp_path):
    def fresh():
        averages = [ExponentialMovingAverage(decay) for decay in (0.5, 0.9)]
        return averages, Trainer(network(), Momentum(0.1), callbacks=averages)

    averages, trainer = fresh()
    trainer.fit(TRAIN, VALID, epochs=2)
    save_checkpoint(trainer, tmp_path / "checkpoint.safetensors")
    read, resumed = fresh()
    load_checkpoint(resumed, tmp_path / "checkpoint.safetensors")
    for one, other in zip(averages, read, strict=True):
        assert_same_arrays(one.arrays(), other.arrays())
    assert not np.array_equal(read[0].arrays()["0.W"], read[1].arrays()["0.W"])
