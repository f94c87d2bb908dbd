"""A sheet of paper on a desk: its four edges found, and the sheet straightened, so that the desk is not read.

The sheet is the largest region that is lighter, brighter, less or more coloured than the rest, has four straight sides,
at least three of them in the picture, and a sharp edge along these: a shadow's edge is soft, and a lamp's light is
round.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos.mark import holes

Corners = NDArray[np.float64]  # (4, 2): x, y; in turn, beginning at the upper left
Matrix = NDArray[np.float64]  # (3, 3): from homogeneous pixels of the sheet to those of the photo
Mask = NDArray[np.bool_]

SIDE = 240  # pixels of the picture in which edges are looked for
SMALLEST_PHOTO = 100  # pixels of the shorter side
LEAST, MOST = 0.12, 0.93  # shares of the picture that a sheet covers
INSET = 0.985  # share of a sheet's sides that is kept: without the edge itself
WRITING, RIM = 15, 4  # pixels of SIDE: wider than strokes, and how far inside its edge a sheet is paper for certain
ALIKE = 0.3  # of a sheet, what a second one covers at least: both are to be read
EVEN = 0.05  # of the range from black to white, what differs between neighbours on a sheet
FIT = 0.93  # of the region and its four-sided outline, what they must share
STEP = 0.1  # of the range from black to white: how much lighter than the desk the sheet is
PALER = 0.06  # the same of colour, which light and shadow hardly change
SHARP = 0.75  # share of the edge at which half of that step happens within a few pixels
VISIBLE = 3  # sides that lie in the picture
ASTRAY = 14  # pixels of SIDE by which a side may miss its edge
THICK = 3.0  # pixels of SIDE across the edge
LONGEST, LONGEST_WRITTEN = 3.2, 8.0  # times the other side: a sheet, not a stroke of a white pen; with writing on it
WRITTEN = 0.02  # share of a sheet that its writing covers
DARKEST = 24.0  # added to the light in a saturation, so that black has none


def find_sheets(photo: NDArray[np.uint8]) -> list[Corners]:
    """The corners of the sheet in a photo (H, W, 3), in its pixels, or of the two largest.

    Empty if none is seen, or if it fills the picture.
    """
    from PIL import Image
    from scipy import ndimage

    h, w = photo.shape[:2]
    if min(h, w) < SMALLEST_PHOTO:
        return []
    scale = SIDE / max(h, w)
    small = np.asarray(Image.fromarray(photo).resize((round(w * scale), round(h * scale)), Image.Resampling.BOX))
    light, most = small.min(axis=2), small.max(axis=2)  # white is light in all colours
    pale = 255 * (1 - (most - light) / (most + DARKEST))  # in a shadow, too
    even, coloured = pale.astype(np.uint8), (255 - pale).astype(np.uint8)
    planes = ((light, STEP), (most, STEP), (even, PALER), (coloured, PALER))  # the second for yellow paper on wood
    found = [_lightest_sheets(ndimage.grey_closing(plane, size=(7, 7)), plane, step) for plane, step in planes]
    largest = max((sheets for sheets in found if sheets), key=lambda sheets: _area(sheets[0]), default=[])
    return [corners / scale for corners in largest]


def without_desk(photo: NDArray[np.uint8], sheets: list[Corners]) -> NDArray[np.uint8]:
    """The photo (H, W, 3) of several sheets, with the paper of the nearest sheet in place of the desk."""
    from PIL import Image
    from scipy import ndimage
    from skimage.draw import polygon2mask

    (h, w), scale = photo.shape[:2], min(1.0, SIDE / max(photo.shape))
    size = round(w * scale), round(h * scale)
    small = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BOX))
    paper = ndimage.grey_closing(small, size=(WRITING, WRITING, 1))
    on = np.zeros(paper.shape[:2], bool)
    for corners in sheets:
        middle = corners.mean(axis=0)
        on |= polygon2mask(on.shape, scale * (middle + INSET * (corners - middle))[:, ::-1])
    on = ndimage.binary_erosion(on, iterations=2)  # pixels by which the sides may miss their edges
    deep = ndimage.binary_erosion(on, iterations=RIM)
    near = ndimage.distance_transform_edt(~deep, return_distances=False, return_indices=True)
    even = ndimage.gaussian_filter(paper[near[0], near[1]], (RIM, RIM, 0))
    covered = Image.fromarray(even).resize((w, h), Image.Resampling.BILINEAR)
    mask = Image.fromarray(on).resize((w, h))
    return np.asarray(Image.composite(Image.fromarray(photo), covered, mask))


def _area(corners: Corners) -> float:
    """Of a quadrilateral: half the cross product of its diagonals."""
    (a, b), (c, d) = corners[2] - corners[0], corners[3] - corners[1]
    return abs(float(a * d - b * c)) / 2


def _lightest_sheets(light: NDArray[np.uint8], plane: NDArray[np.uint8], least: float) -> list[Corners]:
    """The corners of the largest sheet that is lighter by `least` than the desk in `plane`; and of a second like it.

    `light` is the plane without writing. Empty if the largest region is no sheet.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    if np.ptp(light) < 255 * least:
        return []
    above = light > threshold_otsu(light)
    around = np.ones((5, 5), bool)
    even = ndimage.maximum_filter(light, 3) - ndimage.minimum_filter(light, 3) <= 255 * EVEN
    smooth = ndimage.binary_dilation(ndimage.binary_opening(above & even, around), np.ones((3, 3), bool)) & above
    for some in (ndimage.binary_opening(above, around), smooth):  # the second parts it from light streaks of wood
        labels, _ = ndimage.label(some)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        largest = [int(at) for at in np.argsort(-sizes)[:2] if sizes[at] > ALIKE * sizes.max()]
        sheets = [_sheet_of(labels == at, light, plane, least) for at in largest]
        if sheets and sheets[0] is not None:
            return [sheet for sheet in sheets if sheet is not None]
    return []


def _sheet_of(region: Mask, light: NDArray[np.uint8], plane: NDArray[np.uint8], least: float) -> Corners | None:
    """The corners of the sheet that a connected region of light pixels is; None if it is none."""
    region = region | holes(region)
    corners = four_sides(region) if LEAST <= region.mean() <= MOST else None
    longest = LONGEST if (light[region] - plane[region] > 255 * least).mean() < WRITTEN else LONGEST_WRITTEN
    shares = light.astype(np.float32) / np.float32(255)
    if corners is None or not _is_sheet(corners, region, shares, longest, least):
        return None
    return _on_edges(corners, shares, least)


def straightened(photo: NDArray[np.uint8], corners: Corners, inset: float = INSET) -> tuple[NDArray[np.uint8], Matrix]:
    """The sheet seen from straight above, uint8 (H, W, 3), and the matrix from its pixels to the photo's.

    `inset` is the share of its sides that is kept: without the edge itself.
    """
    from PIL import Image

    middle = corners.mean(axis=0)
    corners = middle + inset * (corners - middle)
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)  # upper, right, lower, left
    w, h = max(2, round(float(max(sides[0], sides[2])))), max(2, round(float(max(sides[1], sides[3]))))
    matrix = _homography(np.array([(0, 0), (w, 0), (w, h), (0, h)], dtype=float), corners)
    data = (matrix / matrix[2, 2]).ravel()[:8].tolist()
    image = Image.fromarray(photo).transform((w, h), Image.Transform.PERSPECTIVE, data, Image.Resampling.BICUBIC)
    return np.asarray(image), matrix


def _homography(source: Corners, target: Corners) -> Matrix:
    """The matrix that takes four points to four others (Hartley and Zisserman, "Multiple view geometry", sec. 4.1)."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(source.tolist(), target.tolist()):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.append(np.linalg.solve(np.array(rows), target.ravel()), 1.0).reshape(3, 3)


def four_sides(region: Mask) -> Corners | None:
    """The quadrilateral around a region, from its convex hull: sides are left out, the cheapest first.

    When a side is left out, its neighbours are prolonged until they meet; the area that is added is what it costs.
    """
    from scipy import ndimage
    from scipy.spatial import ConvexHull, QhullError

    y, x = np.nonzero(region & ~ndimage.binary_erosion(region, np.ones((3, 3), bool)))
    try:
        points = np.stack([x, y], axis=1).astype(float)
        hull = points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        return None
    while len(hull) > 4:
        before, a, b, after = np.roll(hull, 1, axis=0), hull, np.roll(hull, -1, axis=0), np.roll(hull, -2, axis=0)
        first, second = a - before, b - after
        cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        gap = b - a
        with np.errstate(divide="ignore", invalid="ignore"):
            along = (gap[:, 0] * second[:, 1] - gap[:, 1] * second[:, 0]) / cross
            meet = a + along[:, None] * first
            added = np.abs(gap[:, 0] * (meet - a)[:, 1] - gap[:, 1] * (meet - a)[:, 0]) / 2
        added[~np.isfinite(added) | (along < 0)] = np.inf
        at = int(np.argmin(added))
        if not np.isfinite(added[at]):
            return None
        hull[at] = meet[at]
        hull = np.delete(hull, (at + 1) % len(hull), axis=0)
    if len(hull) < 4:
        return None
    corners: Corners = np.roll(hull, -int(np.argmin(hull.sum(axis=1))), axis=0)
    return corners


def _is_sheet(corners: Corners, region: Mask, light: NDArray[np.float32], longest: float, least: float) -> bool:
    """Whether the region fills the quadrilateral, and differs from what is around it along sharp sides."""
    from skimage.draw import polygon2mask

    h, w = region.shape
    outline = polygon2mask((h, w), corners[:, ::-1])
    if (outline & region).sum() < FIT * (outline | region).sum():
        return False
    step = float(np.median(light[region])) - float(np.median(light[~region]))
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    if step < least or max(lengths) > longest * min(lengths):
        return False
    visible, sharp = 0, []
    for corner, side, length in zip(corners, sides, lengths):
        outward = np.array([side[1], -side[0]]) / length
        at = corner + np.linspace(0.08, 0.92, max(8, int(length // 3)))[:, None] * side
        inside, outside = _sampled(light, at - THICK * outward), _sampled(light, at + THICK * outward)
        seen = np.isfinite(inside) & np.isfinite(outside)
        if seen.mean() >= 0.5:
            visible += 1
            sharp += (inside[seen] - outside[seen] > 0.5 * step).tolist()
    return visible >= VISIBLE and float(np.mean(sharp)) >= SHARP


def _on_edges(corners: Corners, light: NDArray[np.float32], least: float) -> Corners:
    """The corners, each side moved to the line near it along which the light falls most from inside to outside.

    A region of light pixels may include a light streak of the desk, or less than the sheet where a shadow is.
    """
    for _ in range(2):  # a side that is far astray in the middle only
        sides = [_on_edge(*ends, light, least) for ends in zip(corners, np.roll(corners, -1, axis=0))]
        lines = [np.cross([*a, 1.0], [*b, 1.0]) for a, b in sides]
        meet = np.array([np.cross(before, line) for before, line in zip([lines[-1], *lines[:-1]], lines)])
        corners = meet[:, :2] / meet[:, 2:]
    return corners


def _on_edge(start: Any, end: Any, light: NDArray[np.float32], least: float) -> tuple[Any, Any]:
    """Two points of the edge (x, y) near those of a side: both are moved across it by up to ASTRAY pixels."""
    side = end - start
    length = float(np.linalg.norm(side))
    outward = np.array([side[1], -side[0]]) / length
    along = np.linspace(0.05, 0.95, max(8, int(length // 3)))
    offsets = np.arange(-ASTRAY - 2, ASTRAY + 3)
    points = start + along[:, None, None] * side + offsets[:, None] * outward  # (n, offsets, 2)
    profile = _sampled(light, points.reshape(-1, 2)).reshape(len(along), -1)
    if np.isfinite(profile[:, ASTRAY + 5]).mean() < 0.5:  # the picture's edge cuts the sheet
        return start, end
    fall = np.clip(np.nan_to_num(profile[:, :-4] - profile[:, 4:]), 0, 2 * least)
    first, last = np.ogrid[: 2 * ASTRAY + 1, : 2 * ASTRAY + 1]
    on = np.round(first[..., None] + (last - first)[..., None] * along).astype(int)  # (first, last, n)
    falls = fall[np.arange(len(along)), on].mean(axis=2)
    falls -= 1e-4 * (np.abs(first - ASTRAY) + np.abs(last - ASTRAY))  # of equal ones, the nearest
    first_at, last_at = np.unravel_index(int(np.argmax(falls)), falls.shape)
    return start + (first_at - ASTRAY) * outward, end + (last_at - ASTRAY) * outward


def _sampled(plane: NDArray[Any], points: Corners) -> NDArray[np.float64]:
    """The plane (H, W) at points (n, 2): x, y; NaN where they are outside."""
    h, w = plane.shape
    x, y = np.round(points).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < w) & (y < h)
    values = np.full(len(points), np.nan)
    values[inside] = plane[y[inside], x[inside]]
    return values
