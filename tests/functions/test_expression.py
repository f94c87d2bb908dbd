"""Functions written as text: computed as Python would, and nothing else is."""

import numpy as np
import pytest

from digitlab.errors import ConfigError
from digitlab.functions import parse_function

X = np.linspace(-3, 3, 13)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sin(x)+x", np.sin(X) + X),
        ("-x**2 + 2*x - 1/4", -(X**2) + 2 * X - 0.25),
        ("x^2", X**2),
        ("exp(-abs(x)) * cos(2*pi*x)", np.exp(-np.abs(X)) * np.cos(2 * np.pi * X)),
        ("3", np.full(13, 3.0)),
        ("e", np.full(13, np.e)),
        ("tanh(sqrt(x*x))", np.tanh(np.abs(X))),
    ],
)
def test_values(text, expected):
    np.testing.assert_allclose(parse_function(text)(X), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("__import__('os').system('true')", "cannot contain"),
        ("x.real", "'x.real'"),
        ("y + 1", "'y'"),
        ("sin(x, x)", "cannot contain"),
        ("sin", "'sin'"),
        ("True", "'True'"),
        ("'x'", "cannot contain"),
        ("x +", "expected a function of x"),
        ("", "expected a function of x"),
        ("x" * 600, "600 characters"),
        ("[x for x in x]", "cannot contain"),
    ],
)
def test_refuses_what_is_no_function(text, says):
    with pytest.raises(ConfigError, match=says.replace("(", r"\(").replace(".", r"\.")):
        parse_function(text)


def test_a_pole_is_infinite_and_silent():
    assert np.isinf(parse_function("1/x")(np.zeros(1))).all()


def test_signs_spaces_and_numbers_too_large():
    assert parse_function("  +x ")(np.array([2.0])) == [2.0]
    with pytest.raises(ConfigError, match="more than 308 digits"):
        parse_function("1" + "0" * 400)
