"""Each way of taking the gradient against backpropagation: its error, the order of its error, its cost."""

import math

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.arrays import to_numpy
from digitlab.errors import ConfigError, GradientError
from digitlab.gradients import (
    SPSA,
    Backpropagation,
    CentralDifferences,
    ComplexStep,
    EvolutionStrategies,
    ForwardDifferences,
    ForwardGradient,
    Gradient,
    PerExample,
)
from digitlab.nn import CrossEntropy, Dense, LogLikelihood, Network, Sigmoid, Step, Tanh, mlp
from digitlab.nn.containers import Branches, Residual
from digitlab.nn.describe import build, describe, names
from digitlab.nn.normalization import BatchNorm

from .gradient_ways import ALL, batch, network

each_way = pytest.mark.parametrize("way", ALL, ids=repr)
EXACT = [  # way, and the relative error it may have on a float64 network
    (PerExample(), 1e-14),
    (ForwardDifferences(), 1e-6),
    (CentralDifferences(), 1e-9),
    (ComplexStep(), 1e-14),
]


def vector(net):
    return np.concatenate([to_numpy(p.grad).ravel() for p in net.parameters().values()])


def gradient(way, net, **more):
    x, targets = batch()
    way.gradient(net, x, targets, **more)
    return vector(net)


def error(way, net=None, **more):
    """‖g − g_bp‖ / ‖g_bp‖."""
    net = net or network()
    truth = gradient(Backpropagation(), net)
    return np.linalg.norm(gradient(way, net, **more) - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize("way, tolerance", EXACT, ids=map(repr, [way for way, _ in EXACT]))
def test_the_deterministic_ways_agree_with_backpropagation(way, tolerance):
    assert error(way) < tolerance


@pytest.mark.parametrize("way, tolerance", EXACT, ids=map(repr, [way for way, _ in EXACT]))
def test_they_agree_on_a_float32_network_to_its_own_precision(way, tolerance):
    # All compute in double precision, so what is left is the rounding of backpropagation and of the result.
    assert error(way, network("float32")) < 2e-6


@pytest.mark.parametrize("way, order", [(ForwardDifferences, 1), (CentralDifferences, 2), (ComplexStep, 2)])
def test_the_error_shrinks_by_its_order(way, order):
    coarse, fine = error(way(1e-2)), error(way(1e-3))
    assert math.log10(coarse / fine) == pytest.approx(order, abs=0.05)


def test_too_small_a_step_drowns_in_round_off_but_for_the_complex_one():
    for way in (ForwardDifferences, CentralDifferences):
        assert error(way(1e-13)) > 100 * error(way())
    assert error(ComplexStep(1e-100)) < 1e-14


@pytest.mark.slow
@pytest.mark.parametrize(
    "way, variance",
    [
        (ForwardGradient(400), lambda P: (P + 1) / 400),
        (SPSA(400), lambda P: (P - 1) / 400),
        (EvolutionStrategies(800, sigma=1e-3), lambda P: 2 * (P + 1) / 800),
    ],
    ids=["forward-gradient", "spsa", "evolution"],
)
def test_the_random_ways_scatter_around_the_gradient_as_stated(way, variance):
    """E‖g − ∇L‖² = variance · ‖∇L‖²; 40 draws of it know it to some 10 %, and their mean is 40 times nearer."""
    net, rng = network(), np.random.default_rng(1)
    truth = gradient(Backpropagation(), net)
    draws = np.array([gradient(way, net, rng=rng) for _ in range(40)])
    squares = ((draws - truth) ** 2).sum(axis=1) / (truth @ truth)
    assert squares.mean() == pytest.approx(variance(truth.size), rel=0.25)
    mean_error = ((draws.mean(axis=0) - truth) ** 2).sum() / (truth @ truth)
    assert mean_error < 2 * variance(truth.size) / 40, "biased"


@each_way
def test_it_counts_its_forward_passes(way):
    net = network()
    P, passes = 5 * 4 + 4 + 4 * 3 + 3, []
    forward = net.forward
    net.forward = lambda x, **more: passes.append(len(x)) or forward(x, **more)
    way.gradient(net, *batch(), rng=np.random.default_rng(0))
    stated = {
        "Backpropagation": 3,
        "PerExample": 3,
        "ForwardDifferences": P + 1,
        "CentralDifferences": 2 * P + 1,
        "ComplexStep": P + 1,
        "ForwardGradient": 2,
        "SPSA": 3,
        "EvolutionStrategies": 5,
    }[type(way).__name__]
    assert way.evaluations(net) == stated
    # A forward pass of backpropagation has a backward one behind it, which counts twice.
    assert sum(passes) / 6 == (1 if isinstance(way, Backpropagation) else stated)


@each_way
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_assigns_every_gradient_and_leaves_the_network_as_it_was(way, dtype):
    net = network(dtype)
    held = {name: (p.value, p.value.copy()) for name, p in net.parameters().items()}
    for p in net.parameters().values():
        p.grad = "stale"
    x, targets = batch()
    loss = way.gradient(net, x, targets, rng=np.random.default_rng(0))
    for name, p in net.parameters().items():
        assert p.value is held[name][0], "the very array, which others may hold as well"
        assert_array_equal(p.value, held[name][1])
        assert p.grad.shape == p.value.shape
        assert p.grad.dtype == p.value.dtype
    assert net.dtype == dtype
    assert float(loss) == pytest.approx(float(network(dtype).gradient(x, targets)), rel=1e-6)


@pytest.mark.parametrize("way", ALL[2:], ids=repr)
def test_parameters_return_also_when_a_pass_fails(way):
    net, passes = network("float32"), []
    held = {name: p.value for name, p in net.parameters().items()}
    forward = net.layers[1].forward

    def failing(x, **more):
        passes.append(1)
        if len(passes) == 2:
            raise RuntimeError("the lights went out")
        return forward(x, **more)

    net.layers[1].forward = failing
    with pytest.raises(RuntimeError, match="lights"):
        way.gradient(net, *batch(), rng=np.random.default_rng(0))
    assert all(p.value is held[name] for name, p in net.parameters().items())
    assert net.dtype == "float32"


@pytest.mark.parametrize("way", [PerExample(), CentralDifferences(), ComplexStep()], ids=repr)
def test_with_dropout_all_passes_see_one_mask(way):
    one, two = network(dropout=0.5), network(dropout=0.5)
    truth = gradient(Backpropagation(), one, training=True)
    assert_allclose(gradient(way, two, training=True), truth, rtol=1e-7, atol=1e-9)
    # and the next batch sees another, the same one for both
    again = gradient(Backpropagation(), one, training=True)
    assert not np.allclose(again, truth)
    assert_allclose(gradient(way, two, training=True), again, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("way", ALL[5:], ids=repr)
def test_the_random_ways_hold_the_mask_too(way):
    one, two = network(dropout=0.5), network(dropout=0.5)
    gradient(Backpropagation(), one, training=True)
    gradient(way, two, training=True, rng=np.random.default_rng(0))
    assert one.layers[2].rng.bit_generator.state == two.layers[2].rng.bit_generator.state


@pytest.mark.parametrize("way", [CentralDifferences(), ComplexStep()], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_running_means_move_once(way, dtype):
    def made():
        return Network([Dense(4), BatchNorm(), Tanh(), Dense(3)], 5, LogLikelihood(), dtype=dtype, seed=2)

    one, two = made(), made()
    truth = gradient(Backpropagation(), one, training=True)
    assert_allclose(gradient(way, two, training=True), truth, rtol=1e-5, atol=1e-6)
    for key, buffer in one.layers[1].buffers.items():
        assert two.layers[1].buffers[key].dtype == buffer.dtype
        assert_allclose(two.layers[1].buffers[key], buffer, rtol=1e-6)


@pytest.mark.parametrize("way, tolerance", EXACT, ids=map(repr, [way for way, _ in EXACT]))
def test_layers_inside_layers_are_covered(way, tolerance):
    layers = [Residual([Dense(5), Tanh()]), Branches([[Dense(2), Sigmoid()], [Dense(3)]]), Dense(3)]
    net = Network(layers, 5, CrossEntropy(), dtype="float64", seed=4)
    assert len(net.parameters()) == 8
    assert error(way, net) < tolerance


@pytest.mark.parametrize("way", [*ALL[2:5], ForwardGradient()], ids=repr)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("library", ["array_api_strict", "torch"])
def test_other_array_libraries(way, activation, library):
    xp = array_api_strict if library == "array_api_strict" else pytest.importorskip("torch")
    numbers, net = (mlp([5, 4, 3], activation=activation, loss="softmax", seed=3, dtype="float64") for _ in range(2))
    for p in net.parameters().values():
        p.value = xp.asarray(p.value)
    x, targets = batch()
    way.gradient(numbers, x, targets, rng=np.random.default_rng(5))
    way.gradient(net, xp.asarray(x), xp.asarray(targets), rng=np.random.default_rng(5))
    for p in net.parameters().values():
        assert type(p.grad) is type(p.value)
    assert_allclose(vector(net), vector(numbers), rtol=1e-6, atol=1e-7)


def test_backpropagation_refuses_a_step_by_name_and_the_loss_alone_serves():
    net = Network([Dense(4), Residual([Step()]), Dense(3)], 5, LogLikelihood(), dtype="float64")
    for way in (Backpropagation(), PerExample(), ComplexStep(), ForwardGradient()):
        assert way.unsupported_reason(net).startswith("layer 1.0, Step(): ")
        with pytest.raises(GradientError, match=r"layer 1\.0, Step\(\)"):
            gradient(way, net, rng=np.random.default_rng(0))
    for way in (ForwardDifferences(), CentralDifferences(), SPSA(), EvolutionStrategies()):
        assert way.unsupported_reason(net) is None
        assert np.isfinite(gradient(way, net, rng=np.random.default_rng(0))).all()


def test_evolution_sees_a_slope_where_differences_see_a_plain():
    net = Network([Dense(4), Step(), Dense(3)], 5, LogLikelihood(), dtype="float64", seed=1)
    gradient(CentralDifferences(), net)
    assert not net.parameters()["0.W"].grad.any()
    gradient(EvolutionStrategies(200, sigma=0.3), net, rng=np.random.default_rng(0))
    assert net.parameters()["0.W"].grad.any()


def test_one_example_at_a_time_refuses_batch_normalization():
    net = Network([Dense(4), BatchNorm(), Dense(3)], 5, dtype="float64")
    assert PerExample().unsupported_reason(net).startswith("layer 1, BatchNorm(): needs the whole batch")
    with pytest.raises(GradientError, match="BatchNorm"):
        gradient(PerExample(), net)


@pytest.mark.parametrize("way", ALL[5:], ids=repr)
def test_random_ways_insist_on_a_generator_and_depend_on_nothing_else(way):
    net = network()
    with pytest.raises(ConfigError, match=r"rng=numpy\.random\.default_rng"):
        gradient(way, net)
    one = gradient(way, net, rng=np.random.default_rng(3))
    assert_array_equal(gradient(way, net, rng=np.random.default_rng(3)), one)
    assert not np.array_equal(gradient(way, net, rng=np.random.default_rng(4)), one)


@each_way
def test_ways_have_names_and_descriptions(way):
    assert build(Gradient, describe(way)) == way
    assert describe(way)["type"] == type(way).__name__


def test_the_family():
    assert set(names(Gradient)) == {
        "backpropagation",
        "per-example",
        "forward-differences",
        "central-differences",
        "complex-step",
        "forward-gradient",
        "spsa",
        "evolution-strategies",
        "rashid-rule",
    }
    assert build(Gradient, "backprop") == Backpropagation()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ForwardDifferences(0.0),
        lambda: CentralDifferences(-1e-5),
        lambda: ComplexStep(math.nan),
        lambda: ForwardGradient(0),
        lambda: SPSA(samples=0),
        lambda: SPSA(step=0),
        lambda: EvolutionStrategies(population=3),
        lambda: EvolutionStrategies(population=0),
        lambda: EvolutionStrategies(sigma=0),
    ],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ConfigError, match="expected"):
        wrong()


def test_a_method_of_your_own_defines_compute_alone():
    class _Doubled(Backpropagation):
        def compute(self, network, batch):
            assert batch.training and batch.rng is None and batch.weights is None
            loss = super().compute(network, batch)
            for p in network.parameters().values():
                p.grad = 2 * p.grad
            return loss

    once, twice = network(), network()
    Backpropagation().gradient(once, *batch(), training=True)
    _Doubled().gradient(twice, *batch(), training=True)
    for name, p in twice.parameters().items():
        assert_allclose(p.grad, 2 * once.parameters()[name].grad)
