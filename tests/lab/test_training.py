"""Net.train: the settings of network2 and network3, what is printed, the best network over several calls."""

import pytest
from numpy.testing import assert_array_equal

import digitlab
from digitlab import Adam, Momentum, Net, Trainer
from digitlab.data.augment import parse_augmentation
from digitlab.errors import ConfigError, DataError
from digitlab.lab.training import SETTINGS
from digitlab.optim.regularizers import L2, MaxNorm
from digitlab.settings import ShortSettings, TrainingSettings, settings_of


@pytest.fixture(scope="module")
def splits():
    return digitlab.load("digits")


def test_every_training_setting_is_an_argument():
    declared = {**settings_of(TrainingSettings), **settings_of(ShortSettings)}
    apart = {"network", "data", "start", "sample_weights", "epochs", "seed", "learning_rate"}
    assert set(SETTINGS) == set(declared) - apart
    assert all(f"\n{name} " in digitlab.Net.train.__doc__ for name in SETTINGS)


def test_the_settings_of_network2_and_network3_reach_the_trainer(splits, monkeypatch):
    seen = []
    fit = Trainer.fit
    monkeypatch.setattr(Trainer, "fit", lambda self, *args, **kw: seen.append(self) or fit(self, *args, **kw))
    net = Net([64, 12, 10], loss="cross-entropy")
    net.train(
        splits.train.first(200),
        0.05,
        epochs=2,
        batch_size=20,
        l2=5,
        max_norm=3,
        optimizer="momentum:momentum=0.8",
        schedule="cosine",
        augment="shift",
        early_stop=7,
        class_weights="balanced",
        evaluate_train=True,
        valid=splits.valid,
        test=splits.test,
        verbose=0,
    )
    (trainer,) = seen
    assert repr(trainer.optimizer) == "Momentum(learning_rate=0.05, momentum=0.8)"
    assert [repr(r) for r in trainer.regularizers] == [repr(L2(5)), repr(MaxNorm(3))]
    assert (trainer.batch_size, trainer.class_weights, trainer.augment.spec) == (20, "balanced", "shift")
    assert type(trainer.schedule).__name__ == "Cosine"
    assert trainer.callbacks[0].patience == 7
    assert {"train_accuracy", "valid_accuracy", "test_accuracy"} <= net.history[-1].keys()
    assert trainer.network is net.network


def test_objects_do_as_well_as_names(splits):
    few = splits.train.first(200)
    by_name, by_object = Net([64, 12, 10]), Net([64, 12, 10])
    by_name.train(few, 0.01, optimizer="adam", l2=2, augment="shift", verbose=0)
    by_object.train(few, optimizer=Adam(0.01), regularizers=[L2(2)], augment=parse_augmentation("shift"), verbose=0)
    assert_array_equal(by_name.weights[0], by_object.weights[0])


def test_a_trainer_with_the_same_settings_gives_the_same_network(splits):
    few = splits.train.first(200)
    net = Net([64, 12, 10], seed=4)
    other = net.copy()
    net.train(few, 0.5, epochs=2, optimizer="momentum", verbose=0)
    Trainer(other.network, Momentum(0.5), seed=4, keep="last").fit(few, epochs=2)
    assert_array_equal(net.weights[1], other.weights[1])


def test_a_line_per_epoch_or_none(splits, capsys):
    few = splits.train.first(100)
    net = Net([64, 10])
    net.train(few, 3.0, epochs=2, valid=splits.valid)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:9] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert all("valid" in line for line in lines)
    net.train(few, 3.0, verbose=0)
    net.train(few, 3.0, callbacks=[digitlab.PlainLines(lambda line: None)])
    assert capsys.readouterr().out == "", "lines that go elsewhere are not printed again"


def test_the_best_network_is_kept_over_several_calls(splits):
    net = Net([64, 20, 10])
    net.train(splits.train, 3.0, epochs=8, valid=splits.valid, verbose=0)
    best, weights = net.evaluate(splits.valid).accuracy, net.weights[0].copy()
    net.train(splits.train.first(20), 30.0, epochs=2, valid=splits.valid, verbose=0)
    assert net.history[-1]["valid_accuracy"] < best
    assert_array_equal(net.weights[0], weights)
    net.train(splits.train.first(20), 30.0, valid=splits.valid, keep="last", verbose=0)
    assert net.evaluate(splits.valid).accuracy < best, "unless the last is asked for"


def test_calls_with_a_validation_set_continue_from_the_last_epoch(splits):
    net = Net([64, 20, 10])
    net.train(splits.train, 3.0, epochs=4, valid=splits.valid, verbose=0)
    net.train(splits.train.first(20), 30.0, valid=splits.valid, verbose=0)  # worse: the Net holds the best, not this
    worse = net.history[-1]["valid_accuracy"]
    net.train(splits.train.first(20), 1e-6, valid=splits.valid, verbose=0)
    assert net.history[-1]["valid_accuracy"] == worse < net.evaluate(splits.valid).accuracy


def test_changed_weights_are_where_training_continues(splits):
    net = Net([64, 20, 10])
    net.train(splits.train, 3.0, epochs=3, valid=splits.valid, verbose=0)
    for weights in net.weights:
        weights[:] = 0
    net.train(splits.train.first(20), 1e-6, valid=splits.valid, keep="last", verbose=0)
    assert abs(net.weights[0]).max() < 1e-3


@pytest.mark.parametrize(
    "given, words",
    [
        ({"lr": 3}, "train has no setting 'lr' .did you mean 'learning_rate'"),
        ({"epocs": 3}, "did you mean 'epochs'"),
        ({"lmbda": 3}, "did you mean 'l2'"),
        ({"activation": "relu"}, r"it belongs to the network: Net\(sizes, activation=...\)"),
        ({"cost": "cross-entropy"}, r"it belongs to the network: Net\(sizes, loss=...\)"),
        ({"l2": -1}, "l2: got -1, expected a number of at least 0"),
        ({"learning_rate": "fast"}, "learning_rate: got 'fast', expected a number above 0"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"batch_size": 0}, "batch_size: got 0"),
    ],
)
def test_settings_that_cannot_be(given, words):
    with pytest.raises(ConfigError, match=words) as raised:
        Net([64, 10]).train(**given)
    assert "\n" not in str(raised.value)


def test_train_without_data():
    with pytest.raises(DataError, match="training set: got NoneType"):
        Net([64, 10]).train()


def test_a_network_of_the_zoo_trains_as_its_book_does(monkeypatch):
    seen = []
    monkeypatch.setattr(Trainer, "fit", lambda self, *args, **kw: seen.append(self))
    lenet, chapter3 = Net("lenet5"), Net("chapter3")
    lenet.train()
    lenet.train(batch_size=10)
    lenet.train(optimizer="sgd", learning_rate=0.2)
    chapter3.train()
    chapter3.train(l2=0.5)
    told = [(repr(t.optimizer), t.batch_size, [repr(r) for r in t.regularizers]) for t in seen]
    assert told == [
        ("Adam(learning_rate=0.001)", 64, []),
        ("Adam(learning_rate=0.001)", 10, []),
        ("SGD(learning_rate=0.2)", 64, []),
        ("SGD(learning_rate=0.1)", 10, ["L2(5.0)"]),
        ("SGD(learning_rate=0.1)", 10, ["L2(0.5)"]),
    ]
