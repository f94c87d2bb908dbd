"""sniff: the kind of a file comes from its content, under whatever name it lies."""

import gzip
import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image
from safetensors.numpy import save

from digitlab.data.formats.idx import idx_header
from digitlab.errors import DataError
from digitlab.files import require_file
from digitlab.kinds import KINDS, sniff, sniff_bytes


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return file.getvalue()


def written(how, *arguments) -> bytes:  # type: ignore[no-untyped-def]
    file = io.BytesIO()
    how(file, *arguments)
    return file.getvalue()


def picture(kind: str) -> bytes:
    return written(lambda file: Image.new("L", (28, 28)).save(file, kind))


ARRAY = np.arange(6, dtype=np.uint8)
HEADING = ",".join(f"pixel{i}" for i in range(784))
FILES = {
    "idx": [idx_header((3,)), idx_header((1, 28, 28)) + bytes(784), b"\0\0\x0c\x02" + bytes(8)],
    "npy": [written(np.save, ARRAY)],
    "npz": [written(np.savez, ARRAY), written(np.savez_compressed, ARRAY)],
    "pickle": [
        *(pickle.dumps([ARRAY, 1], protocol) for protocol in range(6)),
        *(pickle.dumps({"train_img": ARRAY}, protocol) for protocol in range(6)),
        *(pickle.dumps((ARRAY, ARRAY), protocol) for protocol in range(6)),
        b"(inetwork\nNetwork\np0\n(dp1\n",
        b"ccopy_reg\n_reconstructor\n",
    ],
    "torch": [zipped("archive/data.pkl", "archive/version"), bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")],
    "keras": [zipped("metadata.json", "config.json", "model.weights.h5")],
    "excel": [zipped("[Content_Types].xml", "xl/workbook.xml")],
    "zip": [zipped("a.png", "b.png"), zipped()],
    "safetensors": [save({"a": ARRAY})],
    "mat": [written(scipy.io.savemat, {"data": ARRAY})],
    "mat73": [b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n"],
    "hdf5": [b"\x89HDF\r\n\x1a\n" + bytes(20)],
    "parquet": [b"PAR1" + bytes(20) + b"PAR1"],
    "onnx": [b"\x08\x08\x12\x07pytorch\x1a\x052.0.0", b"\x08\x0a:\x80\x01" + bytes(30)],
    "tflite": [b"\x1c\0\0\0TFL3" + bytes(9)],
    "json": [json.dumps({"sizes": [784]}).encode(), b"\xef\xbb\xbf{}", b"[[1, 2], [3, 4]]", b' \n{"a": 1}'],
    "csv": [
        b"5,0,0,12\n4,0,0,1\n",
        b"label;a;b\n5;0;255\n",
        b"5\t0\t0\n",
        b"\xef\xbb\xbf5,0,0",
        b"5 0 0 255\n",
        b"0.5,1e-3,.2",
        f"{HEADING},class\n".encode(),
        '"label","größe"\n"5","0"\n'.encode("latin-1"),
    ],
    "text": [b"hello", b"Dear reader, this is a letter,\nnot a table.\n", b'[data]\nsource = "mnist"\n', b"epochs = 3"],
    "html": [b"<!DOCTYPE html><html>", b"\n <HTML>", b"<b>sorry</b>", b"<?xml version='1.0'?><html/>"],
    "svg": [b'<svg xmlns="x">', b"<?xml version='1.0'?>\n<svg>"],
    "xml": [b"<?xml version='1.0'?><a/>"],
    "git-lfs": [b"version https://git-lfs.github.com/spec/v1\noid sha256:0"],
    "utf-16": ["5,0,0\n".encode("utf-16")],
    "png": [picture("png")],
    "jpeg": [picture("jpeg")],
    "gif": [picture("gif")],
    "bmp": [picture("bmp")],
    "tiff": [picture("tiff")],
    "webp": [picture("webp")],
    "pnm": [picture("ppm"), b"P2\n# by hand\n28 28\n255\n0 0"],
    "heic": [b"\0\0\0\x18ftypheic"],
    "pdf": [b"%PDF-1.7"],
    "arrow": [b"ARROW1\0\0"],
    "tar": [b"3.png".ljust(257, b"\0") + b"ustar\x0000"],
    "bzip2": [b"BZh91AY"],
    "xz": [b"\xfd7zXZ\0\0"],
    "zstd": [b"\x28\xb5\x2f\xfd\0"],
    "7z": [b"7z\xbc\xaf\x27\x1c"],
    "rar": [b"Rar!\x1a\x07\0"],
    "sqlite": [b"SQLite format 3\0"],
    "empty": [b""],
    "gzip": [b"\x1f\x8b\x08\0cut"],
    "unknown": [bytes(784), b"\x01\x02\x03\x04", struct.pack("<4d", 1, 2, 3, 4)],
}


@pytest.mark.parametrize(("name", "content"), [(name, each) for name, some in FILES.items() for each in some])
def test_the_kind_is_told_from_the_content(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / "data.png"  # a name that is mostly wrong
    path.write_bytes(content)
    assert sniff(path) == KINDS[name]
    if name not in ("gzip", "zip", "excel", "keras"):
        path.write_bytes(gzip.compress(content))
        assert sniff(path) == KINDS[name]._replace(compressed=True)
        assert sniff_bytes(content).name == name


def test_every_kind_has_an_example(tmp_path: Path) -> None:
    assert set(FILES) == set(KINDS) - {"folder", "device"}
    assert sniff(tmp_path).name == "folder"
    with pytest.raises(FileNotFoundError):
        sniff(tmp_path / "absent")


def test_a_cut_off_archive_is_told_by_its_first_member(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(written(np.savez, ARRAY)[:100])
    assert sniff(tmp_path / "cut").name == "npz"


def test_only_the_beginning_of_a_bomb_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(1 << 26), 1))
    assert sniff(tmp_path / "bomb") == KINDS["unknown"]._replace(compressed=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert sniff(tmp_path / "pipe").name == "device"
    assert sniff("/dev/zero").name == "device"
    with pytest.raises(DataError, match="found a named pipe"):
        require_file(tmp_path / "pipe")
    with pytest.raises(DataError, match="found a device"):
        require_file("/dev/zero")
