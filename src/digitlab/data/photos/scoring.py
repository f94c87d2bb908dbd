"""How well a photo was read, where the truth about it is known: what was found, what was right, what went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from digitlab.data.photos.marks import Box
from digitlab.data.synthetic.pages import Truth

SAME = 0.5  # two boxes mean the same digit if they share at least half of what they cover together


@dataclass(frozen=True)
class Score:
    """Counts over one photo or many.

    there, found, right   digits that stand there, that were found (whatever they were called), that were called right
    extra                 marks called a digit where none stands
    failures              one line each: "not found: 7 (pen) at 40,61" ...
    """

    there: int = 0
    found: int = 0
    right: int = 0
    extra: int = 0
    failures: tuple[str, ...] = field(default=())

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


def score_reading(truth: Sequence[Truth], read: Sequence[tuple[int, Box]], *, name: str = "") -> Score:
    """Hold what was read, (label, box) each, against what stands there. Each box counts once, best overlap first."""
    pairs = sorted(
        ((overlap(t.box, box), i, j) for i, t in enumerate(truth) for j, (_, box) in enumerate(read)), reverse=True
    )
    partner: dict[int, int] = {}
    used: set[int] = set()
    for share, i, j in pairs:
        if share >= SAME and i not in partner and j not in used:
            partner[i] = j
            used.add(j)
    where = f"{name}: " if name else ""
    failures = []
    for i, t in enumerate(truth):
        place = f"{t.label} ({t.source}) at {t.box[0]},{t.box[1]}"
        if i not in partner:
            failures.append(f"{where}not found: {place}")
        elif read[partner[i]][0] != t.label:
            failures.append(f"{where}read as {read[partner[i]][0]}: {place}")
    for j, (label, box) in enumerate(read):
        if j not in used:
            failures.append(f"{where}nothing there: {label} at {box[0]},{box[1]}")
    right = sum(read[j][0] == truth[i].label for i, j in partner.items())
    return Score(len(truth), len(partner), right, len(read) - len(used), tuple(failures))


def overlap(a: Box, b: Box) -> float:
    """What two boxes share, as a part of what they cover together: 0 to 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
