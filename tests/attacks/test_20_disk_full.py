"""A disk that is full or read-only, or no file handle left: one line with the file, and the old file stays whole.

Every writer goes through `files.atomic_write`; faults at each of its steps.
"""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from digitlab.data import load
from digitlab.data.augment import shifts, write_expanded
from digitlab.data.formats.idx import write_idx
from digitlab.exporting import export_network
from digitlab.files import atomic_write, write_text
from digitlab.nn import mlp
from digitlab.train.recorders import Recorded
from digitlab.viz.figures import new_figure, save_figure

NET = mlp([3, 2], seed=1)
SMALL = load("digits", train_size=20)
RECORDED = Recorded(np.arange(1), np.zeros((1, 4), "u1"), np.zeros(4, "u1"), "valid")

WRITERS = {
    "it.txt": lambda path: write_text(path, "text"),
    "it.safetensors": NET.save,
    "it.npz": RECORDED.save,
    "it.png": lambda path: save_figure(new_figure(), path),
    "it.gz": lambda path: write_idx(path, np.zeros((4, 2, 2), "u1")),
    "export.json": lambda path: export_network(NET, path, "json"),
    "expanded.npz": lambda path: write_expanded(path, SMALL, shifts()),
}
STEPS = ("touch", "open", "fsync", "replace")


@pytest.fixture(params=STEPS)
def fault(request, monkeypatch):
    """`fault(errno)` lets the step of every write fail from then on."""

    def begin(code):
        def fail(*arguments, **options):
            raise OSError(code, os.strerror(code))

        real = Path.open

        def opened(self, mode="r", *arguments, **options):
            return fail() if "w" in mode else real(self, mode, *arguments, **options)

        if request.param == "open":
            monkeypatch.setattr(Path, "open", opened)
            monkeypatch.setattr("builtins.open", lambda file, mode="r", *a, **o: fail())
            monkeypatch.setattr("PIL.Image.Image.save", fail)
            monkeypatch.setattr("io.open", lambda file, mode="r", *a, **o: fail())
        elif request.param == "fsync":
            monkeypatch.setattr(os, "fsync", fail)
        else:
            monkeypatch.setattr(Path, request.param, fail)

    return begin


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_names_its_file(name, fault, tmp_path, attempts, monkeypatch):
    path = tmp_path / name
    WRITERS[name](path)
    before = path.read_bytes()
    with monkeypatch.context():
        fault(errno.ENOSPC)
        with pytest.raises(
            OSError, match="cannot be written: No space left on device; the file of before is whole"
        ) as e:
            WRITERS[name](path)
    monkeypatch.undo()
    assert Path(e.value.filename) == path
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == [name]
    attempts.count()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.EACCES, errno.EIO])
def test_every_reason_is_given(code, tmp_path, attempts):
    with pytest.raises(OSError, match=os.strerror(code)) as caught, atomic_write(tmp_path / "it.txt"):
        raise OSError(code, os.strerror(code))
    assert Path(caught.value.filename) == tmp_path / "it.txt" and not list(tmp_path.iterdir())
    attempts.count()


def test_the_command_line_says_it_in_one_line(tmp_path, monkeypatch, capsys, attempts):
    from digitlab.cli import run

    monkeypatch.chdir(tmp_path)
    NET.save("net.safetensors")

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    assert run(["export", "net.safetensors", "--to", "json", "--out", "it.json"]) == 1
    assert capsys.readouterr().err == "error: it.json: cannot be written: No space left on device\n"
    attempts.count()
