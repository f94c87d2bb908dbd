"""A picture that claims more pixels, frames or text than is read is refused before it is decoded.

The time that a stranger's photo may take: tests/data/photos.
"""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from digitlab.data.photos import open_photo, opening, read_digit
from digitlab.errors import DataError

pytestmark = pytest.mark.slow


def png(width, height, *chunks, data=b""):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = b"".join(chunk(*some) for some in chunks) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def saved(form, **options):
    file = io.BytesIO()
    Image.fromarray(np.zeros((9, 9), "u1")).save(file, form, **options)
    return file.getvalue()


BOMBS = {
    "2 thousand million pixels.png": lambda: png(50_000, 50_000),
    "a thousand million wide.png": lambda: png(2**30, 1),
    "text.png": lambda: png(9, 9, (b"zTXt", b"a\0\0" + zlib.compress(bytes(200 * 2**20), 1))),
    "profile.png": lambda: png(9, 9, (b"iCCP", b"a\0\0" + zlib.compress(bytes(200 * 2**20), 1))),
    "frames.gif": lambda: saved("GIF", save_all=True, append_images=[Image.new("L", (9, 9), i) for i in range(200)]),
    "pages.tiff": lambda: saved("TIFF", save_all=True, append_images=[Image.new("L", (9, 9), i) for i in range(200)]),
    "wide.ppm": lambda: b"P6 99999999 99999999 255\n",
    "wide.bmp": lambda: (
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 10**6, 10**6, 1, 24, 0, 0, 0, 0, 0, 0)
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name, tmp_path, quick, attempts):
    if not attempts.long and name in ("text.png", "profile.png"):
        pytest.skip("packs 200 MiB: with --long")
    (tmp_path / name).write_bytes(BOMBS[name]())
    for read in (open_photo, read_digit):
        with quick(mebibytes=100), pytest.raises(DataError):
            read(tmp_path / name)
        attempts.count()


@pytest.mark.parametrize("form, mode, limit", [("WEBP", "RGB", "MAX_WEBP"), ("JPEG", "CMYK", "MAX_PIXELS")])
def test_decoders_that_need_much_memory_have_a_lower_limit(form, mode, limit, tmp_path, monkeypatch, attempts):
    """WebP's holds five pictures; a progressive JPEG of four channels eight bytes a pixel."""
    path = tmp_path / f"it.{form.lower()}"
    Image.new(mode, (20, 20)).save(path)
    open_photo(path)
    monkeypatch.setattr(opening, limit, 450 if form == "JPEG" else 399)
    with pytest.raises(DataError, match=r"20×20 pixels, expected at most 3\d\d in all"):
        open_photo(path)
    attempts.count()
