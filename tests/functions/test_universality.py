"""Bumps set by hand: Nielsen's chapter 4 in figures."""

import numpy as np
import pytest

from digitlab.errors import ConfigError
from digitlab.functions import bumps_network, parse_function


def test_one_bump_by_hand():
    net = bumps_network(parse_function("3"), 0, 1, 1)
    assert net.predict(np.array([[0.5]]))[0, 0] == pytest.approx(3)


def test_two_bumps_are_as_high_as_the_function_in_their_middle():
    net = bumps_network(parse_function("x"), 0, 4, 2)
    np.testing.assert_allclose(net.predict(np.array([[0.5], [1.5], [2.5], [3.5]])).ravel(), [1, 1, 3, 3], atol=1e-9)


@pytest.mark.parametrize("text", ["sin(x) + x", "0.2 + 0.4*x**2 + 0.3*x*sin(15*x) + 0.05*cos(50*x)"])
def test_the_error_falls_with_the_square_of_the_bumps(text):
    function, x = parse_function(text), np.linspace(0, 1, 4000)[1:-1]

    def error(bumps):
        return np.mean((bumps_network(function, 0, 1, bumps).predict(x[:, None]).ravel() - function(x)) ** 2)

    # Mean squared error of a staircase: (slope · width)² / 12 on average.
    ratios = [error(50) / error(100), error(100) / error(200)]
    assert all(3.5 < ratio < 4.5 for ratio in ratios)


def test_refuses_no_bumps():
    with pytest.raises(ConfigError, match="at least one"):
        bumps_network(parse_function("x"), 0, 1, 0)
