"""Pictures of a study, and the learning-rate range test."""

import dataclasses
import math

import numpy as np
import pytest

from digitlab.data import load
from digitlab.errors import ConfigError
from digitlab.search import RangeTest, Trial, figures, parse_space, range_test
from digitlab.search.rate_range import judged
from digitlab.viz.figures import save_figure

from .helpers import config

SPACE = parse_space(
    {
        "learning_rate": "log:0.01,100",
        "l2": "uniform:0,1",
        "layers": "int:1,2",
        "activation": "sigmoid,relu",
        "width_2": {"integer-log": [4, 64], "when": {"layers": [2]}},
    }
)


def trials(n=9, monitor="valid_accuracy", seeds=2):
    made = []
    for i in range(n):
        point = {
            "learning_rate": 0.01 * 2.0**i,
            "l2": i / n,
            "layers": 1 + i % 2,
            "activation": ("sigmoid", "relu")[i % 2],
        }
        if i % 2:
            point["width_2"] = 4 + i
        value = 0.9 - 0.01 * (i - 4) ** 2
        state = "pruned" if i == 7 else "done"
        made.append(
            Trial(i, point, state, value, [value - 0.01, value + 0.01][:seeds], monitor, {"generation": i // 3})
        )
    made.append(Trial(n, {}, "failed", None, [], monitor))
    made.append(
        Trial(n + 1, {"learning_rate": 1.0}, "done", math.inf, [], "valid_loss")
        if monitor == "valid_loss"
        else Trial(n + 1, {}, "running", None, [], monitor)
    )
    return made


DRAWN = {
    "history": lambda t: figures.history_figure(t),
    "slices": lambda t: figures.slices_figure(t, SPACE),
    "parallel": lambda t: figures.parallel_figure(t, SPACE),
    "generations": lambda t: figures.generations_figure(t),
}


@pytest.mark.parametrize("name", list(DRAWN))
@pytest.mark.parametrize("monitor", ["valid_accuracy", pytest.param("valid_loss", marks=pytest.mark.slow)])
@pytest.mark.parametrize("n", [1, 9])
def test_every_picture_of_a_study_is_drawn_and_named(name, monitor, n, tmp_path):
    figure = DRAWN[name](trials(n, monitor))
    save_figure(figure, tmp_path / "x.png")
    texts = " ".join(a.get_title() + a.get_xlabel() + a.get_ylabel() for a in figure.axes)
    texts += " ".join(t.get_text() for a in figure.axes for t in a.get_xticklabels()) + str(figure.get_suptitle())
    assert monitor in texts and len(texts) > 20


def test_the_history_shows_the_best_so_far():
    axes = figures.history_figure(trials()).axes[0]
    (line,) = [line for line in axes.get_lines() if line.get_label() == "best so far"]
    assert line.get_ydata()[-1] == pytest.approx(90)
    assert (np.diff(line.get_ydata()) >= 0).all()


def test_nothing_to_draw():
    for draw in DRAWN.values():
        with pytest.raises(ConfigError):
            draw([Trial(0, {}, "running", None, [], "valid_accuracy")])
    with pytest.raises(ConfigError, match="no generations"):
        figures.generations_figure([dataclasses.replace(t, notes={}) for t in trials()])
    with pytest.raises(ConfigError, match="no importance"):
        figures.importance_figure({})


def test_importances_as_bars():
    axes = figures.importance_figure({"a": 0.9, "b": 0.1}).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.1, 0.9]


# The range test


def curve(lowest=1.0, n=400):
    """A loss that falls from 0.01 on, is least at `lowest` and rises after it."""
    rates = 10 ** np.linspace(-4, 1.5, n)
    x = np.log10(rates / lowest)
    return rates, np.where(x < 0, 0.2 + 0.8 / (1 + np.exp(4 * (x + 1.2))), 0.2 + 2 * x**2)


@pytest.mark.parametrize("lowest", [0.1, 1.0, 5.0])
def test_a_curve_is_read_where_it_is_least(lowest):
    rates, losses = curve(lowest)
    test = judged(rates, losses, losses)
    assert test.lowest == pytest.approx(lowest, rel=0.1)
    assert test.suggested == pytest.approx(lowest / 3, rel=0.1)
    assert test.steepest == pytest.approx(lowest * 10**-1.2, rel=0.3)
    save = figures.range_figure(test)
    assert save.axes[0].get_xscale() == "log"


def test_a_curve_that_never_falls():
    rates, _ = curve()
    flat = np.ones(len(rates))
    with pytest.raises(ConfigError, match="never fell"):
        judged(rates, flat, flat)
    with pytest.raises(ConfigError, match="no longer finite after 5 steps"):
        judged(rates[:5], flat[:5], flat[:5])


def test_a_real_network_gets_a_rate_that_trains_it():
    train, valid, _ = load("digits")
    test = range_test(config(epochs=3), train, high=1e3)
    assert isinstance(test, RangeTest) and 0.5 < test.suggested < 30
    from digitlab.optim import SGD

    chosen = dataclasses.replace(config(epochs=4), optimizer=SGD(test.suggested)).trainer()
    assert chosen.fit(train, valid, epochs=4).statistics("valid_accuracy").best > 0.85
    again = range_test(config(epochs=3), train, high=1e3)
    np.testing.assert_array_equal(again.losses, test.losses)


def test_rates_that_teach_nothing_are_not_suggested():
    train = load("digits").train
    with pytest.raises(ConfigError, match=r"try rates from 0.003 to 300, around the default one"):
        range_test(config(), train, low=1e3, high=1e6)
    with pytest.raises(ConfigError, match="near the lowest rate, 3; try rates"):
        range_test(varied(loss="log-likelihood", activation="relu"), train, low=3)


def test_a_rate_at_which_the_network_learns_little_is_lowered():
    from digitlab.optim import Adam

    test = range_test(dataclasses.replace(varied(), optimizer=Adam()), load("digits").train)
    assert test.suggested < test.lowest / 5 and "the network learned little" in test.reason


def varied(**settings):
    """Settings of 64–30–10."""
    from digitlab.nn import describe_network, mlp

    return dataclasses.replace(config(), network=describe_network(mlp([64, 30, 10], **settings)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"low": 1, "high": 0.1}, "the lower one first"), ({"steps": 5}, "at least 20"), ({"low": 0}, "above 0")],
)
def test_range_tests_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        range_test(config(), load("digits").train, **settings)


def test_the_loss_may_become_infinite():
    from digitlab.nn import describe_network, mlp

    wild = dataclasses.replace(config(), network=describe_network(mlp([64, 8, 10], loss="mean-squared-error")))
    test = range_test(wild, load("digits").train, low=1e-3, high=1e6)
    assert np.isfinite(test.smoothed).all() and test.rates[-1] < 1e6
