"""Digits as people photograph and draw them: in many hands and pens, MNIST's images among them, in MNIST's form."""

import numpy as np
from numpy.typing import NDArray

from digitlab.data.synthetic.captures import captured
from digitlab.data.synthetic.hands import write_digit
from digitlab.data.synthetic.pens import Ink, ink_of

RULED = 0.05  # the share of digits on which a piece of a ruled line stayed


def hand_digits(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A digit for each label (N,), in forms of several countries, as (N, 28, 28)."""
    return np.stack([_hand_digit(int(label), rng) for label in labels])


def _hand_digit(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    while True:
        ink = ink_of(write_digit(label, rng), rng)
        image = captured(_ruled(ink, rng) if rng.random() < RULED else ink, rng)
        if image is not None:
            return image


def _ruled(ink: Ink, rng: np.random.Generator) -> Ink:
    """The ink with a line that touches it, a little wider than the digit."""
    ruled = np.array(ink)
    h, w = ink.shape
    thick, y = max(1, round(h * rng.uniform(0.01, 0.04))), int(h * rng.uniform(0.8, 0.97))
    left, right = round(w * rng.uniform(0, 0.4)), round(w * rng.uniform(0.6, 1))
    ruled[y : y + thick, left:right] = np.maximum(ruled[y : y + thick, left:right], rng.uniform(0.5, 1))
    return ruled
