"""Which shapes can be read as which without changing the numbers' order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.nn.shapes import same_order

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize(
    "shape, wanted, fits",
    [
        ((784,), (28, 28, 1), True),
        ((28, 28, 1), (784,), True),
        ((28, 28), (28, 28, 1), True),
        ((28, 28, 3), (28, 84), True),  # neighbouring axes joined
        ((28, 84), (28, 28, 3), False),  # cut in two: which numbers would the colours be?
        ((3, 28, 28), (28, 28, 3), False),
        ((20, 28), (28, 20, 1), False),
        ((28, 28), (784, 2), False),
    ],
)
def test_what_fits(shape, wanted, fits):
    assert same_order(shape, wanted) == fits


@given(SIZES, SIZES)
def test_what_can_be_joined_is_what_has_the_same_rows(shape, wanted):
    """Joining axes leaves the numbers of each row together: the wanted shape is a coarser cut of the same line."""
    if np.prod(shape) != np.prod(wanted):
        assert not same_order(shape, wanted)
        return
    cuts = [{int(np.prod(sizes[k:])) for k in range(len(sizes) + 1)} for sizes in (shape, wanted)]
    assert same_order(shape, wanted) == (len(shape) == 1 or cuts[1] <= cuts[0])
