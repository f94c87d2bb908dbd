"""What is said at the end of trainings that went badly, and that nothing is said of others."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab import Net, load, mlp
from digitlab.doctor import Case, examine
from digitlab.doctor.callback import Diagnose
from digitlab.doctor.measures import constant_loss
from digitlab.doctor.symptoms import Facts, exploded, fell, learned_nothing, only_by_heart, still_learning
from digitlab.nn import Dense, Network, Quadratic, Sigmoid
from digitlab.notices import TrainingWarning
from digitlab.optim import SGD, Adam
from digitlab.optim.regularizers import L2
from digitlab.train import Trainer
from digitlab.train.default_rate import smaller_rate

from .runs import ILL

DIGITS = load("digits")
SAME = ("equal-first-weights 1", "labels-shifted 3", "class-imbalance 2", "dead-relus 2", "learning-rate-too-small 1")
SIZES = (64, 30, 10)


def trained(network, optimizer, *, epochs=3, data=(DIGITS.train, DIGITS.valid), **settings):
    """The diagnosis of a training, and its trainer."""
    callback = Diagnose()
    trainer = Trainer(network, optimizer, callbacks=[callback], **settings)
    trainer.fit(*data, epochs=epochs)
    return callback.found, trainer


# Trainings that learn nothing


@pytest.mark.parametrize("valid", [DIGITS.valid, None])
@pytest.mark.parametrize(
    "rate, seen, cause",
    [(0.001, "the loss went from", "0.001 is too small"), (100.0, "guessing the largest class (1", "100 is too large")],
)
def test_the_book_s_bad_rates(rate, seen, cause, valid):
    found, _ = trained(mlp((64, 100, 10)), SGD(rate), data=(DIGITS.train, valid))
    assert seen in found.seen and cause in found.cause and found.rate == "3"
    assert str(found).endswith("; try learning_rate=3")


@pytest.mark.parametrize(
    "network, optimizer, words",
    [
        ({"loss": "mean-squared-error"}, SGD(10.0), ["the loss is", "a constant output", "10 is too large"]),
        ({"loss": "log-likelihood", "activation": "relu"}, SGD(10.0), ["all of the neurons", "10 is too large"]),
        ({"loss": "log-likelihood", "activation": "relu"}, SGD(100.0), ["all of the neurons", "100 is too large"]),
        ({"loss": "log-likelihood"}, Adam(10.0), ["10 is too large"]),
        ({"loss": "cross-entropy"}, SGD(1e-4), ["the loss went from", "0.0001 is too small", "learning_rate=0.5"]),
    ],
)
def test_losses_and_activations(network, optimizer, words):
    found, _ = trained(mlp(SIZES, **network), optimizer)
    assert all(word in str(found) for word in words), found


def test_a_loss_that_grew_and_stayed_finite():
    """A linear layer at a rate just above what it bears: the loss is infinite in the second epoch only."""
    found, trainer = trained(Network([Dense(10)], 64, "mean-squared-error"), SGD(1.0), epochs=1)
    assert math.isfinite(trainer.history[-1]["train_loss"]) and trainer.history[-1]["train_loss"] > 1e4
    assert "the loss " in found.seen and found.rate == "0.02"


def test_an_activation_before_the_loss_s_own():
    layers = [Dense(30), Sigmoid(), Dense(10), Sigmoid()]
    found, _ = trained(Network(layers, 64, Quadratic(), allow_output_activation=True), SGD(3.0))
    assert "the last layer, Sigmoid(), comes before the loss's own sigmoid" in found.seen
    assert found.advice == "the network without its last activation"


def test_weight_decay_that_leaves_nothing():
    found, _ = trained(mlp(SIZES, loss="cross-entropy"), SGD(0.5), regularizers=[L2(300.0)])
    assert "weight decay takes 12.5 % of every weight" in found.seen and "--l2" in found.advice


def test_a_gradient_that_vanishes():
    found, _ = trained(mlp((64, 30, 30, 30, 30, 10)), SGD(0.5))
    assert "the gradient vanishes on its way through 4 hidden layers" in found.cause


def test_inputs_that_are_far_from_1():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(600, 5)) + 2000).astype(np.float32)
    found, _ = trained(mlp((5, 10, 2)), SGD(3.0), data=((x, (x[:, 0] > 2000).astype(np.int64)),))
    assert "the inputs of the first layer reach 20" in found.seen


@pytest.mark.parametrize("rate, advised", [(1e30, "3"), (3.5, "3"), (3.0, "0.3"), (0.5, "0.05")])
def test_a_rate_that_is_too_large_leads_to_the_default_or_below_it(rate, advised):
    assert f"{smaller_rate(rate, 3.0):.3g}" == advised


def test_an_accuracy_that_fell_back():
    rows = [{"epoch": i + 1, "train_loss": 0.1, "valid_accuracy": a} for i, a in enumerate([0.5, 0.92, 0.9, 0.11])]
    assert fell(rows, Facts(guess=0.11, count=300)) == "valid_accuracy fell from 92.0 % (epoch 2) to 11.0 %"
    assert fell(rows[:3], Facts(guess=0.11, count=300)) == fell(rows, Facts(guess=0.11, count=3)) == ""


def test_labels_of_the_validation_set_that_mean_something_else():
    mixed = (DIGITS.valid.images, np.roll(DIGITS.valid.labels, 7))
    found, _ = trained(mlp(SIZES), SGD(3.0), epochs=5, data=(DIGITS.train, mixed))
    assert "the training examples are learned" in found.seen and "labels" in found.cause


def test_a_single_class():
    x, y = DIGITS.train.images[:200], np.zeros(200, np.int64)
    found, _ = trained(mlp(SIZES), SGD(3.0), epochs=5, data=((x, y),))
    assert "of one class" in found.seen


# Trainings that learn


@pytest.mark.parametrize("valid", [DIGITS.valid, None])
@pytest.mark.parametrize(
    "network, optimizer, epochs",
    [
        ({}, SGD(3.0), 1),
        ({}, SGD(3.0), 10),
        ({"init": "large"}, SGD(3.0), 2),
        ({"loss": "cross-entropy"}, SGD(0.5), 1),
        ({"loss": "log-likelihood", "activation": "relu"}, SGD(0.1), 1),
        ({"loss": "log-likelihood", "activation": "relu"}, Adam(0.001), 3),
        ({"activation": "relu"}, SGD(0.5), 2),
        ({"loss": "mean-squared-error", "activation": "tanh"}, SGD(0.1), 2),
        ({"dropout": 0.5}, SGD(3.0), 5),
        ({}, Adam(0.005), 1),
        ({}, Adam(0.003), 3),
    ],
)
def test_no_false_alarm(network, optimizer, epochs, valid):
    found, _ = trained(mlp(SIZES, **network), optimizer, epochs=epochs, data=(DIGITS.train, valid))
    assert found is None


@pytest.mark.parametrize("epochs", [1, 2, 3, 12])
def test_a_deeper_network_begins_slowly_and_is_fine(epochs):
    """10.7 % after an epoch, 19 % after two, and good in the end."""
    found, trainer = trained(mlp((64, 30, 30, 10)), SGD(3.0), epochs=epochs)
    assert found is None
    assert epochs < 12 or trainer.history[-1]["valid_accuracy"] > 0.8


@pytest.mark.parametrize("rate", [100.0, 3.0, 0.001])
def test_nothing_is_said_of_the_rate_after_a_few_steps(rate):
    assert trained(mlp(SIZES), SGD(rate), data=(DIGITS.train.first(90), DIGITS.valid), epochs=2)[0] is None


def test_a_curve_and_rare_classes():
    x = np.linspace(-1, 1, 400, dtype=np.float32)[:, None]
    network = mlp((1, 20, 1), activation="tanh", loss="mean-squared-error")
    assert trained(network, SGD(0.1), data=((x, np.sin(3 * x)),), epochs=10)[0] is None
    rare = (DIGITS.train.labels == 3).astype(np.int64)
    assert trained(mlp((64, 30, 2)), SGD(3.0), data=((DIGITS.train.images, rare),), epochs=5)[0] is None


def test_a_curve_that_is_not_learned():
    x = np.linspace(-1, 1, 400, dtype=np.float32)[:, None]
    network = mlp((1, 20, 1), activation="tanh", loss="mean-squared-error")
    found, _ = trained(network, SGD(1e-7), data=((x, np.sin(3 * x) + 5),), epochs=4)
    assert "the loss went from" in found.seen and "too small" in found.cause


# Net


def test_net_warns():
    net = Net([64, 30, 10])
    with pytest.warns(TrainingWarning, match="no better than guessing .* try learning_rate=3") as caught:
        net.train(DIGITS.train, 100.0, epochs=2)
    assert caught[0].filename == __file__ and len(net.history) == 2


# The function itself


@pytest.mark.parametrize(
    "loss, expected", [("quadratic", 0.45), ("mean-squared-error", 0.09), ("log-likelihood", math.log(10))]
)
def test_the_loss_of_one_answer_by_hand(loss, expected):
    """Ten classes alike: ½ · 10 · .1 · .9 = .45; .1 · .9 = .09; ln 10."""
    assert constant_loss(mlp(SIZES, loss=loss), np.arange(10)) == pytest.approx(expected, rel=1e-5)


def test_the_best_constant_is_unknown_of_a_loss_that_does_not_say_so(monkeypatch):
    monkeypatch.setattr(Quadratic, "fits_mean", False)
    assert constant_loss(mlp(SIZES), np.arange(10)) is None


ANY = st.floats()
SOME = st.none() | st.floats(0, 1)
ROW = st.fixed_dictionaries({"epoch": st.integers(1, 9), "train_loss": ANY}, optional={"valid_accuracy": SOME})
FACTS = st.builds(
    Facts, guess=SOME, count=st.integers(0, 10**6), accuracy=SOME, loss=st.none() | ANY, constant_loss=st.none() | ANY
)


@given(st.lists(ROW, min_size=1, max_size=6), FACTS)
def test_symptoms_take_whatever_comes(rows, facts):
    losses = [row["train_loss"] for row in rows]
    for seen in (exploded(losses, facts), fell(rows, facts), learned_nothing(rows, facts), only_by_heart(rows, facts)):
        assert isinstance(seen, str) and "\n" not in seen
    assert still_learning(losses, facts) in (True, False)


# A curve, of which all can be learned


@pytest.mark.parametrize(
    "wave, optimizer, epochs, exact, seen, advice",
    [
        (9, SGD(0.1), 5, True, "only the straight line in the curve is learned: ", "--optimizer adam"),
        (0, Adam(0.01), 20, True, None, None),  # it is a line
        (2, Adam(0.001), 1, True, "the curve is not learned: the network misses ", "more --epochs, or a wider --net"),
        (2, Adam(0.01), 60, True, None, None),
        (9, SGD(0.1), 5, False, None, None),  # noise, for all that is known
    ],
)
def test_a_curve_that_is_hardly_learned(wave, optimizer, epochs, exact, seen, advice):
    x = np.linspace(-1, 1, 400, dtype=np.float32)[:, None]
    callback = Diagnose(exact=exact)
    network = mlp((1, 20, 1), activation="tanh", loss="mean-squared-error")
    Trainer(network, optimizer, callbacks=[callback]).fit((x, x / 2 + np.sin(wave * x) ** 2 / 3), epochs=epochs)
    found = callback.found
    assert found is None if seen is None else (found.seen.startswith(seen) and advice == found.advice), found


def test_a_run_s_folder_and_a_training_without_one_say_the_same(tmp_path):
    for i, run in enumerate(run for run in ILL if run.name in SAME):
        folder = run.make(tmp_path / str(i))
        case = Case.of_run(folder)
        callback = Diagnose()
        trainer = case.config.trainer([callback])
        trainer.fit(case.images["train"], case.images["valid"], epochs=case.config.epochs)
        assert callback.found == examine(case)[0].diagnosis, run.name


def test_a_gradient_along_one_random_direction_learns_slowly():
    found, _ = trained(mlp(SIZES), None, epochs=1, gradient="spsa", engine="reference")
    assert "along 1 random direction of 2,260 parameters" in found.seen and "mostly noise" in found.cause
    assert "--gradient spsa:samples=100" in found.advice
