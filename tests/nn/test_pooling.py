"""Pooling by the maximum, by the mean, and over the whole picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.gradients import check_gradients
from digitlab.nn import AveragePool2D, Conv2D, Dense, Flatten, GlobalAveragePool, LogLikelihood, MaxPool2D, Network


def picture(*rows):
    """Rows of one grey picture as a batch (1, H, W, 1)."""
    return np.array(rows, dtype=np.float64)[None, :, :, None]


def test_max_by_hand():
    y, cache = MaxPool2D(2).forward(picture([1, 2], [4, 3]))
    assert_array_equal(y, picture([4]))
    assert_array_equal(MaxPool2D(2).backward(picture([5]), cache), picture([0, 0], [5, 0]))


def test_average_by_hand():
    y, cache = AveragePool2D(2).forward(picture([1, 2], [4, 3]))
    assert_array_equal(y, picture([2.5]))
    assert_array_equal(AveragePool2D(2).backward(picture([4]), cache), picture([1, 1], [1, 1]))


def test_global_average_by_hand():
    y, cache = GlobalAveragePool().forward(picture([1, 2], [4, 3]))
    assert_array_equal(y, [[2.5]])
    assert_array_equal(GlobalAveragePool().backward(np.array([[4.0]]), cache), picture([1, 1], [1, 1]))


def test_of_several_maxima_the_first_one_learns():
    x = picture([7, 7, 0], [7, 7, 0], [0, 0, 7])
    layer = MaxPool2D(2, stride=1)
    _, cache = layer.forward(x)
    # The four windows' first 7s, row by row: (0, 0), (0, 1), (1, 0), (1, 1).
    assert_array_equal(layer.backward(picture([1, 2], [4, 8]), cache), picture([1, 2, 0], [4, 8, 0], [0, 0, 0]))
    _, cache = layer.forward(np.zeros_like(x))
    assert_array_equal(layer.backward(picture([1, 2], [4, 8]), cache), picture([1, 2, 0], [4, 8, 0], [0, 0, 0]))


def test_where_windows_overlap_a_pixel_gets_the_sum():
    x = picture([0, 0, 0], [0, 9, 0], [0, 0, 0])
    for layer, middle in ((MaxPool2D(2, stride=1), 1 + 2 + 4 + 8), (AveragePool2D(2, stride=1), 15 / 4)):
        _, cache = layer.forward(x)
        assert layer.backward(picture([1, 2], [4, 8]), cache)[0, 1, 1, 0] == middle


def test_padding_is_never_the_maximum_and_not_in_the_mean():
    x = picture([-1, -2], [-3, -4])
    assert_array_equal(MaxPool2D(2, padding=1).forward(x)[0], x)
    assert_array_equal(AveragePool2D(2, padding=1).forward(x)[0], x)
    assert_array_equal(AveragePool2D(3, stride=1, padding=1).forward(x)[0], np.full((1, 2, 2, 1), -2.5))


def test_left_over_pixels_are_dropped():
    x = np.arange(50.0).reshape(1, 5, 5, 2)
    for layer in (MaxPool2D(2), AveragePool2D(2)):
        assert layer.output_shape((5, 5, 2)) == (2, 2, 2)
        y, cache = layer.forward(x)
        assert_array_equal(y, layer.forward(x[:, :4, :4, :])[0])
        grad_x = layer.backward(np.ones_like(y), cache)
        assert not grad_x[:, 4].any() and not grad_x[:, :, 4].any()


def test_colours_are_pooled_apart():
    x = np.zeros((1, 2, 2, 3))
    x[0, 0, 0], x[0, 1, 1] = [1, -1, 5], [2, -3, 4]
    assert_array_equal(MaxPool2D(2).forward(x)[0].ravel(), [2, 0, 5])


def test_a_diverged_network_cannot_hide():
    for at in np.ndindex(2, 2):
        x = picture([1, 2], [4, 3])
        x[0, *at, 0] = np.nan
        for layer in (MaxPool2D(2), AveragePool2D(2), GlobalAveragePool()):
            assert np.isnan(layer.forward(x)[0]).all()


@st.composite
def poolings(draw, kind):
    """A layer, its input's shape, the batch size."""
    size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = tuple(draw(st.integers(0, s // 2)) for s in size)  # PyTorch allows no more; we do up to size − 1
    sizes = tuple(max(s - 2 * p, 1) + draw(st.integers(0, 5)) for s, p in zip(size, padding))
    return kind(size, stride, padding), (*sizes, draw(st.integers(1, 3))), draw(st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(poolings(MaxPool2D), st.sampled_from(["float32", "float64"]), st.integers(0, 99))
def test_max_agrees_with_pytorch(drawn_layer, dtype, seed):
    torch = pytest.importorskip("torch")
    from .torch_twins import assert_agree, drawn, leaf, nchw, nhwc

    layer, shape, n = drawn_layer
    # Few different numbers, so that windows have several maxima.
    x = np.random.default_rng(seed).integers(-2, 3, (n, *shape)).astype(dtype)
    y, cache = layer.forward(x)
    assert y.shape == (n, *layer.output_shape(shape))
    g = drawn(seed, *y.shape, dtype=dtype)
    x_ = leaf(x)
    y_ = nhwc(torch.nn.functional.max_pool2d(nchw(x_), layer.size, layer.stride, layer.padding))
    y_.backward(torch.tensor(g))
    assert_agree(y, y_, dtype)
    assert_agree(layer.backward(g, cache), x_.grad, dtype)


@settings(max_examples=60, deadline=None)
@given(poolings(AveragePool2D), st.sampled_from(["float32", "float64"]), st.integers(0, 99))
def test_average_agrees_with_pytorch(drawn_layer, dtype, seed):
    torch = pytest.importorskip("torch")
    from .torch_twins import assert_agree, drawn, leaf, nchw, nhwc

    layer, shape, n = drawn_layer
    x = drawn(seed, n, *shape, dtype=dtype)
    y, cache = layer.forward(x)
    assert y.shape == (n, *layer.output_shape(shape))
    g = drawn(seed + 1, *y.shape, dtype=dtype)
    x_ = leaf(x)
    pooled = torch.nn.functional.avg_pool2d(nchw(x_), layer.size, layer.stride, layer.padding, count_include_pad=False)
    nhwc(pooled).backward(torch.tensor(g))
    assert_agree(y, nhwc(pooled), dtype)
    assert_agree(layer.backward(g, cache), x_.grad, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_global_average_agrees_with_pytorch(dtype):
    torch = pytest.importorskip("torch")
    from .torch_twins import assert_agree, drawn, leaf, nchw

    x, g = drawn(0, 3, 5, 4, 2, dtype=dtype), drawn(1, 3, 2, dtype=dtype)
    y, cache = GlobalAveragePool().forward(x)
    x_ = leaf(x)
    y_ = torch.nn.functional.adaptive_avg_pool2d(nchw(x_), 1).flatten(1)
    y_.backward(torch.tensor(g))
    assert_agree(y, y_, dtype)
    assert_agree(np.asarray(GlobalAveragePool().backward(g, cache)), x_.grad, dtype)


@pytest.mark.parametrize("size, stride, windows", [(5, 2, 3), (4, 2, 2), (7, 3, 3)])
def test_same_padding(size, stride, windows):
    for kind in (MaxPool2D, AveragePool2D):
        assert kind(3, stride, "same").output_shape((size, size, 2)) == (windows, windows, 2)


def test_gradient_of_a_whole_network():
    pools = [MaxPool2D(3, stride=2, padding=1), AveragePool2D(2, stride=1), GlobalAveragePool()]
    net = Network([Conv2D(3, 2), *pools, Dense(3)], (7, 6, 1), LogLikelihood(), dtype="float64")
    report = check_gradients(net, np.random.default_rng(1).normal(size=(3, 7, 6, 1)), np.array([0, 2, 1]))
    assert report.passed, f"\n{report}"


@pytest.mark.parametrize(
    "layer, shape, message",
    [
        (
            MaxPool2D(3),
            (2, 5, 1),
            "MaxPool2D(3): got a picture of 2×5, expected at least 3×3; a smaller kernel or more padding fits",
        ),
        (
            AveragePool2D((2, 4)),
            (5, 3, 1),
            "AveragePool2D((2, 4)): got a picture of 5×3, expected at least 2×4; a smaller kernel or more padding fits",
        ),
        (
            MaxPool2D(2),
            (28, 28),
            "MaxPool2D(2): got input of shape (28, 28), expected (height, width, channels); "
            "a grey picture has one channel: (28, 28, 1)",
        ),
        (
            GlobalAveragePool(),
            (28, 28),
            "GlobalAveragePool(): got input of shape (28, 28), "
            "expected (height, width, channels); a grey picture has one channel: (28, 28, 1)",
        ),
    ],
)
def test_shapes_that_do_not_fit(layer, shape, message):
    with pytest.raises(ShapeError) as error:
        Network([layer, Flatten(), Dense(2)], shape)
    assert str(error.value) == f"layer 0, {message}"


@pytest.mark.parametrize(
    "choices, words",
    [
        ({"size": 0}, "size"),
        ({"size": 2, "stride": 0}, "stride"),
        ({"size": 2, "padding": -1}, "padding"),
        ({"size": 2, "padding": 2}, "less than the size"),
        ({"size": (3, 1), "padding": (1, 1)}, "less than the size"),
        ({"size": 2, "padding": "full"}, "padding"),
    ],
)
def test_impossible_settings(choices, words):
    for kind in (MaxPool2D, AveragePool2D):
        with pytest.raises(ConfigError, match=words) as error:
            kind(**choices)
        assert str(error.value).startswith(f"{kind.__name__}(") and "\n" not in str(error.value)
