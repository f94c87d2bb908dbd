"""NumPy's files are read as numbers only: no objects, no code in a header, no more than the file holds."""

import io
import struct
import zipfile

import numpy as np
import pytest

from digitlab.data import load
from digitlab.errors import DigitlabError
from digitlab.nn import load_network
from digitlab.train.recorders import Recorded

CODE = "__import__('os').mkdir('executed')"
HEADERS = {
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "code": CODE,
    "code in the shape": f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({CODE},), }}",
    "fields": "{'descr': [('a', '<f8'), ('b', '|O')], 'fortran_order': False, 'shape': (3,), }",
    "more than there is": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "less than nothing": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -8), }",
    "text": "{'descr': '<U99999999', 'fortran_order': False, 'shape': (9,), }",
    "nothing wide": "{'descr': '<U0', 'fortran_order': False, 'shape': (999999999,), }",
    "many axes": f"{{'descr': '|u1', 'fortran_order': False, 'shape': {(1,) * 70}, }}",
    "nested": "(" * 5000,
    "no table": "[1, 2]",
    "a wrong order": "{'descr': '|u1', 'fortran_order': 'x', 'shape': (3,), }",
}


def member(header):
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"\0" * 64


@pytest.mark.parametrize("name", HEADERS)
def test_a_hostile_header(name, tmp_path, monkeypatch, quick, attempts):
    monkeypatch.chdir(tmp_path)
    content = member(HEADERS[name])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for key in ("images", "labels", "class_names", "epochs"):
            archive.writestr(f"{key}.npy", content)
    for path, data in (("x-images.npy", content), ("saved_wih.npy", content), ("it.npz", file.getvalue())):
        (tmp_path / path).write_bytes(data)
    (tmp_path / "saved_who.npy").write_bytes(content)
    np.save(tmp_path / "x-labels.npy", np.zeros(3, "u1"))
    for read, path in (
        (load, "x-images.npy"),
        (load, "it.npz"),
        (load_network, "saved_wih.npy"),
        (Recorded.load, "it.npz"),
    ):
        with quick(), pytest.raises(DigitlabError):
            read(path)
        attempts.count()
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("read, name", [(load, "it.npz"), (Recorded.load, "predictions.npz")])
def test_a_long_name_is_quoted_in_brief(read, name, tmp_path, attempts):
    """zipfile quotes the name of a member, which may have 65,535 letters."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a" * 60_000 + ".npy", member(HEADERS["objects"]))
    content = bytearray(file.getvalue())
    content[content.index(b"a" * 99)] ^= 1  # no more what the directory says
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DigitlabError, match=name) as refused:
        read(tmp_path / name)
    assert len(str(refused.value)) < 600
    attempts.count()
