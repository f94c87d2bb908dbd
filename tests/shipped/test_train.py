"""The parts of the shipped network's training that can be checked without it."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from digitlab.data.synthetic.hand_digits import hand_digits
from digitlab.judging import judge
from digitlab.nn import BatchNorm, Dense, Flatten, Network
from digitlab.shipped import PATH, shipped_network
from digitlab.shipped.train import NONE, open_set, report, temperature_of

IMAGES = hand_digits(np.arange(10), np.random.default_rng(3))


@pytest.mark.parametrize("between", [[], [BatchNorm()]])  # whose running means are saved behind the weights
def test_eleven_outputs_become_ten_that_say_the_same(between):
    eleven = Network([Flatten(), *between, Dense(11)], (28, 28, 1), "log-likelihood", seed=2)
    judged = judge(open_set(eleven, 2.5), IMAGES)
    expected = softmax(eleven.forward(IMAGES)[0] / 2.5, axis=1)  # (10, 11)
    np.testing.assert_allclose(judged.not_digit, expected[:, NONE], rtol=1e-4)
    np.testing.assert_allclose((1 - judged.not_digit)[:, None] * judged.probabilities, expected[:, :NONE], rtol=1e-4)


def test_the_temperature_is_found():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 5))
    labels = np.array([rng.choice(5, p=np.exp(row)) for row in log_softmax(logits, axis=1)])
    assert abs(temperature_of(3 * logits, labels) - 3) < 0.2


def test_a_report_counts_what_is_right_and_what_is_refused():
    network = Network([Flatten(), Dense(11)], (28, 28, 1), "log-likelihood", seed=2)
    sure = open_set(network, 1e-3)
    right = np.mean(judge(sure, IMAGES).probabilities.argmax(axis=1) == np.arange(10))
    assert report(sure, "some", IMAGES, np.arange(10)).startswith(f"some: {100 * right:.2f} % right")
    assert "taken for a digit" in report(sure, "none", IMAGES, np.full(10, NONE))


def test_a_thick_stroke_is_a_one():
    """A bar, a fifth as wide as high, is a 1; a square of them is no digit."""
    bar, square = np.zeros((2, 28, 28), np.uint8)
    bar[4:24, 12:16], square[4:24, 4:24] = 255, 255
    judged = judge(shipped_network(), np.stack([bar, square]))
    assert judged.probabilities[0].argmax() == 1 and judged.not_digit[0] < 0.5 < judged.not_digit[1]


def test_the_shipped_network_knows_what_no_digit_is():
    network = shipped_network()
    assert network.open_set and network.shapes[-1] == (10,)
    assert PATH.stat().st_size < 2_000_000
