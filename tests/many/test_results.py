"""Tables and labels of many trainings."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.cli.many import outcome_line
from digitlab.data import load
from digitlab.errors import ConfigError
from digitlab.many import Outcome, Together, spread, train_many
from digitlab.many.results import differences, figure, varied_settings
from digitlab.train import ExponentialMovingAverage, evaluate

from .helpers import config


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9))
def test_spread_is_that_of_numpy(values):
    s = spread(values)
    assert s.mean == pytest.approx(np.mean(values), abs=1e-9)
    assert s.variance == pytest.approx(np.var(values, ddof=1), abs=1e-9)
    assert (s.minimum, s.maximum, s.range) == (min(values), max(values), max(values) - min(values))
    assert (s.n, s.sd) == (len(values), s.variance**0.5)


def test_spread_by_hand():
    assert spread([1, 2, 6]) == (3, 3, 7, 7**0.5, 1, 6, 5)
    assert spread([4]) == (1, 4, 0, 0, 4, 4, 0)
    with pytest.raises(ConfigError, match="got no figures"):
        spread([])


def test_labels_say_what_differs_and_nothing_else():
    configs = [config(seed, rate) for rate in (0.3, 3.0) for seed in (0, 1)]
    assert differences(configs, but=("seed",)) == ["learning_rate=0.3"] * 2 + ["learning_rate=3.0"] * 2
    assert set(varied_settings(configs)) == {"learning_rate", "seed"}
    assert differences(configs[:1]) == [""]


def test_two_settings_of_one_name_keep_their_whole_names():
    first = config(data={"seed": 1})
    assert set(varied_settings([first, config(1)])) == {"data.seed", "seed"}


def outcome(seed, rate, value, **settings):
    row = {"epoch": 1, "valid_accuracy": value, "valid_loss": 1 - value, "seconds": 2.0}
    return Outcome(f"{seed}-{rate}", config(seed, rate), [row], "valid_accuracy", 1, **settings)


def test_the_best_setting_is_the_one_with_the_best_mean():
    a = [outcome(0, 1.0, 0.99), outcome(1, 1.0, 0.1)]
    b = [outcome(0, 2.0, 0.7), outcome(1, 2.0, 0.8)]
    label, part = Together(a + b).best_setting()
    assert label == "learning_rate=2.0"
    assert part.spread().mean == pytest.approx(0.75)


def test_what_failed_is_not_counted():
    together = Together(
        [outcome(0, 1.0, 0.5), outcome(1, 1.0, 0.9, error="diverged"), Outcome("c", config(2), [], finished=False)]
    )
    assert together.values() == [0.5]
    with pytest.raises(ConfigError, match="no finished network has a 'test_accuracy'"):
        together.spread("test_accuracy")
    with pytest.raises(ConfigError, match="no training came to its end"):
        Together([Outcome("c", config(2), [], finished=False)]).best_setting()


def test_csv_holds_what_differs_and_what_came_out():
    together = Together([outcome(0, 1.0, 0.5, test={"accuracy": 0.4}), outcome(1, 2.0, 0.9, stop_reason="flat")])
    rows = list(csv.DictReader(io.StringIO(together.csv())))
    assert [row["learning_rate"] for row in rows] == ["1.0", "2.0"]
    assert [row["test_accuracy"] for row in rows] == ["0.4", ""]
    assert rows[1]["note"] == "flat"
    assert figure(together.outcomes[0], "test_accuracy") == 0.4


def test_the_average_is_judged_where_the_average_was_kept():
    """What is shown and chosen by is the figure of the network that one gets."""
    setting = config(averaging=ExponentialMovingAverage(0.5), epochs=3)
    together = train_many([setting], workers=1)
    (outcome,) = together.outcomes
    assert outcome.averaged
    shown = figure(outcome, "valid_accuracy")
    assert shown == outcome.rows[-1]["average_valid_accuracy"]
    valid = load(**setting.data).valid
    assert evaluate(outcome.network(), valid.images, valid.labels).accuracy == shown
    assert "of the average" in outcome_line(outcome)
