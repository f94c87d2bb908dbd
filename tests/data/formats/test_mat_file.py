"""MATLAB files: what SciPy writes is read as it was, and sizes that are false are refused before memory is taken."""

import io
import struct

import numpy as np
import pytest
import scipy.io
from numpy.testing import assert_array_equal

from digitlab.data.formats.shared.mat_file import read_variables
from digitlab.errors import DataError

TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


@pytest.mark.parametrize("packed", [False, True])
def test_what_scipy_writes(packed, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {f"a{i}": rng.integers(0, 100, (2, 3, 4)).astype(dtype) for i, dtype in enumerate(TYPES)}
    arrays |= {"one": np.array([[7]], "u1"), "empty": np.zeros((0, 3)), "row": np.arange(5.0)[None]}
    inner = {"images": arrays["a0"], "deeper": {"labels": arrays["row"]}, "names": "text"}
    scipy.io.savemat(
        tmp_path / "a.mat", {**arrays, "outer": inner, "text": "abc", "c": np.array([1j])}, do_compression=packed
    )
    found = read_variables(tmp_path / "a.mat")
    for name, array in arrays.items():
        assert found[name].value.dtype == array.dtype
        assert_array_equal(found[name].value, array)
    outer = found["outer"].value
    assert_array_equal(outer["images"].value, arrays["a0"])
    assert_array_equal(outer["deeper"].value["labels"].value, arrays["row"])
    assert (outer["names"].kind, outer["names"].value) == ("char", None)
    assert (found["text"].kind, found["text"].value) == ("char", None)
    assert found["c"].value is None  # complex numbers are no pixels


def element(kind, content, size=None, order="<"):
    size = len(content) if size is None else size
    return struct.pack(f"{order}II", kind, size) + content + b"\0" * (-len(content) % 8)


def matrix(numbers=b"\1\2\3\4\5\6", shape=(2, 3), code=9, name=b"images", order="<", kind=2):
    parts = [
        element(6, struct.pack(f"{order}II", code, 0), order=order),
        element(5, struct.pack(f"{order}{len(shape)}i", *shape), order=order),
        element(1, name, order=order),
        element(kind, numbers, order=order),
    ]
    return element(14, b"".join(parts), order=order)


def written(path, content, mark=b"IM"):
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + (b"\1\0" if mark == b"MI" else b"\0\1") + mark + content)
    return path


@pytest.mark.parametrize("order, mark", [("<", b"IM"), (">", b"MI")])
def test_either_byte_order(order, mark, tmp_path):
    path = written(tmp_path / "a.mat", matrix(struct.pack(f"{order}6h", *range(6)), code=10, kind=3, order=order), mark)
    assert_array_equal(read_variables(path)["images"].value, [[0, 2, 4], [1, 3, 5]])
    assert_array_equal(scipy.io.loadmat(path)["images"], [[0, 2, 4], [1, 3, 5]])


FALSE = {
    "more numbers than there are": matrix(shape=(2, 2**30)),
    "fewer numbers than there are": matrix(shape=(2, 1)),
    "a negative axis": matrix(shape=(-2, -3)),
    "many axes": matrix(shape=(1,) * 17),
    "no axes": matrix(shape=()),
    "numbers of no type": matrix(kind=8),
    "half a number": matrix(kind=9),
    "a long name": matrix(name=b"a" * 70_000),
    "an element longer than the file": element(14, b"", 2**32 - 1),
    "a small element of 9 bytes": struct.pack("<HHI", 14, 9, 0),
    "numbers on their own": element(2, b"\1\2"),
    "a struct without fields": matrix(code=2, shape=(1, 1), numbers=b""),
    "cut off": matrix()[:-3],
    "a packed element of nothing": element(15, b""),
    "many variables": b"".join(matrix(name=f"{i}".encode()) for i in range(1001)),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_size(name, tmp_path, memory_below):
    path = written(tmp_path / "a.mat", FALSE[name])
    with memory_below(4), pytest.raises((ValueError, struct.error)):
        read_variables(path)


def test_structs_inside_each_other(tmp_path):
    value = np.zeros((1, 1), "u1")
    for _ in range(30):
        value = {"a": value}
    file = io.BytesIO()
    scipy.io.savemat(file, {"a": value})
    (tmp_path / "a.mat").write_bytes(file.getvalue())
    found, depth = read_variables(tmp_path / "a.mat")["a"], 0
    while isinstance(found.value, dict):
        found, depth = found.value["a"], depth + 1
    assert depth == 8


def test_a_packed_element_that_promises_too_much(tmp_path):
    import zlib

    content = zlib.compress(struct.pack("<II", 14, 2**31) + bytes(2**20))
    path = written(tmp_path / "a.mat", struct.pack("<II", 15, len(content)) + content)
    with pytest.raises(DataError, match="unpacks to more than"):
        read_variables(path)
