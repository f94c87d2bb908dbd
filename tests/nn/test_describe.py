"""Choices written down and read back: names, aliases, nested objects, and every error on the way."""

import copy
from dataclasses import dataclass, field

import numpy as np
import pytest

from digitlab.errors import ConfigError
from digitlab.nn import (
    ELU,
    LSTM,
    Bias,
    Conv2D,
    Dense,
    Dropout,
    He,
    Initializer,
    Layer,
    LeakyReLU,
    LogLikelihood,
    Loss,
    MaxPool2D,
    Normal,
    ReLU,
    Reshape,
    SimpleRNN,
)
from digitlab.nn.describe import Described, build, describe, find, members, names, normalized
from digitlab.nn.network import Activation
from digitlab.optim import Adam, Optimizer, Schedule
from digitlab.optim.regularizers import L2, Regularizer


def test_the_docstrings_examples():
    assert describe(Dense(30)) == {"type": "Dense", "out_features": 30}
    assert repr(build(Layer, {"type": "Dense", "out_features": 30})) == "Dense(30)"
    assert repr(build(Layer, "leaky-relu")) == "LeakyReLU()"


@pytest.mark.parametrize(
    "thing, description, text",
    [
        (Dense(3), {"type": "Dense", "out_features": 3}, "Dense(3)"),
        (
            Dense(3, He(), None),
            {"type": "Dense", "out_features": 3, "weights": {"type": "He"}, "biases": "none"},
            "Dense(3, weights=He(), biases=None)",
        ),
        (
            Dense(3, Normal(0.5)),
            {"type": "Dense", "out_features": 3, "weights": {"type": "Normal", "std": 0.5}},
            "Dense(3, weights=Normal(std=0.5))",
        ),
        (Dropout(), {"type": "Dropout"}, "Dropout()"),
        (Dropout(0.5), {"type": "Dropout"}, "Dropout()"),
        (Dropout(0.2), {"type": "Dropout", "rate": 0.2}, "Dropout(rate=0.2)"),
        (Reshape((2, 3)), {"type": "Reshape", "shape": [2, 3]}, "Reshape((2, 3))"),
        (ELU(0.5), {"type": "ELU", "alpha": 0.5}, "ELU(alpha=0.5)"),
    ],
)
def test_there_and_back(thing, description, text):
    assert describe(thing) == description
    assert repr(thing) == text
    again = build(Layer, description)
    assert type(again) is type(thing)
    assert repr(again) == text


@pytest.mark.parametrize("name", ["LeakyReLU", "leaky-relu", "leaky_relu", "leakyrelu", "LEAKY RELU"])
def test_names_without_case_and_hyphens(name):
    assert find(Layer, name) is LeakyReLU


@pytest.mark.parametrize(
    "family, alias, name",
    [
        (Layer, "identity", "Linear"),
        (Layer, "swish", "SiLU"),
        (Loss, "softmax", "LogLikelihood"),
        (Loss, "mse", "MeanSquaredError"),
        (Initializer, "large", "Normal"),
        (Initializer, "xavier", "Glorot"),
        (Initializer, "kaiming", "He"),
    ],
)
def test_aliases(family, alias, name):
    assert find(family, alias).__name__ == name


def test_an_object_is_its_own_description():
    loss = LogLikelihood(label_smoothing=0.1)
    assert build(Loss, loss) is loss


def test_inner_objects_may_be_given_by_name_alone():
    dense = build(Layer, {"type": "dense", "out_features": 2, "weights": "he", "biases": {"type": "normal", "std": 2}})
    assert repr(dense) == "Dense(2, weights=He(), biases=Normal(std=2))"


@pytest.mark.parametrize(
    "description, message",
    [
        ("leeky-relu", r"unknown layer 'leeky-relu' \(did you mean 'leaky-relu'\?\); there are: dense, sigmoid"),
        ("zzz", r"unknown layer 'zzz'; there are: "),
        ({"type": "Dense"}, "Dense needs 'out_features', which was not given"),
        ({"type": "Dense", "units": 3}, r"Dense has no setting 'units' \(did you mean 'out_features'\?\)"),
        ({"type": "ReLU", "slope": 3}, "ReLU has no setting 'slope'; it has none"),
        ({"out_features": 3}, "a layer: got .* expected a name such as 'dense' or a table"),
        ({"type": 3}, "expected a name"),
        (7, "a layer: got 7"),
        (None, "a layer: got None"),
        (["Dense"], "a layer: got"),
        (LogLikelihood(), "a layer: got LogLikelihood"),
        ("log-likelihood", "unknown layer"),
        ({"type": "Dense", "out_features": 2, "weights": "relu"}, "unknown initializer 'relu'"),
        ({"type": "Dense", "out_features": 2, "params": {}}, "no setting 'params'"),
    ],
)
def test_what_cannot_be_built_is_explained(description, message):
    with pytest.raises(ConfigError, match=message):
        build(Layer, description)


def test_every_name_finds_its_class():
    for family in (Layer, Loss, Initializer):
        for name in names(family):
            assert find(family, name).short_name == name


def test_families_do_not_mix():
    assert "dense" in names(Layer)
    assert "dense" not in names(Loss)
    assert Layer.family == "layer"


def test_a_family_of_ones_own():
    class Shape(Described):
        pass

    @dataclass(repr=False)
    class Circle(Shape):
        radius: float
        inner: Shape | None = field(default=None, metadata={"family": Shape})
        notes: list[int] = field(default_factory=list)
        area: object = field(default=None, metadata={"described": False})

    @dataclass(repr=False)
    class _Hidden(Shape):
        pass

    assert names(Shape) == ["circle"]
    nested = Circle(2.0, Circle(1.0, area=object()), [3])
    assert describe(nested) == {
        "type": "Circle",
        "radius": 2.0,
        "inner": {"type": "Circle", "radius": 1.0},
        "notes": [3],
    }
    assert repr(build(Shape, describe(nested))) == "Circle(2.0, inner=Circle(1.0), notes=[3])"
    with pytest.raises(ConfigError, match="no setting 'area'"):
        build(Shape, {"type": "Circle", "radius": 1, "area": 3})


@pytest.mark.parametrize(
    "cls, name",
    [
        (LeakyReLU, "leaky-relu"),
        (MaxPool2D, "max-pool2d"),
        (ReLU, "relu"),
        (ELU, "elu"),
        (LogLikelihood, "log-likelihood"),
    ],
)
def test_the_name_one_types(cls, name):
    assert cls.short_name == name
    assert normalized(name) == normalized(cls.__name__)


def test_a_part_of_a_family_has_its_members_alone():
    assert {LeakyReLU, ReLU, ELU} <= set(members(Activation)) < set(members(Layer))
    assert find(Activation, "relu") is ReLU
    with pytest.raises(ConfigError, match="unknown activation 'dense'"):
        find(Activation, "dense")


def test_a_shared_default_is_not_shared_state():
    assert ReLU().params is not ReLU().params


@pytest.mark.parametrize(
    "layer, name",
    [
        (lambda: Dense(3, weights="he"), "weights"),
        (lambda: Conv2D(3, 2, weights="he"), "weights"),
        (lambda: Bias("he"), "biases"),
        (lambda: SimpleRNN(3, recurrent="he"), "recurrent"),
        (lambda: LSTM(3, weights={"type": "he"}), "weights"),
    ],
)
def test_every_layer_takes_names_where_it_takes_objects(layer, name):
    assert isinstance(getattr(layer(), name), He)


def test_none_by_name():
    assert Dense(3, biases="none").biases is None and Conv2D(3, 2, biases="none").biases is None


@pytest.mark.parametrize(
    "family, text, wanted",
    [
        (Initializer, "normal:0.1", "Normal(std=0.1)"),
        (Initializer, "uniform:-0.1,0.5", "Uniform(low=-0.1)"),
        (Layer, "dense:30", "Dense(30)"),
        (Layer, "conv2d:20,5,padding=2", "Conv2D(20, 5, padding=2)"),
        (Optimizer, "sgd:0.1", "SGD(learning_rate=0.1)"),
        (Optimizer, "momentum:0.1,momentum=0.8", "Momentum(learning_rate=0.1, momentum=0.8)"),
        (Optimizer, "nesterov:learning-rate=0.1", "Nesterov(learning_rate=0.1)"),
        (Regularizer, "l2:5", "L2(5)"),
        (Regularizer, "max-norm:3", "MaxNorm(3)"),
        (Schedule, "halve:5", "HalveOnPlateau(patience=5)"),
        (Loss, "log-likelihood:0.1", "LogLikelihood(label_smoothing=0.1)"),
    ],
)
def test_a_text_with_settings_in_order_or_by_name(family, text, wanted):
    assert repr(build(family, text)) == wanted


@pytest.mark.parametrize(
    "family, text, words",
    [
        (Optimizer, "sgd:0.1,0.2", "got '0.2', expected sgd or sgd:setting=value,…; it has learning_rate"),
        (Optimizer, "momentum:momentum=0.8,0.1", "got '0.1', expected momentum or"),
        (Layer, "tanh:3", "got '3', expected tanh or tanh:setting=value,…; it has no settings"),
        (Optimizer, "adm:0.1", "did you mean 'adam'"),
        (Optimizer, "sgd:rate=0.1", "SGD has no setting 'rate'"),
    ],
)
def test_a_text_with_settings_that_are_none(family, text, words):
    with pytest.raises(ConfigError, match=words):
        build(family, text)


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda: Adam("fast"), "Adam: got learning_rate 'fast', expected a number"),
        (lambda: Adam(learning_rate=True), "Adam: got learning_rate True, expected a number"),
        (lambda: L2("strong"), "L2: got strength 'strong', expected a number"),
        (lambda: Dropout("half"), "Dropout: got rate 'half', expected a number"),
        (lambda: Dense(2.5), "Dense: got out_features 2.5, expected a whole number"),
        (lambda: Dense(None), "Dense: got out_features None, expected a whole number"),
    ],
)
def test_a_constructor_names_the_kind_of_value_that_it_wants(make, error):
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == error


def test_constructors_take_numpys_numbers_and_none_where_it_is_the_default():
    assert Adam(np.float32(0.5)).learning_rate == 0.5
    assert Adam(None) == Adam() == copy.deepcopy(Adam())
