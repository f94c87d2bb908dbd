"""Data sets that would unpack to any size are refused before they do."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from digitlab.data import load
from digitlab.errors import DataError


def test_a_mat_file_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_below) -> None:
    images = np.zeros((100, 784), np.uint8)
    labels = np.arange(100) % 10
    for name, content in (("a", {"images": images, "labels": labels}), ("b", {"dataset": {"train": images}})):
        scipy.io.savemat(tmp_path / name, content, do_compression=True, appendmat=False)
        monkeypatch.setattr("digitlab.data.formats.shared.mat_file.MAX_BYTES", 10_000)
        with memory_below(8), pytest.raises(DataError, match="unpacks to more than 10,000 bytes"):
            load(tmp_path / name)
    monkeypatch.setattr("digitlab.data.formats.shared.mat_file.MAX_BYTES", 1 << 20)
    assert len(load(tmp_path / "a", part="all")) == 100


def test_a_mat_file_cut_off(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"images": np.zeros((20, 784)), "labels": np.arange(20) % 10})
    whole = (tmp_path / "a.mat").read_bytes()
    for length in (130, 1000, len(whole) - 10):
        (tmp_path / "a.mat").write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"a\.mat"):
            load(tmp_path / "a.mat")


def test_a_pickle_that_names_one_array_many_times(tmp_path: Path, memory_below) -> None:
    image = np.zeros((1000, 1000), np.uint8)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"images": [image] * 5000, "labels": [0] * 5000}))
    with memory_below(16), pytest.raises(DataError, match="holds 5,000 arrays, more than"):
        load(tmp_path / "a.pkl")


def test_cells_and_structs_are_not_loaded(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"images": np.array([{"a": 1}, "b"], dtype=object), "labels": np.arange(2)})
    with pytest.raises(DataError, match=r"a\.mat: holds images \(cell\), expected arrays of numbers"):
        load(tmp_path / "a.mat")
