"""An IDX file whose header promises other than its content is refused, before memory is taken.

tests/data/formats/test_idx.py has each message.
"""

import gzip
import struct

import pytest

from digitlab.data import load
from digitlab.errors import DataError

HEADERS = {
    "images of nothing": (10**9, 0, 0),
    "wide images of nothing": (10, 0, 2**31),
    "more than there is": (10, 28, 28),
    "more than memory": (2**31, 2**31, 2**31),
    "less than there is": (1, 2, 2),
    "five dimensions": (1, 2, 2, 3, 1),
    "255 dimensions": (1,) * 255,
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", HEADERS)
def test_a_false_header(name, packed, tmp_path, quick, attempts):
    sizes = HEADERS[name]
    content = bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + b"\1" * 64
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(gzip.compress(content) if packed else content)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 4]))
    with quick(mebibytes=4), pytest.raises(DataError):
        load(path)
    attempts.count()
