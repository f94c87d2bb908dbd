"""What is said of an ensemble that gains nothing."""

import numpy as np
import pytest

from digitlab.ensemble import Diversity, Gain, doubts

LABELS = np.arange(200) % 2
NAMES = ("a", "b")


def gain(members, *, disagreement=0.1, mended=5, spoilt=2):
    return Gain(members, 0.9, Diversity(disagreement, 0.0, 0.0), [], mended, spoilt, 0, 1.0, LABELS)


@pytest.mark.parametrize(
    "found, words",
    [
        (gain([0.9, 0.92]), []),
        (gain([0.52, 0.92]), ["no better than guessing the largest class (50.0 %): a; leave it out"]),
        (gain([0.9, 0.9], disagreement=0.0), ["make the same errors (disagreement 0.0 %)"]),
        (gain([0.9, 0.92], spoilt=7), ["has 2 of 200 images fewer right than b alone; try --combine weighted"]),
    ],
)
def test_members_at_chance_members_that_are_alike_and_no_gain(found, words):
    lines = doubts(found, NAMES, LABELS)
    assert len(lines) == len(words) and all(word in line for word, line in zip(words, lines)), lines
