"""Crops cut to their ink: the border does not tell ink from paper, so both colours are tried as paper, with margins."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.page import Page, find_digits
from digitlab.data.photos.paper import TWO_COLOURS, two_colours
from digitlab.data.photos.repeats import without_repeats

HEIGHT = 200  # pixels to which a larger crop is reduced: it shows one line of writing
MARGIN = 0.25  # of the height, the paper that is put around a crop
SIDES = 3  # of the picture that its ink reaches
AROUND = 0.75  # of the border, the most that is ink: a desk around a sheet has more


def crop_pages(photo: NDArray[np.uint8]) -> Iterator[Page]:
    """The stages of a photo, (H, W, 3) or (H, W), as a crop that was cut to its ink: one page for each colour of paper.

    No page if the photo is no such crop: it has no two colours, or the darker or lighter parts do not reach its sides.
    """
    photo = np.asarray(photo)
    photo = photo if photo.ndim == 3 else np.repeat(photo[..., None], 3, axis=2)
    small, repeats = without_repeats(photo)
    matrix = np.eye(3) if repeats is None else repeats.matrix()
    small, scale = _reduced(small)
    colours = two_colours(small.astype(np.float32) / 255)
    if colours is None or colours.explained < TWO_COLOURS:
        return
    margin = max(4, round(MARGIN * small.shape[0]))
    matrix = matrix @ np.array([[scale, 0, -margin * scale], [0, scale, -margin * scale], [0, 0, 1.0]])
    for ink in (colours.above, ~colours.above):
        sides = [ink[0], ink[-1], ink[:, 0], ink[:, -1]]
        if sum(bool(side.any()) for side in sides) < SIDES or np.concatenate(sides).mean() > AROUND:
            continue
        height, width = ink.shape
        wide = np.empty((height + 2 * margin, width + 2 * margin, 3), np.uint8)
        wide[:] = np.median(small[~ink], axis=0).astype(np.uint8)
        wide[margin:-margin, margin:-margin] = small
        page = find_digits(wide)
        if page.sheet is None:
            yield replace(page, size=photo.shape[:2], matrix=matrix @ page.matrix)


def _reduced(photo: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """The photo with at most HEIGHT rows, and how many of its pixels are one."""
    from PIL import Image

    h, w = photo.shape[:2]
    if h <= HEIGHT:
        return photo, 1.0
    size = max(1, round(w * HEIGHT / h)), HEIGHT
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BOX)), h / HEIGHT
