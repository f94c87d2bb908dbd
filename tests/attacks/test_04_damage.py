"""A file that was cut off or in which a single bit changed is noticed.

Networks, checkpoints and predictions carry a checksum; MNIST's files have published ones (test_06_idx.py).
"""

import numpy as np
import pytest

from digitlab.errors import ModelFileError
from digitlab.nn import load_network, mlp
from digitlab.train.checkpoint import load_checkpoint, save_checkpoint
from digitlab.train.trainer import Trainer


def trainer():
    return Trainer(mlp([3, 2], seed=1), engine="reference")


def saved_network(path):
    mlp([3, 2], seed=1).save(path)


def saved_checkpoint(path):
    trained = trainer()
    rng = np.random.default_rng(0)
    trained.fit((rng.random((8, 3), dtype="float32"), rng.integers(0, 2, 8)), epochs=1)
    save_checkpoint(trained, path)


KINDS = {
    "network": (saved_network, load_network),
    "checkpoint": (saved_checkpoint, lambda path: load_checkpoint(trainer(), path)),
}


@pytest.fixture(params=KINDS)
def saved(request, tmp_path):
    """A sound file, its bytes, and what reads it."""
    save, read = KINDS[request.param]
    path = tmp_path / "it.safetensors"
    save(path)
    read(path)
    return path, path.read_bytes(), read


def test_every_flipped_bit_is_noticed(saved, attempts):
    path, sound, read = saved
    bits = 8 * len(sound)
    for bit in np.random.default_rng(4).choice(bits, min(attempts.number(60, 5000), bits), replace=False).tolist():
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError, match=r"it\.safetensors"):
            read(path)
        attempts.count()


def test_every_cut_is_noticed(saved, attempts):
    path, sound, read = saved
    for length in np.linspace(1, len(sound) - 1, attempts.number(20, 500)).astype(int).tolist():
        path.write_bytes(sound[:length])
        with pytest.raises(ModelFileError, match=r"it\.safetensors"):
            read(path)
        attempts.count()


def test_a_file_of_before_is_read_with_one_note(tmp_path, monkeypatch, caplog, attempts):
    import json

    from safetensors.numpy import save_file

    from digitlab.nn.io import files

    monkeypatch.setattr(files, "_noted", False)
    net = mlp([3, 2], seed=1)
    net.save(tmp_path / "new.safetensors")
    arrays, metadata, _ = files.read_saved(tmp_path / "new.safetensors")
    for name in ("a", "b"):
        save_file(arrays, tmp_path / f"{name}.safetensors", metadata={"digitlab": json.dumps(metadata)})
        np.testing.assert_array_equal(
            load_network(tmp_path / f"{name}.safetensors").layers[0].params["W"].value, arrays["0.W"]
        )
    assert len(caplog.messages) == 1
    assert "a.safetensors: has no checksum" in caplog.text
