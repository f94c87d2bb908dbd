"""Batch and layer normalization."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.gradients import check_gradients
from digitlab.nn import BatchNorm, Conv2D, Dense, Flatten, LayerNorm, LogLikelihood, Network, Sigmoid, load_network


def built(layer, input_shape, dtype="float64", seed=None):
    """The layer with its parameters; with a seed they are drawn, so that γ and β show in what is computed."""
    layer.output_shape(input_shape)
    layer.init(input_shape, np.random.default_rng(0), dtype=dtype)
    if seed is not None:
        for i, p in enumerate(layer.params.values()):
            p.value = np.random.default_rng([seed, i]).normal(size=p.value.shape).astype(dtype)
    return layer


def test_batch_norm_by_hand():
    layer = built(BatchNorm(epsilon=0), (1,))
    x, g = np.array([[1.0], [1], [3], [3]]), np.array([[4.0], [0], [0], [0]])
    y, cache = layer.forward(x, training=True)
    assert_array_equal(y, [[-1], [-1], [1], [1]])
    assert_allclose(layer.buffers["running_mean"], [0.2])
    assert_allclose(layer.buffers["running_var"], [0.9 + 0.1 * 4 / 3])
    assert_array_equal(layer.backward(g, cache), [[2], [-2], [0], [0]])
    assert_array_equal(layer.params["gamma"].grad, [-4])
    assert_array_equal(layer.params["beta"].grad, [4])


def test_layer_norm_by_hand():
    layer = built(LayerNorm(epsilon=0), (4,))
    y, cache = layer.forward(np.array([[1.0, 1, 3, 3]]))
    assert_array_equal(y, [[-1, -1, 1, 1]])
    assert_array_equal(layer.backward(np.array([[4.0, 0, 0, 0]]), cache), [[2, -2, 0, 0]])
    assert_array_equal(layer.params["gamma"].grad, [-4, 0, 0, 0])
    assert_array_equal(layer.params["beta"].grad, [4, 0, 0, 0])


shapes = st.one_of(st.tuples(st.integers(1, 6)), st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4)))
dtypes = st.sampled_from(["float32", "float64"])


@settings(max_examples=60, deadline=None)
@given(shapes, st.integers(2, 5), dtypes, st.booleans(), st.floats(0, 1), st.sampled_from([1e-5, 1e-3, 0.1]))
def test_batch_norm_agrees_with_pytorch(shape, n, dtype, training, momentum, epsilon):
    torch = pytest.importorskip("torch")
    from .torch_twins import assert_agree, drawn, leaf, nchw, nhwc

    layer = built(BatchNorm(momentum, epsilon), shape, dtype, seed=7)
    mean, var = (torch.tensor(layer.buffers[key]) for key in ("running_mean", "running_var"))
    gamma, beta = (leaf(layer.params[key].value) for key in ("gamma", "beta"))
    for step in range(3):  # the running values go from one batch to the next
        x = drawn(step, n, *shape, dtype=dtype) * 2 + 1
        now = training if step == 2 else True
        y, cache = layer.forward(x, training=now)
        x_ = leaf(x)
        y_ = nhwc(torch.nn.functional.batch_norm(nchw(x_), mean, var, gamma, beta, now, momentum, epsilon))
        assert_agree(y, y_, dtype)
        assert_agree(layer.buffers["running_mean"], mean, dtype)
        assert_agree(layer.buffers["running_var"], var, dtype)
    g = drawn(9, *y.shape, dtype=dtype)
    y_.backward(torch.tensor(g))
    assert_agree(layer.backward(g, cache), x_.grad, dtype)
    assert_agree(layer.params["gamma"].grad, gamma.grad, dtype)
    assert_agree(layer.params["beta"].grad, beta.grad, dtype)


@settings(max_examples=60, deadline=None)
@given(shapes, st.integers(1, 4), dtypes, st.integers(0, 3), st.sampled_from([1e-5, 1e-3, 0.1]))
def test_layer_norm_agrees_with_pytorch(shape, n, dtype, axes, epsilon):
    torch = pytest.importorskip("torch")
    from .torch_twins import assert_agree, drawn, leaf

    axes = None if axes == 0 else min(axes, len(shape))
    # Of a single number the variance is 0: ours exactly, PyTorch's up to rounding, which 1/√ε then enlarges.
    assume(math.prod(shape if axes is None else shape[-axes:]) > 1)
    layer = built(LayerNorm(epsilon, axes), shape, dtype, seed=7)
    x, g = drawn(1, n, *shape, dtype=dtype), drawn(2, n, *shape, dtype=dtype)
    y, cache = layer.forward(x)
    grad_x = layer.backward(g, cache)
    x_, gamma, beta = leaf(x), leaf(layer.params["gamma"].value), leaf(layer.params["beta"].value)
    y_ = torch.nn.functional.layer_norm(x_, shape if axes is None else shape[-axes:], gamma, beta, epsilon)
    y_.backward(torch.tensor(g))
    assert_agree(y, y_, dtype)
    assert_agree(grad_x, x_.grad, dtype)
    assert_agree(layer.params["gamma"].grad, gamma.grad, dtype)
    assert_agree(layer.params["beta"].grad, beta.grad, dtype)


def test_layer_norm_of_a_single_number_is_beta():
    layer = built(LayerNorm(), (2, 3, 1), seed=1)
    y, cache = layer.forward(np.random.default_rng(0).normal(size=(2, 2, 3, 1)))
    assert_array_equal(y, np.broadcast_to(layer.params["beta"].value, y.shape))
    assert not layer.backward(np.ones_like(y), cache).any()


def test_batch_norm_takes_a_feature_of_any_size_to_mean_0_and_variance_1():
    x = np.random.default_rng(0).normal([5, -100, 0], [1, 20, 0.1], (50, 3))
    y, _ = built(BatchNorm(), (3,)).forward(x, training=True)
    assert_allclose(y.mean(0), 0, atol=1e-12)
    assert_allclose(y.var(0), 1, atol=2e-3)


def test_running_values_approach_those_of_the_data():
    layer, rng = built(BatchNorm(), (2,)), np.random.default_rng(0)
    for _ in range(100):
        layer.forward(rng.normal([5, -1], [2, 0.5], (200, 2)), training=True)
    assert_allclose(layer.buffers["running_mean"], [5, -1], atol=0.1)
    assert_allclose(layer.buffers["running_var"], [4, 0.25], rtol=0.1)


def test_batch_norm_is_saved_with_its_running_values(tmp_path):
    net = Network([Conv2D(2, 2), BatchNorm(), Sigmoid(), Flatten(), Dense(3)], (4, 4, 1), LogLikelihood())
    x = np.random.default_rng(0).normal(size=(5, 4, 4, 1)).astype(np.float32)
    net.gradient(x, np.array([0, 1, 2, 0, 1]), training=True)
    assert net.layers[1].buffers["running_mean"].all()
    net.save(tmp_path / "net.safetensors")
    assert_array_equal(load_network(tmp_path / "net.safetensors").predict(x), net.predict(x))
    assert sorted(name for name in net.state() if name.startswith("1.")) == [
        "1.beta",
        "1.gamma",
        "1.running_mean",
        "1.running_var",
    ]


def test_neither_is_shrunk_by_weight_decay():
    for layer in (built(BatchNorm(), (3,)), built(LayerNorm(), (3,))):
        assert not any(p.regularized for p in layer.params.values())


@pytest.mark.parametrize("training", [False, True])
def test_gradient_of_a_whole_network(training):
    layers = [Conv2D(3, 2, biases=None), BatchNorm(), Sigmoid(), LayerNorm(axes=None), Flatten(), Dense(4), LayerNorm()]
    net = Network(layers, (4, 3, 1), LogLikelihood(), dtype="float64")
    x = np.random.default_rng(1).normal(size=(4, 4, 3, 1))
    report = check_gradients(net, x, np.array([0, 2, 1, 3]), training=training)
    assert report.passed, f"\n{report}"


def test_a_batch_of_one_number_per_feature():
    layer = built(BatchNorm(), (3,))
    with pytest.raises(ShapeError, match=r"^BatchNorm: got one number per feature .* batch_size") as error:
        layer.forward(np.ones((1, 3)), training=True)
    assert "\n" not in str(error.value)
    assert layer.forward(np.ones((1, 3)))[0].shape == (1, 3)
    assert built(BatchNorm(), (2, 2, 3)).forward(np.ones((1, 2, 2, 3)), training=True)[0].shape == (1, 2, 2, 3)


def test_what_does_not_fit():
    with pytest.raises(ShapeError) as error:
        Network([LayerNorm(axes=2)], 5)
    assert str(error.value) == "layer 0, LayerNorm: got input of shape (5,), expected at least 2 axes (axes=2)"
    for wrong in (
        lambda: BatchNorm(momentum=1.5),
        lambda: BatchNorm(epsilon=-1),
        lambda: LayerNorm(epsilon=-1),
        lambda: LayerNorm(axes=0),
    ):
        with pytest.raises(ConfigError, match="expected"):
            wrong()
