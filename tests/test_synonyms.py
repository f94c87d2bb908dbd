"""A name in a message leads to the right thing, not to the nearest spelling."""

import dataclasses
from pathlib import Path

import pytest

import digitlab
from digitlab import optim
from digitlab.cli import COMMANDS
from digitlab.cli import train as train_command
from digitlab.cli.shared.usage import option_names
from digitlab.data import load
from digitlab.data.augment import parse_augmentation
from digitlab.data.augment.spec import AUGMENTATIONS
from digitlab.data.formats.shared.families import FAMILIES
from digitlab.data.names import NAMES, canonical_source
from digitlab.errors import ConfigError, DataError, did_you_mean, nearest_name
from digitlab.nn import ZOO, Dense, Initializer, Layer, Loss, build_network, mlp
from digitlab.nn.describe import build, names
from digitlab.nn.io.building import KEYS
from digitlab.nn.io.description import describe_network
from digitlab.nn.zoo import find_recipe
from digitlab.optim.regularizers import Regularizer
from digitlab.search.settings import settings_for
from digitlab.search.space import KINDS, parse_parameter
from digitlab.search.strategies import STRATEGIES
from digitlab.settings import DataTable, settings_of
from digitlab.synonyms import SYNONYMS, folded, meant
from digitlab.train import History, RunConfig, Trainer
from digitlab.train.presets import PRESETS


@pytest.mark.parametrize(
    "family, name, meant",
    [
        (Loss, "categorical_crossentropy", "log-likelihood"),
        (Loss, "sparse-categorical-crossentropy", "log-likelihood"),
        (Loss, "CrossEntropyLoss", "log-likelihood"),
        (Loss, "softmax_cross_entropy", "log-likelihood"),
        (Loss, "nll", "log-likelihood"),
        (Loss, "NLLLoss", "log-likelihood"),
        (Loss, "binary_crossentropy", "cross-entropy"),
        (Loss, "bce", "cross-entropy"),
        (Loss, "MSELoss", "mean-squared-error"),
        (Loss, "quadratc", "quadratic"),
        (Layer, "conv", "conv2d"),
        (Layer, "fc", "dense"),
        (Layer, "fully connected", "dense"),
        (Layer, "BatchNormalization", "batch-norm"),
        (Layer, "batchnorm2d", "batch-norm"),
        (Layer, "maxpool", "max-pool2d"),
        (Layer, "rnn", "simple-rnn"),
        (Layer, "dens", "dense"),
        (Initializer, "glorot_uniform", "glorot"),
        (Initializer, "kaiming_normal", "he"),
        (Initializer, "xavier_normal", "glorot"),
        (optim.Optimizer, "gradient descent", "sgd"),
        (optim.Optimizer, "NAG", "nesterov"),
        (optim.Schedule, "StepLR", "step-decay"),
        (optim.Schedule, "ReduceLROnPlateau", "halve-on-plateau"),
        (optim.Schedule, "CosineAnnealingLR", "cosine"),
        (Regularizer, "weight_decay", "l2"),
        (Regularizer, "lasso", "l1"),
    ],
)
def test_other_programs_names_lead_to_ours(family, name, meant):
    with pytest.raises(ConfigError, match=rf"unknown [\w ]+ '{name}' \(did you mean '{meant}'\?\)"):
        build(family, name)


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: build(Layer, {"type": "Dense", "units": 30}), r"'units' \(did you mean 'out_features'\?\)"),
        (lambda: build(Layer, {"type": "Linear", "out_features": 30}), "a fully connected layer is Dense"),
        (lambda: build(optim.Optimizer, {"type": "SGD", "lr": 1.0}), r"'lr' \(did you mean 'learning_rate'\?\)"),
        (lambda: build_network({"input_shape": 4, "layers": ["linear"], "cost": "mse"}), "did you mean 'loss'"),
        (lambda: RunConfig.from_table({"network": NETWORK, "learning_rate": 1}), r"'learning_rate' in \[optimizer\]"),
        (lambda: RunConfig.from_table({"network": NETWORK, "lr": 1}), r"'learning_rate' in \[optimizer\]"),
        (lambda: RunConfig.from_table({"network": NETWORK, "momentum": 1}), r"'momentum' in \[optimizer\]"),
        (lambda: RunConfig.from_table({"network": NETWORK, "mini_batch_size": 1}), "did you mean 'batch_size'"),
        (lambda: RunConfig.from_table({"network": NETWORK, "iterations": 1}), "did you mean 'epochs'"),
        (lambda: RunConfig.from_table({"network": NETWORK, "lmbda": 5}), r'regularizers = \[\{type = "L2", strength'),
        (lambda: RunConfig.from_table({"network": NETWORK, "loss": "mse"}), r"'loss' in \[network\]"),
        (lambda: RunConfig.from_table({"network": NETWORK, "train_size": 5}), r"'train_size' in \[data\]"),
        (lambda: settings_for(RunConfig(NETWORK), {"lr": 1.0}), "did you mean 'learning-rate'"),
        (lambda: settings_for(RunConfig(NETWORK), {"hidden_size": 9}), "did you mean 'width'"),
        (lambda: parse_parameter("l2", {"loguniform": [1, 2]}), "did you mean 'log'"),
        (lambda: parse_augmentation("translate"), "did you mean 'shift'"),
        (lambda: History([{"epoch": 1, "valid_loss": 0.5}]).column("val_loss"), "did you mean 'valid_loss'"),
        (lambda: mlp([4, 3, 2], activation="logistic"), "did you mean 'sigmoid'"),
    ],
)
def test_so_do_settings_in_files_and_spaces(make, text):
    with pytest.raises(ConfigError, match=text):
        make()


NETWORK = describe_network(mlp([4, 3, 2]))


@pytest.mark.parametrize("name", ["accuracy", "val_accuracy", "val_acc", "Valid-Accuracy"])
def test_a_monitor_is_told_apart(name, tmp_path):
    digits = load("digits", split="50k/10k/10k")
    with pytest.raises(ConfigError, match=rf"monitor: got '{name}' \(did you mean 'valid_accuracy'\?\)"):
        Trainer(mlp([64, 5, 10]), monitor=name).fit(digits.train, digits.valid, epochs=1)
    with pytest.raises(ConfigError, match="did you mean 'valid_loss'"):
        Trainer(mlp([64, 5, 10]), monitor="val_loss").fit(digits.train, digits.valid, epochs=1)


def test_data_sets_are_known_in_any_spelling(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [canonical_source(name) for name in ("MNIST", "Mnist ", "DIGITS", "Auto")] == [
        "mnist",
        "mnist",
        "digits",
        "auto",
    ]
    assert canonical_source("Fashion_MNIST") == canonical_source("FashionMNIST") == "fashion-mnist"
    assert canonical_source("KMNIST:some/Folder") == "kmnist:some/Folder"
    assert canonical_source("mnist.csv") == "mnist.csv"
    assert len(load("Digits").test) == len(load("digits").test)
    assert canonical_source(Path("mnist")) == canonical_source(Path("MNIST")) == "mnist"
    (tmp_path / "MNIST").mkdir()
    assert canonical_source("MNIST") == "MNIST", "a folder that is there is what is meant"
    (tmp_path / "mnist").mkdir(exist_ok=True)
    assert canonical_source(Path("mnist")) == Path("mnist")
    with pytest.raises(DataError, match=r"fashion: there is no such file or folder \(did you mean 'fashion-mnist'\?\)"):
        load("fashion")


def test_networks_of_the_zoo_are_known_in_any_spelling():
    assert find_recipe("LeNet-5") is ZOO["lenet5"]
    assert find_recipe("rows_LSTM") is ZOO["rows-lstm"]
    assert find_recipe("lenet") is None
    with pytest.raises(AttributeError, match=r"no attribute 'Conv2d' \(did you mean 'Conv2D'\?\)"):
        digitlab.Conv2d


@pytest.mark.parametrize("name", ["attention", "hinge", "/254", "", "42"])
def test_nothing_is_suggested_where_nothing_is_meant(name):
    for known in (names(Loss), names(Layer), ["/255", "/256"]):
        assert nearest_name(name, known) is None, known


def test_softmax_is_not_softplus():
    assert did_you_mean("softmax", names(Layer)).startswith(" (the loss owns the softmax")


def test_the_table_holds_names_that_there_are():
    """A name that is renamed here would go on to be suggested nowhere, unseen."""
    described = (Loss, Layer, Initializer, optim.Optimizer, optim.Schedule, Regularizer)
    known = {folded(name) for family in described for name in (*family.registry, *names(family))}
    fields = [f.name for family in described for cls in family.registry.values() for f in dataclasses.fields(cls)]
    columns = [f"{part}_{what}" for part in ("train", "valid", "test") for what in ("accuracy", "loss")]
    elsewhere = (
        option_names(train_command.command),
        option_names(digitlab_search()),
        COMMANDS,
        ZOO,
        PRESETS,
        NAMES,
        FAMILIES,
        AUGMENTATIONS,
        STRATEGIES,
        KINDS,
        settings_of(DataTable),
        KEYS,
        fields,
        columns,
        ("halving", "layers", "width"),
        [f.name for f in dataclasses.fields(RunConfig)],
        ("out",),
    )
    known |= {folded(name) for group in elsewhere for name in group}
    assert [name for name in SYNONYMS if folded(name) not in known] == ["predict"][: "predict" not in COMMANDS]
    assert all(meant(other, [here]) == here for here, others in SYNONYMS.items() for other in others.split())
    assert Dense(3).aliases == ()


def digitlab_search():
    from digitlab.cli import search

    return search.command
