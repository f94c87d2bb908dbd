"""A sheet on a desk: its corners are found and straightened; light and shadow are no sheet."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.draw import line_aa, polygon2mask

from digitlab.data.photos import find_digits
from digitlab.data.photos.sheet import _on_edges, find_sheets, straightened
from digitlab.data.synthetic.pages import print_digit


def find_sheet(photo: np.ndarray) -> np.ndarray | None:
    sheets = find_sheets(photo)
    assert len(sheets) <= 1
    return sheets[0] if sheets else None


CORNERS = np.array([(70, 50), (330, 80), (310, 420), (50, 400)], dtype=float)


def photo_of(
    corners: np.ndarray, *, desk: int = 90, paper: int = 225, size: tuple[int, int] = (480, 400)
) -> np.ndarray:
    """A light four-sided sheet with two strokes of ink on a dark, grainy desk, uint8 (H, W, 3)."""
    image = Image.fromarray(np.random.default_rng(1).normal(90, 8, (480, 400)).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.polygon([tuple(corner) for corner in corners.tolist()], fill=225)
    x, y = corners.mean(axis=0).tolist()
    draw.line([(x - 40, y - 40), (x, y + 40)], fill=30, width=7)
    draw.line([(x + 40, y - 40), (x + 40, y + 40)], fill=30, width=7)
    return np.repeat(ndimage.gaussian_filter(np.asarray(image), 0.7)[..., None], 3, axis=2)


@pytest.mark.parametrize("shift", [(0, 0), (0, 120)])  # the second runs out of the picture at the foot
def test_the_corners_of_a_sheet(shift):
    corners = find_sheet(photo_of(CORNERS + shift))
    assert corners is not None
    inside = (CORNERS + shift)[:, 1] < 480
    assert np.abs(corners - CORNERS - shift)[inside].max() < 5


@pytest.mark.parametrize("streak", [[(60, 225), (50, 400), (20, 400)], [(70, 50), (160, 60), (72, 30)]])
def test_the_corners_of_a_sheet_beside_a_light_streak_of_the_desk(streak):
    image = Image.fromarray(photo_of(CORNERS))
    ImageDraw.Draw(image).polygon(streak, fill=(200, 200, 200))
    corners = find_sheet(np.asarray(image))
    assert corners is not None and np.abs(corners - CORNERS).max() < 6


def test_a_side_stays_at_the_edge_of_the_picture_beside_writing():
    light = np.full((120, 100), 0.3, np.float32)
    light[20:, 20:80] = 0.9
    light[106:112, 24:76:8] = light[106:112, 25:76:8] = light[106:112, 26:76:8] = 0.2
    corners = np.array([(22, 20), (80, 20), (80, 119), (20, 119)], dtype=float)
    moved = _on_edges(corners, light, 0.1)
    assert np.abs(moved - [(20, 20), (80, 20), (80, 119), (20, 119)]).max() <= 1


@pytest.mark.parametrize("kind", ["page", "lamp", "soft shadow", "sharp shadow", "blot", "black"])
def test_light_and_shadow_are_no_sheet(kind):
    y, x = np.mgrid[0:480, 0:400]
    lamp = np.hypot(x / 200 - 1, y / 240 - 1)
    light = {
        "page": np.full((480, 400), 0.9),
        "lamp": np.clip(1.2 - lamp, 0.1, 0.9),
        "soft shadow": ndimage.gaussian_filter(np.where((x > 60) & (x < 330) & (y > 60) & (y < 400), 0.9, 0.5), 12),
        "sharp shadow": np.where(y > 200 + 0.2 * x, 0.4, 0.9),
        "blot": np.where(lamp < 0.6, 0.9, 0.2),
        "black": np.zeros((480, 400)),
    }[kind]
    grain = np.random.default_rng(0).normal(0, 0.01, light.shape)
    assert find_sheet(np.repeat((255 * np.clip(light + grain, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)) is None


def coloured(paper: tuple[int, int, int], desk: tuple[int, int, int], shape: tuple[int, int] = (480, 400)):
    """A sheet with its corners at CORNERS and strokes on it, on a desk, in colours, uint8 (H, W, 3)."""
    h, w = shape
    on = ndimage.gaussian_filter(polygon2mask((h, w), CORNERS[:, ::-1]).astype(float), 0.7)
    image = np.array(desk) * (1 - on[..., None]) + np.array(paper) * on[..., None]
    for x in range(120, 280, 30):
        rows, columns, _ = line_aa(150, x, 330, x + 10)
        image[rows, columns] = image[rows, columns + 1] = image[rows, columns + 2] = 40
    return image + np.random.default_rng(2).normal(0, 3, image.shape)


def corners_in(image: np.ndarray) -> float:
    """How far the corners that are found in an image are from CORNERS, in pixels; infinite if none are found."""
    corners = find_sheet(np.clip(image, 0, 255).astype(np.uint8))
    return np.inf if corners is None else float(np.abs(corners - CORNERS).max())


def test_paper_as_dark_as_the_desk_differs_in_colour():
    assert corners_in(coloured(paper=(150, 150, 146), desk=(205, 165, 130))) < 6


@pytest.mark.parametrize(
    ("paper", "desk"),
    [((205, 185, 95), (190, 165, 125)), ((150, 163, 185), (178, 152, 130))],  # more coloured; a little less
)
def test_paper_in_a_shadow_on_grainy_wood_of_its_lightness_differs_in_colour(paper, desk):
    y, x = np.mgrid[0:480, 0:400]
    shadow = np.where(y > 200 + 0.2 * x, 0.75, 1.0)
    grain = ndimage.gaussian_filter(np.random.default_rng(3).normal(0, 1, (480, 400)), (1, 8))
    outside = ~polygon2mask((480, 400), CORNERS[:, ::-1])
    light = shadow * (1 + 0.15 * outside * grain / grain.std())
    assert corners_in(coloured(paper, desk) * light[..., None]) < 6


def test_yellow_paper_on_pale_wood_is_brighter_though_more_coloured():
    assert corners_in(coloured(paper=(247, 226, 140), desk=(170, 150, 125))) < 6


def test_the_whole_sheet_is_found_where_a_shadow_covers_half_of_it():
    image = coloured(paper=(235, 236, 230), desk=(150, 105, 65))
    image[260:] *= 0.45
    assert corners_in(image) < 6


@pytest.mark.parametrize("strokes", [True, False])
def test_a_long_strip_is_a_sheet_if_something_is_written_on_it(strokes):
    strip = np.full((240, 400), 60.0)
    strip[80:160, 20:380] = 230  # 4.5 times as wide as high
    if strokes:
        for x in range(60, 340, 25):
            strip[95:140, x : x + 5] = 60
    strip = ndimage.gaussian_filter(strip, 0.7) + np.random.default_rng(3).normal(0, 3, strip.shape)
    assert (find_sheet(np.repeat(strip[..., None], 3, axis=2).clip(0, 255).astype(np.uint8)) is not None) == strokes


def test_a_straightened_sheet_has_its_corners_where_the_photo_has_them():
    image, matrix = straightened(photo_of(CORNERS), CORNERS)
    h, w = image.shape[:2]
    assert abs(w - 260) < 6 and abs(h - 346) < 8
    x, y, z = matrix @ np.array([(0, 0, 1), (w, 0, 1), (w, h, 1), (0, h, 1)]).T
    assert np.abs(np.stack([x / z, y / z], axis=1) - CORNERS).max() < 4


def test_digits_of_a_sheet_are_found_in_pixels_of_the_photo():
    photo, ink = photo_of(CORNERS), print_digit("7", 60, "DejaVuSans")
    spot = photo[120 : 120 + ink.shape[0], 180 : 180 + ink.shape[1]]
    spot[ink > 127] = 30
    page = find_digits(photo)
    assert page.sheet is not None and page.size == (480, 400)
    boxes = [page.in_photo(mark.box) for mark in page.marks]
    wanted = (180, 120, 180 + ink.shape[1], 120 + ink.shape[0])
    assert min(np.abs(np.subtract(box, wanted)).max() for box in boxes) <= 5

    enlarged = find_digits(np.repeat(np.repeat(photo, 3, axis=0), 3, axis=1)[2:, 1:])
    assert enlarged.size == (480 * 3 - 2, 400 * 3 - 1)
    np.testing.assert_allclose(enlarged.sheet, 3 * page.sheet - [1, 2])
    larger = [enlarged.in_photo(mark.box) for mark in enlarged.marks]
    np.testing.assert_allclose(larger, 3 * np.array(boxes) - [1, 2, 1, 2], atol=2)


@pytest.mark.parametrize("height", [150, 80])  # of the second sheet: 170
def test_digits_of_two_sheets_are_found_and_the_desk_is_not(height):
    rng = np.random.default_rng(4)
    desk = 120 + 30 * ndimage.gaussian_filter(rng.normal(0, 1, (420, 400)), (1, 20)) / 0.15
    photo, ink = np.repeat(desk[..., None], 3, axis=2), print_digit("7", 60, "DejaVuSans")
    corner = [(30, 40), (230, 60)]
    for (top, left), high, tint in zip(corner, (170, height), ((235, 235, 230), (205, 212, 220))):
        photo[top : top + high, left : left + 300] = tint
        for x in (60, 130, 200):
            spot = photo[top + 10 : top + 10 + ink.shape[0], left + x : left + x + ink.shape[1]]
            spot[ink > 127] = 40
    blurred = ndimage.gaussian_filter(photo, (0.7, 0.7, 0)) + rng.normal(0, 2, photo.shape)
    page = find_digits(blurred.clip(0, 255).astype(np.uint8))
    assert page.sheet is None
    boxes = [page.in_photo(mark.box) for mark in page.marks]
    wanted = {(left + x, top + 10) for top, left in corner for x in (60, 130, 200)}
    assert len(boxes) == 6
    assert all(min(abs(box[0] - x) + abs(box[1] - y) for box in boxes) <= 4 for x, y in wanted)
