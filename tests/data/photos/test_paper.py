"""The paper's light: edges of shadows at any angle and flashes are no ink, and strokes beside them stay whole."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, maximum_filter

from digitlab.data.photos.ink import find_ink
from digitlab.data.photos.paper import _neutral

from .drawn import paper, put, seven

PLACES = [(60, 30), (180, 30), (60, 130), (180, 130), (60, 220), (180, 220)]
Y, X = np.mgrid[-150:150, -150:150]


def found(light, *, ink=None, page=None, colour=(20, 20, 30)):
    """What `find_ink` finds of six sevens under `light` (300, 300): the intersection over union of both masks."""
    page, ink = paper(300, 300) if page is None else page, seven(50) if ink is None else ink
    drawn = np.zeros((300, 300), bool)
    for left, top in PLACES:
        put(page, ink, left, top, colour)
        drawn[top : top + ink.shape[0], left : left + ink.shape[1]] |= ink > 127
    noise = np.random.default_rng(1).normal(0, 2, page.shape)
    binary = find_ink(np.clip(page * light[..., None] + noise, 0, 255).astype(np.uint8)).binary
    return (drawn & binary).sum() / (drawn | binary).sum()


def shadow(angle, soft, dark=0.55):
    """Light (300, 300) with a shadow on one side of a line at `angle` degrees, whose edge is blurred."""
    side = X * np.cos(np.deg2rad(angle)) + Y * np.sin(np.deg2rad(angle)) > 10
    return gaussian_filter(np.where(side, dark, 1.0), soft, mode="nearest")


@pytest.mark.parametrize("angle", [25, 70, 135])
@pytest.mark.parametrize("soft", [0, 3, 8])
def test_a_shadow_with_an_edge_at_any_angle_is_no_ink(angle, soft):
    assert found(shadow(angle, soft)) > 0.9


@pytest.mark.parametrize("angle", [0, 70, 135])
def test_thick_strokes_across_the_edge_of_a_shadow_are_whole(angle):
    assert found(shadow(angle, 3), ink=maximum_filter(np.pad(seven(50), 6), 13)) > 0.9


@pytest.mark.parametrize("radius", [30, 40])
def test_a_grey_dot_wider_than_every_window_is_ink_beside_a_shadow(radius):
    light, page = shadow(0, 3), paper(300, 300)
    dot = np.hypot(X + 75, Y) < radius
    page[dot] = (120, 118, 115)
    binary = find_ink((page * light[..., None]).astype(np.uint8)).binary
    assert (dot & binary).sum() / (dot | binary).sum() > 0.9


@pytest.mark.parametrize("reach", [60, 90])
def test_a_flash_on_the_paper_is_no_light_ink(reach):
    far = X**2 + Y**2
    assert found(0.5 + 0.45 * np.exp(-far / reach**2) - 0.1 * far / 150**2) > 0.9


def test_light_strokes_on_a_dark_board_in_a_shadow_are_ink():
    board = np.full((300, 300, 3), (45, 75, 60), np.uint8)
    assert found(shadow(25, 3), page=board, colour=(240, 240, 235)) > 0.9


def test_a_small_picture_in_two_lights_with_a_soft_edge_is_no_crop_of_two_colours():
    light = 0.5 + 0.4 / (1 + np.exp(-np.arange(-45, 45) / 8))
    photo = np.round(240 * np.broadcast_to(light, (90, 90))).astype(np.uint8)
    assert find_ink(np.repeat(photo[..., None], 3, axis=2)).binary.mean() < 0.05


@pytest.mark.parametrize(
    "colour, of_light",
    [((0.5, 0.5, 0.5), True), ((0.2, 0.2, 0.2), False), ((0.6, 0.45, 0.35), False)],
    ids=["shadow", "dark table", "wooden table"],
)
def test_a_part_as_dark_or_as_coloured_as_a_table_is_no_shadow(colour, of_light):
    part = np.zeros((60, 60), bool)
    part[20:40, 20:40] = True
    closed = np.full((60, 60, 3), 0.9)
    closed[part] = 0.9 * np.array(colour)
    assert (_neutral(part, closed) == (part if of_light else False)).all()
