"""How common digits are on this page: the network's odds of "no digit", corrected by the marks around.

A network's probabilities hold where classes are as common as in its training. On a page of words they are not, and a
picture of a single mark is hardly ever taken of anything but a digit. The share of digits among the other marks is
estimated from the answers themselves, and the odds are multiplied by how much it differs (Saerens, Latinne and
Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities"):

    odds(digit | mark, page) = odds(digit | mark) · π/(1 − π) · (1 − π₀)/π₀
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digitlab.reading.partition import Answer

TRAINED = 0.79  # π₀: share of digits among what the shipped network was trained on
DIGITS, OTHERS = 8.0, 0.2  # what is assumed before any mark is seen, as numbers of marks
STEPS = 20


def in_context(answers: Sequence[Answer], counted: Sequence[bool]) -> list[Answer]:
    """The answers with `not_digit` corrected; those `counted` say what is on the page."""
    none = np.array([answer.not_digit for answer in answers], dtype=float)
    if not none.any():
        return list(answers)
    odds = (1 - none) / np.maximum(none, 1e-12) * (1 - TRAINED) / TRAINED
    of = np.asarray(counted, float)
    around = of.sum() - of  # for each mark, how many others
    share = np.full(len(none), DIGITS / (DIGITS + OTHERS))
    for _ in range(STEPS):
        given = odds * share / (1 - share)
        digit = given / (1 + given)
        share = (of @ digit - of * digit + DIGITS) / (around + DIGITS + OTHERS)
    return [replace(answer, not_digit=float(1 - p)) for answer, p in zip(answers, digit)]
