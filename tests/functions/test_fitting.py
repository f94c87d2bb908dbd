"""Fitting curves: seed problem sin(x) + x, and what the biases do for it."""

import numpy as np
import pytest

from digitlab.errors import ConfigError, DataError
from digitlab.functions import fit_function, parse_function
from digitlab.nn import Dense, MeanSquaredError, Network, ReLU, Zeros, load_network, mlp
from digitlab.train import Callback
from digitlab.train.recorders import recorded_networks
from digitlab.train.run_list import read_runs

SINE_LINE = parse_function("sin(x) + x")


def test_sine_and_line_within_a_thousandth():
    fit = fit_function(mlp([1, 40, 40, 1], activation="tanh", loss="mse", seed=0), SINE_LINE, -8, 8)
    assert fit.error < 1e-3
    assert list(fit.curves) == [0, 1, 4, 14, 53, 200]
    errors = [np.mean((curve - fit.target) ** 2) for curve in fit.curves.values()]
    assert errors[-1] < 1e-3 < errors[0]
    assert fit.points[0].min() == -8
    assert fit.points[0].max() == 8


def test_biases_move_though_they_start_at_zero():
    net = mlp([1, 30, 1], activation="relu", loss="mse", seed=1)
    before = net.parameters()["0.b"].value.copy()
    assert not before.any()
    fit_function(net, SINE_LINE, -8, 8, epochs=20)
    assert (np.abs(net.parameters()["0.b"].value) > 0.01).mean() > 0.9


def test_without_biases_relu_is_two_straight_lines():
    """f(2x) = 2 f(x) for every x > 0, whatever was learned: no bias, no kink but the one at 0."""
    net = Network([Dense(30, biases=None), ReLU(), Dense(1, biases=None)], 1, MeanSquaredError(), seed=2)
    fit = fit_function(net, SINE_LINE, -8, 8, epochs=20)
    x = np.array([[0.5], [1.0], [3.0]], np.float32)
    np.testing.assert_allclose(net.predict(2 * x), 2 * net.predict(x), rtol=1e-5)
    assert fit.error > 0.05


def test_a_softmax_of_one_output_learns_nothing():
    """softmax of a single number is 1 whatever the number: the gradient is 0 and no weight ever moves."""
    net = mlp([1, 5, 1], activation="tanh", loss="log-likelihood", init=Zeros(), seed=0)
    x = np.linspace(-1, 1, 7, dtype=np.float32)[:, None]
    net.gradient(x, np.ones((7, 1), np.float32))
    assert (net.predict(x) == 1).all()
    assert not any(p.grad.any() for p in net.parameters().values())


def test_refuses_poles_and_empty_intervals():
    net = mlp([1, 3, 1], loss="mse")
    with pytest.raises(DataError, match="the function is inf at x = 0, which float32 cannot"):
        fit_function(net, parse_function("1/x"), 0, 1)
    with pytest.raises(ConfigError, match="lower one first"):
        fit_function(net, SINE_LINE, 1, 1)


def test_a_fit_in_a_folder_is_a_run_in_units_of_the_function(tmp_path):
    net = mlp([1, 8, 1], activation="tanh", loss="mse", seed=0)
    fit = fit_function(net, parse_function("x^2"), 100, 110, epochs=4, folder=tmp_path / "run")
    ((run,), _) = read_runs([tmp_path / "run"])
    assert run.config.data["source"] == "function: x^2 on [100, 110]" and run.config.network["input_shape"] == [1]
    assert [row["valid_loss"] for row in run.history] == pytest.approx(fit.history["valid_loss"])
    assert fit.history["valid_loss"][0] > 1e4, "units of x²"
    x = np.array([[100.0], [107.0]], np.float32)
    kept = load_network(tmp_path / "run/network.safetensors")
    np.testing.assert_allclose(kept.predict(x), net.predict(x), rtol=1e-5)
    networks = recorded_networks(tmp_path / "run")
    assert list(networks) == [0, 1, 2, 3, 4] and networks[4].input_range == net.input_range
    for epoch, curve in fit.curves.items():
        shown = networks[epoch].predict(fit.grid[:, None].astype(np.float32)).ravel()
        np.testing.assert_allclose(shown, curve, rtol=1e-4)
    with pytest.raises(ConfigError, match="already holds a run"):
        fit_function(net, np.sin, 0, 1, epochs=1, folder=tmp_path / "run")


def test_ctrl_c_ends_the_fit_without_a_half_fitted_curve():
    class CtrlC(Callback):
        def on_epoch_end(self, trainer, row):
            if row["epoch"] == 2:
                raise KeyboardInterrupt

    net = mlp([1, 5, 1], activation="tanh", loss="mse", seed=0)
    with pytest.raises(KeyboardInterrupt):
        fit_function(net, SINE_LINE, -8, 8, epochs=5, callbacks=[CtrlC()])


@pytest.mark.parametrize("low, high", [(-np.inf, 1), (0, np.inf), (np.nan, 1), (2, 1)])
def test_an_interval_has_two_finite_ends(low, high):
    with pytest.raises(ConfigError, match="expected finite ends, the lower one first"):
        fit_function(mlp([1, 3, 1], loss="mse"), SINE_LINE, low, high)


def test_a_function_beyond_float32():
    with pytest.raises(DataError, match=r"at x = .*, which float32 cannot represent"):
        fit_function(mlp([1, 3, 1], loss="mse"), parse_function("exp(x)"), 0, 100)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
@pytest.mark.parametrize("text, low, high", [("sin(x) + x", -8, 8), ("x^2", 100, 110), ("exp(x)", -8, 8)])
def test_every_optimizer_fits_at_its_default_rate(optimizer, text, low, high):
    function = parse_function(text)
    spread = np.var(function(np.linspace(low, high, 1000)))
    fit = fit_function(mlp([1, 40, 40, 1], activation="tanh", loss="mse"), function, low, high, optimizer=optimizer)
    assert fit.error < 0.01 * spread


def test_the_network_computes_the_function_in_its_own_units():
    function = parse_function("1000 + x^2")
    net = mlp([1, 20, 1], activation="tanh", loss="mse", seed=1)
    fit = fit_function(net, function, 3, 5)
    x = np.linspace(3, 5, 50)
    np.testing.assert_allclose(net.predict(x[:, None]).ravel(), function(x), atol=0.5)
    assert fit.history[-1]["valid_loss"] == pytest.approx(fit.error, rel=1, abs=0.1)
    assert (net.input_range.low, net.input_range.high) == (3, 5)


def test_a_fitted_network_goes_on_from_what_it_learned():
    net = mlp([1, 40, 40, 1], activation="tanh", loss="mse", seed=0)
    first = fit_function(net, SINE_LINE, -8, 8)
    second = fit_function(net, SINE_LINE, -8, 8, epochs=1)
    np.testing.assert_allclose(second.curves[0], first.curves[200], atol=1e-3)
