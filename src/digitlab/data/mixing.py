"""Your own images mixed with many others, so that a network does not forget these."""

import numpy as np

from digitlab.data.dataset import Digits, concatenate
from digitlab.data.splits import Splits

TIMES = 10  # images of the other set for each of yours


def mix_in(own: Splits, other: Splits, *, times: int = TIMES, seed: int = 0) -> Splits:
    """Your sets with others mixed into training and validation: `times` random ones for each, or all there are.

    Validation is mixed in the same proportion, so that the best epoch is good at both; the test set stays as it is.
    Raises DataError if images or classes differ.
    """
    rng = np.random.default_rng(seed)
    valid = own.valid
    if valid is not None and other.valid is not None:
        valid = _joined(valid, other.valid, times, rng)
    return Splits(_joined(own.train, other.train, times, rng), valid, own.test)


def _joined(own: Digits, other: Digits, times: int, rng: np.random.Generator) -> Digits:
    n = min(len(other), times * len(own))
    return concatenate(own, other[np.sort(rng.permutation(len(other))[:n])])
