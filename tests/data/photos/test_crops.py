"""Crops cut to their ink: each of the two colours as paper, with a margin; positions in the given picture."""

import numpy as np
import pytest

from digitlab.data.photos.crops import HEIGHT, crop_pages

from .drawn import paper, put, seven


def crop(height: int = 80, ink: tuple[int, int, int] = (30, 30, 40)) -> np.ndarray:
    """A 7 cut to its ink: it reaches all four sides, and so does the paper around it."""
    mark = seven(height)
    mark = mark[np.ix_((mark > 128).any(axis=1), (mark > 128).any(axis=0))]
    page = paper(*mark.shape)
    put(page, mark, 0, 0, ink)
    return page


def boxes(photo: np.ndarray) -> list[tuple[bool, tuple[int, int, int, int]]]:
    """For each page of a crop, whether its ink is light, and the box of its largest part in the given picture."""
    pages = list(crop_pages(photo))
    largest = [max(page.parts, key=lambda part: int(part.mask.sum())) for page in pages]
    return [(page.ink.light_on_dark, page.in_photo(part.box)) for page, part in zip(pages, largest)]


@pytest.mark.parametrize("height", [24, 80, 3 * HEIGHT])
@pytest.mark.parametrize("ink", [(30, 30, 40), (255, 255, 255), (200, 30, 30)])
def test_both_colours_are_tried_as_paper(height: int, ink: tuple[int, int, int]) -> None:
    photo = crop(height, ink)
    if ink == (255, 255, 255):
        photo = 255 - crop(height)
    found = boxes(photo)
    assert sorted(light for light, _ in found) == [False, True]
    off = np.abs(np.array(dict(found)[photo.mean() < 128]) - (0, 0, photo.shape[1], photo.shape[0]))
    assert off.max() <= 0.05 * height + 1, "the box of the 7 is the picture"


def test_a_crop_enlarged_by_repeating_pixels_is_read_at_its_own_size() -> None:
    large = np.repeat(np.repeat(crop(28), 12, axis=0), 12, axis=1)
    pages = list(crop_pages(large))
    assert [page.size for page in pages] == [large.shape[:2]] * 2
    assert max(page.photo.shape[0] / page.zoom for page in pages) < 60
    assert dict(boxes(large))[False][3] == pytest.approx(large.shape[0], abs=24)


def test_pictures_with_a_margin_a_frame_or_one_colour_are_no_such_crops() -> None:
    margin = np.pad(crop(), ((4, 4), (4, 4), (0, 0)), mode="constant", constant_values=240)
    desk = paper(90, 120)
    desk[:8], desk[-8:], desk[:, :8], desk[:, -8:] = 30, 30, 30, 30
    for photo in (margin, desk, paper(), np.zeros((1, 1, 3), np.uint8)):
        assert list(crop_pages(photo)) == []
