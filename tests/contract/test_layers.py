"""What every layer must do, whichever it is: one test a clause of the contract in nn/network.py."""

import copy
import json

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.arrays import to_numpy
from digitlab.gradients import Backpropagation, ComplexStep, check_gradients
from digitlab.nn import Layer, Network, load_network
from digitlab.nn.describe import build, describe

from .examples import LAYERS, WHOLE_BATCH, batch, converted, inside, layer_network, parameters, public

each_layer = pytest.mark.parametrize("layer, shape", LAYERS, ids=[f"{layer}-{shape}" for layer, shape in LAYERS])
WITH_BACKWARD = [
    (layer, shape) for layer, shape in LAYERS if not Backpropagation().unsupported_reason(layer_network(layer, shape))
]
each_with_backward = pytest.mark.parametrize(
    "layer, shape", WITH_BACKWARD, ids=[f"{layer}-{shape}" for layer, shape in WITH_BACKWARD]
)
each_mode = pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])


def test_everything_has_an_example():
    missing = {cls.__name__ for cls in public(Layer)} - {type(layer).__name__ for layer, _ in LAYERS}
    assert not missing, f"add an example of {sorted(missing)} to tests/contract/examples.py"


@each_layer
@each_mode
def test_output_shape_is_what_forward_gives(layer, shape, training):
    net = layer_network(layer, shape)
    y, _ = net.layers[0].forward(batch(shape), training=training)
    assert y.shape == (3, *net.shapes[-1])
    assert layer.output_shape(shape) == net.shapes[-1], "the shape may not depend on init"


@each_layer
def test_forward_leaves_input_and_parameters_alone(layer, shape):
    layer = layer_network(layer, shape).layers[0]
    x, before = batch(shape), copy.deepcopy(layer)
    kept = x.copy()
    for training in (False, True):
        layer.forward(x, training=training)
        assert_array_equal(x, kept)
        for p, old in zip(parameters(layer), parameters(before), strict=True):
            assert_array_equal(p.value, old.value)
    layer = copy.deepcopy(before)
    layer.forward(x)
    for each, old in zip(inside(layer), inside(before), strict=True):
        for key, buffer in each.buffers.items():
            assert_array_equal(buffer, old.buffers[key], err_msg="inference moved a buffer")


@each_with_backward
@each_mode
def test_backward_assigns_every_gradient_and_returns_that_of_x(layer, shape, training):
    layer = layer_network(layer, shape).layers[0]
    x = batch(shape)
    y, cache = layer.forward(x, training=training)
    grad_y = batch(y.shape[1:], seed=3)
    kept = grad_y.copy()
    for p in parameters(layer):
        p.grad = "stale"
    grad_x = layer.backward(grad_y, cache)
    assert grad_x.shape == x.shape
    assert_array_equal(grad_y, kept)
    for p in parameters(layer):
        assert p.grad.shape == p.value.shape
        assert p.grad.dtype == p.value.dtype
    first = [p.grad.copy() for p in parameters(layer)]
    _, cache = layer.forward(x, training=training)
    if not training:  # in training a second pass draws another mask
        assert_array_equal(layer.backward(grad_y, cache), grad_x)
        for p, grad in zip(parameters(layer), first, strict=True):
            assert_array_equal(p.grad, grad, err_msg="gradients are assigned, not added up")


@each_with_backward
@each_mode
def test_gradients_agree_with_central_differences(layer, shape, training):
    net = layer_network(layer, shape)
    report = check_gradients(net, batch(shape), batch(net.shapes[-1], seed=4), training=training)
    assert report.passed, f"\n{report}"


@each_with_backward
@each_mode
def test_gradients_agree_with_the_complex_step(layer, shape, training):
    net = layer_network(layer, shape)
    if refusal := ComplexStep().unsupported_reason(net):
        pytest.skip(refusal)
    x, targets = batch(shape), batch(net.shapes[-1], seed=4)
    report = check_gradients(net, x, targets, method=ComplexStep(), tolerance=1e-10, training=training)
    assert report.passed, f"\n{report}"


@each_layer
@each_mode
def test_float32_stays_float32(layer, shape, training):
    layer = layer_network(layer, shape, dtype="float32").layers[0]
    y, cache = layer.forward(batch(shape, dtype="float32"), training=training)
    assert y.dtype == np.float32
    if Backpropagation().unsupported_reason(layer_network(layer, shape)) is None:
        assert layer.backward(y, cache).dtype == np.float32
        for p in parameters(layer):
            assert p.grad.dtype == np.float32
    for each in inside(layer):
        for buffer in each.buffers.values():
            assert buffer.dtype != np.float64


@each_with_backward
@each_mode
def test_a_batch_of_one_works(layer, shape, training):
    if training and isinstance(layer, WHOLE_BATCH):
        pytest.skip("needs more than one example to train")
    layer = layer_network(layer, shape).layers[0]
    x = batch(shape, n=1)
    y, cache = layer.forward(x, training=training)
    assert np.isfinite(y).all()
    assert layer.backward(y, cache).shape == x.shape


@each_layer
def test_examples_do_not_see_each_other_in_inference(layer, shape):
    layer = layer_network(layer, shape).layers[0]
    x = batch(shape)
    together, _ = layer.forward(x)
    alone = np.concatenate([layer.forward(x[i : i + 1])[0] for i in range(len(x))])
    assert_allclose(together, alone, rtol=1e-12, atol=1e-12)


@each_layer
def test_describes_itself_and_is_built_again(layer, shape):
    text = json.dumps(describe(layer))
    again = build(Layer, json.loads(text))
    assert type(again) is type(layer)
    assert json.dumps(describe(again)) == text
    assert again.output_shape(shape) == layer.output_shape(shape)


@each_layer
def test_saved_and_loaded_it_computes_the_same(layer, shape, tmp_path):
    net = layer_network(layer, shape, dtype="float32")
    x = batch(shape, dtype="float32")
    net.forward(x, training=True)  # buffers that move in training are part of what is saved
    net.save(tmp_path / "net.safetensors")
    loaded = load_network(tmp_path / "net.safetensors")
    assert list(loaded.state()) == list(net.state())
    assert_array_equal(loaded.forward(x)[0], net.forward(x)[0])
    assert [describe(each) for each in loaded.layers] == [describe(each) for each in net.layers]


@each_layer
@each_mode
def test_the_same_seed_gives_the_same_numbers(layer, shape, training):
    x = batch(shape)
    one, two = (layer_network(layer, shape, seed=5) for _ in range(2))
    assert_array_equal(one.forward(x, training=training)[0], two.forward(x, training=training)[0])
    for name, p in one.parameters().items():
        assert_array_equal(p.value, two.parameters()[name].value)


@each_layer
def test_without_an_rng_it_draws_nothing(layer, shape):
    one, two = (layer_network(layer, shape, seed=None) for _ in range(2))
    for name, p in one.parameters().items():
        assert_array_equal(p.value, two.parameters()[name].value)


def forward_and_backward(layer, x, grad_y, convert):
    """y, grad_x and all parameter gradients, as NumPy arrays, computed by another array library."""
    layer = converted(layer, convert)
    y, cache = layer.forward(convert(x), training=True)
    results = [y]
    if grad_y is not None:
        results += [layer.backward(convert(grad_y), cache), *(p.grad for p in parameters(layer))]
    return [to_numpy(array) for array in results], results


@each_layer
def test_runs_on_any_array_library_that_keeps_the_standard(layer, shape):
    layer = layer_network(layer, shape).layers[0]
    x = batch(shape)
    grad_y = None
    if Backpropagation().unsupported_reason(Network([copy.deepcopy(layer)], shape, "mse")) is None:
        grad_y = batch(layer.output_shape(shape), seed=3)
    expected, _ = forward_and_backward(layer, x, grad_y, np.asarray)
    got, raw = forward_and_backward(layer, x, grad_y, array_api_strict.asarray)
    for mine, strict, array in zip(expected, got, raw, strict=True):
        assert isinstance(array, array_api_strict._array_object.Array)
        assert strict.dtype == mine.dtype
        assert_allclose(strict, mine, rtol=1e-12, atol=1e-12)


@each_layer
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-5)])
def test_runs_on_torch(layer, shape, dtype, tolerance):
    torch = pytest.importorskip("torch")
    layer = layer_network(layer, shape, dtype=dtype).layers[0]
    x = batch(shape, dtype=dtype)
    grad_y = None
    if Backpropagation().unsupported_reason(layer_network(layer, shape)) is None:
        grad_y = batch(layer.output_shape(shape), dtype=dtype, seed=3)
    expected, _ = forward_and_backward(layer, x, grad_y, np.asarray)
    got, raw = forward_and_backward(layer, x, grad_y, torch.asarray)
    for mine, theirs, array in zip(expected, got, raw, strict=True):
        assert isinstance(array, torch.Tensor)
        assert theirs.dtype == mine.dtype
        assert_allclose(theirs, mine, rtol=tolerance, atol=tolerance)


@pytest.mark.slow
@each_with_backward
@each_mode
def test_torchs_own_derivative_of_forward_agrees(layer, shape, training):
    """PyTorch records what forward does and derives it by itself: a truth that shares nothing with our backward."""
    torch = pytest.importorskip("torch")
    layer = converted(layer_network(layer, shape).layers[0], torch.asarray)
    twin = copy.deepcopy(layer)
    x, grad_y = torch.asarray(batch(shape)), torch.asarray(batch(layer.output_shape(shape), seed=3))
    _, cache = layer.forward(x, training=training)
    grad_x = layer.backward(grad_y, cache)
    leaf = x.clone().requires_grad_()
    for p in parameters(twin):
        p.value.requires_grad_()
    twin.forward(leaf, training=training)[0].backward(grad_y)
    assert_allclose(grad_x, leaf.grad, rtol=1e-10, atol=1e-10)
    for p, other in zip(parameters(layer), parameters(twin), strict=True):
        assert_allclose(p.grad, other.value.grad, rtol=1e-10, atol=1e-10)
