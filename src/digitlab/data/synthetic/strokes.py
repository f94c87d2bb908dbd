"""Digits drawn as pen strokes: paths of a few points from strokes.json, jittered, smoothed and inked.

Every digit has two or three written forms, and every call varies them. Synthetic pages and training on strokes of any
width use them: the position of such a digit is known to the pixel.
"""

import json
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.float64]  # (points, 2): x to the right, y down, in a box of 1 by 1.4
Stroke = list[tuple[float, float]]  # the points the pen passes


@cache
def written_forms() -> dict[int, list[list[Stroke]]]:
    """The written forms of each digit, each a list of strokes."""
    table = json.loads(files(__package__).joinpath("strokes.json").read_text(encoding="utf-8"))
    return {
        int(digit): [[[(x, y) for x, y in stroke] for stroke in form] for form in forms]
        for digit, forms in table.items()
    }


def digit_path(digit: int, rng: np.random.Generator, *, jitter: float = 0.035) -> list[Path]:
    """The strokes of one digit: each an array (points, 2), dense enough to draw as straight pieces.

    `jitter` is the standard deviation of each point, as a share of the digit's width; slant and width vary, too.
    """
    forms = written_forms()[digit]
    strokes = forms[int(rng.integers(len(forms)))]
    slant, wide = rng.normal(0.0, 0.1), rng.uniform(0.8, 1.15)
    moved: dict[tuple[float, float], Path] = {}  # strokes that meet in a point still meet after the jitter
    drawn = []
    for stroke in strokes:
        for point in stroke:
            moved.setdefault(point, np.array(point) + rng.normal(0.0, jitter, 2))
        points = smooth(np.stack([moved[point] for point in stroke]))
        x = wide * (points[:, 0] - 0.5) - slant * (points[:, 1] - 0.7)
        drawn.append(np.stack([x + 0.5, points[:, 1]], axis=1))
    return drawn


def smooth(points: Path, pieces: int = 12) -> Path:
    """A curve through the points, (points, 2) -> (more, 2): Catmull and Rom's spline, uniform."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, pieces, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:]):
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*parts, points[-1:]])


def draw_digit(
    digit: int, height: int, rng: np.random.Generator, *, width: float | None = None, jitter: float = 0.035
) -> NDArray[np.uint8]:
    """One digit as ink, uint8 (H, W), 255 where there is ink; about `height` pixels high.

    `width` is the pen's, as a share of the height; drawn between 0.05 and 0.13 if None.
    """
    return draw_path(digit_path(digit, rng, jitter=jitter), height, rng.uniform(0.05, 0.13) if width is None else width)


def draw_path(strokes: list[Path], height: int, width: float) -> NDArray[np.uint8]:
    """Strokes as ink, uint8 (H, W), cropped to them: `height` for 1.4 units, `width` the pen's share of the height."""
    from PIL import Image, ImageDraw

    over = max(1, -(-160 // height))  # drawn larger and averaged down, so that edges are soft
    scale, pen = over * height / 1.4, max(1.0, over * height * width)
    low = np.min([stroke.min(axis=0) for stroke in strokes], axis=0)
    high = np.max([stroke.max(axis=0) for stroke in strokes], axis=0)
    w, h = (np.ceil(((high - low) * scale + 2 * pen) / over).astype(int) + 1).tolist()
    canvas = Image.new("L", (int(w) * over, int(h) * over))
    draw = ImageDraw.Draw(canvas)
    for stroke in strokes:
        points = [(float(x), float(y)) for x, y in (stroke - low) * scale + pen]
        draw.line(points, fill=255, width=round(pen), joint="curve")
        for x, y in points:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    return np.asarray(canvas.resize((int(w), int(h)), Image.Resampling.BOX))
