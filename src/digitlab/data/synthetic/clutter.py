"""Marks that nobody wrote: grain of paper and wood, dirt, rules, frames, edges of things, as ink (H, W), 0 to 1."""

from itertools import pairwise
from typing import Any

import numpy as np

from digitlab.data.synthetic.pens import Ink


def draw_clutter(rng: np.random.Generator) -> Ink:
    """One such mark."""
    kinds = (_grain, _grain, _blot, _rules, _frame, _edge, _dashes, _bow)
    return kinds[int(rng.integers(len(kinds)))](rng)


def _grain(rng: np.random.Generator) -> Ink:
    """A connected piece of a random pattern: rough paper, wood, cloth, a shadow's noise."""
    from scipy import ndimage

    along, across = rng.uniform(0.8, 6), rng.uniform(0.8, 3)
    field = ndimage.gaussian_filter(rng.standard_normal((72, 72)), (across, along) if rng.random() < 0.5 else across)
    field = ndimage.rotate(field, rng.uniform(0, 180), reshape=False, order=1, mode="wrap")
    labels, count = ndimage.label(field > np.quantile(field, rng.uniform(0.6, 0.9)), np.ones((3, 3), bool))
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    areas[0] = 0
    likely = np.argsort(-areas)[: max(1, min(4, count))]
    chosen: Ink = (labels == likely[int(rng.integers(len(likely)))]).astype(np.float32)
    return chosen


def _blot(rng: np.random.Generator) -> Ink:
    """A filled, uneven shape: dirt, a thumb, a dot."""
    from PIL import Image, ImageDraw

    angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 14))))
    radius = rng.uniform(12, 30) * rng.uniform(1 - rng.uniform(0, 0.7), 1, len(angle))
    stretch = rng.uniform(0.55, 1.0)  # a narrower one is a 1 of a thick pen
    corners = [(36 + r * np.cos(a), 36 + stretch * r * np.sin(a)) for a, r in zip(angle.tolist(), radius.tolist())]
    image = Image.new("L", (72, 72))
    ImageDraw.Draw(image).polygon(corners, fill=255)
    return _turned(image, rng)


def _rules(rng: np.random.Generator) -> Ink:
    """Crossing lines: a piece of squared or ruled paper, a table's corner, a cross."""
    image, draw, width = _canvas(rng)
    step = rng.uniform(16, 40)
    for across in (True, False):
        for at in np.arange(rng.uniform(8, 36), 64, step)[: int(rng.integers(1, 4))].tolist():
            a, b = np.sort(rng.uniform(4, 68, 2)).tolist() if rng.random() < 0.5 else (4.0, 68.0)
            draw.line((a, at, b, at) if across else (at, a, at, b), fill=255, width=width)
    return _turned(image, rng, 6)


def _frame(rng: np.random.Generator) -> Ink:
    """A frame, whole or open on a side, or with something in it."""
    image, draw, width = _canvas(rng)
    left, right, top, bottom = 8, int(rng.integers(30, 64)), 8, int(rng.integers(30, 64))
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    sides = list(pairwise(corners))
    for side in (i for i in range(4) if i < 2 or rng.random() < 0.75):
        draw.line(sides[side], fill=255, width=width)
    if rng.random() < 0.4:
        x, y = rng.uniform(16, 30, 2).tolist()
        draw.line((x, y, x + rng.uniform(-8, 8), y + 16), fill=255, width=width)
    return _turned(image, rng, 20)


def _edge(rng: np.random.Generator) -> Ink:
    """The rim of a thing that reaches into the picture: a half-plane or a disc, cut by the border."""
    y, x = np.mgrid[0:64, 0:64] / 64.0
    angle, bend = rng.uniform(0, 2 * np.pi), rng.uniform(-0.8, 0.8)
    u, v = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), (y - 0.5) * np.cos(angle) - (x - 0.5) * np.sin(angle)
    inside = u + bend * v * v + 0.05 * np.sin(v * rng.uniform(5, 30)) > rng.uniform(-0.1, 0.3)
    ink: Ink = inside.astype(np.float32)
    return ink


def _dashes(rng: np.random.Generator) -> Ink:
    """One to three flat or slanting lines, none of them upright: dashes, =, a rule's piece."""
    image, draw, width = _canvas(rng)
    slope = rng.uniform(-0.7, 0.7)
    for at in rng.uniform(20, 52, int(rng.integers(1, 4))).tolist():
        length = rng.uniform(16, 32)
        draw.line((36 - length, at - slope * length, 36 + length, at + slope * length), fill=255, width=width)
    return _turned(image, rng, 4)


def _bow(rng: np.random.Generator) -> Ink:
    """A part of a circle or an ellipse, a quarter to three quarters: a bracket, a rim, a shadow's arc, a drawn line."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (72, 72))
    begin, flat = rng.uniform(0, 360), rng.uniform(0, 14)
    width = round(np.exp(rng.uniform(0, np.log(18))))
    ImageDraw.Draw(image).arc((8, 8 + flat, 64, 64 - flat), begin, begin + rng.uniform(95, 250), fill=255, width=width)
    return _turned(image, rng)


def _canvas(rng: np.random.Generator) -> tuple[Any, Any, int]:
    from PIL import Image, ImageDraw

    image = Image.new("L", (72, 72))
    return image, ImageDraw.Draw(image), int(rng.integers(1, 9))


def _turned(image: Any, rng: np.random.Generator, most: float = 180) -> Ink:
    from PIL import Image

    return np.asarray(image.rotate(rng.uniform(-most, most), Image.Resampling.BILINEAR), dtype=np.float32) / 255
