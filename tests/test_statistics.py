"""Statistics of several values against NumPy and SciPy, and their text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from digitlab.errors import ConfigError
from digitlab.statistics import summarize, t_quantile, wilson_interval


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9))
def test_the_summary_is_numpys(values):
    s = summarize(values)
    assert s.mean == pytest.approx(np.mean(values), abs=1e-9)
    assert s.variance == pytest.approx(np.var(values, ddof=1), abs=1e-9)
    assert (s.minimum, s.maximum, s.range) == (min(values), max(values), max(values) - min(values))
    assert (s.n, s.sd) == (len(values), s.variance**0.5)


def test_the_summary_by_hand():
    assert summarize([1, 2, 6]) == (3, 3, 7, 7**0.5, 1, 6, 5)
    assert summarize([4]) == (1, 4, 0, 0, 4, 4, 0)
    with pytest.raises(ConfigError, match="got no values"):
        summarize([])


def test_the_text():
    s = summarize([95.0, 96.0, 97.0])
    assert s.text() == "96.00 ± 1.00"
    assert s.text("{:.0f}".format, " %", sd_number="{:.1f}".format, show_n=True) == "96 ± 1.0 % (n = 3)"
    assert summarize([95.2]).text(unit=" %", show_n=True) == "95.20 % (n = 1)"


def test_wilsons_interval_is_scipys():
    right, n = np.array([0, 7, 50, 95, 0]), np.array([10, 9, 100, 95, 0])
    low, high = wilson_interval(right, n)
    # By hand for 50 of 100, z = 1.96: .5 ± z √(.0025 + z²/40000) / (1 + z²/100) = .5 ± .0962
    assert_allclose([low[2], high[2]], [0.40383, 0.59617], atol=1e-5)
    assert (low[0], high[3], low[4], high[4]) == (0, 1, 0, 1)
    assert wilson_interval([], [])[0].shape == (0,)


def test_students_quantile():
    assert t_quantile(3) == pytest.approx(stats.t.ppf(0.975, 2))
    assert t_quantile(1) == 1.96
