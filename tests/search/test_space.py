"""What may be varied, and the settings that come of it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.errors import ConfigError
from digitlab.nn import build_network, describe_network, mlp
from digitlab.nn.zoo import build_named
from digitlab.optim import SGD, Adam, Momentum
from digitlab.search import Choice, Integer, LogUniform, Uniform, parse_space
from digitlab.search.settings import settings_for
from digitlab.search.space import at_unit, grid, parse_parameter, space_table, unit
from digitlab.train import RunConfig

from .helpers import config


def test_texts_tables_and_objects_are_one():
    texts = parse_space(
        {"learning-rate": "log:0.01,100", "width": "int:5,30", "activation": "sigmoid,relu", "x": "uniform:0,1"}
    )
    tables = parse_space(
        {
            "learning_rate": {"log": [0.01, 100]},
            "width": {"integer": [5, 30]},
            "activation": {"choice": ["sigmoid", "relu"]},
            "x": {"uniform": [0, 1]},
        }
    )
    objects = parse_space(
        {
            "learning_rate": LogUniform(0.01, 100.0),
            "width": Integer(5, 30),
            "activation": Choice(("sigmoid", "relu")),
            "x": Uniform(0.0, 1.0),
        }
    )
    assert texts == tables == objects
    assert parse_space(space_table(texts)) == texts


def test_conditions_survive_being_written_down():
    space = parse_space({"layers": "1,2", "width_2": {"integer-log": [4, 64], "when": {"layers": [2]}}})
    assert parse_space(space_table(space)) == space
    assert [p for p in grid(space, 3) if p["layers"] == 1] == [{"layers": 1}]
    assert sorted(p["width_2"] for p in grid(space, 3) if p["layers"] == 2) == [4, 16, 64]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("log:0,1", "expected a lowest number above 0"),
        ("log:1", "expected two numbers"),
        ("log:2,1", "the lower one first"),
        ("int:1.5,2", "expected two whole numbers"),
        ("int-log:0,4", "from 1 on"),
        ("banana:1,2", "unknown kind 'banana'"),
        ({"log": [1, 2], "uniform": [1, 2]}, "expected one of log"),
        ({"log": 3}, "expected a list"),
        ({"choice": []}, "expected at least one"),
        (3, "expected a table"),
        ({"integer": [1, 2], "when": {"later": [1]}}, "names 'later', which is not defined before it"),
        ({"integer": [1, 2], "when": {"a": "x"}}, "expected a list of values"),
    ],
)
def test_entries_that_are_none(entry, message):
    with pytest.raises(ConfigError, match=message):
        parse_space({"a": "1,2", "b": entry})


def test_an_empty_space():
    with pytest.raises(ConfigError, match="needs a space"):
        parse_space({})


@given(st.floats(0.001, 1), st.floats(1.5, 1e4), st.integers(2, 7))
def test_the_sides_of_a_grid_begin_and_end_where_they_should(low, ratio, n):
    values = LogUniform(low, low * ratio).values(n)
    assert len(values) == n
    assert values[0] == pytest.approx(low, rel=1e-5) and values[-1] == pytest.approx(low * ratio, rel=1e-5)
    ratios = [b / a for a, b in pairwise(values)]
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-4)


@given(st.floats(0, 1))
def test_places_on_a_scale_and_back(place):
    space = parse_space({"a": "log:0.01,100", "b": "uniform:-2,3", "c": "int:1,1000"})
    for name in "ab":
        assert unit(space, name, at_unit(space, name, place)) == pytest.approx(place, abs=1e-5)
    assert isinstance(at_unit(space, "c", place), int)


# From points to settings

BASE = config()


def test_settings_of_optimizer_and_regularizers():
    c = settings_for(BASE, {"learning_rate": 0.25, "l2": 3.0, "max_norm": 2.0, "batch_size": 20, "epochs": 7})
    assert (c.optimizer.learning_rate, c.batch_size, c.epochs) == (0.25, 20, 7)
    assert [(type(r).__name__, list(vars(r).values())) for r in c.regularizers] == [("L2", [3.0]), ("MaxNorm", [2.0])]
    assert (
        settings_for(c, {"l2": 1.0}).regularizers[-1].strength == 1.0
        and len(settings_for(c, {"l2": 1.0}).regularizers) == 2
    )


def test_another_optimizer_takes_along_what_fits():
    c = settings_for(BASE, {"optimizer": "momentum", "learning_rate": 0.1, "momentum": 0.5})
    assert c.optimizer == Momentum(0.1, 0.5)
    assert settings_for(c, {"optimizer": "adam", "learning_rate": 0.1}).optimizer == Adam(0.1)


def built(**point):
    return build_network(settings_for(BASE, point).network, seed=None)


def test_layers_and_widths():
    assert built(layers=2, width_1=7, width_2=5).shapes[1:] == [(7,), (7,), (5,), (5,), (10,)]
    assert built(width=12).shapes[1] == (12,)
    assert built(layers=0).shapes == [(64,), (10,)]
    assert "Dropout(rate=0.3)" in repr(built(dropout=0.3))
    assert "ReLU()" in repr(built(activation="relu")) and "He()" in repr(built(activation="relu"))
    assert repr(build_network(settings_for(BASE, {"width": 8}).network)) == repr(build_network(BASE.network))
    assert describe_network(built(loss="cross-entropy"))["loss"] == {"type": "CrossEntropy"}


def test_a_place_by_its_way():
    conv = RunConfig(describe_network(build_named("basic-conv")))
    c = settings_for(conv, {"network.layers.0.filters": 4})
    assert build_network(c.network).shapes[1] == (24, 24, 4)


@pytest.mark.parametrize(
    ("base", "point", "message"),
    [
        (BASE, {"lerning_rate": 1}, r"which is not a setting \(did you mean 'learning-rate'\?\); there are: l"),
        (BASE, {"momentum": 0.5}, "which is not a setting"),
        (BASE, {"network.layers.9.filters": 4}, "nothing at that place"),
        (RunConfig(describe_network(build_named("basic-conv"))), {"width": 4}, "chains of dense layers"),
        (BASE, {"batch_size": 0.5}, "batch_size"),
    ],
)
def test_points_that_mean_nothing(base, point, message):
    with pytest.raises(ConfigError, match=message):
        settings_for(base, point)


def test_what_is_not_named_stays():
    assert settings_for(BASE, {"learning_rate": BASE.optimizer.learning_rate}) == BASE


@pytest.mark.parametrize("chosen, rate", [("sgd", 3.0), ("nesterov", 0.095), ("adam", 0.005)])
def test_a_rate_that_was_not_given_is_the_default_of_each_trial(chosen, rate):
    base = RunConfig(describe_network(mlp([4, 30, 3])), optimizer=SGD(3.0))
    assert settings_for(base, {"optimizer": chosen}).optimizer.learning_rate == rate
    chosen_rate = RunConfig(describe_network(mlp([4, 3])), optimizer=SGD(0.7))
    assert settings_for(chosen_rate, {"optimizer": chosen}).optimizer.learning_rate == 0.7
    assert settings_for(base, {"optimizer": chosen, "learning_rate": 0.2}).optimizer.learning_rate == 0.2
    assert settings_for(base, {"loss": "cross-entropy"}).optimizer.learning_rate == 0.5


@pytest.mark.parametrize("name", ["seed", "monitor", "keep", "engine"])
def test_what_a_search_may_not_choose(name):
    with pytest.raises(ConfigError, match="which is not a setting"):
        settings_for(RunConfig(describe_network(mlp([4, 3]))), {name: 1})


@pytest.mark.parametrize("when", [3, "x"])
def test_conditions_are_a_table(when):
    with pytest.raises(ConfigError, match="expected a table such as"):
        parse_parameter("width", {"choice": [1, 2], "when": when})
