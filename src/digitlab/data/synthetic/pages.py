"""Synthetic pages of digits whose positions are known, in many handwriting styles and fonts, papers and lights.

    page = draw_page("ruled", np.random.default_rng(1))
    page.image             uint8 (H, W, 3)
    page.truth[0]          LabelledBox(label=7, box=(40, 61, 92, 140), source="pen")

They measure how well photos are read (photos/scoring.py), and `digitlab data make pages` writes them.
"""

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitlab.data.dataset import Digits
from digitlab.data.photos.mnist_form import cropped
from digitlab.data.photos.scoring import LabelledBox
from digitlab.data.synthetic.fonts import print_character
from digitlab.data.synthetic.strokes import draw_digit
from digitlab.errors import ConfigError, DataError, in_brief
from digitlab.files import atomic_folder, require_file

Ink = NDArray[Any]  # (H, W), 255 where there is ink


@dataclass(frozen=True)
class SyntheticPage:
    """A picture uint8 (H, W, 3) and the digits on it: line by line on a page, in no order in a scene."""

    image: NDArray[np.uint8]
    truth: tuple[LabelledBox, ...]
    style: str


@dataclass(frozen=True)
class Style:
    """Paper, ink and light. Colours are RGB, 0 to 255."""

    about: str
    paper: Sequence[int] = (244, 243, 238)
    ink: Sequence[int] = (35, 35, 45)
    rules: str = ""  # "", "lines" or "grid"
    rule_colour: Sequence[int] = (150, 175, 215)
    turn: float = 0.0  # the page, in degrees
    light: float = 1.0  # at the darkest corner, as a share of the brightest
    shadow: float = 1.0  # inside a shadow with an edge
    noise: float = 2.0  # standard deviation, in grey levels
    blur: float = 0.0  # standard deviation, in pixels
    apart: float = 1.35  # from one digit to the next, as a share of their height
    fade: float = 1.0  # how much of the ink is on the paper
    sources: Sequence[str] = ("pen", "print", "mnist")


_TABLE = tomllib.loads(files(__package__).joinpath("styles.toml").read_text(encoding="utf-8"))
FACES: tuple[str, ...] = tuple(_TABLE.pop("faces"))
TRUTH = "truth.json"  # the digits of all pictures in a folder
STYLES = {name: Style(**fields) for name, fields in _TABLE.items()}


def print_digit(text: str, height: int, face: str) -> Ink:
    """A character in one of matplotlib's fonts, as ink about `height` pixels high, cropped."""
    ink = print_character(text, face, round(height * 1.37))  # a digit is about 0.73 of the nominal size
    return cropped(ink, ink > 0)


def mnist_digit(image: NDArray[np.uint8], height: int) -> Ink:
    """An image of MNIST's form (28, 28) enlarged so that its digit, 20 pixels there, is about `height` high."""
    from PIL import Image

    rows = np.flatnonzero(image.max(axis=1) > 60)
    size = round(28 * height / max(12, rows[-1] - rows[0] + 1))
    large = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32)
    ink: Ink = np.clip((large - 70) * (255 / 115), 0, 255).astype(np.uint8)  # the soft edge made a pen's again
    return ink


def draw_page(
    style: str,
    rng: np.random.Generator,
    *,
    lines: int = 4,
    columns: int = 8,
    height: int = 70,
    digits: Digits | None = None,
) -> SyntheticPage:
    """A page of `lines` × `columns` digits about `height` pixels high, in one of the STYLES.

    `digits` are images in MNIST's form, used in addition to pen strokes and fonts; None: these two only.
    Digits are rotated by up to 10°, and vary in size and position. Raises ConfigError for another style.
    """
    from PIL import Image
    from scipy import ndimage

    if style not in STYLES:
        raise ConfigError(f"style: got {style!r}; there are: {', '.join(STYLES)}")
    chosen = STYLES[style]
    sources = [s for s in chosen.sources if s != "mnist" or digits is not None]
    cell_w, cell_h, margin = round(chosen.apart * height), round(1.75 * height), height
    shape = (lines * cell_h + 2 * margin, columns * cell_w + 2 * margin)
    ink, owner = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
    labels, names = [], []
    for at in range(lines * columns):
        source = sources[int(rng.integers(len(sources)))]
        label, name, mark = _mark(source, rng, round(height * rng.uniform(0.8, 1.15)), digits)
        mark = np.asarray(Image.fromarray(mark).rotate(rng.uniform(-10, 10), Image.Resampling.BICUBIC, expand=True))
        h, w = mark.shape
        top = margin + (at // columns) * cell_h + (cell_h - h) // 2 + round(rng.normal(0, 0.05) * height)
        left = margin + (at % columns) * cell_w + (cell_w - w) // 2 + round(rng.normal(0, 0.04) * height)
        spot = ink[top : top + h, left : left + w]
        value = mark.astype(np.float32)[: spot.shape[0], : spot.shape[1]] / 255
        owner[top : top + h, left : left + w][value > np.maximum(spot, 0.3)] = at + 1
        np.maximum(spot, value, out=spot)
        labels.append(label)
        names.append(name)
    image, owner = _on_page(chosen, ink, owner, rng, cell_h, margin)
    found = ndimage.find_objects(owner, max_label=len(labels))
    boxes = [(int(c.start), int(r.start), int(c.stop), int(r.stop)) for r, c in found]
    truth = tuple(map(LabelledBox, labels, boxes, names))
    return SyntheticPage(image, truth, style)


def _mark(source: str, rng: np.random.Generator, height: int, digits: Digits | None) -> tuple[int, str, Ink]:
    label = int(rng.integers(10))
    if source == "print":
        face = FACES[int(rng.integers(len(FACES)))]
        return label, face, print_digit(str(label), height, face)
    if source == "pen":
        return label, "pen", draw_digit(label, height, rng)
    assert digits is not None
    image, label = digits[int(rng.integers(len(digits)))]
    return label, "mnist", mnist_digit(image, height)


def _on_page(
    style: Style, ink: NDArray[Any], owner: NDArray[Any], rng: np.random.Generator, line: int, margin: int
) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Ink (H, W) laid on the style's paper in its light: the picture (H, W, 3), and whose ink each pixel is."""
    from PIL import Image
    from scipy import ndimage

    h, w = ink.shape
    paper = np.ones((h, w, 3), np.float32) * np.array(style.paper, np.float32)
    rule = np.zeros((h, w), np.float32)
    step = line if style.rules == "lines" else line // 4
    if style.rules:
        first = margin + line - round(0.2 * line)  # below the first line of digits
        for y in range(first % step if style.rules == "grid" else first, h, step):
            rule[y : y + 2] = 1
    if style.rules == "grid":
        for x in range(margin // 2, w, step):
            rule[:, x : x + 2] = 1
    if style.turn:
        turn = style.turn + float(rng.uniform(-1, 1))
        planes = [Image.fromarray(a).rotate(turn, Image.Resampling.BILINEAR) for a in (ink, rule)]
        ink, rule = (np.asarray(plane) for plane in planes)
        owner = np.asarray(Image.fromarray(owner).rotate(turn, Image.Resampling.NEAREST))
    page = paper + rule[..., None] * (np.array(style.rule_colour, np.float32) - paper)
    page += (style.fade * ink)[..., None] * (np.array(style.ink, np.float32) - page)
    page *= _light(style, h, w, rng)[..., None]
    if style.blur:
        page = ndimage.gaussian_filter(page, (style.blur, style.blur, 0))
    page += rng.normal(0, style.noise, page.shape)
    return np.clip(page, 0, 255).astype(np.uint8), owner


def _light(style: Style, h: int, w: int, rng: np.random.Generator) -> NDArray[Any]:
    """How bright each place is, (H, W), 0 to 1: falling towards one corner, and less inside a slanting shadow."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    x, y = x / w, y / h
    if rng.random() < 0.5:
        x = 1 - x
    light = 1 - (1 - style.light) * (0.5 * x + 0.5 * y) ** 1.2
    if style.shadow < 1:
        edge = 0.35 + 0.3 * float(rng.random()) + 0.4 * (y - 0.5)
        light *= style.shadow + (1 - style.shadow) / (1 + np.exp(np.clip((edge - x) * 150, -50, 50)))
    shares: NDArray[Any] = light.astype(np.float32)
    return shares


def write_pages(folder: str | os.PathLike[str], pages: Sequence[SyntheticPage]) -> Path:
    """Write each page as STYLE-NUMBER.png, and the digits on all of them as truth.json; returns the path of the JSON.

    truth.json holds {"clean-000.png": [{"label": 7, "box": [left, top, right, bottom], "source": "pen"}, …], …}.
    All files are written, or none.
    """
    from PIL import Image

    table = {}
    with atomic_folder(folder) as temporary:
        for number, page in enumerate(pages):
            name = f"{page.style}-{number:03}.png"
            Image.fromarray(page.image).save(temporary / name)
            table[name] = [{"label": t.label, "box": list(t.box), "source": t.source} for t in page.truth]
        (temporary / TRUTH).write_text(json.dumps(table, indent=1), encoding="utf-8")
    return Path(folder) / TRUTH


def read_truth(path: str | os.PathLike[str]) -> dict[str, tuple[LabelledBox, ...]]:
    """The digits of each picture, from a truth.json that `write_pages` wrote; DataError for another file."""
    way = "`digitlab data make pages` writes such a file"
    try:
        table = json.loads(require_file(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: is not JSON ({in_brief(error)}); {way}") from None
    if not isinstance(table, dict):
        raise DataError(f"{path}: got {in_brief(repr(table))}, expected the digits of each picture by its name; {way}")
    return {name: tuple(_labelled_box(row, f"{path}: {name}") for row in _listed(rows)) for name, rows in table.items()}


def _listed(rows: Any) -> list[Any]:
    return rows if isinstance(rows, list) else [rows]


def _labelled_box(row: Any, where: str) -> LabelledBox:
    try:
        left, top, right, bottom = map(int, row["box"])
        return LabelledBox(int(row["label"]), (left, top, right, bottom), str(row.get("source", "")))
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError):
        wanted = 'a list of {"label": 7, "box": [left, top, right, bottom]}'
        raise DataError(f"{where}: got {in_brief(repr(row))}, expected {wanted}") from None
