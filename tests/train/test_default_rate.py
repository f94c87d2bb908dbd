"""Default learning rates: every optimizer learns with every loss and activation, or as far as its gradient goes."""

import numpy as np
import pytest

import digitlab
from digitlab.errors import ConfigError
from digitlab.gradients import SPSA, EvolutionStrategies, Gradient
from digitlab.nn import MeanSquaredError, Network, mlp
from digitlab.nn.describe import build
from digitlab.optim import SGD, Adam, Momentum, Nesterov, Optimizer
from digitlab.train import RunConfig, Trainer
from digitlab.train.default_rate import default_learning_rate, rate_of, settled

OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
LOSSES = ("quadratic", "cross-entropy", "log-likelihood", "mean-squared-error")


@pytest.fixture(scope="module")
def digits():
    return digitlab.load("digits")


def reached(splits, network, optimizer, epochs, **settings):
    """The accuracy on the validation set after the last epoch."""
    trainer = Trainer(network, optimizer, **settings)
    return trainer.fit(splits.train, splits.valid, epochs=epochs)[-1]["valid_accuracy"]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_default_stays_at_chance_on_small_digits(digits, optimizer, loss, activation):
    network = mlp([64, 30, 10], activation=activation, loss=loss, seed=1)
    assert reached(digits, network, optimizer, epochs=10) > 0.5


@pytest.mark.slow
@pytest.mark.mnist
@pytest.mark.parametrize(
    "sizes, batch",
    [([784, 30, 10], 10), ([784, 300, 10], 10), ([784, 100, 100, 10], 10), ([784, 30, 10], 1), ([784, 30, 10], 50)],
)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("loss", LOSSES)
def test_no_default_stays_at_chance_on_mnist(loss, activation, sizes, batch, pytestconfig):
    if not pytestconfig.getoption("--long") and (batch == 1 or max(sizes[1:]) > 100):
        pytest.skip("takes long: give --long")
    splits = digitlab.load("mnist", train_size=10_000)
    for optimizer in OPTIMIZERS:
        network = mlp(sizes, activation=activation, loss=loss, seed=1)
        assert reached(splits, network, optimizer, epochs=2, batch_size=batch) > 0.4, optimizer


@pytest.mark.parametrize("closing", ["sigmoid", "tanh"])
def test_an_output_activation_before_the_mean_squared_error(digits, closing):
    layers = [{"type": "Dense", "out_features": 30}, "tanh", {"type": "Dense", "out_features": 10}, closing]
    assert reached(digits, Network(layers, 64, MeanSquaredError(), seed=0), None, epochs=10) > 0.7


def test_the_books_first_network_takes_three():
    assert default_learning_rate(SGD(), mlp([784, 30, 10])) == 3.0
    assert default_learning_rate(SGD(), mlp([784, 30, 10]), batch_size=1) == 0.3
    assert default_learning_rate(SGD(), mlp([784, 30, 10], activation="relu")) == 0.5
    assert default_learning_rate(SGD(), mlp([784, 30, 10], loss="cross-entropy")) == 0.5
    assert default_learning_rate(Adam(), mlp([784, 30, 10])) == 0.001
    assert default_learning_rate(Adam(), mlp([64, 30, 10])) == 0.005
    assert default_learning_rate(Adam(), mlp([1, 30, 1], loss="mse")) == 0.01


@pytest.mark.parametrize("optimizer, least", [("adam", 0.88), ("adamw", 0.88), ("rmsprop", 0.9), ("nesterov", 0.72)])
def test_a_few_steps_are_enough_on_small_digits(digits, optimizer, least):
    """Five epochs of 120 steps with the quadratic loss: 57 % with Adam's usual 0.001. docs/training.md has a table."""
    accuracies = [reached(digits, mlp([64, 30, 10], seed=s), optimizer, epochs=5, seed=s) for s in range(3)]
    assert np.mean(accuracies) > least


def test_momentum_adds_up_its_steps():
    network = mlp([784, 30, 10], loss="cross-entropy")
    assert default_learning_rate(Momentum(), network) == 0.05
    assert default_learning_rate(Nesterov(momentum=0.5), network) == 0.25


def test_random_directions_take_smaller_steps():
    network = mlp([64, 10], loss="cross-entropy")
    assert default_learning_rate(SGD(), network, gradient=SPSA()) == 0.005
    assert default_learning_rate(SGD(), network, gradient=EvolutionStrategies(population=200)) == 0.25


@pytest.mark.slow
@pytest.mark.parametrize("way", ["spsa", "forward-gradient", "evolution-strategies"])
def test_estimated_gradients_learn_at_the_default_rate(digits, way):
    network = mlp([64, 10], loss="cross-entropy")
    more = {"spsa": "samples", "forward-gradient": "directions", "evolution-strategies": "population"}[way]
    gradient = build(Gradient, {"type": way, more: 20})
    assert reached(digits, network, None, epochs=3, gradient=gradient, engine="reference") > 0.4


def test_a_rate_that_is_given_stays():
    assert settled(SGD(7.0), mlp([784, 30, 10])) == SGD(7.0)
    assert Trainer(mlp([64, 10]), Adam(0.5)).optimizer == Adam(0.5)


def test_settings_and_trainers_hold_the_rate_that_they_train_with():
    network = mlp([64, 30, 10], activation="relu", loss="cross-entropy")
    assert Trainer(network, "momentum").optimizer == Momentum(0.01)
    config = RunConfig(digitlab.nn.describe_network(network), optimizer=Momentum())
    assert config.optimizer == Momentum(0.01)
    assert config.full_table()["optimizer"]["learning_rate"] == 0.01


def test_a_rule_of_ones_own_gets_a_rate_and_an_open_one_says_so():
    class Halves(Optimizer):
        def update(self, value, grad, state, learning_rate):
            return value - learning_rate / 2 * np.asarray(grad), state

    assert settled(Halves(), mlp([784, 10])).learning_rate == 0.001
    with pytest.raises(ConfigError, match="has no learning rate yet: give it one"):
        rate_of(SGD())
    del Optimizer.registry["halves"]
