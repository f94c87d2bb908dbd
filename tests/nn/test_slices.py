"""Parts of the input: they cut as NumPy does, scatter back, and refuse what is not there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import Network, Slice, halves, quadrants

from .plain import numbers


@settings(deadline=None, max_examples=40)
@given(data=st.data(), height=st.integers(1, 5), width=st.integers(1, 5), channels=st.integers(1, 3))
def test_slice_cuts_as_numpy_does_and_scatters_back(data, height, width, channels):
    def span(n):
        start = data.draw(st.integers(0, n - 1))
        return start, data.draw(st.integers(start + 1, n))

    rows, columns = span(height), span(width)
    chosen = data.draw(st.lists(st.integers(0, channels - 1), min_size=1, unique=True))
    layer = Slice(rows=rows, columns=columns, channels=chosen)
    x = numbers(2, height, width, channels)
    y, cache = layer.forward(x)
    assert_array_equal(y, x[:, rows[0] : rows[1], columns[0] : columns[1]][..., chosen])
    g = numbers(*y.shape, seed=1)
    expected = np.zeros_like(x)
    for i, channel in enumerate(chosen):
        expected[:, rows[0] : rows[1], columns[0] : columns[1], channel] = g[..., i]
    assert_array_equal(layer.backward(g, cache), expected)


def test_slice_of_indices_by_hand():
    layer = Slice(indices=[2, 0])
    y, cache = layer.forward(np.array([[5.0, 6.0, 7.0]]))
    assert_array_equal(y, [[7, 5]])
    assert_array_equal(layer.backward(np.array([[1.0, 2.0]]), cache), [[2, 0, 1]])


@pytest.mark.parametrize("shape", [(8, 8), (7, 5), (28, 28, 3)])
@pytest.mark.parametrize("parts", [quadrants, halves, lambda shape: halves(shape, "columns")])
def test_halves_and_quadrants_hold_every_pixel_once(shape, parts):
    places = [part.places(shape).ravel() for part in parts(shape)]
    assert_array_equal(np.sort(np.concatenate(places)), np.arange(np.prod(shape)))


def test_quadrants_come_in_reading_order():
    image = np.array([[[0.0, 1.0], [2.0, 3.0]]])
    assert [float(part.forward(image)[0].item()) for part in quadrants((2, 2))] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "make, shape, error, text",
    [
        (lambda: Slice(), (4,), ConfigError, "expected rows, columns and channels"),
        (lambda: Slice(rows=(0, 2), indices=[1]), (4, 4), ConfigError, "or indices alone"),
        (lambda: Slice(rows=(2, 2)), (4, 4), ConfigError, r"rows=\(2, 2\), expected \(start, stop\)"),
        (lambda: Slice(indices=[1, 1]), (4,), ConfigError, "different numbers"),
        (lambda: Slice(indices=[-1]), (4,), ConfigError, "from 0 on"),
        (lambda: Slice(rows=(0, 14)), (784,), ShapeError, r"put Reshape\(\(28, 28\)\) before it"),
        (lambda: Slice(rows=(0, 14)), (8, 8), ShapeError, "expected at least 14 rows"),
        (lambda: Slice(columns=(0, 14)), (20, 8), ShapeError, "expected at least 14 columns"),
        (lambda: Slice(channels=[3]), (8, 8, 3), ShapeError, "expected at least 4 channels"),
        (lambda: Slice(channels=[0]), (8, 8), ShapeError, r"expected \(H, W, C\)"),
        (lambda: Slice(indices=[4]), (4,), ShapeError, "expected at least 5 numbers"),
    ],
)
def test_slices_of_nothing_are_refused(make, shape, error, text):
    with pytest.raises(error, match=text):
        Network([make()], shape)
