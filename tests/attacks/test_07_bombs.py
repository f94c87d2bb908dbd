"""A small file that unpacks to a huge one is refused: gzip, zip, .mat, text without lines, names.

A file may unpack to 64 MiB, or to 150 times its size if that is more.
"""

import gzip
import io
import struct
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from digitlab.data import load
from digitlab.errors import DigitlabError
from digitlab.nn import load_network, mlp
from digitlab.nn.io.foreign_weights import take_weights
from digitlab.train.recorders import Recorded

MIB = 2**20
PIECE = bytes(MIB)


def npz(**members):
    """An archive whose members are made of a type, a shape, and zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (dtype, shape) in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                header = {"descr": dtype, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(member, header)
                left = np.dtype(dtype).itemsize * int(np.prod(shape))
                while left > 0:
                    left -= member.write(PIECE[:left])
    return file.getvalue()


def zeros(header, size):
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as packed:
        packed.write(header)
        for start in range(0, size, MIB):
            packed.write(PIECE[: size - start])
    return file.getvalue()


def mat(size):
    from scipy.io import savemat

    file = io.BytesIO()
    savemat(file, {"images": np.zeros((size // 784, 784), "u1"), "labels": np.zeros(4)}, do_compression=True)
    return file.getvalue()


SMALL = {"images": ("|u1", (12, 8, 8)), "labels": ("|u1", (12,))}
BOMBS = {  # of a size above the limit
    "images.npz": lambda size: npz(images=("|u1", (size // 784, 28, 28)), labels=("|u1", (size // 784,))),
    "names.npz": lambda _: npz(**SMALL, class_names=("<U1", (MIB // 2,))),
    "names without letters.npz": lambda _: npz(**SMALL, class_names=("<U0", (268_000_000,))),
    "images without pixels.npz": lambda _: npz(images=("|u1", (10**9, 0, 0)), labels=("|u1", (12,))),
    "idx.gz": lambda size: zeros(bytes([0, 0, 8, 3]) + struct.pack(">3I", size // 784, 28, 28), size // 784 * 784),
    "text.csv.gz": lambda _: zeros(b"label,pixel0\n5,", 3 * MIB),
    "pickle.gz": lambda size: zeros(b"\x80\x04\x8e" + size.to_bytes(8, "little"), size),
    "network.json.gz": lambda size: zeros(b'{"weights":', size),
    "lists.json.gz": lambda size: gzip.compress(b'{"weights":[' + b"[]," * (size // 60), 1),
    "images.mat": mat,
}


@pytest.fixture
def size(attempts, monkeypatch):
    """More bytes than a small file may unpack to; without --long, the limit is lower."""
    if attempts.long:
        return 80 * MIB
    monkeypatch.setattr("digitlab.files.MAX_SMALL", MIB)
    monkeypatch.setattr("digitlab.data.formats.pickles.MAX_SMALL", MIB)
    return 3 * MIB


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name, size, tmp_path, quick, attempts):
    path = tmp_path / name
    path.write_bytes(BOMBS[name](size))
    for read in (load, load_network):
        with quick(), pytest.raises(DigitlabError):
            read(path)
        attempts.count()


def test_weights_of_another_program(size, tmp_path, quick, attempts):
    (tmp_path / "it.npz").write_bytes(npz(W=("<f4", (size // 16, 4))))
    with quick(mebibytes=8), pytest.raises(DigitlabError, match=r"it\.npz: .* its arrays have more than"):
        take_weights(mlp([4, 2]), tmp_path / "it.npz")
    attempts.count()


def test_recorded_predictions(size, tmp_path, quick, attempts):
    path, epochs = tmp_path / "predictions.npz", size // 784
    part = {"epochs": ("<i8", (epochs,)), "predictions": ("|u1", (epochs, 784)), "labels": ("|u1", (784,))}
    path.write_bytes(npz(**part, part=("<U5", ())))
    with quick(), pytest.raises(DigitlabError, match=r"predictions\.npz"):
        Recorded.load(path)
    attempts.count()


@pytest.mark.filterwarnings("ignore::digitlab.notices.DataWarning")
def test_blank_lines(tmp_path, quick, attempts):
    row, lines = b",".join([b"0"] * 65), attempts.number(MIB // 20, MIB)
    for content in (
        row + b"\n" * lines + row,
        b"\n" * lines + row,
        (row + b"\n" * 100) * 5000,
        b"a,b\n" + b"\n" * lines,
    ):
        (tmp_path / "it.csv").write_bytes(content)
        with quick(5.0), suppress(DigitlabError):
            load(tmp_path / "it.csv")
        attempts.count()
        if not attempts.long:
            break
