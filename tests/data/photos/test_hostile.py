"""Pictures made to take long: at most 10 seconds and 800 MB, or refused."""

import io
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from digitlab.data.photos import find_digits, open_photo
from digitlab.data.photos.mark import holes, mark_of
from digitlab.data.photos.marks import BOXES, MAX_MARKS, find_parts
from digitlab.errors import DataError
from digitlab.reading import read_photo
from digitlab.shipped import shipped_network


def drawn(kind: str, side: int) -> np.ndarray:
    """A pattern of ink as uint8 (side, side)."""
    y, x = np.mgrid[0:side, 0:side]
    r, turn = np.hypot(x - side / 2, y - side / 2), np.arctan2(y - side / 2, x - side / 2) / (2 * np.pi)
    ink = {
        "rings": (r // 6) % 2 < 1,
        "spiral": (r / 8 + turn) % 1 < 0.5,
        "blots": np.hypot(x % 40 - 20, y % 40 - 20) < 14,
        "corners": np.minimum(x, y) % 6 < 2,
        "stripes": (x + y) % 8 < 4,
    }[kind]
    return np.where(ink, 0, 255).astype(np.uint8)


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded(tmp_path):
    content = io.BytesIO()
    Image.fromarray(drawn("blots", 64)).save(content, "JPEG", progressive=True)
    start = content.getvalue().index(b"\xff\xda")
    scan = content.getvalue()[start : content.getvalue().index(b"\xff\xda", start + 2)]
    (tmp_path / "many.jpg").write_bytes(content.getvalue()[:start] + scan * 500 + content.getvalue()[start:])
    (tmp_path / "usual.jpg").write_bytes(content.getvalue())
    assert open_photo(tmp_path / "usual.jpg").shape == (64, 64, 3)
    with pytest.raises(DataError, match=r"5\d\d scans, expected at most 100"):
        open_photo(tmp_path / "many.jpg")


@pytest.mark.parametrize("kind", ["rings", "spiral", "blots", "corners"])
def test_marks_and_their_pixels_are_bounded(kind):
    binary = drawn(kind, 400) == 0
    parts = find_parts(binary)
    assert len(parts) <= MAX_MARKS
    assert sum(part.mask.size for part in parts) <= BOXES * binary.size


def test_holes_by_hand():
    mask = np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 1, 1]], bool)
    assert np.argwhere(holes(mask)).tolist() == [[1, 1]]


def test_a_large_mark_has_the_pen_of_its_strokes():
    mask = np.zeros((1500, 1500), bool)
    mask[:, 700:760] = True
    assert mark_of(mask, 0, 0).pen == pytest.approx(60, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rings", "blots"])
def test_a_hostile_picture_takes_seconds_and_not_minutes(kind):
    photo = np.repeat(drawn(kind, 1200)[..., None], 3, axis=2)
    began = time.thread_time()
    read_photo(shipped_network(), photo)
    assert time.thread_time() - began < 10


@pytest.mark.slow
def test_the_memory_of_a_large_photo():
    photo = np.random.default_rng(0).normal(225, 3, (1500, 2000, 3)).clip(0, 255).astype(np.uint8)
    photo[300:400, 300:1700:100] = 40
    find_digits(photo[:200, :200])  # imports
    tracemalloc.start()
    find_digits(photo)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250 << 20
