"""The settings of a run: there and back through TOML, and one clear line for each that makes no sense."""

import dataclasses

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitlab.errors import ConfigError, DigitlabError
from digitlab.gradients import Gradient
from digitlab.nn import GELU, Conv2D, Dense, Flatten, LeakyReLU, Network, describe_network, freeze, mlp
from digitlab.optim import Adam, AdamW, Cosine, HalveOnPlateau, Momentum, OneCycle, StepDecay
from digitlab.optim.regularizers import L1, L2, MaxNorm
from digitlab.train import EarlyStopping, RunConfig

from .helpers import network, values


def frozen():
    net = mlp([4, 3, 2])
    freeze(net, "0.b")
    return net


NETWORKS = [
    mlp([6, 5, 3]),
    mlp([784, 30, 20, 10], activation="leaky-relu", dropout=0.25, loss="cross-entropy", init="glorot", scaling="/256"),
    mlp([4, 2], dtype="float64", scaling=(2.0, -1.0)),
    Network(
        [Conv2D(4, (3, 2), padding="same"), LeakyReLU(0.2), Flatten(), Dense(3, biases=None), GELU()],
        (8, 8, 1),
        allow_output_activation=True,
    ),
    frozen(),
]
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
RATE = st.floats(1e-6, 1e3)


@st.composite
def configs(draw):
    return RunConfig(
        network=describe_network(draw(st.sampled_from(NETWORKS))),
        data=draw(
            st.fixed_dictionaries(
                {"source": st.sampled_from(["mnist", "digits"]) | WORD},
                optional={
                    "split": st.sampled_from(["50k/10k/10k", "60k/10k"]),
                    "train_size": st.integers(1, 10**6),
                    "digits": st.lists(st.integers(0, 9), min_size=1),
                    "fraction": st.floats(0.01, 1),
                },
            )
        ),
        optimizer=draw(
            st.builds(Adam, RATE)
            | st.builds(Momentum, RATE, momentum=st.floats(0, 1, exclude_max=True))
            | st.just(AdamW())
        ),
        schedule=draw(
            st.builds(Cosine, st.floats(0, 1)) | st.builds(HalveOnPlateau, st.integers(1, 20)) | st.just(OneCycle())
        ),
        regularizers=tuple(draw(st.lists(st.builds(L1, RATE) | st.builds(L2, RATE) | st.builds(MaxNorm, RATE)))),
        gradient=draw(st.sampled_from([RunConfig.gradient, *(cls() for cls in set(Gradient.registry.values()))])),
        epochs=draw(st.integers(1, 1000)),
        batch_size=draw(st.integers(1, 1000)),
        shuffle=draw(st.booleans()),
        early_stop=draw(st.integers(0, 50)),
        keep=draw(st.sampled_from(["best", "last"])),
        monitor=draw(st.sampled_from(["", "valid_loss", "train_loss"])),
        evaluate_train=draw(st.booleans()),
        engine=draw(st.sampled_from(["auto", "reference"])),
        seed=draw(st.integers(0, 2**63 - 1)),
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(configs())
def test_there_and_back_through_toml(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("config") / "config.toml"
    config.save(path)
    assert RunConfig.load(path) == config


def test_equal_settings_give_equal_networks():
    config = RunConfig(describe_network(network()), seed=5)
    a, b, other = config.trainer(), config.trainer(), dataclasses.replace(config, seed=6).trainer()
    weights = [values(trainer.network)["0.W"] for trainer in (a, b, other)]
    assert (weights[0] == weights[1]).all()
    assert (weights[0] != weights[2]).any()
    assert a.rng.bit_generator.state == b.rng.bit_generator.state != other.rng.bit_generator.state


def test_every_setting_reaches_the_trainer():
    config = RunConfig(
        describe_network(network()),
        optimizer=Momentum(0.3),
        schedule=StepDecay(),
        regularizers=(L2(1.0),),
        batch_size=7,
        shuffle=False,
        keep="last",
        monitor="valid_loss",
        evaluate_train=True,
        engine="reference",
        early_stop=4,
    )
    trainer = config.trainer()
    for name in ("optimizer", "schedule", "regularizers", "batch_size", "shuffle", "keep", "monitor", "evaluate_train"):
        assert getattr(trainer, name) == getattr(config, name), name
    assert trainer.engine_name == "reference"
    assert [type(callback) for callback in trainer.callbacks] == [EarlyStopping]
    assert trainer.callbacks[0].patience == 4


def test_what_a_table_leaves_out_is_at_its_default():
    table = {"network": describe_network(network())}
    assert RunConfig.from_table(table) == RunConfig(**table)


def test_names_stand_for_settings():
    table = {"network": describe_network(network()), "optimizer": "adam", "schedule": "halve"}
    config = RunConfig.from_table(table)
    assert (config.optimizer, config.schedule) == (Adam(0.005), HalveOnPlateau())


NETWORK = describe_network(network())


@pytest.mark.parametrize(
    "change, words",
    [
        ({"epoch": 3}, r"unknown setting 'epoch' \(did you mean 'epochs'\?\); there are: network, data"),
        ({"epochs": "3"}, "epochs: got '3', expected a whole number"),
        ({"epochs": True}, "epochs: got True, expected a whole number"),
        ({"batch_size": 1.5}, "batch_size: got 1.5, expected a whole number"),
        ({"shuffle": 1}, "shuffle: got 1, expected true or false"),
        ({"keep": 1}, "keep: got 1, expected one of best, last"),
        ({"data": "mnist"}, "data: got 'mnist', expected a table"),
        ({"network": 5}, "network: got 5, expected a table"),
        ({"network": {}}, "network's description needs 'input_shape'"),
        ({"network": NETWORK | {"layer": []}}, r"a network has no 'layer' \(did you mean 'layers'\?\); it has"),
        ({"network": NETWORK | {"layers": [5]}}, "a layer: got 5"),
        ({"network": NETWORK | {"layers": [{"type": "Dense"}]}}, "Dense needs 'out_features'"),
        ({"network": NETWORK | {"layers": [{"type": "Dense", "out_features": "30"}]}}, "expected a whole number"),
        ({"network": NETWORK | {"layers": "Dense"}}, "layers: got 'Dense', expected a list"),
        ({"network": NETWORK | {"dtype": "float8"}}, "dtype"),
        ({"network": NETWORK | {"loss": "quadratc"}}, r"unknown loss 'quadratc' \(did you mean 'quadratic'\?\)"),
        ({"optimizer": "sdg"}, r"unknown optimizer 'sdg' \(did you mean 'sgd'\?\)"),
        ({"optimizer": {"learning_rate": 1.0}}, "an optimizer: got .* expected a name such as"),
        ({"optimizer": {"type": "sgd", "learning_rate": "fast"}}, "got learning_rate 'fast', expected a number"),
        ({"optimizer": {"type": "sgd", "eta": 1.0}}, r"SGD has no setting 'eta' \(did you mean 'learning_rate'\?\)"),
        ({"regularizers": 5}, "regularizers: got 5, expected a list"),
        ({"regularizers": {"type": "L2", "strength": 1.0}}, "regularizers: got .*, expected a list"),
        ({"regularizers": [{"type": "L3", "strength": 1.0}]}, "unknown regularizer 'L3'"),
        ({"seed": -1}, "seed: got -1, expected a whole number of at least 0"),
        ({"early_stop": -1}, "early_stop: got -1, expected a whole number of at least 0"),
        ({"keep": "worst"}, "keep: got 'worst', expected one of best, last"),
        ({"engine": "quick"}, "engine"),
    ],
    ids=repr,
)
def test_settings_that_make_no_sense(tmp_path, change, words):
    (tmp_path / "run.toml").write_text(tomli_w.dumps({"network": NETWORK, **change}))
    with pytest.raises(DigitlabError, match=words) as raised:
        trainer = RunConfig.load(tmp_path / "run.toml").trainer()
        trainer.fit(*[([[0.0] * 6], [0])], epochs=1)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_or_not_toml(tmp_path):
    with pytest.raises(ConfigError, match=r"run\.toml: no such file; expected a TOML or JSON file with settings"):
        RunConfig.load(tmp_path / "run.toml")
    for data in (b"epochs = = 3", b"\xff\xfe"):
        (tmp_path / "run.toml").write_bytes(data)
        with pytest.raises(ConfigError, match=r"run\.toml: not TOML: "):
            RunConfig.load(tmp_path / "run.toml")
    (tmp_path / "run.toml").write_text("epochs = 3")
    with pytest.raises(ConfigError, match=r"the settings need a \[network\]"):
        RunConfig.load(tmp_path / "run.toml")


def test_an_error_in_a_file_names_the_file(tmp_path):
    (tmp_path / "run.toml").write_text(tomli_w.dumps({"network": NETWORK, "epochs": "3"}))
    with pytest.raises(ConfigError, match=r"run\.toml: epochs: got '3'"):
        RunConfig.load(tmp_path / "run.toml")
