"""Digits drawn with a pen that this module moves: paths of a few points, smoothed, jittered, inked.

Each digit is written in two or three ways that people have; every call draws another hand. They serve test sheets
and training on strokes of any width, where no scanned digit could: the truth about them is known to the pixel.
"""

import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.float64]  # (points, 2): x to the right, y down, in a box of 1 by 1.4

# Ways of writing each digit: a list of strokes, each a list of points the pen passes.
_WAYS: dict[int, list[list[list[tuple[float, float]]]]] = {
    0: [
        [[(0.55, 0.02), (0.15, 0.25), (0.02, 0.75), (0.25, 1.3), (0.6, 1.35), (0.95, 0.95), (0.9, 0.35), (0.5, 0.02)]],
        [[(0.5, 0.0), (0.1, 0.35), (0.1, 1.0), (0.45, 1.4), (0.85, 1.05), (0.88, 0.4), (0.6, 0.03), (0.42, 0.05)]],
    ],
    1: [
        [[(0.55, 0.0), (0.5, 0.7), (0.48, 1.4)]],
        [[(0.2, 0.4), (0.4, 0.2), (0.55, 0.0)], [(0.55, 0.0), (0.55, 0.7), (0.53, 1.4)]],
    ],
    2: [
        [
            [(0.08, 0.4), (0.25, 0.05), (0.65, 0.02), (0.85, 0.35), (0.55, 0.85), (0.08, 1.36)],
            [(0.08, 1.36), (0.5, 1.33), (0.95, 1.36)],
        ],
        [
            [
                (0.1, 0.3),
                (0.45, 0.0),
                (0.85, 0.25),
                (0.7, 0.75),
                (0.3, 1.2),
                (0.12, 1.32),
                (0.2, 1.12),
                (0.45, 1.2),
                (0.7, 1.36),
                (0.98, 1.28),
            ]
        ],
    ],
    3: [
        [
            [(0.12, 0.2), (0.45, 0.0), (0.82, 0.22), (0.7, 0.52), (0.4, 0.63)],
            [(0.4, 0.63), (0.75, 0.72), (0.9, 1.05), (0.6, 1.36), (0.25, 1.33), (0.06, 1.12)],
        ],
        [[(0.1, 0.12), (0.5, 0.03), (0.8, 0.3), (0.42, 0.62), (0.85, 0.9), (0.7, 1.3), (0.3, 1.38), (0.05, 1.22)]],
    ],
    4: [
        [
            [(0.35, 0.02), (0.22, 0.4), (0.05, 0.85)],
            [(0.05, 0.85), (0.5, 0.83), (0.95, 0.8)],
            [(0.68, 0.35), (0.66, 0.9), (0.62, 1.4)],
        ],
        [[(0.15, 0.05), (0.12, 0.4), (0.2, 0.68), (0.5, 0.72), (0.82, 0.62)], [(0.85, 0.02), (0.82, 0.7), (0.78, 1.4)]],
    ],
    5: [
        [
            [(0.85, 0.03), (0.5, 0.03), (0.2, 0.06)],
            [(0.2, 0.06), (0.18, 0.3), (0.15, 0.58)],
            [(0.15, 0.58), (0.5, 0.48), (0.85, 0.72), (0.85, 1.1), (0.55, 1.37), (0.1, 1.25)],
        ],
        [
            [
                (0.25, 0.05),
                (0.2, 0.3),
                (0.18, 0.6),
                (0.55, 0.52),
                (0.88, 0.85),
                (0.7, 1.28),
                (0.35, 1.38),
                (0.08, 1.22),
            ],
            [(0.25, 0.05), (0.55, 0.06), (0.9, 0.03)],
        ],
    ],
    6: [
        [
            [
                (0.75, 0.02),
                (0.4, 0.25),
                (0.12, 0.75),
                (0.15, 1.2),
                (0.5, 1.39),
                (0.85, 1.15),
                (0.75, 0.8),
                (0.42, 0.75),
                (0.15, 1.0),
            ]
        ],
        [[(0.6, 0.0), (0.25, 0.45), (0.1, 1.0), (0.35, 1.38), (0.75, 1.3), (0.85, 0.95), (0.55, 0.76), (0.2, 0.92)]],
    ],
    7: [
        [[(0.05, 0.08), (0.5, 0.06), (0.92, 0.05)], [(0.92, 0.05), (0.65, 0.6), (0.38, 1.4)]],
        [
            [(0.05, 0.08), (0.5, 0.06), (0.92, 0.05)],
            [(0.92, 0.05), (0.65, 0.6), (0.38, 1.4)],
            [(0.28, 0.72), (0.55, 0.69), (0.85, 0.66)],
        ],
        [[(0.08, 0.28), (0.1, 0.08), (0.5, 0.06), (0.9, 0.05)], [(0.9, 0.05), (0.7, 0.5), (0.5, 1.0), (0.45, 1.4)]],
    ],
    8: [
        [
            [
                (0.8, 0.2),
                (0.45, 0.0),
                (0.15, 0.25),
                (0.35, 0.58),
                (0.7, 0.8),
                (0.88, 1.1),
                (0.5, 1.39),
                (0.12, 1.12),
                (0.32, 0.78),
                (0.65, 0.55),
                (0.85, 0.28),
                (0.8, 0.16),
            ]
        ],
        [
            [(0.5, 0.02), (0.2, 0.15), (0.2, 0.48), (0.5, 0.62), (0.8, 0.45), (0.8, 0.15), (0.48, 0.02)],
            [(0.5, 0.62), (0.12, 0.85), (0.12, 1.2), (0.5, 1.39), (0.88, 1.2), (0.88, 0.85), (0.5, 0.62)],
        ],
    ],
    9: [
        [
            [(0.85, 0.35), (0.6, 0.02), (0.2, 0.15), (0.12, 0.5), (0.4, 0.72), (0.75, 0.6), (0.86, 0.35)],
            [(0.86, 0.3), (0.84, 0.8), (0.75, 1.4)],
        ],
        [
            [
                (0.85, 0.3),
                (0.5, 0.0),
                (0.15, 0.25),
                (0.25, 0.62),
                (0.65, 0.6),
                (0.85, 0.3),
                (0.82, 0.8),
                (0.68, 1.2),
                (0.35, 1.38),
            ]
        ],
    ],
}


def digit_path(digit: int, rng: np.random.Generator, *, jitter: float = 0.035) -> list[Path]:
    """The strokes of one digit in one hand: each an array (points, 2), dense enough to draw as straight pieces.

    `jitter` is how far each point strays, as a share of the digit's width; slant and proportions vary, too.
    """
    ways = _WAYS[digit]
    strokes = ways[int(rng.integers(len(ways)))]
    slant, wide = rng.normal(0.0, 0.1), rng.uniform(0.8, 1.15)
    moved: dict[tuple[float, float], Path] = {}  # strokes that meet in a point still meet after the jitter
    drawn = []
    for stroke in strokes:
        for point in stroke:
            moved.setdefault(point, np.array(point) + rng.normal(0.0, jitter, 2))
        points = np.stack([moved[point] for point in stroke])
        points = smooth(points)
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
