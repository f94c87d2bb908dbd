"""Reading a photo: data/photos finds the marks, and a network says which digits they are.

    reading = read_photo(network, open_photo("photo.jpg"))
    reading.text                  "314\\n159"
    reading.digits[0].label, reading.digits[0].confidence, reading.digits[0].box

A mark is no digit if its shape cannot be one's, or if the network is too unsure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitlab.data.photos import Mark, Page, find_digits
from digitlab.data.photos.marks import Box, cuts
from digitlab.errors import ShapeError
from digitlab.nn.network import Network
from digitlab.train.evaluation import class_shares

MIN_CONFIDENCE = 0.5  # below it, a mark is called no digit
SURE = 0.9  # a mark read with less is tried as two digits that touch


@dataclass(frozen=True)
class Read:
    """One mark and how it was read.

    label          the class; -1 if it is no digit, and then `why_not` says why
    confidence     the network's probability of its best class, 0 to 1; 0 where the network was not asked
    probabilities  of every class, (classes,)
    box            left, top, right, bottom in pixels of `Reading.page.photo`
    line           of writing, from 0
    image          the network's input: uint8 (28, 28), or (28, 28, 3) if it sees colours
    """

    label: int
    confidence: float
    probabilities: NDArray[np.float64] = field(repr=False)
    box: Box
    line: int
    image: NDArray[np.uint8] = field(repr=False)
    why_not: str = ""


@dataclass(frozen=True)
class Reading:
    """What was read on a photo: `digits` in reading order, `others` that are none, and the stages (`page`)."""

    digits: tuple[Read, ...]
    others: tuple[Read, ...]
    page: Page = field(repr=False)
    class_names: tuple[str, ...] = tuple("0123456789")

    @property
    def lines(self) -> list[list[Read]]:
        """The digits line by line."""
        numbers = sorted({digit.line for digit in self.digits})
        return [[digit for digit in self.digits if digit.line == number] for number in numbers]

    @property
    def text(self) -> str:
        """The digits as text, a line of writing a line; "" if there are none."""
        return "\n".join("".join(self.class_names[digit.label] for digit in line) for line in self.lines)


def read_photo(
    network: Network,
    photo: NDArray[np.uint8],
    *,
    min_confidence: float = MIN_CONFIDENCE,
    class_names: Sequence[str] = tuple("0123456789"),
    least_confidence: float | None = None,
) -> Reading:
    """Find the digits in a photo, uint8 (H, W, 3) or grey (H, W), and let the network say which they are.

    The network sees 28×28 images in MNIST's form; one with three channels sees the photo's colours around each mark.
    Marks that it reads with less than `min_confidence` (formerly `least_confidence`) are no digits.
    Raises ShapeError if the network takes other images or has no output per class.
    """
    colour = sees_colour(network)
    if network.shapes[-1] != (len(class_names),):
        raise ShapeError(f"the network has outputs {network.shapes[-1]}, expected ({len(class_names)},): one per class")
    least = min_confidence if least_confidence is None else least_confidence
    reader = _Reader(network, find_digits(photo), colour, least)
    digits: list[Read] = []
    others = [reader.no_digit(mark, f"it {mark.why_not}") for mark in reader.page.others]
    for read in reader.read_all():
        (others if read.why_not else digits).append(read)
    return Reading(tuple(digits), tuple(others), reader.page, tuple(class_names))


def sees_colour(network: Network) -> bool:
    """Whether the network takes colour images, (28, 28, 3); ShapeError unless it takes these or (28, 28)."""
    size = int(np.prod(network.input_shape))
    if size not in (28 * 28, 28 * 28 * 3):
        raise ShapeError(f"the network takes input of shape {network.input_shape}; photos are read as 28×28 images")
    return size != 28 * 28


class _Reader:
    """The marks of one page, read by one network."""

    def __init__(self, network: Network, page: Page, colour: bool, least: float) -> None:
        self.network, self.page, self.colour, self.least = network, page, colour, least

    def read_all(self) -> list[Read]:
        """Every mark that may be a digit, read; one that is two is cut."""
        if not self.page.marks:
            return []
        shown = np.stack([self.shown(mark) for mark in self.page.marks])
        reads = []
        for mark, image, p in zip(self.page.marks, shown, self.ask(shown)):
            parts = self.parts(mark, float(p.max()))
            reads += [self.judged(part, image, p) for part, image, p in parts or [(mark, image, p)]]
        return reads

    def shown(self, mark: Mark) -> NDArray[np.uint8]:
        return self.page.colour_of(mark) if self.colour else self.page.image_of(mark)

    def ask(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Probabilities (N, classes)."""
        return class_shares(self.network.predict(images))

    def parts(
        self, mark: Mark, whole: float, depth: int = 0
    ) -> list[tuple[Mark, NDArray[np.uint8], NDArray[np.float64]]]:
        """A mark as two or more digits that touch, if they are read much better than the whole; else []."""
        wide = mark.width > 1.15 * mark.height
        if depth > 2 or (whole >= SURE and not wide):
            return []
        halves = cuts(mark, self.page.usual_height)
        if not halves:
            return []
        images = np.stack([self.shown(half) for pair in halves for half in pair])
        probabilities = self.ask(images)
        best = probabilities.max(axis=1).reshape(-1, 2)
        at = int(np.argmax(best.min(axis=1)))
        # A half that is unsure may itself be two digits.
        found = []
        for side in (0, 1):
            half, i = halves[at][side], 2 * at + side
            more = self.parts(half, float(best[at, side]), depth + 1) if best[at, side] < SURE else []
            found += more or [(half, images[i], probabilities[i])]
        if any(int(np.argmax(p)) == 1 for _, _, p in found):
            return []  # letters fall apart into strokes, and each would pass for a 1: V, N, M, U ...
        worst = min(float(p.max()) for _, _, p in found)
        return found if worst >= SURE else []

    def judged(self, mark: Mark, image: NDArray[np.uint8], p: NDArray[np.float64]) -> Read:
        """A label where the network is sure enough, or the reason why there is none."""
        label, confidence = int(np.argmax(p)), float(p.max())
        unsure = confidence < self.least
        why = f"it looks like no digit (best guess {label}, {100 * confidence:.0f} %)" if unsure else ""
        return Read(-1 if unsure else label, confidence, p, mark.box, mark.line, image, why)

    def no_digit(self, mark: Mark, why: str) -> Read:
        classes = self.network.shapes[-1][0]
        return Read(-1, 0.0, np.zeros(classes), mark.box, mark.line, self.shown(mark), why)
