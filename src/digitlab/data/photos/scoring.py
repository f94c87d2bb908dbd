"""How well a photo was read, where the digits on it are known: found, read correctly, missed, extra."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitlab.data.photos.mark import Box

SAME = 0.5  # two boxes mean the same digit if they share at least half of what they cover together


@dataclass(frozen=True)
class LabelledBox:
    """One digit of known label and position; `source` says how it was made: "pen", "mnist" or a font."""

    label: int
    box: Box
    source: str


@dataclass(frozen=True)
class Score:
    """Counts over one photo or many.

    there, found, right   digits on the photo, those found (with any label), those found with the right label
    extra                 marks read as a digit where there is none
    failures              one line each: "not found: 7 (pen) at 40,61" ...
    """

    there: int = 0
    found: int = 0
    right: int = 0
    extra: int = 0
    failures: tuple[str, ...] = ()

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.there + other.there,
            self.found + other.found,
            self.right + other.right,
            self.extra + other.extra,
            self.failures + other.failures,
        )

    def __str__(self) -> str:
        found = f"{self.found} of {self.there} digits found ({_share(self.found, self.there)})"
        right = f"{self.right} of those right ({_share(self.right, self.found)})"
        return f"{found}, {right}, {self.extra} extra"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def score_reading(truth: Sequence[LabelledBox], read: Sequence[tuple[int, Box]], *, name: str = "") -> Score:
    """Compare what was read, (label, box) each, with the digits that are there; boxes are matched for most overlap."""
    from scipy.optimize import linear_sum_assignment

    shares = np.array([[overlap(t.box, box) for _, box in read] for t in truth]).reshape(len(truth), len(read))
    pairs = zip(*(side.tolist() for side in linear_sum_assignment(np.where(shares >= SAME, shares, 0), maximize=True)))
    partner = {i: j for i, j in pairs if shares[i, j] >= SAME}
    where = f"{name}: " if name else ""
    failures = []
    for i, t in enumerate(truth):
        place = f"{t.label} ({t.source}) at {t.box[0]},{t.box[1]}"
        if i not in partner:
            failures.append(f"{where}not found: {place}")
        elif read[partner[i]][0] != t.label:
            failures.append(f"{where}read as {read[partner[i]][0]}: {place}")
    extra = [read[j] for j in range(len(read)) if j not in partner.values()]
    failures += [f"{where}no digit there: {label} at {box[0]},{box[1]}" for label, box in extra]
    right = sum(read[j][0] == truth[i].label for i, j in partner.items())
    return Score(len(truth), len(partner), right, len(extra), tuple(failures))


def overlap(a: Box, b: Box) -> float:
    """What two boxes share, as a part of what they cover together (intersection over union): 0 to 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
