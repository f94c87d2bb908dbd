"""Machine code from the cache is used only if it is whole, and only this user could have written it.

Whatever is found in the cache, what is loaded is what was compiled; a damaged file is compiled again once, with a line.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

from digitlab.engine.fast.compiler import build, load

COMPILED = b"machine code" * 20, {"train": "symbol_1", "predict": "symbol_2"}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The file of a cache that holds COMPILED, and `load_again`, as in a new process."""
    built = []
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(load, "fingerprint", lambda: "0123")
    monkeypatch.setenv("DIGITLAB_KERNELS", "")
    monkeypatch.setattr(load, "Code", lambda code, symbols: (code, symbols))
    monkeypatch.setattr(load, "Kernels", lambda parts: parts["core"])
    monkeypatch.setattr(build, "build", lambda names: built.append(names) or dict.fromkeys(names, COMPILED))

    def load_again():
        """What is loaded, and whether it was compiled."""
        built.clear()
        monkeypatch.setattr(load, "_loaded", {})
        return load.kernels(), bool(built)

    assert load_again() == (COMPILED, True)
    (file,) = (tmp_path / "digitlab").glob("kernels-*.bin")
    assert load_again() == (COMPILED, False)
    return file, load_again


def test_every_flipped_bit_is_noticed(cache, attempts, caplog):
    file, load_again = cache
    sound = file.read_bytes()
    for bit in np.random.default_rng(0).choice(8 * len(sound), attempts.number(40, 1500), replace=False).tolist():
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        caplog.clear()
        assert load_again() == (COMPILED, True)
        assert "is damaged; the kernels are compiled again" in caplog.text
        assert load_again() == (COMPILED, False)
        attempts.count()


@pytest.mark.parametrize("content", [b"", b"null", b"null\n", b"\n\n", b"0\nnull\ncode", b"\xff" * 99])
def test_another_content(cache, content, attempts):
    file, load_again = cache
    file.write_bytes(content)
    assert load_again() == (COMPILED, True)
    assert load_again() == (COMPILED, False)
    attempts.count()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows keeps others out by the folder's permissions")
@pytest.mark.parametrize("what", ["file of another user", "file that others write", "folder of another user"])
def test_what_others_could_write_is_not_used(cache, what, monkeypatch, attempts, caplog):
    file, load_again = cache
    if what == "file that others write":
        file.chmod(0o666)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        os.chown(file if what.startswith("file") else file.parent, 54321, -1) if os.getuid() == 0 else None
        if os.getuid() == 0 and what.startswith("file"):
            os.chown(file.parent, 12345, -1)
    assert load_again() == (COMPILED, True)
    assert "belongs to another user or can be written by others" in caplog.text
    attempts.count()


def test_the_folder_is_closed_to_others(cache, attempts):
    file, load_again = cache
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    file.parent.chmod(0o777)
    assert load_again()[0] == COMPILED
    assert file.parent.stat().st_mode & 0o777 == 0o700
    attempts.count()


@pytest.mark.parametrize("open_to_others", ["folder", "file"])
def test_numbas_own_cache_is_not_read_where_others_write(open_to_others, tmp_path, attempts):
    """Its index is a pickle. One that would make a folder is put in its place, and is not read."""
    if not attempts.long:
        pytest.skip("compiles twice: with --long")
    code = (
        "from digitlab.data.augment.kernels import warp_compiled as w; import numpy as np;"
        "x = np.zeros((1, 4, 4, 1), 'u1'); w(x, np.zeros((1, 2, 3), 'f4'), np.zeros((0, 0, 0, 0), 'f4'), x.copy())"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    indexes = list(tmp_path.rglob("*.nbi"))
    assert indexes
    import pickle

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    for index in indexes:
        version = pickle.loads(index.read_bytes())
        index.write_bytes(pickle.dumps(version) + pickle.dumps(Bomb()))
        (index.parent if open_to_others == "folder" else index).chmod(0o777)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert not (tmp_path / "executed").exists()
    attempts.count()
