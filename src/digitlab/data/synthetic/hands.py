"""Digits and letters in many hands: forms of several countries from hands.toml, varied without end.

Every call moves the points, changes slant, width and rotation, makes curves or straight pieces of them, and lets
strokes start early, end late and stand apart.
"""

import tomllib
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np

from digitlab.data.synthetic.strokes import Path, smooth

Form = list[list[tuple[float, float, bool]]]  # strokes of points: x, y, whether it is a corner
CASES = (str.isupper, str.islower)
PIECES = 6  # straight ones between two points: the ink is small
BOX = 10.0  # units of hands.toml for one unit of a Path


@cache
def forms() -> dict[str, dict[str, list[Form]]]:
    """The forms of each character: {"digits": {"0": [form, …], …}, "letters": …, "alike": …}."""
    table = tomllib.loads(files(__package__).joinpath("hands.toml").read_text(encoding="utf-8"))
    return {kind: {name: [_form(text) for text in texts] for name, texts in of.items()} for kind, of in table.items()}


def _form(text: str) -> Form:
    strokes: Form = []
    for stroke in text.split(";"):
        points = [[*point.removesuffix("!").split(","), point] for point in stroke.split()]
        strokes.append([(float(x) / BOX, float(y) / BOX, word.endswith("!")) for x, y, word in points])
    return strokes


def write_digit(label: int, rng: np.random.Generator) -> list[Path]:
    """The strokes of a digit in one of its forms, varied."""
    known = forms()["digits"][str(label)]
    return _varied(known[int(rng.integers(len(known)))], rng, angular=label != 9)  # or it would be a 4


def write_form(text: str, rng: np.random.Generator) -> list[Path]:
    """The strokes of a form in the notation of hands.toml, varied."""
    return _varied(_form(text), rng)


def write_letter(rng: np.random.Generator) -> list[Path]:
    """The strokes of a letter or sign that looks like no digit, varied."""
    letters = list(forms()["letters"].values())
    known = letters[int(rng.integers(len(letters)))]
    return _varied(known[int(rng.integers(len(known)))], rng)


def write_text(letters: int, rng: np.random.Generator) -> list[list[Path]]:
    """The letters of a word, each with its strokes; some of them look like a digit."""
    known = forms()["letters"] | forms()["alike"]
    capitals, small = ([form for name, of in known.items() if case(name) for form in of] for case in CASES)
    alphabets = [capitals if at == 0 or letters < 4 else small for at in range(letters)]
    return [_varied(some[int(rng.integers(len(some)))], rng, angular=False) for some in alphabets]


def write_word(rng: np.random.Generator) -> list[Path]:
    """The strokes of two to four letters that touch or overlap, as in joined handwriting."""
    at, strokes = 0.0, []
    for _ in range(int(rng.integers(2, 5))):
        letter = write_letter(rng)
        left, right = (f(f(s[:, 0]) for s in letter) for f in (min, max))
        strokes += [stroke + np.array([at - left, 0.0]) for stroke in letter]
        at += (right - left) * rng.uniform(0.75, 1.0)
    return strokes


def _varied(form: Form, rng: np.random.Generator, *, angular: bool = True) -> list[Path]:
    """A form in another hand: its strokes as dense points, (points, 2) each."""
    jitter, apart = rng.uniform(0.015, 0.06), rng.choice([0.0, 0.0, 0.03])
    straight = angular and rng.random() < 0.15
    moved: dict[tuple[float, float], Path] = {}  # strokes that meet in a point still meet, unless they stand apart
    strokes = []
    for stroke in form:
        for x, y, _ in stroke:
            moved.setdefault((x, y), np.array([x, y]) + rng.normal(0, jitter, 2))
        shift = rng.normal(0, apart, 2)
        points = np.stack([moved[x, y] for x, y, _ in stroke]) + shift
        corners = [straight or corner for _, _, corner in stroke]
        strokes.append(_ended(_curve(points, corners), rng))
    return _turned(strokes, rng)


def _curve(points: Path, corners: list[bool]) -> Path:
    """A smooth curve through the points, interrupted at the corners."""
    ends = [0, *(i for i in range(1, len(points) - 1) if corners[i]), len(points) - 1]
    return np.concatenate([smooth(points[a : b + 1], PIECES) for a, b in pairwise(ends)])


def _ended(curve: Path, rng: np.random.Generator) -> Path:
    """The curve a little longer or shorter at its ends, with a slow tremor."""
    cut = int(rng.integers(0, max(1, len(curve) // 12)))
    curve = curve[cut : len(curve) - int(rng.integers(0, max(1, len(curve) // 12)))]
    if rng.random() < 0.3:
        t = np.linspace(0, 1, len(curve))[:, None] * rng.uniform(4, 25, 2) + rng.uniform(0, 7, 2)
        curve = curve + rng.uniform(0, 0.02) * np.sin(t)
    return curve


def _turned(strokes: list[Path], rng: np.random.Generator) -> list[Path]:
    """Slanted, wider or narrower, rotated by a few degrees."""
    slant, wide, angle = rng.normal(0.05, 0.16), rng.uniform(0.65, 1.25), np.deg2rad(rng.normal(0, 5))
    cos, sin = np.cos(angle), np.sin(angle)
    change = np.array([[wide, -slant], [0, 1]]).T @ np.array([[cos, -sin], [sin, cos]]).T
    return [(stroke - [0.5, 0.7]) @ change + [0.5, 0.7] for stroke in strokes]
