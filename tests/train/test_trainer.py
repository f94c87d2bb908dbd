"""The training loop: what a row holds, which parameters are kept, when it stops, and what it refuses."""

import math
import re
from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.data import Digits, load
from digitlab.errors import ConfigError, DataError, DivergenceError, ShapeError
from digitlab.nn import Dense, MeanSquaredError, Network, Sigmoid, mlp, soft_targets
from digitlab.nn.regularizers import L2
from digitlab.optimizers import SGD, Adam, Exponential, HalveOnPlateau, StepDecay
from digitlab.train import Callback, EarlyStopping, TargetReached, Trainer, evaluate

from .helpers import TEST, TRAIN, VALID, assert_same_arrays, network, trainer, values

COLUMNS = ["change", "learning_rate", "seconds", "evaluation_seconds", "total_seconds", "seconds_left"]


class Spy(Callback):
    """Writes down which hooks were called, and with what."""

    def __init__(self):
        self.calls = []

    def on_fit_start(self, trainer):
        self.calls.append("fit start")

    def on_epoch_start(self, trainer):
        self.calls.append(f"epoch {trainer.epoch} start")

    def on_batches(self, trainer, done, total):
        self.calls.append((done, total))

    def on_epoch_end(self, trainer, row):
        self.calls.append(f"epoch {row['epoch']} end")

    def on_fit_end(self, trainer):
        self.calls.append("fit end")


class At(Callback):
    """Does something at the end of one epoch."""

    def __init__(self, epoch, action):
        self.epoch, self.action = epoch, action

    def on_epoch_end(self, trainer, row):
        if row["epoch"] == self.epoch:
            self.action(trainer)


class Ctrl_C(Callback):
    """A person who presses Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batches(self, trainer, done, total):
        if trainer.epoch == self.epoch and done >= total // 2:
            raise KeyboardInterrupt


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


def test_dice_are_never_the_global_ones():
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


# Stopping


def test_early_stopping_after_n_epochs_without_improvement():
    t = trainer(None, SGD(1e-12), callbacks=[EarlyStopping(3)])
    history = t.fit(TRAIN, VALID, epochs=50)
    assert len(history) == 4  # the first epoch is a best, then three that are none
    assert t.stop_reason == "no improvement of valid_accuracy in 3 epochs"
    assert not t.interrupted


def test_an_improvement_starts_the_patience_anew():
    t = trainer(callbacks=[])
    stopper = EarlyStopping(2)
    t.monitor = "valid_accuracy"
    for n, accuracy in enumerate([0.5, 0.5, 0.6, 0.6, 0.7, 0.7, 0.65], 1):
        assert t.stop_reason is None, n
        t.history.rows.append({"epoch": n, "valid_accuracy": accuracy})
        stopper.judge(t)
    assert t.stop_reason


def test_a_schedule_may_end_the_training():
    t = trainer(None, SGD(1e-12), schedule=HalveOnPlateau(patience=1, stop_at=4))
    assert len(t.fit(TRAIN, VALID, epochs=50)) == 3
    assert t.stop_reason == "the learning rate was halved to 1/4 without improvement"
    assert_allclose(np.array(t.history.column("learning_rate")) / 1e-12, [1, 1, 0.5])


@pytest.mark.parametrize("monitor, target", [("valid_accuracy", 0.0), ("valid_loss", 100.0)])
def test_a_target_that_is_reached(monitor, target):
    t = trainer(monitor=monitor, callbacks=[TargetReached(target)])
    assert len(t.fit(TRAIN, VALID, epochs=9)) == 1
    assert t.stop_reason == f"{monitor} reached {target:g}"
    t = trainer(monitor=monitor, callbacks=[TargetReached(2.0 if "acc" in monitor else -1.0)])
    assert len(t.fit(TRAIN, VALID, epochs=2)) == 2


def test_a_target_that_was_reached_before_a_resume_still_counts():
    t = trainer()
    t.fit(TRAIN, VALID, epochs=1)
    t.callbacks = [TargetReached(0.0)]
    assert len(t.fit(TRAIN, VALID, epochs=5)) == 1


def test_the_first_reason_to_stop_is_the_one_that_is_told():
    t = trainer(callbacks=[At(2, lambda t: t.stop("first")), At(2, lambda t: t.stop("second"))])
    assert len(t.fit(TRAIN, epochs=9)) == 2
    assert t.stop_reason == "first"


def test_hooks_are_called_in_order(monkeypatch):
    monkeypatch.setattr("digitlab.train.trainer.LEAST_WORK", 1)
    spy = Spy()
    trainer(batch_size=20, callbacks=[spy]).fit(TRAIN, epochs=2)
    batches = [(1, 3), (2, 3), (3, 3)]
    assert spy.calls == [
        "fit start", "epoch 1 start", *batches, "epoch 1 end", "epoch 2 start", *batches, "epoch 2 end", "fit end"
    ]  # fmt: skip


def test_an_epoch_comes_up_for_air_twenty_five_times(monkeypatch):
    monkeypatch.setattr("digitlab.train.trainer.LEAST_WORK", 1)
    spy = Spy()
    trainer(batch_size=1, callbacks=[spy]).fit(tuple(np.repeat(part, 20, axis=0) for part in TRAIN), epochs=1)
    calls = [call for call in spy.calls if isinstance(call, tuple)]
    assert 20 <= len(calls) <= 25
    assert calls[-1] == (1060, 1060)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_ctrl_c_in_the_middle_of_an_epoch_ends_cleanly(keep):
    spy = Spy()
    t = trainer(None, SGD(3.0), keep=keep, callbacks=[Ctrl_C(3), spy])
    history = t.fit(TRAIN, VALID, epochs=9)
    assert t.interrupted
    assert t.stop_reason == "interrupted in epoch 3"
    assert len(history) == 2
    assert spy.calls[-1] == "fit end"
    if keep == "best":
        assert evaluate(t.network, *VALID).accuracy == max(history.column("valid_accuracy"))


def test_ctrl_c_in_the_first_epoch():
    t = trainer(callbacks=[Ctrl_C(1)])
    assert len(t.fit(TRAIN, VALID, epochs=9)) == 0
    assert t.interrupted
    assert all(np.isfinite(array).all() for array in values(t.network).values())


# Divergence


def a_line(n=200):
    x = np.linspace(-1, 1, n, dtype=np.float32)[:, None]
    return x, 3 * x + 1


def test_a_rate_that_is_too_large_ends_at_once_with_place_and_cause():
    spy = Spy()
    t = Trainer(Network([Dense(20), Dense(1)], 1, MeanSquaredError()), SGD(1e6), callbacks=[spy])
    with pytest.raises(DivergenceError) as raised:
        t.fit(a_line(), epochs=5)
    message = str(raised.value)
    assert re.fullmatch(
        r"the loss is no longer finite in epoch 1, step \d+; likely cause: the learning rate 1e\+06 is too large; "
        r"try 100000\. The last finite network was kept",
        message,
    )
    assert all(np.isfinite(array).all() for array in values(t.network).values())
    assert np.isfinite(t.network.predict(np.zeros((1, 1), np.float32))).all()
    assert t.stop_reason == message
    assert spy.calls[-1] == "fit end"
    assert len(t.history) == 0


def test_the_best_network_outlives_a_divergence_in_a_later_epoch():
    t = Trainer(Network([Dense(20), Dense(1)], 1, MeanSquaredError()), SGD(0.1), engine="reference")
    t.fit(a_line(), a_line(50), epochs=2)
    t.optimizer = SGD(1e6)
    with pytest.raises(DivergenceError, match="in epoch 3, step"):
        t.fit(a_line(), a_line(50), epochs=5)
    assert evaluate(t.network, *a_line(50)).loss == min(t.history.column("valid_loss"))


def test_inputs_that_are_too_large_are_named_as_the_cause():
    x, y = a_line()
    t = Trainer(Network([Dense(1)], 1, MeanSquaredError()), SGD(0.001))
    with pytest.raises(DivergenceError, match="in epoch 1, step 1; likely cause: inputs or weights are too large"):
        t.fit((x * 1e30, y), epochs=1)


def test_a_loss_that_overflows_in_evaluation_only():
    x, y = a_line()
    t = Trainer(Network([Dense(1)], 1, MeanSquaredError()), SGD(0.01))
    with pytest.raises(DivergenceError, match="in epoch 1"):
        t.fit((x, y), (x * 1e30, y), epochs=1)


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


# What it refuses, each in one line that says what to do


def refused(error, words, data, valid=None, **settings):
    with pytest.raises(error) as raised:
        trainer(**settings).fit(data, valid, epochs=settings.get("epochs", 1))
    message = str(raised.value)
    assert "\n" not in message
    assert re.search(words, message), message


X, Y = TRAIN


@pytest.mark.parametrize(
    "error, words, data",
    [
        (ShapeError, r"training set: got input of shape \(1, 7\), expected \(N, 6\)", (np.zeros((5, 7)), Y[:5])),
        (ShapeError, r"inputs of shape \(53, 6\) with targets of shape \(52,\); expected one row", (X, Y[:-1])),
        (ShapeError, r"expected one row of inputs per target", (X[0], Y[:6])),
        (DataError, r"got an empty set; expected at least one", (X[:0], Y[:0])),
        (DataError, r"labels from 0 to 3; this network has 3 outputs, expected labels from 0 to 2", (X, Y % 2 * 3)),
        (DataError, r"labels from -1 to", (X, Y - 1)),
        (DataError, r"shape \(53, 2\) and type float64; expected whole-number labels", (X, np.eye(2)[Y % 2])),
        (DataError, r"targets of shape \(53,\) and type float32; expected whole-number labels", (X, Y.astype("f"))),
        (DataError, r"type <U\d+; expected whole-number labels", (X, Y.astype(str))),
        (DataError, r"training set: got input of type <U\d+; expected pixel bytes", (X.astype(str), Y)),
        (DataError, r"got input of type bool; expected pixel bytes", (X > 0, Y)),
        (DataError, r"got input of type complex64", (X.astype(np.complex64), Y)),
        (DataError, r"training set: got NoneType; expected Digits or a pair \(x, y\)", None),
        (DataError, r"training set: got str; expected Digits", "mnist"),
        (DataError, r"training set: got tuple; expected Digits", (X, Y, Y)),
    ],
)
def test_examples_that_do_not_fit(error, words, data):
    refused(error, words, data)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none(bad):
    x = X.copy()
    x[7, 2] = bad
    refused(DataError, r"training set: input 7 holds NaN or infinity; expected finite numbers", (x, Y))
    refused(DataError, r"validation set: input 7 holds NaN", TRAIN, (x, Y))
    targets = np.eye(3)[Y]
    targets[4, 1] = bad
    refused(DataError, r"training set: a target is NaN or infinite", (X, targets))


def test_the_set_that_is_wrong_is_named():
    refused(ShapeError, "validation set: got input", TRAIN, (np.zeros((5, 4), np.float32), Y[:5]))
    with pytest.raises(DataError, match="test set: got labels from 0 to 9"):
        trainer().fit(TRAIN, VALID, (X[:10], np.arange(10)), epochs=1)


def test_digits_of_another_size():
    refused(ShapeError, r"training set: got input of shape \(1, 8, 8\), expected \(N, 6\)", load("digits").train)


@pytest.mark.parametrize(
    "words, settings",
    [
        ("batch_size: got 0, expected at least 1", {"batch_size": 0}),
        ("keep: got 'worst', expected 'best' or 'last'", {"keep": "worst"}),
        ("unknown engine 'quick'; there are: auto", {"engine": "quick"}),
    ],
)
def test_settings_that_make_no_sense(words, settings):
    with pytest.raises(ConfigError, match=re.escape(words)):
        trainer(**settings).fit(TRAIN, epochs=1)


def test_no_epochs_at_all():
    with pytest.raises(ConfigError, match="epochs: got 0, expected at least 1"):
        trainer().fit(TRAIN, epochs=0)
    with pytest.raises(ConfigError, match="patience 0, expected at least 1 epoch"):
        EarlyStopping(0)


def test_sets_that_lack_the_column_monitored_before():
    t = trainer()
    t.fit(TRAIN, VALID, epochs=1)
    again = trainer()
    again.history, again.best = t.history, t.best
    again.history.rows = [{"epoch": 1, "train_loss": 1.0}]
    with pytest.raises(ConfigError, match="monitor: the epochs before have no 'valid_accuracy'"):
        again.fit(TRAIN, VALID, epochs=2)


def test_a_digits_set_and_its_arrays_are_both_taken():
    digits = Digits(np.zeros((4, 2, 3), np.uint8), np.array([0, 1, 2, 0]))
    trainer().fit(digits, epochs=1)
