"""Tables and labels of many trainings."""

import csv
import dataclasses
import io

import pytest

from digitlab.data import load
from digitlab.errors import ConfigError
from digitlab.nn import describe_network, mlp
from digitlab.optim import SGD, Adam
from digitlab.optim.regularizers import L1, L2
from digitlab.parallel import GroupResult, TrainingResult, train_many
from digitlab.parallel.labels import as_label, varied_settings
from digitlab.parallel.results import figure, result_line
from digitlab.train import ExponentialMovingAverage, evaluate

from .helpers import config


def labels(*configs, but=()):
    return [as_label(setting) for setting in varied_settings(configs, but)]


def test_labels_say_what_differs_and_nothing_else():
    configs = [config(seed, rate) for rate in (0.3, 3.0) for seed in (0, 1)]
    assert labels(*configs, but=("seed",)) == ["learning_rate=0.3"] * 2 + ["learning_rate=3.0"] * 2
    assert labels(*configs)[0] == "learning_rate=0.3 seed=0"
    assert labels(configs[0]) == [""]


def test_two_settings_of_one_name_keep_their_whole_names():
    assert labels(config(data={"seed": 1}), config(1)) == ["data.seed=1 seed=0", "data.seed=0 seed=1"]


BASE = config()


@pytest.mark.parametrize(
    "changes, expected",
    [
        # a default has its label like any other number
        ([{"optimizer": SGD(0.1)}, {"optimizer": SGD(3.0)}], ["learning_rate=0.1", "learning_rate=3.0"]),
        (
            [{"optimizer": SGD(0.1)}, {"optimizer": Adam()}],
            ["optimizer=SGD learning_rate=0.1", "optimizer=Adam learning_rate=0.005"],
        ),
        ([{"network": mlp([64, 10])}, {"network": mlp([64, 30, 10])}], ["net=64-10", "net=64-30-10"]),
        (
            [{"network": mlp([64, 9, 10])}, {"network": mlp([64, 9, 10], activation="relu")}],
            ["net=64-9-10 sigmoid", "net=64-9-10 relu"],
        ),
        (
            [{"network": mlp([64, 9, 10])}, {"network": mlp([64, 9, 10], init="large")}],
            ["net=64-9-10 #1", "net=64-9-10 #2"],
        ),
        (
            [{"network": mlp([64, 9, 10])}, {"network": mlp([64, 9, 10], loss="cross-entropy")}],
            ["loss=Quadratic", "loss=CrossEntropy"],
        ),
        (
            [{"regularizers": (L2(5.0),)}, {}, {"regularizers": (L1(1.0),)}],
            ["l2=5.0 l1=none", "l2=none l1=none", "l2=none l1=1.0"],
        ),
        (
            [{"data": {"source": "digits"}}, {"data": {"source": "digits", "train_size": 50}}],
            ["train_size=none", "train_size=50"],
        ),
        ([{"augment": "shift"}, {}], ["augment=shift:1", "augment=none"]),
        ([{"batch_size": 10}, {"batch_size": 20}], ["batch_size=10", "batch_size=20"]),
    ],
)
def test_labels_are_short_whatever_differs(changes, expected):
    described = [
        {**change, **({"network": describe_network(change["network"])} if "network" in change else {})}
        for change in changes
    ]
    assert labels(*(dataclasses.replace(BASE, **change) for change in described)) == expected


def outcome(seed, rate, value, **settings):
    row = {"epoch": 1, "valid_accuracy": value, "valid_loss": 1 - value, "seconds": 2.0}
    return TrainingResult(f"{seed}-{rate}", config(seed, rate), [row], "valid_accuracy", 1, **settings)


def test_the_best_setting_is_the_one_with_the_best_mean():
    a = [outcome(0, 1.0, 0.99), outcome(1, 1.0, 0.1)]
    b = [outcome(0, 2.0, 0.7), outcome(1, 2.0, 0.8)]
    label, part = GroupResult(a + b).best_setting()
    assert label == "learning_rate=2.0"
    assert part.statistics().mean == pytest.approx(0.75)


def test_what_failed_is_not_counted():
    together = GroupResult(
        [
            outcome(0, 1.0, 0.5),
            outcome(1, 1.0, 0.9, error="diverged"),
            TrainingResult("c", config(2), [], finished=False),
        ]
    )
    assert together.values() == [0.5]
    with pytest.raises(ConfigError, match="no finished network has a 'test_accuracy'"):
        together.statistics("test_accuracy")
    with pytest.raises(ConfigError, match="no training finished"):
        GroupResult([TrainingResult("c", config(2), [], finished=False)]).best_setting()


def test_csv_holds_what_differs_and_what_came_out():
    together = GroupResult([outcome(0, 1.0, 0.5, test={"accuracy": 0.4}), outcome(1, 2.0, 0.9, stop_reason="flat")])
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
    assert "of the average" in result_line(outcome)
