"""One photo, read by a network: the parts of its ink, their partition into digits, and what the page says of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitlab.arguments import checked
from digitlab.data.photos import Mark, Page, find_digits
from digitlab.data.photos.crops import crop_pages
from digitlab.data.photos.lines import text_lines
from digitlab.data.photos.marks import odd_shape
from digitlab.data.photos.page import Stopwatch, depth_of
from digitlab.data.photos.paper import SMALL
from digitlab.data.photos.scene import is_scene
from digitlab.errors import ShapeError
from digitlab.judging import judge
from digitlab.nn.network import Network
from digitlab.reading.context import refused, writing_height, written
from digitlab.reading.crops import best_of_crop
from digitlab.reading.frames import frames
from digitlab.reading.partition import Answer, Judge, partition
from digitlab.reading.prior import in_context
from digitlab.reading.results import Read, Reading

MIN_CONFIDENCE = 0.5  # below it, a mark is called no digit
CRUMB = 0.1  # of the writing's height: smaller parts are dust


@checked
def read_photo(
    network: Network,
    photo: NDArray[np.uint8],
    *,
    min_confidence: float = MIN_CONFIDENCE,
    class_names: Sequence[str] = tuple("0123456789"),
    least_confidence: float | None = None,
    expect: int | None = None,
) -> Reading:
    """Find the digits in a photo, uint8 (H, W, 3) or grey (H, W), and let the network say which they are.

    The network sees 28×28 images in MNIST's form; one with three channels sees the photo's colours around each mark.
    Marks that it reads with less than `min_confidence` (formerly `least_confidence`) are no digits.
    `expect` is the number of digits on the photo, where it is known: the most probable ones are taken, whatever
    `min_confidence` is.
    Raises ShapeError if the network takes other images or has no output per class.
    """
    colour = sees_colour(network)
    if network.shapes[-1] != (len(class_names),):
        raise ShapeError(f"the network has outputs {network.shapes[-1]}, expected ({len(class_names)},): one per class")
    least = min_confidence if least_confidence is None else least_confidence

    def read(page: Page) -> Reading:
        return _read(page, asker(network, page, colour), least, class_names, expect)

    return best_of_crop(read(find_digits(photo)), map(read, crop_pages(photo)))


def _read(page: Page, ask: Judge, least: float, class_names: Sequence[str], expect: int | None) -> Reading:
    """What the network that `ask` asks reads on a page, with the arguments of `read_photo`."""
    clock = Stopwatch()
    answers, around, crumbs = _answers(page, ask, one=expect == 1)
    clock.lap("network")
    scene = is_scene(page.ink, page.zoom)
    why = refused(answers, least, page.photo.shape[:2], crumbs, noise=page.ink.noise, scene=scene)
    if expect is not None:
        why = _expected(answers, why, expect)
    digits = [j for j, reason in zip(answers, why) if not reason]
    lines = text_lines([j.mark.box for j in digits])
    reads = [read_of(digits[at], row, column) for row, line in enumerate(lines) for column, at in enumerate(line)]
    others = [read_of(j, 0, 0, f"it {reason}") for j, reason in zip(answers, why) if reason]
    others += [read_of(j, 0, 0, "it is a frame around digits") for j in around]
    clock.lap("context")
    seconds = {**page.seconds, **clock.seconds}
    return Reading(tuple(reads), tuple(others), page, tuple(class_names), seconds=seconds)


def asker(network: Network, page: Page, colour: bool) -> Judge:
    """A function that asks the network for its answers on marks of this page, once for each mark."""
    known: dict[int, Answer] = {}  # by identity; each answer keeps its mark alive

    def ask(marks: Sequence[Mark]) -> list[Answer]:
        if new := [mark for mark in marks if id(mark) not in known]:
            known.update(zip(map(id, new), answered(new)))
        return [known[id(mark)] for mark in marks]

    def answered(marks: Sequence[Mark]) -> list[Answer]:
        images = np.stack([page.colour_of(mark) if colour else page.image_of(mark) for mark in marks])
        judged = judge(network, images)
        odd = [1.0 if odd_shape(mark) else 0.0 for mark in marks]
        not_digit = np.maximum(judged.not_digit, odd).tolist()
        depth = [depth_of(mark, page.ink.flat) for mark in marks]
        return [Answer(*one) for one in zip(marks, images, judged.probabilities, not_digit, depth)]

    return ask


def _expected(answers: Sequence[Answer], why: Sequence[str], count: int) -> list[str]:
    """The reasons where `count` digits are known to be there: accepted marks come first, then the most confident."""
    order = sorted(range(len(answers)), key=lambda at: (bool(why[at]), -answers[at].confidence))
    chosen = {at for at in order[:count] if not odd_shape(answers[at].mark)}
    return ["" if at in chosen else why[at] or "is one more than expected" for at in range(len(answers))]


def sees_colour(network: Network) -> bool:
    """Whether the network takes colour images, (28, 28, 3); ShapeError unless it takes these or (28, 28)."""
    size = int(np.prod(network.input_shape))
    if size not in (28 * 28, 28 * 28 * 3):
        raise ShapeError(f"the network takes input of shape {network.input_shape}; photos are read as 28×28 images")
    return size != 28 * 28


def read_of(answer: Answer, line: int, column: int, why_not: str = "") -> Read:
    """An answer as a result: a digit of a line, or a mark that is none."""
    label, mark = -1 if why_not else answer.label, answer.mark
    return Read(
        label, answer.confidence, answer.probabilities, mark.box, line, answer.image, why_not, mark.mask, column
    )


def _answers(page: Page, ask: Judge, one: bool) -> tuple[list[Answer], list[Answer], list[Mark]]:
    """The page's marks, each with what the network says of it; frames around them; and parts too small for a mark."""
    alone = ask(page.parts)
    framing = frames(alone)
    around = [answer for answer, is_frame in zip(alone, framing) if is_frame]
    rest = [answer for answer, is_frame in zip(alone, framing) if not is_frame]
    usual = writing_height(rest, page.clean.shape)
    large = [answer for answer in rest if max(answer.mark.height, answer.mark.width) >= CRUMB * usual]
    crumbs = [part for part in page.parts if max(part.height, part.width) < CRUMB * usual]
    one = (one and len(large) <= 12) or max(page.photo.shape[:2]) <= SMALL * page.zoom
    answers = partition(large, ask, usual=usual, one=one, shape=page.clean.shape)
    return in_context(answers, written(answers, page.clean.shape)), around, crumbs
