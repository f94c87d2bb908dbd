"""Small sets and folders to read, and no network for any test that does not ask for its own server."""

from pathlib import Path

import numpy as np
import pytest

from digitlab.data import Digits, write_idx


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITLAB_OFFLINE", "1")


@pytest.fixture
def digits() -> Digits:
    """Sixty random 28×28 images, six of each class in turn."""
    images = np.random.default_rng(1).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    return Digits(images, np.arange(60) % 10, name="noise")


@pytest.fixture
def idx_folder(tmp_path: Path, digits: Digits) -> Path:
    """Four IDX files under the published names: 60 training images, 20 to test."""
    folder = tmp_path / "small"
    for stem, part in (("train", digits), ("t10k", digits.first(20))):
        write_idx(folder / f"{stem}-images-idx3-ubyte.gz", part.images)
        write_idx(folder / f"{stem}-labels-idx1-ubyte.gz", part.labels)
    return folder
