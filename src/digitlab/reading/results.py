"""What was read on a photo: its digits with their confidence, and the marks that are none."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos import Page
from digitlab.data.photos.mark import Box


@dataclass(frozen=True)
class Read:
    """One mark and how it was read.

    label          the class; -1 if it is no digit, and then `why_not` says why
    confidence     the network's probability of its best class, 0 to 1; 0 where the network was not asked
    probabilities  of every class, (classes,)
    box            left, top, right, bottom in pixels of `Reading.page.photo`
    line           of writing, from 0; in a form, the row of its cell
    column         its place in the line, from 0; in a form, the column of its cell
    image          the network's input: uint8 (28, 28), or (28, 28, 3) if it sees colours
    mask           which pixels of the box are its ink, (bottom - top, right - left)
    """

    label: int
    confidence: float
    probabilities: NDArray[np.float64] = field(repr=False)
    box: Box
    line: int
    image: NDArray[np.uint8] = field(repr=False)
    why_not: str = ""
    mask: NDArray[np.bool_] | None = field(default=None, repr=False)
    column: int = 0


@dataclass(frozen=True)
class Reading:
    """What was read on a photo: `digits` in reading order, `others` that are none, and the stages (`page`).

    cells    of a form, the text in each of its rows and columns, "" where a cell is blank; () for other photos
    seconds  that each stage took
    """

    digits: tuple[Read, ...]
    others: tuple[Read, ...]
    page: Page = field(repr=False)
    class_names: tuple[str, ...] = tuple("0123456789")
    cells: tuple[tuple[str, ...], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict, repr=False)

    @property
    def lines(self) -> list[list[Read]]:
        """The digits line by line."""
        numbers = sorted({digit.line for digit in self.digits})
        return [[digit for digit in self.digits if digit.line == number] for number in numbers]

    @property
    def text(self) -> str:
        """The digits as text, a line of writing a line; "" if there are none. A blank cell of a form is a dot."""
        if self.cells:
            between = "" if all(len(cell) < 2 for row in self.cells for cell in row) else " "
            return "\n".join(between.join(cell or "." for cell in row) for row in self.cells)
        return "\n".join("".join(self.class_names[digit.label] for digit in line) for line in self.lines)

    @property
    def advice(self) -> str:
        """What to try where no digit was found, by the most frequent reason; "" if there are digits."""
        if self.digits:
            return ""
        reasons = [other.why_not.removeprefix("it ").split(" (")[0] for other in self.others]
        return (
            ADVICE[max(ADVICE, key=reasons.count)] if reasons else "is the writing pale? Take the photo in more light"
        )


ADVICE = {  # by the reason why marks are no digits
    "looks like no digit": "crop the picture to the digits, or lower --min-confidence",
    "is among letters": "this looks like words; crop the picture to the digits",
    "is part of a texture": "crop the picture to the digits",
    "is part of a drawing": "crop the picture to the digits",
    "is part of a scene": "crop the picture to the digits",
    "is cut off by the edge": "leave some paper around the digits",
    "is much smaller than the writing": "take the photo from nearer",
    "is much larger than the writing": "crop the picture to the digits",
    "is much paler than the writing": "take the photo in more light, or write with a darker pen",
    "is wider than a digit": "crop the picture to the digits",
    "is a dash": "crop the picture to the digits",
    "is a circle": "crop the picture to the digits; write a 0 less round",
    "is a blot": "write with a thinner pen, or larger",
}
