"""Strokes as ink of many pens: ball pen, pencil, felt pen, marker, brush, chalk, and a mouse in a paint program."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.synthetic.strokes import Path

Ink = NDArray[np.floating[Any]]  # (H, W), 0 for paper to 1 for ink
SIDE = 64  # pixels that strokes are drawn high, before they are made smaller


@dataclass(frozen=True)
class Pen:
    """How a pen writes.

    width     of its strokes, as a share of the digit's height
    pressure  how far the strength falls along a stroke, 0 to 1
    swell     how far the width changes along a stroke, 0 to 1
    grain     how much paper shows through, 0 to 1
    heights   of the digit, in pixels of the picture
    stairs    drawn without grey levels
    """

    width: tuple[float, float]
    pressure: float = 0.0
    swell: float = 0.0
    grain: float = 0.0
    heights: tuple[int, int] = (18, SIDE)
    stairs: bool = False


PENS = {
    "ball": Pen((0.015, 0.05), pressure=0.5),
    "pencil": Pen((0.02, 0.06), pressure=0.4, grain=0.35),
    "felt": Pen((0.06, 0.13), pressure=0.1),
    "marker": Pen((0.12, 0.24)),
    "brush": Pen((0.05, 0.15), swell=0.6),
    "chalk": Pen((0.05, 0.12), pressure=0.2, grain=0.55),
    "mouse": Pen((0.02, 0.16), heights=(12, 40), stairs=True),
}


def ink_of(strokes: list[Path], rng: np.random.Generator, pen: str = "", height: int | None = None) -> Ink:
    """Strokes (points, 2) each as the ink of a pen of PENS, by default any, with a margin.

    `height` is the height of 1.4 units, a usual digit's, in pixels; None: one that is usual for the pen, of the whole.
    """
    chosen = PENS[pen or list(PENS)[int(rng.integers(len(PENS)))]]
    low, high = (f([f(s, axis=0) for s in strokes], axis=0) for f in (np.min, np.max))
    size = 1.4 if height is not None else float(max(high - low)) or 1.0
    height = height or round(np.exp(rng.uniform(*np.log(chosen.heights))))
    side = height if chosen.stairs else max(SIDE, height)
    scale, pixels = side / size, max(1.0, side * rng.uniform(*chosen.width))
    margin = round(pixels + 3)
    w, h = (np.ceil((high - low) * scale).astype(int) + 2 * margin + 1).tolist()
    canvas = np.zeros((h, w), np.float32)
    for stroke in strokes:
        canvas = np.maximum(canvas, _inked((stroke - low) * scale + margin, (h, w), pixels, chosen, rng))
    if chosen.grain:
        canvas *= _grain(canvas.shape, chosen.grain * rng.uniform(0.3, 1), rng)
    return canvas if chosen.stairs else resized(canvas, height / side)


def _inked(points: Path, shape: tuple[int, int], width: float, pen: Pen, rng: np.random.Generator) -> Ink:
    """One stroke, with changing strength and width."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", shape[::-1])
    draw = ImageDraw.Draw(canvas)
    t = np.linspace(0, 1, len(points)) * rng.uniform(2, 14) + rng.uniform(0, 7)
    strength = 255 * (1 - pen.pressure * rng.uniform(0, 1) * (0.5 + 0.5 * np.sin(t)))
    widths = width * (1 - pen.swell * rng.uniform(0.3, 1) * (0.5 + 0.5 * np.cos(t)))
    xy = [(float(x), float(y)) for x, y in points]
    for a, b, level, wide in zip(xy, xy[1:], strength.tolist(), widths.tolist()):
        draw.line([a, b], fill=round(level), width=max(1, round(wide)))
    for (x, y), level, wide in zip(xy, strength.tolist(), widths.tolist()):
        if wide > 2:
            draw.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=round(level))
    return np.asarray(canvas, dtype=np.float32) / 255


def _grain(shape: tuple[int, ...], much: float, rng: np.random.Generator) -> Ink:
    """The share of ink that rough paper takes, (H, W)."""
    from scipy import ndimage

    rough = ndimage.gaussian_filter(rng.standard_normal(shape).astype(np.float32), rng.uniform(0.7, 2.0))
    grain: Ink = np.clip(1 - much * (0.5 + rough / (2 * rough.std())), 0, 1).astype(np.float32)
    return grain


def resized(ink: Ink, scale: float) -> Ink:
    """Ink (H, W) made smaller by averaging, or larger."""
    from PIL import Image

    size = [max(1, round(n * scale)) for n in ink.shape[::-1]]
    kind = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(ink.astype(np.float32)).resize((size[0], size[1]), kind)).clip(0, 1)
