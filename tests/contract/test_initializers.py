"""What every initializer must do."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from digitlab.nn import Given, Initializer
from digitlab.nn.describe import build, describe

from .examples import INITIALIZERS, public

each_initializer = pytest.mark.parametrize("initializer", INITIALIZERS, ids=map(repr, INITIALIZERS))


def drawn(initializer, seed=1, dtype="float64"):
    return initializer((4, 3), 4, 3, np.random.default_rng(seed), dtype)


def test_everything_has_an_example():
    missing = {cls.__name__ for cls in public(Initializer)} - {type(each).__name__ for each in INITIALIZERS}
    assert not missing, f"add an example of {sorted(missing)} to tests/contract/examples.py"


@each_initializer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shape_and_dtype_are_what_was_asked(initializer, dtype):
    values = drawn(initializer, dtype=dtype)
    assert values.shape == (4, 3)
    assert values.dtype == dtype
    assert np.isfinite(values).all()


@each_initializer
def test_the_same_seed_gives_the_same_values(initializer):
    assert_array_equal(drawn(initializer, seed=5), drawn(initializer, seed=5))


@each_initializer
def test_without_an_rng_it_gives_zeros(initializer):
    assert not initializer((4, 3), 4, 3, None, "float32").any()


@each_initializer
def test_describes_itself_and_is_built_again(initializer):
    again = build(Initializer, json.loads(json.dumps(describe(initializer))))
    assert repr(again) == repr(initializer)
    if not isinstance(initializer, Given):  # whose array is no choice
        assert_array_equal(drawn(again), drawn(initializer))


@each_initializer
def test_values_are_the_callers_own(initializer):
    one, two = drawn(initializer), drawn(initializer)
    one += 1
    assert_array_equal(two, drawn(initializer))
