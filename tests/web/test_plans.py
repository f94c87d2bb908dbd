"""What a page asks to be trained, as settings: the same as those of the command line and of Python."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab import Conv2D, Dense, Flatten, LogLikelihood, MaxPool2D, Network, ReLU, load, mlp
from digitlab.errors import ConfigError, DigitlabError
from digitlab.functions import parse_function
from digitlab.nn.initializers import He
from digitlab.nn.io.description import describe_network
from digitlab.web.bundle import PAGE
from digitlab.web.images import Images
from digitlab.web.own_digits import OwnDigits
from digitlab.web.plans import Plan, plan_of
from digitlab.web.runs import Runs

IMAGES = {"kind": "images", "source": "digits"}
POINTS = [[0.1 * i, (-1) ** i, i % 3] for i in range(30)]


def planned(file: Path | None = None, **asked: Any) -> Plan:
    return plan_of(asked, Images(mlp([64, 10]), OwnDigits(Path("own-digits"))), file)


def test_dense_layers_are_those_of_mlp() -> None:
    plan = planned(**IMAGES, layers=[{"type": "dense", "size": 20}], activation="relu", dropout=0.5)
    assert plan.config.network == describe_network(mlp([64, 20, 10], activation="relu", dropout=0.5))
    assert plan.title == "64-20-10"
    assert plan.config.optimizer.learning_rate is not None


def test_blocks_of_pictures() -> None:
    blocks = [{"type": "conv", "size": 4, "kernel": 3}, {"type": "pool", "size": 2}, {"type": "dense", "size": 20}]
    plan = planned(**IMAGES, layers=blocks, activation="relu", loss="log-likelihood")
    layers = [Conv2D(4, 3, weights=He()), ReLU(), MaxPool2D(2), Flatten()]
    dense = mlp([36, 20, 10], activation="relu").layers
    assert plan.config.network == describe_network(Network([*layers, *dense], (8, 8, 1), LogLikelihood()))
    assert plan.title == "8x8x1-conv4-20-10"
    assert isinstance(dense[0], Dense)


def test_pool_alone_and_nothing_at_all() -> None:
    assert planned(**IMAGES, layers=[{"type": "pool", "size": 2}]).config.network["input_shape"] == [8, 8, 1]
    assert planned(**IMAGES, layers=[]).title == "64-10"


@pytest.mark.parametrize(
    "name, setting", [("ACTIVATIONS", "activation"), ("OPTIMIZERS", "optimizer"), ("LOSSES", "loss")]
)
def test_what_the_page_offers_can_be_trained(name: str, setting: str) -> None:
    lists = (PAGE / "js" / "screens" / "train" / "settings.js").read_text(encoding="utf-8")
    choices = re.findall(r'\["([\w-]+)", "|"([\w-]+)"[,\]]', re.findall(rf"const {name} = (.+);", lists)[0])
    offered = [pair or alone for pair, alone in choices]
    assert len(offered) > 2
    for choice in offered:
        planned(**IMAGES, **{setting: choice})


def test_settings_of_the_training() -> None:
    plan = planned(
        **IMAGES, optimizer="adam", learning_rate=0.02, l2=5, batch_size=32, epochs=7, seed=3, train_size=100
    )
    config = plan.config
    assert (type(config.optimizer).__name__, config.optimizer.learning_rate) == ("Adam", 0.02)
    assert [(type(r).__name__, r.strength) for r in config.regularizers] == [("L2", 5.0)]
    assert (config.batch_size, config.epochs, config.seed) == (32, 7, 3)
    assert config.data == {"source": "digits", "train_size": 100} and len(plan.data.train) == 100
    np.testing.assert_array_equal(plan.data.train.images, load(**config.data).train.images)
    assert "train_size" not in planned(**IMAGES, train_size=5000).config.data  # there are not so many


def test_fine_tuning_begins_with_the_file(tmp_path: Path) -> None:
    network = mlp([64, 5, 10], seed=4)
    network.save(tmp_path / "net.safetensors")
    config = planned(tmp_path / "net.safetensors", **IMAGES, start=True).config
    first = config.first_network()
    np.testing.assert_array_equal(first.layers[0].params["W"].value, network.layers[0].params["W"].value)
    with pytest.raises(ConfigError, match="in no file"):
        planned(None, **IMAGES, start=True)


@pytest.mark.slow
def test_points_and_functions_are_runs(tmp_path: Path) -> None:
    dense = {"layers": [{"type": "dense", "size": 4}], "epochs": 2}
    points = planned(kind="points", points=POINTS, loss="log-likelihood", **dense)
    curve = planned(kind="function", function="sin(x)", low=-1, high=2, **dense)
    for plan, name in ((points, "001-2-4-3"), (curve, "002-fit-1-4-1")):
        (tmp_path / name).mkdir()
        plan.train(tmp_path / name, [])
        assert plan.title == name[4:]
    runs = Runs(tmp_path)
    assert [row["name"] for row in runs.table()["runs"]] == ["002-fit-1-4-1", "001-2-4-3"]
    found = {name: runs.run(name) for name in ("001-2-4-3", "002-fit-1-4-1")}
    assert [run["settings"]["source"] for run in found.values()] == [
        "points: points.csv",
        "function: sin(x) on [-1, 2]",
    ]
    assert all(run["done"] == 2 and run["command"] is run["resume"] is None for run in found.values())
    table = np.loadtxt(tmp_path / "001-2-4-3/points.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(table[np.argsort(table[:, 0])], POINTS, rtol=1e-6)
    for name in found:
        with pytest.raises(ConfigError, match="no classes of images"):
            runs.confusion(name)
        assert runs.network(name).input_shape in ((1,), (2,))


def test_points_are_divided() -> None:
    plan = planned(kind="points", points=POINTS, layers=[{"type": "dense", "size": 4}], loss="log-likelihood")
    (x, y), (valid_x, valid_y) = plan.points
    assert len(x) == 24 and len(valid_x) == 6 and plan.title == "2-4-3"
    together = np.concatenate([np.c_[x, y], np.c_[valid_x, valid_y]])
    np.testing.assert_allclose(together[np.argsort(together[:, 0])], POINTS, atol=1e-6)


def test_function_and_its_target() -> None:
    plan = planned(kind="function", function="x^2", low=-1, high=3, layers=[{"type": "dense", "size": 4}])
    assert plan.title == "fit-1-4-1" and plan.config.network["loss"]["type"] == "MeanSquaredError"
    x, y = np.array(plan.target).T
    np.testing.assert_allclose(y, parse_function("x^2")(x))
    assert (x[0], x[-1]) == (-1, 3)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"kind": "shell"}, "expected images, points or function"),
        ({**IMAGES, "source": "/etc"}, "expected one of"),
        ({**IMAGES, "layers": "dense30"}, "list of at most"),
        ({**IMAGES, "layers": [{"type": "dense"}] * 9}, "list of at most"),
        ({**IMAGES, "layers": [{"type": "exec", "size": 3}]}, "expected dense"),
        ({**IMAGES, "layers": [{"type": "dense", "size": 5}, {"type": "conv", "size": 5}]}, "before the first dense"),
        ({**IMAGES, "layers": [{"type": "conv", "size": 5, "kernel": 9}]}, "9"),
        ({**IMAGES, "layers": [{"type": "dense", "size": 10**7}]}, "from 1 to 1,000"),
        ({**IMAGES, "activation": "step-by-step"}, "step-by-step"),
        ({**IMAGES, "optimizer": "magic"}, "magic"),
        ({**IMAGES, "loss": "magic"}, "magic"),
        ({**IMAGES, "learning_rate": -1}, "learning rate -1"),
        ({**IMAGES, "layers": [{"type": "dense"}], "dropout": 1.5}, "1.5"),
        ({**IMAGES, "l2": float("nan")}, "expected a number"),
        ({**IMAGES, "epochs": 0}, "from 1 to"),
        ({**IMAGES, "batch_size": True}, "whole number"),
        ({"kind": "points", "points": [[0, 0, 0]] * 5}, "at least two"),
        ({"kind": "points", "points": [[0, 0, 0.5]] * 5}, "expected classes"),
        ({"kind": "points", "points": [[0, 0, 0], [0, 0]] * 5}, "rows of x, y and class"),
        ({"kind": "points", "points": POINTS, "layers": [{"type": "conv", "size": 3}]}, "need images"),
        ({"kind": "function", "function": "open('x')"}, "open"),
        ({"kind": "function", "function": "x", "low": 1e400}, "expected a number"),
    ],
)
def test_requests_that_cannot_be(asked: dict, message: str) -> None:
    with pytest.raises(DigitlabError, match=message):
        planned(**asked)
