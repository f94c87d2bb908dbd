"""Pictures of things, drawn as smooth tones of every size, and pictures of writing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from digitlab.data.photos import find_digits
from digitlab.data.photos.scene import is_scene
from digitlab.data.synthetic.snapshots import draw_snapshot

from .drawn import paper, put, seven


def things(seed: int, contrast: float = 70.0) -> np.ndarray:
    """Grey tones whose variation has no size of its own, as photos have; uint8 (240, 320)."""
    rng = np.random.default_rng(seed)
    layers = [gaussian_filter(rng.normal(size=(240, 320)), size) * size for size in (4, 8, 16)]
    return np.clip(128 + contrast * np.sum(layers, axis=0), 0, 255).astype(np.uint8)


def scene(picture: np.ndarray) -> bool:
    page = find_digits(picture)
    return is_scene(page.ink, page.zoom)


@pytest.mark.parametrize("seed", range(5))
def test_tones_of_every_size_are_a_scene(seed):
    assert scene(things(seed))


@pytest.mark.parametrize("kind", ["photo-one", "photo-several", "notes", "shrunk", "paint", "desk", "print"])
def test_writing_is_none(kind):
    rng = np.random.default_rng(1)
    assert not any(scene(draw_snapshot(kind, rng).image) for _ in range(4))


def test_a_digit_that_fills_a_blurred_picture_is_none():
    page = paper(120, 80)
    put(page, seven(110), 5, 5)
    assert find_digits(page).ink.binary.mean() > 0.15
    assert not scene(gaussian_filter(page, (2, 2, 0)))
