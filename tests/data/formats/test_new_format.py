"""A further format of data is one further file in data/formats."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import digitlab
from digitlab.kinds import KINDS

MODULE = '''"""Tiles: "TILES", then 785 bytes an image, its label first."""

import numpy as np

from digitlab.data.formats.shared.contents import WHOLE
from digitlab.data.formats.shared.format import Format
from digitlab.data.formats.shared.raw import Raw
from digitlab.data.formats.shared.safe_gzip import SafeReader


def read_tiles(path, reading):
    with SafeReader(path) as file:
        rows = np.frombuffer(file.read()[5:], np.uint8).reshape(-1, 785)
    images = rows[:, 1:].reshape(-1, 28, 28)
    return {WHOLE: Raw(images, rows[:, 0], str(path), lambda i: f"{path}: image {i}")}


FORMAT = Format(("tiles",), read_tiles, gzip=True, what="a file of tiles", recognizes=lambda head: head[:5] == b"TILES")
'''


@pytest.fixture
def with_tiles(tmp_path: Path) -> dict[str, str]:
    """The environment of a copy of the package that has the module, and two files of the format beside it."""
    shutil.copytree(Path(digitlab.__file__).parent, tmp_path / "copy" / "digitlab")
    (tmp_path / "copy" / "digitlab" / "data" / "formats" / "tiles.py").write_text(MODULE)
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.arange(40)[:, None] % 10, rng.integers(0, 256, (40, 784))], axis=1).astype(np.uint8)
    (tmp_path / "some.bin").write_bytes(b"TILES" + rows.tobytes())
    (tmp_path / "packed").write_bytes(gzip.compress(b"TILES" + rows.tobytes()))
    return os.environ | {"PYTHONPATH": str(tmp_path / "copy")}


def run(folder: Path, environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_format_is_one_file(tmp_path: Path, with_tiles: dict[str, str]) -> None:
    code = (
        "import digitlab; print(digitlab.load('some.bin', part='all'), digitlab.load('packed', part='all').labels[3]);"
        "print(digitlab.load('folder').train)"
    )
    (tmp_path / "folder").mkdir()
    shutil.copy(tmp_path / "some.bin", tmp_path / "folder" / "a.bin")
    lines = run(tmp_path, with_tiles, "-c", code).splitlines()
    assert lines[0] == "Digits: 40 images 28×28, 10 classes (0–9), some.bin 3"
    assert lines[1].startswith("Digits: 30 images")
    assert "some.bin" in run(tmp_path, with_tiles, "-m", "digitlab", "test", "shipped", "--data", "some.bin")


def test_every_format_names_kinds_that_are_known() -> None:
    from digitlab.data.formats.shared.format import formats

    assert set(formats()) <= set(KINDS)
    assert {"csv", "parquet", "idx", "npz", "npy", "mat", "pickle", "png"} <= set(formats())
