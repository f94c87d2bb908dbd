"""What the training loop refuses, each in one line that says what to do."""

import math
import re

import numpy as np
import pytest

from digitlab.data import Digits, load
from digitlab.errors import ConfigError, DataError, ShapeError
from digitlab.train import EarlyStopping

from .helpers import TRAIN, VALID, trainer, values


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
        (ShapeError, r"training set: got input of shape \(5, 7\), expected \(N, 6\)", (np.zeros((5, 7)), Y[:5])),
        (ShapeError, r"inputs of shape \(53, 6\) with targets of shape \(52,\); expected one row", (X, Y[:-1])),
        (ShapeError, r"expected one row of inputs per target", (X[0], Y[:6])),
        (DataError, r"got an empty set; expected at least one", (X[:0], Y[:0])),
        (DataError, r"labels from 0 to 3; this network has 3 outputs, expected labels from 0 to 2", (X, Y % 2 * 3)),
        (DataError, r"labels from -1 to", (X, Y - 1)),
        (DataError, r"targets of shape \(53, 2\); expected whole-number labels", (X, np.eye(2)[Y % 2])),
        (DataError, r"target 0 is \d\.5; expected whole-number labels \(N,\) or numbers of", (X, Y + 0.5)),
        (DataError, r"labels that are text, such as 'cat'.*np\.unique\(y, return_inverse=True\)", (X, ["cat"] * 53)),
        (DataError, r"training set: got inputs of type <U\d+; expected pixel bytes", (X.astype(str), Y)),
        (DataError, r"got inputs of type complex64", (X.astype(np.complex64), Y)),
        (DataError, r"training set: got NoneType; expected Digits, a pair \(x, y\) or a list", None),
        (DataError, r"training set: got str; expected Digits", "mnist"),
        (DataError, r"training set: got a tuple of 3 arrays; expected Digits", (X, Y, Y)),
    ],
)
def test_examples_that_do_not_fit(error, words, data):
    refused(error, words, data)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none(bad):
    x = X.copy()
    x[7, 2] = bad
    refused(DataError, r"training set: input 7 is NaN or infinite; expected finite numbers", (x, Y))
    refused(DataError, r"validation set: input 7 is NaN", TRAIN, (x, Y))
    targets = np.eye(3)[Y]
    targets[4, 1] = bad
    refused(DataError, r"training set: a target is NaN or infinite", (X, targets))


def test_the_set_that_is_wrong_is_named():
    refused(ShapeError, "validation set: got input", TRAIN, (np.zeros((5, 4), np.float32), Y[:5]))
    with pytest.raises(DataError, match="test set: got labels from 0 to 9"):
        trainer().fit(TRAIN, VALID, (X[:10], np.arange(10)), epochs=1)


def test_digits_of_another_size():
    refused(ShapeError, r"training set: got input of shape \(1197, 8, 8\), expected \(N, 6\)", load("digits").train)


@pytest.mark.parametrize(
    "words, settings",
    [
        ("batch_size: got 0, expected a whole number of at least 1", {"batch_size": 0}),
        ("keep: got 'worst', expected one of best, last", {"keep": "worst"}),
        ("engine: got 'quick', expected one of auto, fast", {"engine": "quick"}),
    ],
)
def test_settings_that_make_no_sense(words, settings):
    with pytest.raises(ConfigError, match=re.escape(words)):
        trainer(**settings).fit(TRAIN, epochs=1)


def test_no_epochs_at_all():
    with pytest.raises(ConfigError, match="epochs: got 0, expected a whole number of at least 1"):
        trainer().fit(TRAIN, epochs=0)
    with pytest.raises(ConfigError, match="patience 0, expected at least 1 epoch"):
        EarlyStopping(0)


def test_sets_that_lack_the_column_monitored_before():
    t = trainer()
    t.fit(TRAIN, VALID, epochs=1)
    again = trainer()
    again.history, again.best = t.history, t.best
    again.history.rows = [{"epoch": 1, "train_loss": 1.0}]
    with pytest.raises(ConfigError, match="monitor: the earlier epochs have no 'valid_accuracy'"):
        again.fit(TRAIN, VALID, epochs=2)


def test_a_digits_set_and_its_arrays_are_both_taken():
    digits = Digits(np.arange(24, dtype=np.uint8).reshape(4, 2, 3), np.array([0, 1, 2, 0]))
    of_digits, of_arrays = trainer(), trainer()
    of_digits.fit(digits, epochs=1)
    of_arrays.fit((digits.images, digits.labels), epochs=1)
    for name, array in values(of_arrays.network).items():
        np.testing.assert_array_equal(values(of_digits.network)[name], array)
    assert not np.array_equal(values(of_digits.network)["0.W"], values(trainer().network)["0.W"])


def test_parts_by_name_and_names_that_are_none():
    t = trainer(None, "adam", schedule="cosine", gradient="spsa", regularizers=[{"type": "max-norm", "limit": 3.0}])
    kinds = [type(part).__name__ for part in (t.optimizer, t.schedule, t.gradient, *t.regularizers)]
    assert kinds == ["Adam", "Cosine", "SPSA", "MaxNorm"]
    for wrong in (
        {"optimizer": "adm"},
        {"schedule": "cosin"},
        {"gradient": "spsaa"},
        {"regularizers": [{"type": "max-nrm", "limit": 3.0}]},
    ):
        with pytest.raises(ConfigError, match="did you mean"):
            trainer(**wrong)


@pytest.mark.parametrize("callbacks", [3, [3], EarlyStopping(3), [EarlyStopping]])
def test_callbacks_that_are_none(callbacks):
    with pytest.raises(ConfigError, match=r"^callbacks: got .*, expected a list"):
        trainer(callbacks=callbacks)
