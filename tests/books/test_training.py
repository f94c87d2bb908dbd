"""Trainings as tasks: interrupted and taken up again, measured, kept along the way."""

from dataclasses import replace

import numpy as np
import pytest

from digitlab import gradients
from digitlab.books import training as module
from digitlab.books.data import Data
from digitlab.books.experiment import Variant
from digitlab.books.fingerprint import Fingerprint, processor
from digitlab.books.measure import book_costs, training_figures
from digitlab.books.probe import of_task
from digitlab.books.store import begin, carry_out, folder_of
from digitlab.books.training import Lines, Training, training
from digitlab.nn import mlp
from digitlab.train import evaluate

SMALL = Data("digits", train_size=200, valid_size=100, test_size=100)


def small(**settings) -> Training:
    chosen = {"data": SMALL, "seed": 3, "epochs": 4, **settings}
    return training("small", mlp([784, 10, 10], loss="cross-entropy", seed=None), 0.5, **chosen)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("done")
    return carry_out(small(watch=("train", "valid", "test"), squares=True, l2=2.0, snapshots=(1, 3)), folder, print)


def test_what_is_remembered(done):
    found = done.result
    assert found["epochs"] == 4
    assert found["examples"] == 200
    assert set(found["history"]) >= {
        "train_accuracy",
        "valid_accuracy",
        "test_accuracy",
        "valid_loss",
        "weight_squares",
    }
    assert found["best_epoch"] == 1 + int(np.argmax(found["history"]["valid_accuracy"]))
    assert found["diverged"] == ""
    assert done.seconds > 0


def test_the_network_kept_is_the_one_that_was_measured(done):
    parts = SMALL.load()
    for name, digits in (("valid", parts.valid), ("test", parts.test)):
        accuracy = evaluate(done.network(), digits.images, digits.labels).accuracy
        assert accuracy == done.result["final"][f"{name}_accuracy"]
        at = done.result["best_epoch"] - 1
        assert accuracy == pytest.approx(done.result["history"][f"{name}_accuracy"][at])


def test_snapshots_are_the_networks_of_their_epochs(done):
    parts = SMALL.load()
    for epoch in (1, 3):
        accuracy = evaluate(done.network(epoch), parts.test.images, parts.test.labels).accuracy
        assert accuracy == pytest.approx(done.column("test_accuracy")[epoch - 1])
    assert not (done.folder / "epoch-002.safetensors").exists()


def test_the_books_costs_by_their_definition(done):
    """C = C₀ + λ/2n Σ w², where n is the size of the set that is measured (network2.py, total_cost)."""
    costs = book_costs(done)
    network, parts = done.network(3), SMALL.load()
    squares = sum(float((p.value.astype(float) ** 2).sum()) for n, p in network.parameters().items() if n.endswith("W"))
    for name, digits in (("train", parts.train), ("valid", parts.valid), ("test", parts.test)):
        loss = evaluate(network, digits.images, digits.labels).loss
        assert costs[name][2] == pytest.approx(loss + 2.0 / (2 * len(digits)) * squares, rel=1e-5)


def test_figures_are_in_per_cent_and_named(done):
    result = training_figures({"net": done}, Variant())
    history = done.result["history"]
    assert result.figures["net/test_peak"] == 100 * max(history["test_accuracy"])
    assert result.figures["net/valid_last"] == 100 * history["valid_accuracy"][-1]
    assert result.figures["net/test"] == 100 * done.result["final"]["test_accuracy"]
    assert result.figures["net/valid_best_epoch"] == done.result["best_epoch"]


class Interrupt(Lines):
    """Ctrl-C at the end of an epoch."""

    epoch = 3

    def on_epoch_end(self, trainer, experiment):
        if experiment["epoch"] == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_an_interrupted_training_ends_as_one_that_was_not(tmp_path, monkeypatch, dropout):
    network = mlp([784, 10, 10], loss="cross-entropy", dropout=dropout, seed=None)
    task = training("small", network, 0.5, data=SMALL, seed=3, epochs=4, snapshots=(1, 4))
    whole = carry_out(task, tmp_path / "whole", print)
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)
    said = []
    with monkeypatch.context() as patch:
        patch.setattr(module, "Lines", Interrupt)
        with pytest.raises(KeyboardInterrupt):
            carry_out(task, tmp_path / "parts", said.append)
    assert (folder_of(task, tmp_path / "parts") / "checkpoint.safetensors").is_file()
    parts = carry_out(task, tmp_path / "parts", said.append)
    assert said == ["small: continuing after epoch 2"]
    assert not (parts.folder / "checkpoint.safetensors").exists()
    assert parts.result["history"] == whole.result["history"]
    for epoch in (None, 1, 4):
        a, b = whole.network(epoch).state(), parts.network(epoch).state()
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_a_damaged_checkpoint_costs_no_more_than_a_new_beginning(tmp_path):
    folder = begin(small(), tmp_path, of_task(small()), print)
    (folder / "checkpoint.safetensors").write_bytes(b"nonsense")
    said = []
    assert carry_out(small(), tmp_path, said.append).result["epochs"] == 4
    assert len(said) == 1 and "starting again" in said[0]


def test_a_checkpoint_of_other_code_is_not_continued(tmp_path):
    folder = begin(small(), tmp_path, Fingerprint("another", processor=processor()), print)
    (folder / "checkpoint.safetensors").write_bytes(b"of other code")
    said = []
    assert carry_out(small(), tmp_path, said.append).result["epochs"] == 4
    assert said == ["small: the checkpoint was written by other code; starting again from the first epoch"]
    assert not (folder / "checkpoint.safetensors").exists()


def test_a_diverged_training_is_a_result_too(tmp_path):
    task = training("wild", mlp([784, 10], loss="cross-entropy", seed=None), 10.0, data=SMALL, seed=0, epochs=9, l2=1e4)
    found = carry_out(task, tmp_path, print)
    assert "no longer finite" in found.result["diverged"]
    assert found.result["epochs"] < 9
    assert training_figures({"wild": found}, Variant()).notes[0].startswith("wild: the loss is no longer finite")


def test_the_key_follows_every_choice():
    base = small()
    others = [
        small(seed=4),
        small(epochs=5),
        small(l2=1.0),
        small(shuffle=False),
        small(watch=("valid",)),
        small(snapshots=[2]),
        small(squares=True),
        small(data=replace(SMALL, train_size=150)),
        small(gradient=gradients.PerExample()),
    ]
    assert len({base.key, *(other.key for other in others)}) == 1 + len(others)
    assert replace(base, title="x").key == base.key


def test_settings_at_their_default_are_not_in_the_key():
    """Else every setting that trainings get later would make all results those of other settings."""
    assert set(small().settings) == {
        "kind",
        "revision",
        "network",
        "optimizer",
        "epochs",
        "seed",
        "data",
        "watch",
        "snapshots",
        "squares",
    }


def test_shrunk_is_small_and_of_the_same_kind():
    task = small(epochs=60, data=Data("digits"), snapshots=(1, 2, 30)).shrunk()
    assert (task.config.epochs, task.snapshots) == (2, (1, 2))
    assert (task.data.train_size, task.data.valid_size, task.data.test_size) == (400, 200, 200)
