"""Digits as people photograph and draw them: in many hands and pens, MNIST's images among them, in MNIST's form."""

import numpy as np
from numpy.typing import NDArray

from digitlab.data.synthetic.captures import captured
from digitlab.data.synthetic.hands import write_digit
from digitlab.data.synthetic.pens import Ink, ink_of, resized

RULED, CUT_OUT = 0.05, 0.06  # shares of digits with a piece of a ruled line, and with a piece of their neighbour
THICK = 0.4  # share of ones that a thick pen or few pixels made wide: no loop of theirs closes


def hand_digits(labels: NDArray[np.int64], rng: np.random.Generator, *, tiny: bool = False) -> NDArray[np.uint8]:
    """A digit for each label (N,), in forms of several countries, as (N, 28, 28); `tiny`: on 7 to 10 pixels."""
    return np.stack([_hand_digit(int(label), rng, tiny) for label in labels])


def _hand_digit(label: int, rng: np.random.Generator, tiny: bool) -> NDArray[np.uint8]:
    while True:
        ink = ink_of(write_digit(label, rng), rng)
        if label == 1 and rng.random() < THICK:
            ink = _thick(ink, rng)
        change = rng.random()
        if change < RULED:
            ink = _ruled(ink, rng)
        elif change < RULED + CUT_OUT:
            ink = _cut_out(ink, rng)
        if (image := captured(ink, rng, tiny=tiny)) is not None:
            return image


def _thick(ink: Ink, rng: np.random.Generator) -> Ink:
    """The ink with strokes wider by up to a third of its height."""
    from scipy import ndimage

    more = max(1, round(rng.uniform(0.05, 0.33) * max(ink.shape)))
    thick: Ink = ndimage.grey_dilation(np.pad(ink, more), size=(more, more))
    return thick


def _ruled(ink: Ink, rng: np.random.Generator) -> Ink:
    """The ink with a line that touches it, a little wider than the digit."""
    ruled = np.array(ink)
    h, w = ink.shape
    thick, y = max(1, round(h * rng.uniform(0.01, 0.04))), int(h * rng.uniform(0.8, 0.97))
    left, right = round(w * rng.uniform(0, 0.4)), round(w * rng.uniform(0.6, 1))
    ruled[y : y + thick, left:right] = np.maximum(ruled[y : y + thick, left:right], rng.uniform(0.5, 1))
    return ruled


def _cut_out(ink: Ink, rng: np.random.Generator) -> Ink:
    """The ink with a narrow piece of another digit at its side, as a cut between two that touch leaves it."""
    other = ink_of(write_digit(int(rng.integers(10)), rng), rng)
    columns = np.flatnonzero(other.max(axis=0) > 0.3 * other.max())
    piece = other[:, columns[0] : columns[0] + max(1, round(len(columns) * rng.uniform(0.05, 0.2)))]
    piece = resized(piece, ink.shape[0] / piece.shape[0])[: ink.shape[0]]
    piece = np.pad(piece, ((0, ink.shape[0] - piece.shape[0]), (0, 0)))
    piece *= ink.max() / max(0.01, float(piece.max()))  # as dark as the digit
    own = np.flatnonzero(ink.max(axis=0) > 0.3 * ink.max())
    ink = ink[:, own[0] : own[-1] + 1]
    return np.concatenate([ink, piece] if rng.random() < 0.5 else [piece[:, ::-1], ink], axis=1)
