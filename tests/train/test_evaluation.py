"""What an evaluation takes for a class, and what a training refuses or remembers of it."""

import numpy as np
import pytest

from digitlab.errors import ConfigError, DataError, ModelFileError, ShapeError
from digitlab.nn import BatchNorm, Dense, MeanSquaredError, Network, Normal, Quadratic, describe_network, mlp
from digitlab.optim import SGD, Adam, Momentum, Nesterov
from digitlab.train import History, Trainer, evaluate, load_checkpoint, save_checkpoint

from .helpers import TRAIN, VALID, network

X = np.random.default_rng(0).random((20, 4), dtype=np.float32)


def test_labels_are_whole_numbers_of_classes_that_there_are():
    net = mlp([4, 3], seed=0)
    with pytest.raises(DataError, match="labels from 0 to 3; this network has 3 outputs"):
        evaluate(net, X, np.arange(20) % 4)
    with pytest.raises(ShapeError, match=r"targets of shape \(20,\)"):
        net.gradient(X, np.zeros(20, np.float32))
    for wrong in (np.arange(20) % 4, -(np.arange(20) % 2)):
        with pytest.raises(DataError, match=rf"got labels from {wrong.min()} to {wrong.max()}, expected 0 to 2"):
            net.gradient(X, wrong)
    with pytest.raises(DataError, match="evaluation: got an empty set"):
        evaluate(net, X[:0], np.arange(0))


def test_numbers_are_no_classes():
    """A network that gives its input back is judged by its loss."""
    net = Network([Dense(3), Dense(4)], 4, MeanSquaredError(), seed=0)
    assert evaluate(net, X, X).accuracy is None
    trainer = Trainer(net, SGD(0.1))
    trainer.fit((X, X), (X, X), epochs=2)
    assert trainer.monitor == "valid_loss" and "valid_accuracy" not in trainer.history[0]
    assert evaluate(Network([Dense(3)], 4, MeanSquaredError()), X, np.arange(20) % 3).accuracy is not None


def test_pictures_with_channels_first_are_refused():
    net = Network([Dense(2)], 12)
    assert net.prepare(np.zeros((5, 3, 2, 2), np.float32)).shape == (5, 12), "flat is flat"
    from digitlab.nn import Flatten

    colour = Network([Flatten(), Dense(2)], (4, 5, 3))
    assert colour.prepare(np.zeros((2, 60), np.float32)).shape == (2, 4, 5, 3)
    with pytest.raises(ShapeError, match=r"got input of shape \(2, 3, 4, 5\), expected \(N, 4, 5, 3\)"):
        colour.prepare(np.zeros((2, 3, 4, 5), np.float32))


def test_a_last_batch_of_one_is_reported_before_anything_is_trained():
    net = Network([Dense(3), BatchNorm(), Dense(3)], 4, seed=0)
    trainer = Trainer(net, SGD(0.1), batch_size=19)
    with pytest.raises(ShapeError, match="choose a batch_size that leaves no batch of a single example"):
        trainer.fit((X, np.arange(20) % 3), epochs=1)
    assert len(trainer.history) == 0
    Trainer(net, SGD(0.1), batch_size=18).fit((X, np.arange(20) % 3), epochs=1)


def test_names_serve_where_objects_do():
    net = Network([Dense(3, "he")], np.int64(4), "cross-entropy", seed=0)
    assert net.input_shape == (4,)
    assert isinstance(Trainer(net, "adam").optimizer, Adam)
    described = describe_network(Network([Dense(np.int64(3).item(), Normal(np.float32(0.5)))], (np.int64(4),)))
    assert described["input_shape"] == [4] and described["layers"][0]["weights"]["std"] == 0.5
    with pytest.raises(ConfigError, match=r"Normal: got std -1"):
        Normal(-1.0)


def test_a_column_that_only_some_epochs_have():
    history = History([{"epoch": 1, "change": None}, {"epoch": 2, "change": 0.5, "average_valid_accuracy": 0.9}])
    assert history.statistics("average_valid_accuracy").best_epoch == 2
    assert history.statistics("change").epochs == 1
    with pytest.raises(ConfigError, match="epoch 1 has none"):
        history.column("average_valid_accuracy")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"monitor": "valid_loss"}, "trained with monitor valid_accuracy, and this is training with valid_loss"),
        ({"optimizer": Nesterov(0.1)}, "another optimizer"),
    ],
)
def test_a_checkpoint_remembers_what_it_was_judged_and_moved_by(tmp_path, other, words):
    settings = {"optimizer": Momentum(0.1)}
    trainer = Trainer(network(), **settings)
    trainer.fit(TRAIN, VALID, epochs=2)
    save_checkpoint(trainer, tmp_path / "c.safetensors")
    again = Trainer(network(), **settings)
    load_checkpoint(again, tmp_path / "c.safetensors")
    assert again.monitor == "valid_accuracy"
    with pytest.raises(ModelFileError, match=words):
        load_checkpoint(Trainer(network(), **{**settings, **other}), tmp_path / "c.safetensors")


def test_quadratic_rows_still_have_classes():
    net = mlp([4, 3], seed=0)
    assert isinstance(net.loss, Quadratic)
    assert evaluate(net, X, np.eye(3, dtype=np.float32)[np.arange(20) % 3]).accuracy is not None


def test_numbers_that_are_none_are_reported_instead_of_scored():
    net, x = mlp([4, 3], seed=0), X.copy()
    x[3, 1] = np.nan
    with pytest.raises(DataError, match="evaluation: input 3 is NaN or infinite"):
        evaluate(net, x, np.arange(20) % 3)
