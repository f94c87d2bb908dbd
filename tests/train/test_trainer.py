"""The training loop: what a row holds, which parameters are kept, when it stops, and what it refuses."""

from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.data import load
from digitlab.errors import ConfigError
from digitlab.nn import Dense, MeanSquaredError, Network, Sigmoid, mlp, soft_targets
from digitlab.optim import SGD, Adam, Exponential, StepDecay
from digitlab.optim.regularizers import L2
from digitlab.train import Trainer, evaluate

from .helpers import TEST, TRAIN, VALID, At, a_line, assert_same_arrays, network, trainer, values

COLUMNS = ["change", "learning_rate", "seconds", "evaluation_seconds", "total_seconds", "seconds_left"]


# The rows of a history


def test_columns_of_a_row_with_all_three_sets():
    history = trainer(evaluate_train=True).fit(TRAIN, VALID, TEST, epochs=2)
    sets = ["train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "test_loss", "test_accuracy"]
    assert list(history[0]) == ["epoch", *sets, *COLUMNS]
    assert [row["epoch"] for row in history] == [1, 2]


def test_columns_of_a_row_with_the_training_set_alone():
    assert list(trainer().fit(TRAIN, epochs=1)[0]) == ["epoch", "train_loss", *COLUMNS]


def test_the_figures_are_those_of_evaluate():
    t = trainer(keep="last", evaluate_train=True)
    row = t.fit(TRAIN, VALID, TEST, epochs=3)[-1]
    for name, data in (("train", TRAIN), ("valid", VALID), ("test", TEST)):
        loss, accuracy = evaluate(t.network, *data)
        assert (row[f"{name}_loss"], row[f"{name}_accuracy"]) == (loss, accuracy)
        outputs = t.network.predict(data[0])
        assert accuracy == np.mean(outputs.argmax(axis=1) == data[1])


def test_the_training_loss_is_the_mean_over_examples_not_over_batches():
    """53 examples in batches of 10 leave a batch of 3, which counts for 3 examples."""
    net = network()
    at_start = evaluate(net, *TRAIN).loss
    row = trainer(net, SGD(1e-12), shuffle=False).fit(TRAIN, epochs=1)[0]
    assert row["train_loss"] == pytest.approx(at_start, rel=1e-5)


def test_change_is_against_the_epoch_before():
    history = trainer(None, SGD(3.0)).fit(TRAIN, VALID, epochs=6)
    accuracy = history.column("valid_accuracy")
    assert history[0]["change"] is None
    assert_allclose([row["change"] for row in history][1:], np.diff(accuracy), atol=1e-15)
    assert np.ptp(accuracy) > 0


def test_change_is_of_the_column_that_is_monitored():
    history = trainer(monitor="valid_loss").fit(TRAIN, VALID, epochs=3)
    assert_allclose([row["change"] for row in history][1:], np.diff(history.column("valid_loss")), atol=1e-15)


def test_the_rate_of_an_epochs_last_step_is_written_down():
    history = trainer(None, SGD(2.0), schedule=StepDecay(every=2, factor=0.1)).fit(TRAIN, epochs=5)
    assert_allclose(history.column("learning_rate"), [2, 2, 0.2, 0.2, 0.02])
    history = trainer(None, SGD(1.0), schedule=Exponential(0.5)).fit(TRAIN, epochs=2)  # 6 steps an epoch
    assert_allclose(history.column("learning_rate"), [0.5 ** (5 / 6), 0.5 ** (11 / 6)])


def test_seconds_add_up_and_none_are_left_at_the_end():
    history = trainer().fit(TRAIN, VALID, epochs=3)
    spent = sum(history.column("seconds")) + sum(history.column("evaluation_seconds"))
    assert history[-1]["total_seconds"] == pytest.approx(spent)
    assert history[-1]["seconds_left"] == 0
    assert history[0]["seconds_left"] == pytest.approx(2 * history[0]["total_seconds"])
    assert min(history.column("seconds")) > 0


# Order, batches, leftovers


class Seen(Network):
    """A network that writes down the batches it is trained with."""

    def gradient(self, x, targets, *, training=False):
        self.batches.append(x[:, 0].astype(int).tolist())
        return super().gradient(x, targets, training=training)


def seen(n=23, **settings):
    net = Seen([Dense(2)], 1)
    net.batches = []
    x = np.arange(n, dtype=np.float32)[:, None]
    Trainer(net, SGD(1e-6), **settings).fit((x, np.zeros(n, np.int64)), epochs=2)
    per_epoch = len(net.batches) // 2
    return net.batches[:per_epoch], net.batches[per_epoch:]


def test_file_order():
    first, second = seen(shuffle=False, batch_size=10, engine="reference")
    assert first == second == [list(range(10)), list(range(10, 20)), [20, 21, 22]]


def test_shuffling_visits_every_example_once_in_another_order_each_epoch():
    first, second = seen(batch_size=10, engine="reference")
    assert [len(batch) for batch in first] == [10, 10, 3]
    for epoch in (first, second):
        assert sorted(chain(*epoch)) == list(range(23))
    assert first != second
    assert list(chain(*first)) != list(range(23))


def test_the_order_comes_from_the_seed():
    assert seen(seed=1, engine="reference") == seen(seed=1, engine="reference")
    assert seen(seed=1, engine="reference") != seen(seed=2, engine="reference")


def test_a_batch_larger_than_the_set():
    first, _ = seen(n=4, batch_size=1000, shuffle=False, engine="reference")
    assert first == [[0, 1, 2, 3]]


def test_equal_seeds_equal_networks():
    nets = []
    for _ in range(2):
        t = trainer(network(dropout=0.3), Adam(), seed=5)
        t.fit(TRAIN, VALID, epochs=3)
        nets.append(values(t.network))
    assert_same_arrays(*nets)


def test_the_global_rng_is_never_used():
    np.random.seed(0)  # noqa: NPY002 (the point is to show that it does not matter)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    trainer(network(dropout=0.3)).fit(TRAIN, VALID, epochs=1)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# What is kept


def spoil(trainer):
    """From here on the network can only be worse: the learning rate has thrown it far away."""
    for p in trainer.network.parameters().values():
        p.value = p.value * 0


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_best_is_kept_or_the_last(keep):
    t = trainer(None, SGD(3.0), keep=keep, monitor="valid_loss")
    at_best = {}
    t.callbacks = [At(3, lambda t: at_best.update(values(t.network))), At(3, spoil)]
    t.optimizer = SGD(3.0)
    history = t.fit(TRAIN, VALID, epochs=3)
    t.callbacks, t.optimizer = [], SGD(1e-9)
    t.fit(TRAIN, VALID, epochs=5)
    best = int(np.argmin(history.column("valid_loss")))
    assert t.best.epoch == best + 1
    assert history.statistics("valid_loss").best_epoch == t.best.epoch
    kept = evaluate(t.network, *VALID).loss
    if keep == "best":
        assert kept == min(history.column("valid_loss"))
        if t.best.epoch == 3:
            assert_same_arrays(values(t.network), at_best)
    else:
        assert kept == history[-1]["valid_loss"]
        assert t.last is None


def test_the_first_of_equal_epochs_is_the_best():
    x, y = TRAIN
    t = trainer(None, SGD(1e-12))
    history = t.fit((x, y), VALID, epochs=3)
    assert len(set(history.column("valid_accuracy"))) == 1
    assert t.best.epoch == 1


def test_a_copy_of_the_best_leaves_the_trainer_alone():
    t = trainer(None, SGD(3.0), keep="last")
    t.fit(TRAIN, VALID, epochs=4)
    before = values(t.network)
    best = t.best_network()
    assert evaluate(best, *VALID).accuracy == max(t.history.column("valid_accuracy"))
    best.parameters()["0.W"].value[:] = 7
    assert_same_arrays(values(t.network), before)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_fit_goes_on_where_it_ended_although_the_best_was_put_back(keep):
    straight, parts = (trainer(None, SGD(1e-3), keep=keep) for _ in range(2))
    straight.fit(TRAIN, VALID, epochs=6)
    for epochs in (2, 3, 6):
        parts.fit(TRAIN, VALID, epochs=epochs)
    assert parts.best.epoch == 1, "the test means nothing if the best is the last"
    assert_same_arrays(parts.best.arrays, straight.best.arrays)
    assert_same_arrays(values(straight.network), values(parts.network))
    assert straight.history.column("valid_loss") == parts.history.column("valid_loss")


# What is monitored


@pytest.mark.parametrize(
    "sets, settings, monitor",
    [
        ((TRAIN, VALID, TEST), {}, "valid_accuracy"),
        ((TRAIN, VALID), {"evaluate_train": True}, "valid_accuracy"),
        ((TRAIN,), {"evaluate_train": True}, "train_accuracy"),
        ((TRAIN, None, TEST), {}, "train_loss"),
        ((TRAIN,), {}, "train_loss"),
        ((TRAIN, VALID, TEST), {"monitor": "test_accuracy"}, "test_accuracy"),
    ],
)
def test_the_best_there_is_but_never_the_test_set(sets, settings, monitor):
    t = trainer(**settings)
    t.fit(*sets, epochs=1)
    assert t.monitor == monitor


def test_a_loss_is_better_when_it_is_smaller():
    t = trainer(None, SGD(1.0), monitor="valid_loss")
    history = t.fit(TRAIN, VALID, epochs=3)
    assert t.scores == [-loss for loss in history.column("valid_loss")]


@pytest.mark.parametrize("monitor", ["accuracy", "valid_accuracy", "seconds"])
def test_a_column_that_is_not_there_cannot_be_monitored(monitor):
    with pytest.raises(ConfigError, match=f"monitor: got '{monitor}'; with these sets there are: train_loss"):
        trainer(monitor=monitor).fit(TRAIN, epochs=1)


# Targets and outputs of other kinds


def test_a_single_output_has_a_loss_but_no_accuracy():
    x, y = a_line()
    t = Trainer(Network([Dense(8), Sigmoid(), Dense(1)], 1, MeanSquaredError()), SGD(0.1))
    history = t.fit((x, y), (x[::3], y[::3]), epochs=20)
    assert t.monitor == "valid_loss"
    assert not any("accuracy" in name for name in history[0])
    assert history[-1]["valid_loss"] < 0.5 * history[0]["valid_loss"]
    assert evaluate(t.network, x, y).accuracy is None


def test_soft_targets_train_like_labels():
    (x, labels), (vx, vlabels) = TRAIN, VALID
    t = trainer(None, SGD(3.0))
    history = t.fit((x, soft_targets(labels, 3)), (vx, soft_targets(vlabels, 3)), epochs=30)
    assert max(history.column("valid_accuracy")) > 0.8
    assert evaluate(t.network, vx, vlabels).accuracy == max(history.column("valid_accuracy"))


def test_hard_targets_as_rows_give_the_same_network_as_labels():
    x, labels = TRAIN
    by_label, by_row = trainer(keep="last"), trainer(keep="last")
    by_label.fit((x, labels), epochs=2)
    by_row.fit((x, np.eye(3)[labels]), epochs=2)
    assert_same_arrays(values(by_label.network), values(by_row.network))


def test_pictures_of_bytes_and_digits_sets():
    splits = load("digits")
    small = [splits.train.first(300), splits.valid]
    as_digits, as_arrays, as_pixels = (Trainer(mlp([64, 12, 10]), SGD(1.0), keep="last") for _ in range(3))
    as_digits.fit(*small, epochs=1)
    as_arrays.fit(*((d.images, d.labels) for d in small), epochs=1)
    as_pixels.fit(*((d.images.reshape(-1, 64) / np.float32(255), d.labels) for d in small), epochs=1)
    assert_same_arrays(values(as_digits.network), values(as_arrays.network))
    for name, array in values(as_pixels.network).items():
        assert_allclose(array, values(as_digits.network)[name], rtol=1e-3, atol=1e-4)


def test_the_examples_are_never_changed():
    x, y = (np.array(part) for part in TRAIN)
    trainer(network(dropout=0.2), Adam(), regularizers=[L2(1.0)]).fit((x, y), VALID, epochs=2)
    assert_array_equal(x, TRAIN[0])
    assert_array_equal(y, TRAIN[1])


def test_double_precision():
    t = trainer(network(dtype="float64"), keep="last")
    t.fit(TRAIN, VALID, epochs=1)
    assert {array.dtype for array in values(t.network).values()} == {np.dtype("float64")}


def test_training_learns_something():
    t = trainer(None, SGD(3.0))
    assert max(t.fit(TRAIN, VALID, epochs=30).column("valid_accuracy")) > 0.8
